//! JSON Schemas of both kinds of file, for editors: derived from types that say what each key is for. The decoder does not use them; a test holds both to the same corpus.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

const NAME: &str = "^[a-z0-9][a-z0-9-]{0,62}$";
const LABEL: &str = "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$";
const DURATION: &str = "^P(([0-9]+W([0-9]+D)?|[0-9]+D)(T([0-9]+H([0-9]+M)?([0-9]+S)?|[0-9]+M([0-9]+S)?|[0-9]+S))?|T([0-9]+H([0-9]+M)?([0-9]+S)?|[0-9]+M([0-9]+S)?|[0-9]+S))$";
const LINE: &str =
    "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$";
const DOMAIN: &str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$";
const PROXY: &str = "^http://([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$";

/// The schema of desired state.
pub fn desired() -> Value {
    publish::<DesiredFile>()
}

/// The schema of settings.
pub fn settings() -> Value {
    publish::<SettingsFile>()
}

fn publish<T: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    refuse_null(&mut schema);
    schema
}

/// An optional key may be left out, and may not be empty: where derived schemas allow null, ours do not.
fn refuse_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(refuse_null),
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(any)) = map.get_mut("anyOf") {
                any.retain(|one| one != &json!({ "type": "null" }));
                if let [Value::Object(only)] = any.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    map.extend(only);
                }
            }
            map.values_mut().for_each(refuse_null);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A map of named things.
fn named<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = generator.subschema_for::<BTreeMap<String, T>>();
    schema.insert("propertyNames".to_owned(), json!({ "pattern": NAME }));
    schema
}

macro_rules! patterned {
    ($(#[$doc:meta])* $name:ident, $extra:expr) => {
        $(#[$doc])*
        pub struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!({ "type": "string" });
                if let Value::Object(extra) = $extra {
                    for (key, value) in extra {
                        schema.insert(key, value);
                    }
                }
                schema
            }
        }
    };
}

patterned!(
    /// A name: a-z, 0-9 and `-`, at most 63.
    Name, json!({ "pattern": NAME })
);
patterned!(
    /// One DNS label.
    Label, json!({ "pattern": LABEL })
);
patterned!(
    /// An ISO 8601 duration.
    Duration, json!({ "pattern": DURATION, "examples": ["PT24H", "P7D", "P30D"] })
);
patterned!(
    /// A description of a key.
    Description, json!({ "pattern": LINE, "maxLength": 150, "not": { "pattern": "\\[qp1:" } })
);
patterned!(
    /// A name for people.
    DisplayName, json!({ "pattern": LINE, "maxLength": 255 })
);
patterned!(
    /// A key's id.
    KeyId, json!({ "pattern": "^[A-Za-z0-9_-]{1,128}$" })
);
patterned!(
    /// A domain.
    Domain, json!({ "pattern": DOMAIN, "maxLength": 190 })
);
patterned!(
    /// A path.
    PathText, json!({ "pattern": LINE })
);
patterned!(
    /// The name of an environment variable.
    Variable, json!({ "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "maxLength": 255 })
);
patterned!(
    /// A proxy's address.
    Proxy, json!({ "pattern": PROXY })
);

/// The format's version.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "integer", "const" = 1))]
pub struct Version;

/// Desired state: which tenants and API keys should exist. Reviewed like code; holds no secrets.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "qlik-plan: desired state")]
pub struct DesiredFile {
    /// The version of this format.
    pub version: Version,
    /// What should exist in Qlik Cloud.
    pub qlik: Option<Qlik>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Qlik {
    /// What many tenants share, by name. A tenant takes one with `profile: NAME`.
    #[schemars(schema_with = "named::<Profile>")]
    #[schemars(default)]
    pub profiles: BTreeMap<String, Profile>,
    /// The tenants, by name. The name is the tenant's identity here: `qlik/NAME`.
    #[schemars(schema_with = "named::<Tenant>")]
    #[schemars(default)]
    pub tenants: BTreeMap<String, Tenant>,
}

/// What many tenants share. What a tenant does not say itself is taken from its profile.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Profile {
    /// An account named in settings.
    pub account: Option<Name>,
    /// Limits on API keys, set once while a tenant that we made is settled; later differences are drift.
    pub api_key_limits: Option<ApiKeyLimits>,
    /// Permissions that are to be there.
    pub grants: Option<Grants>,
    /// API keys, by name.
    #[schemars(schema_with = "named::<ApiKey>")]
    #[schemars(default)]
    pub api_keys: BTreeMap<String, ApiKey>,
}

/// One tenant.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Tenant {
    /// An account named in settings: whose credentials and region. Required here or in the profile.
    pub account: Option<Name>,
    /// A profile to inherit from.
    pub profile: Option<Name>,
    /// The tenant's name as people see it.
    pub display_name: Option<DisplayName>,
    /// One DNS label for people to reach it by; the rest comes from the account's region.
    pub alias: Option<Label>,
    /// The tenant exists; it is never created.
    pub adopt: Option<AdoptTenant>,
    /// Limits on API keys, set once while a tenant that we made is settled. Replaces the profile's as a whole.
    pub api_key_limits: Option<ApiKeyLimits>,
    /// Permissions that are to be there. Replaces the profile's as a whole.
    pub grants: Option<Grants>,
    /// API keys, by name, besides the profile's. One of the same name needs `override: true`.
    #[schemars(schema_with = "named::<ApiKey>")]
    #[schemars(default)]
    pub api_keys: BTreeMap<String, ApiKey>,
    /// Names of the profile's keys that this tenant does not get.
    #[schemars(default)]
    pub omit: Vec<Name>,
}

/// How an existing tenant is known.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AdoptTenant {
    /// The first label of its own hostname (not of an alias).
    pub hostname: Label,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ApiKeyLimits {
    /// The longest that an API key may live.
    pub max_expiry: Option<Duration>,
    /// How many active API keys one user may have.
    #[schemars(range(min = 0, max = 1000))]
    pub max_keys_per_user: Option<u16>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Grants {
    /// Who may manage their own API keys.
    pub manage_api_keys: Option<ManageApiKeys>,
}

/// Exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum ManageApiKeys {
    /// Every user, through the tenant's user default.
    Everyone(Nothing),
}

/// Nothing is said beneath it yet.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Nothing {}

/// One API key. Its secret goes to a sink, never into a file that is reviewed.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("anyOf" = [{ "required": ["adopt"] }, { "required": ["description", "owner", "expires_in", "deliver_to"] }])
)]
pub struct ApiKey {
    /// What the key is for, as the tenant shows it.
    pub description: Option<Description>,
    /// As whom it is minted.
    pub owner: Option<Owner>,
    /// How long it lives; at least a minute.
    pub expires_in: Option<Duration>,
    /// A key that expires within this gets a successor. Shorter than `expires_in`; a quarter of it if left out.
    pub renew_before: Option<Duration>,
    /// A sink named in settings.
    pub deliver_to: Option<Name>,
    /// What is written into the sink; `token` if left out.
    pub deliver_as: Option<DeliverAs>,
    /// The key exists; it is never minted, and its secret is its owner's affair.
    pub adopt: Option<AdoptKey>,
    /// Replaces the profile's key of the same name as a whole.
    #[schemars(rename = "override", default)]
    pub overrides: bool,
}

