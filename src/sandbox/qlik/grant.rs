//! What a request for an access token says: which client, with which secret, for itself or for whom.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;

use super::Call;
use super::reply::{Reply, problem_with_detail};

const IMPERSONATION: &str = "urn:qlik:oauth:user-impersonation";

/// The client and what it asked for.
pub(super) struct Grant {
    pub(super) client: String,
    pub(super) secret: String,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) acting: Acting,
}

/// As whom a token acts.
pub(super) enum Acting {
    Itself,
    As(Lookup),
}

pub(super) enum Lookup {
    UserId(String),
    Subject(String),
}

pub(super) fn invalid(detail: &str) -> Reply {
    problem_with_detail(400, "OAUTH-1", "Invalid parameters", detail)
}

/// Every property by its name; those of an object by `name.member`.
pub(super) fn fields(call: &Call<'_>) -> Result<BTreeMap<String, String>, Reply> {
    let kind = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => {
            let Ok(Value::Object(object)) = serde_json::from_slice(call.body) else {
                return Err(invalid("the body is not a JSON object"));
            };
            let mut found = BTreeMap::new();
            for (name, value) in object {
                match value {
                    Value::String(text) => drop(found.insert(name, text)),
                    Value::Object(members) if name == "user_lookup" => {
                        for (member, value) in members {
                            let text = value.as_str().ok_or_else(|| invalid("user_lookup has strings only"))?;
                            found.insert(format!("user_lookup.{member}"), text.to_owned());
                        }
                    }
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                        return Err(invalid("every property but user_lookup is a string"));
                    }
                }
            }
            Ok(found)
        }
        "application/x-www-form-urlencoded" => Ok(url::form_urlencoded::parse(call.body).into_owned().collect()),
        _ => Err(invalid("the content type is application/json or application/x-www-form-urlencoded")),
    }
}

fn basic(call: &Call<'_>) -> Option<(String, String)> {
    let (scheme, value) = call.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}

pub(super) fn claimed_client(call: &Call<'_>) -> Option<String> {
    basic(call).map(|(id, _)| id).or_else(|| fields(call).ok()?.remove("client_id"))
}

pub(super) fn read(call: &Call<'_>) -> Result<Grant, Reply> {
    let mut fields = fields(call)?;
    let acting = match fields.get("grant_type").map(String::as_str) {
        Some("client_credentials") => Acting::Itself,
        Some(IMPERSONATION) => Acting::As(lookup(&mut fields)?),
        Some(_) => return Err(invalid("grant_type: not one of this client's")),
        None => return Err(invalid("grant_type is missing")),
    };
    let in_body = fields.remove("client_id").zip(fields.remove("client_secret"));
    let Some((client, secret)) = basic(call).or(in_body) else {
        return Err(invalid("client_id and client_secret are missing"));
    };
    let scopes = fields.get("scope").map(|text| text.split_whitespace().map(str::to_owned).collect());
    Ok(Grant { client, secret, scopes, acting })
}

/// The reference knows two fields.
fn lookup(fields: &mut BTreeMap<String, String>) -> Result<Lookup, Reply> {
    let value = fields.remove("user_lookup.value").filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| invalid("user_lookup has a field and a value"))?;
    match fields.get("user_lookup.field").map(String::as_str) {
        Some("userId") => Ok(Lookup::UserId(value)),
        Some("subject") => Ok(Lookup::Subject(value)),
        Some(_) | None => Err(invalid("user_lookup.field is userId or subject")),
    }
}
