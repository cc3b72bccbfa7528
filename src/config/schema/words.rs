//! The words and lines of both kinds of file, each with its pattern.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::model::address::RESERVED;

const NAME: &str = "^[a-z0-9][a-z0-9-]{0,62}$";
const LABEL: &str = "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$";
const DURATION: &str = "^P(([0-9]+W([0-9]+D)?|[0-9]+D)(T([0-9]+H([0-9]+M)?([0-9]+S)?|[0-9]+M([0-9]+S)?|[0-9]+S))?|T([0-9]+H([0-9]+M)?([0-9]+S)?|[0-9]+M([0-9]+S)?|[0-9]+S))$";
const LINE: &str =
    "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$";
/// What `LINE` takes, without spaces at its ends or two in a row, and without characters that nobody sees and that join nothing.
const SENT: &str = "^(?!\\s)(?!.*\\s\\s)(?!.*\\s$)(?!.*[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0d\\ufeff\\uffa0\\ufff0-\\ufffb])[^\\u0000-\\u001f\\u007f-\\u009f]+$";
/// What the templates of common tools look like when nobody filled them in.
const TEMPLATE: &str = "\\$\\{(?!\\s*\\}).*\\}|\\{\\{(?!\\s*\\}\\}).*\\}\\}|\\{%(?!\\s*%\\}).*%\\}|<%(?!\\s*%>).*%>|#\\{(?!\\s*\\}).*\\}|\\$\\(\\s*[A-Za-z_][A-Za-z0-9_. -]*\\)|#{2}[A-Za-z_][A-Za-z0-9_.-]*#{2}|(^|[^0-9])%[A-Z][A-Z0-9_]*%";
/// What `LINE` takes, without what only a shell or another program would make a path of.
const PATH: &str = "^(?!~)(?!\\s)(?!.*\\s$)(?!.*\\\\)(?![A-Za-z][A-Za-z0-9+.-]*:)(?!.*\\$[A-Za-z_{(])[^\\u0000-\\u001f\\u007f-\\u009f]+$";
const DOMAIN: &str =
    "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\\.[a-z]([a-z0-9-]{0,61}[a-z0-9])?$";
const PROXY: &str = "^http://([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$";

const ORIGIN: &str = "^(https://([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])|http://(127(\\.[0-9]{1,3}){3}|[Ll]ocalhost|\\[::1\\]))(:[0-9]{1,5})?$";
const SEGMENT: &str = "[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}";
const DNS_LABEL: &str = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
const NAME_PART: &str = "[a-z0-9]+(-[a-z0-9]+)*";
const PLACE: &str = "\\{(vendor|tenant|key)\\}";
const FORGE_NAME: &str = "(?!\\.+(/|$))[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}";
const STORE_URL: &str = "^(s3|az|gs)://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/[A-Za-z0-9_-][A-Za-z0-9._-]{0,127})*$";

/// The reserved labels, in whatever case.
fn reserved() -> String {
    let letter = |c: char| format!("[{}{c}]", c.to_ascii_uppercase());
    let words: Vec<String> =
        crate::model::host::RESERVED.iter().map(|word| word.chars().map(letter).collect()).collect();
    format!("^({})$", words.join("|"))
}

fn each_place_once() -> Value {
    let once = |place: &str| {
        let pattern = format!("\\{{{place}\\}}");
        json!({ "pattern": pattern, "not": { "pattern": format!("{pattern}.*{pattern}") } })
    };
    ["vendor", "tenant", "key"].map(once).into()
}

/// A map of named things.
pub(super) fn named<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = generator.subschema_for::<BTreeMap<String, T>>();
    schema.insert("propertyNames".to_owned(), json!({ "pattern": NAME }));
    schema
}