/// How an existing key is known.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AdoptKey {
    /// Its id, as the tenant's list of API keys shows it.
    pub key_id: KeyId,
}

/// Exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Owner {
    /// The account's `key_client`.
    Client(Nothing),
    /// An owner named in the account's settings, with an API key of its own.
    Configured(Name),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum DeliverAs {
    /// The token and a newline.
    Token,
    /// `QLIK_TENANT`, `QLIK_REGION`, `QLIK_SERVER`, `QLIK_API_KEY`, for a shell.
    Env,
    /// One JSON object.
    Json,
}

/// Settings: accounts, sinks, ledger, limits. Trusted; names secrets and holds none.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "qlik-plan: settings")]
pub struct SettingsFile {
    /// The version of this format.
    pub version: Version,
    /// Credentials, by the name that desired state uses for them.
    #[schemars(schema_with = "named::<Account>")]
    #[schemars(default)]
    pub accounts: BTreeMap<String, Account>,
    /// Where keys are delivered, by the name that desired state uses.
    #[schemars(schema_with = "named::<Sink>")]
    #[schemars(default)]
    pub sinks: BTreeMap<String, Sink>,
    /// The durable record of what was begun and made.
    pub ledger: Option<Ledger>,
    /// What one run may create at most.
    pub limits: Option<Limits>,
    /// How the vendor is reached.
    pub network: Option<Network>,
}

/// Credentials at one vendor, in one region.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Account {
    /// Whose cloud.
    pub vendor: Vendor,
    /// `us`, `eu`, `de`, …: the label between the tenant and the domain.
    pub region: Label,
    /// `qlikcloud.com` if left out.
    pub domain: Option<Domain>,
    /// The tenant where the licence key is read, its first label. Needed to create tenants.
    pub source_tenant: Option<Label>,
    /// The region-level OAuth client: creates tenants and reads them.
    pub client: Client,
    /// The tenant-level, published OAuth client: mints keys for `owner: { client: {} }`.
    pub key_client: Option<Client>,
    /// Owners who mint with an API key of their own, by the name that `owner: { configured: NAME }` uses.
    #[schemars(schema_with = "named::<ConfiguredOwner>")]
    #[schemars(default)]
    pub owners: BTreeMap<String, ConfiguredOwner>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Vendor {
    /// Qlik Cloud.
    Qlik,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Client {
    /// The client's id.
    pub id: Reference,
    /// The client's secret.
    pub secret: Reference,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ConfiguredOwner {
    /// The tenant that the API key belongs to, its first label.
    pub tenant: Label,
    /// The owner's API key.
    pub api_key: Reference,
}

/// Where a value stands that may not stand in YAML. Exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Reference {
    /// In an environment variable of this name.
    Env(Variable),
    /// In a file, relative to the settings file.
    File(PathText),
}

/// Where secrets rest.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Sink {
    /// What kind of place.
    pub kind: SinkKind,
    /// The folder, relative to the settings file.
    pub directory: PathText,
    /// Whether the folder outlives the machine; asked for in CI.
    #[schemars(default)]
    pub durable: bool,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum SinkKind {
    /// One file a key, in a folder.
    File,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Ledger {
    /// What kind of place.
    pub kind: LedgerKind,
    /// The folder, relative to the settings file; `.qlik-plan/ledger` if left out.
    pub path: Option<PathText>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum LedgerKind {
    /// A folder.
    Directory,
}

/// What one run may create at most.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Limits {
    /// Tenants; each costs licence quota. 5 if left out.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub create_tenants: Option<u32>,
    /// API keys. 50 if left out.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub mint_keys: Option<u32>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Network {
    /// `http://host:port`.
    pub proxy: Option<Proxy>,
    /// Certificates to trust besides the system's, relative to the settings file.
    pub ca_file: Option<PathText>,
    /// Whether the environment's proxy is ignored.
    #[schemars(default)]
    pub ignore_env_proxy: bool,
}
