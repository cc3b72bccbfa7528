//! `/api/v1/identity-providers`: who people log in with. Nobody logs in here: they are kept and listed.

use serde_json::{Map, Value, json};

use super::collection::Form::{Flag, Number, Object, OneOf, Text, Texts};
use super::collection::When::{Both, Created, Required};
use super::collection::{Kind, Pick};

pub(super) const IDENTITY_PROVIDERS: Kind = Kind {
    name: "identity-providers",
    code: "IDENTITY-PROVIDERS",
    fields: &[
        ("protocol", OneOf(&["OIDC", "SAML", "jwtAuth"]), Required),
        (
            "provider",
            OneOf(&["auth0", "okta", "generic", "salesforce", "keycloak", "adfs", "azureAD", "external"]),
            Required,
        ),
        ("description", Text, Both),
        ("clockToleranceSec", Number, Both),
        ("createNewUsersOnLogin", Flag, Created),
        ("interactive", Flag, Created),
        ("options", Object, Both),
        ("pendingOptions", Object, Both),
        ("postLogoutRedirectUri", Text, Both),
        ("skipVerify", Flag, Created),
        ("tenantIds", Texts, Created),
        ("active", Flag, Both),
    ],
    unique: &[],
    picks: &[("active", Pick::Equal)],
    attributes: &[],
    sorts: &["created"],
    ops: &["replace"],
    changed: 204,
    counts: false,
    check: |_, fields| check(fields),
    readable: |_, _, _, _| true,
    closed: true,
    shown: |seen| {
        let mut body = json!({
            "id": seen.id,
            "created": format!("{:.3}", seen.thing.created),
            "lastUpdated": format!("{:.3}", seen.thing.updated),
            "tenantIds": [seen.tenant.id],
        });
        seen.say(&mut body);
        if let Some(body) = body.as_object_mut() {
            body.remove("skipVerify");
            // The secret that somebody gave is never shown again.
            for options in ["options", "pendingOptions"] {
                if let Some(options) = body.get_mut(options).and_then(Value::as_object_mut) {
                    options.remove("clientSecret");
                }
            }
            if body.contains_key("pendingOptions") {
                body.insert("pendingState".to_owned(), json!("pending"));
            }
        }
        body
    },
};

/// What belongs together, as the reference says it.
fn check(fields: &Map<String, Value>) -> Result<(), &'static str> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let option = |name: &str| fields.get("options").and_then(|options| options.get(name));
    if (text("protocol") == "jwtAuth") != (text("provider") == "external") {
        return Err("jwtAuth and external belong together");
    }
    if text("protocol") != "jwtAuth" {
        let given = fields.contains_key("options") || fields.contains_key("pendingOptions");
        return if given { Ok(()) } else { Err("options or pendingOptions are required") };
    }
    let issuer = option("issuer").is_some_and(Value::is_string);
    let keys = option("staticKeys").and_then(Value::as_array);
    let key = keys.and_then(|keys| keys.first().filter(|_| keys.len() == 1));
    let whole = key.is_some_and(|key| key["kid"].is_string() && key["pem"].is_string());
    if issuer && whole { Ok(()) } else { Err("options has an issuer and one static key, with kid and pem") }
}

/// What is added when one is made: it is of use at once, unless people have to verify it first.
pub(super) fn made(_id: &str, fields: &mut Map<String, Value>) -> Map<String, Value> {
    let active = fields.contains_key("options");
    fields.insert("active".to_owned(), Value::Bool(active));
    let interactive = fields.get("protocol").and_then(Value::as_str) != Some("jwtAuth");
    fields.entry("interactive").or_insert(Value::Bool(interactive));
    Map::new()
}
