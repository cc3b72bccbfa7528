//! JSON Schemas of both kinds of file, for editors: derived from types that say what each key is for.
//! The decoder does not use them; a test holds both to the same corpus.

pub mod desired;
pub mod imburse;
pub mod settings;

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use desired::DesiredFile;
use settings::SettingsFile;

const NAME: &str = "^[a-z0-9][a-z0-9-]{0,62}$";
const LABEL: &str = "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$";
const DURATION: &str = "^P(([0-9]+W([0-9]+D)?|[0-9]+D)(T([0-9]+H([0-9]+M)?([0-9]+S)?|[0-9]+M([0-9]+S)?|[0-9]+S))?|T([0-9]+H([0-9]+M)?([0-9]+S)?|[0-9]+M([0-9]+S)?|[0-9]+S))$";
const LINE: &str =
    "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$";
const DOMAIN: &str =
    "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\\.[a-z]([a-z0-9-]{0,61}[a-z0-9])?$";
const PROXY: &str = "^http://([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$";

const ORIGIN: &str = "^(https://([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])|http://(127(\\.[0-9]{1,3}){3}|[Ll]ocalhost|\\[::1\\]))(:[0-9]{1,5})?$";
const SEGMENT: &str = "[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}";
const PLACE: &str = "\\{(vendor|tenant|key)\\}";
const STORE_URL: &str = "^(s3|az|gs)://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/[A-Za-z0-9_-][A-Za-z0-9._-]{0,127})*$";

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
    /// What somebody is called elsewhere: a subject, the name of a person or a group.
    PersonText, json!({ "pattern": LINE, "maxLength": 256 })
);
patterned!(
    /// The name of a custom role.
    RoleName, json!({ "pattern": LINE, "maxLength": 256, "not": { "const": "UserDefault" } })
);
patterned!(
    /// An e-mail address.
    Email, json!({ "pattern": "^[^@\\s\\p{Cc}]+@[^\\s\\p{Cc}]+$", "maxLength": 256 })
);
patterned!(
    /// An address.
    AddressText, json!({ "pattern": "^(qlik|imburse)/[a-z0-9][a-z0-9-]{0,62}(/[a-z0-9][a-z0-9-]{0,62})?$" })
);
patterned!(
    /// The name of a key at Imburse.
    KeyName, json!({ "pattern": LINE, "maxLength": 80, "not": { "pattern": "\\[qp1:" } })
);
patterned!(
    /// A role at Imburse.
    Role, json!({ "pattern": LINE, "maxLength": 64, "examples": crate::model::imburse::TENANT_ROLES })
);
patterned!(
    /// A line of a postal address.
    AddressLine, json!({ "pattern": LINE, "maxLength": 255 })
);
patterned!(
    /// An id at Imburse.
    ImburseId, json!({ "pattern": "^[A-Za-z0-9-]{1,64}$" })
);
patterned!(
    /// A generation of Imburse's API.
    ImburseApi, json!({ "type": ["string", "integer"], "enum": ["v2", "v1", "2019", 2019] })
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

patterned!(
    /// The exact origin of a service.
    OriginText, json!({ "pattern": ORIGIN })
);
patterned!(
    /// A place in an object store.
    StoreUrl, json!({ "pattern": STORE_URL })
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
    /// Names with slashes between.
    Segments, json!({ "pattern": format!("^{SEGMENT}(/{SEGMENT})*$") })
);
patterned!(
    /// Where each key's secret is.
    PathTemplate, json!({ "pattern": format!("^({SEGMENT}|{PLACE})(/({SEGMENT}|{PLACE}))*$") })
);

/// The format's version.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "integer", "const" = 1))]
pub struct Version;
