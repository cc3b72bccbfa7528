//! `/api/v1/users/actions/invite`: people who are asked in by their address.

use serde::Deserialize;
use serde_json::json;

use super::Call;
use super::caller::Caller;
use super::reply::Reply;
use super::users::{invalid, missing, not_admin};
use crate::sandbox::random;
use crate::sandbox::state::{State, User};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitations {
    #[serde(default)]
    invitees: Vec<Invitee>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitee {
    email: String,
    name: Option<String>,
    #[serde(rename = "language")]
    _language: Option<String>,
    #[serde(rename = "resend")]
    _resend: Option<bool>,
}

/// Nobody is written to. 207: every invitee has a status of their own, and a subject that an identity provider would give.
pub(super) fn invite(state: &mut State, call: &Call<'_>, caller: &Caller) -> Reply {
    if let Some(refusal) = not_admin(caller) {
        return refusal;
    }
    let Ok(body) = serde_json::from_slice::<Invitations>(call.body) else {
        return invalid("the body has invitees: each with email, name, language and resend");
    };
    let Some(tenant) = state.tenant_mut(&caller.tenant) else { return missing() };
    let mut data = Vec::new();
    for invitee in body.invitees {
        let known = tenant.users.values().find(|user| user.email.as_deref() == Some(invitee.email.as_str()));
        data.push(match known {
            Some(user) if user.status == "invited" => {
                json!({ "email": invitee.email, "status": "exists", "subject": user.subject, "userId": user.id })
            }
            Some(user) => {
                let (code, title) = if user.is_active() { (1001, "Active User") } else { (1002, "Disabled User") };
                json!({ "email": invitee.email, "status": "error", "code": code, "title": title })
            }
            // An address needs a name, an @ and a host.
            None if !is_address(&invitee.email) => {
                json!({ "email": invitee.email, "status": "error", "code": 1003, "title": "Invalid email address" })
            }
            None => {
                let name = invitee.name.unwrap_or_else(|| invitee.email.clone());
                let email = Some(invitee.email.clone());
                let user = User {
                    email,
                    status: "invited".to_owned(),
                    ..User::new(&name, &format!("auth0|{}", random::hex_id()), call.now)
                };
                let item =
                    json!({ "email": invitee.email, "status": "ok", "subject": user.subject, "userId": user.id });
                tenant.users.insert(user.id.clone(), user);
                item
            }
        });
    }
    Reply::json(207, &json!({ "data": data }))
}

fn is_address(email: &str) -> bool {
    email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}