/// A map of keys by name.
pub(super) fn keys<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = generator.subschema_for::<BTreeMap<String, T>>();
    schema.insert("propertyNames".to_owned(), json!({ "pattern": NAME, "not": { "enum": RESERVED } }));
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
                        // Of several types: Ajv takes no union where it is strict.
                        if value.is_null() {
                            schema.remove(&key);
                        } else {
                            schema.insert(key, value);
                        }
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
    /// A duration of some length; of a key's life, at least a minute.
    Life, json!({ "pattern": DURATION, "allOf": [{ "pattern": "[1-9]" }, { "not": { "pattern": "^PT0*[1-5]?[0-9]S$" } }], "examples": ["PT24H", "P7D", "P30D"] })
);
patterned!(
    /// How long a program may take.
    Timeout, json!({ "pattern": DURATION, "allOf": [{ "pattern": "[1-9]" }], "examples": ["PT1M"] })
);
patterned!(
    /// A description of a key.
    Description, json!({ "pattern": SENT, "maxLength": 150, "not": { "anyOf": [{ "pattern": "\\[qp1:" }, { "pattern": TEMPLATE }] } })
);
patterned!(
    /// A name for people.
    DisplayName, json!({ "pattern": SENT, "maxLength": 255, "not": { "pattern": TEMPLATE } })
);
patterned!(
    /// Why something is so.
    Reason, json!({ "pattern": LINE, "maxLength": 255 })
);
patterned!(
    /// One DNS label, and none at which the vendor has services of its own.
    TenantLabel, json!({ "pattern": LABEL, "not": { "pattern": reserved() } })
);
patterned!(
    /// What somebody is called elsewhere: a subject, the name of a person or a group.
    PersonText, json!({ "pattern": SENT, "maxLength": 256, "not": { "pattern": TEMPLATE } })
);
patterned!(
    /// The name of a custom role.
    RoleName, json!({ "pattern": SENT, "maxLength": 256, "not": { "anyOf": [{ "const": "UserDefault" }, { "pattern": TEMPLATE }] } })
);
patterned!(
    /// An e-mail address.
    Email, json!({ "pattern": "^[^@\\s\\p{Cc}]+@[^\\s\\p{Cc}]+$", "maxLength": 256, "not": { "pattern": TEMPLATE } })
);
patterned!(
    /// An address.
    AddressText, json!({ "pattern": "^(qlik|imburse)/[a-z0-9][a-z0-9-]{0,62}(/[a-z0-9][a-z0-9-]{0,62})?$" })
);
patterned!(
    /// The name of a key at Imburse.
    KeyName, json!({ "pattern": SENT, "maxLength": 80, "not": { "anyOf": [{ "pattern": "\\[qp1:" }, { "pattern": TEMPLATE }] } })
);
patterned!(
    /// A role at Imburse.
    Role, json!({ "pattern": SENT, "maxLength": 64, "not": { "pattern": TEMPLATE }, "examples": crate::model::imburse::TENANT_ROLES })
);
patterned!(
    /// A line of a postal address.
    AddressLine, json!({ "pattern": SENT, "maxLength": 255, "not": { "pattern": TEMPLATE } })
);
patterned!(
    /// An id at Imburse.
    ImburseId, json!({ "pattern": "^[A-Za-z0-9-]{1,64}$" })
);
patterned!(
    /// A generation of Imburse's API.
    ImburseApi, json!({ "type": null, "enum": ["v2", "v1", "2019", 2019] })
);
patterned!(
    /// Where Imburse is.
    BaseUrl, json!({ "pattern": "^https://[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$" })
);
patterned!(
    /// A day.
    Day, json!({ "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", "format": "date" })
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
    PathText, json!({ "pattern": PATH, "not": { "pattern": TEMPLATE } })
);
patterned!(
    /// The name of an environment variable.
    Variable, json!({ "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "maxLength": 255 })
);
patterned!(
    /// A proxy's address.
    Proxy, json!({ "pattern": PROXY })
);

patterned!(
    /// The exact origin of a service.
    OriginText, json!({ "pattern": ORIGIN })
);
patterned!(
    /// The exact origin of a store; at an emulator of Azure's with the account behind it.
    StoreEndpoint, json!({ "pattern": format!("{}(/[a-z0-9-]{{1,63}})?$", ORIGIN.trim_end_matches('$')) })
);
patterned!(
    /// A place in an object store.
    StoreUrl, json!({ "pattern": STORE_URL })
);
patterned!(
    /// An account of AWS.
    AwsAccount, json!({ "pattern": "^[0-9]{12}$" })
);
patterned!(
    /// A word of StackOne's.
    StackOneWord, json!({ "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$" })
);
patterned!(
    /// A key of AWS's.
    KmsKey, json!({ "pattern": "^[A-Za-z0-9_/:-]+$", "maxLength": 2048 })
);
patterned!(
    /// A word of a cloud's own.
    CloudWord, json!({ "pattern": "^[a-z0-9-]{1,63}$" })
);

patterned!(
    /// One argument of a program.
    Argument, json!({ "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" })
);
patterned!(
    /// What a role of a vault is called by.
    RoleWord, json!({ "pattern": format!("^{SEGMENT}$") })
);
patterned!(
    /// Where an auth method is mounted.
    AuthMount, json!({ "pattern": format!("^(?!auth(/|$)){SEGMENT}(/{SEGMENT})*$") })
);
patterned!(
    /// Whom an id token is for.
    Audience, json!({ "pattern": "^[!-~]+$", "maxLength": 256, "not": { "pattern": "^eyJ" } })
);
patterned!(
    /// Names with slashes between.
    Segments, json!({ "pattern": format!("^{SEGMENT}(/{SEGMENT})*$") })
);
patterned!(
    /// Where each key's secret is.
    PathTemplate, json!({
        "pattern": format!("^({SEGMENT}|{PLACE})(/({SEGMENT}|{PLACE}))*$"),
        "allOf": each_place_once()
    })
);

patterned!(
    /// A vault of Azure, or a stand-in on loopback.
    AzureVault, json!({
        "pattern": "^(https://[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\\.(vault\\.azure\\.(net|cn)|vault\\.usgovcloudapi\\.net)|https?://(127(\\.[0-9]{1,3}){3}|[Ll]ocalhost|\\[::1\\])(:[0-9]{1,5})?)$"
    })
);
patterned!(
    /// The name of each key's secret in a vault.
    AzureName, json!({
        "pattern": format!("^({NAME_PART}|{PLACE})(--({NAME_PART}|{PLACE}))*$"),
        "maxLength": 127,
        "allOf": each_place_once()
    })
);

patterned!(
    /// The name of each key's secret at Google.
    GcpName, json!({
        "pattern": format!("^([A-Za-z0-9-]+|{PLACE})(_([A-Za-z0-9-]+|{PLACE}))*$"),
        "maxLength": 143,
        "allOf": each_place_once()
    })
);

patterned!(
    /// A label of DNS, in lower case.
    DnsLabel, json!({ "pattern": format!("^{DNS_LABEL}$"), "maxLength": 63 })
);
patterned!(
    /// The name of each key's Secret.
    SecretName, json!({
        "pattern": format!("^({DNS_LABEL}|{PLACE})(\\.({DNS_LABEL}|{PLACE}))*$"),
        "maxLength": 141,
        "allOf": each_place_once()
    })
);
patterned!(
    /// A key of a Secret's data.
    DataKey, json!({ "pattern": "^(\\.?[A-Za-z0-9_-])[A-Za-z0-9._-]*$", "maxLength": 253 })
);

patterned!(
    /// The name of each key's variable.
    VariableTemplate, json!({
        "pattern": format!("^(?![0-9])([A-Z0-9]*|{PLACE})(_([A-Z0-9]*|{PLACE}))*$"),
        "maxLength": 133,
        "allOf": each_place_once()
    })
);
patterned!(
    /// A path or an id of GitLab's.
    GitlabPath, json!({ "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$", "maxLength": 1024 })
);
patterned!(
    /// Names of environments.
    EnvironmentScope, json!({ "pattern": "^[A-Za-z0-9 _/${}.*-]+$", "maxLength": 255 })
);

patterned!(
    /// The exact origin of GitHub's API, and not of its pages.
    ApiOrigin, json!({ "pattern": ORIGIN, "not": { "pattern": "^https://[Gg][Ii][Tt][Hh][Uu][Bb]\\.[Cc][Oo][Mm](:443)?$" } })
);
patterned!(
    /// A repository of GitHub's.
    RepositoryName, json!({ "pattern": format!("^{FORGE_NAME}/{FORGE_NAME}$") })
);
patterned!(
    /// An organization of GitHub's.
    OrganizationName, json!({ "pattern": format!("^{FORGE_NAME}$") })
);
patterned!(
    /// An environment of GitHub's.
    EnvironmentName, json!({ "pattern": "^(?! )[A-Za-z0-9 ()_./:-]*[A-Za-z0-9()_./:-]$", "maxLength": 255 })
);

/// The format's version.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "integer", "const" = 1))]
pub struct Version;

/// The sinks of a key.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum DeliverTo {
    /// One sink.
    One(Name),
    /// Several.
    Several(#[schemars(length(min = 1), extend("uniqueItems" = true))] Vec<Name>),
}

/// The same for all sinks of a key, or one for each.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum ByHome<S> {
    /// The same everywhere.
    All(S),
    /// By the sink's name; a sink that is not named gets the usual one.
    Each(BTreeMap<Name, S>),
}
