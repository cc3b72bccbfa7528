//! Who is made in a tenant, and who is given which role.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::spec::User;
use crate::model::untrusted::Untrusted;
use crate::provider::http::{Deed, Outcome, is_segment};

use super::super::endpoints::Endpoint;
use super::super::exchange::Call;
use super::super::people::{Assignee, Kind};
use super::super::{Who, auth, wire};
use super::{QlikWriter, endpoints, replace};

/// What a custom role that this program makes says of itself.
const ROLE_DESCRIPTION: &str = "May manage its own API keys. Made by qlik-plan.";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewUser<'a> {
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    /// As the vendor's tutorials make users: nobody has to accept an invitation.
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewRole<'a> {
    name: &'a str,
    description: &'static str,
    assigned_scopes: [&'static str; 1],
}

/// What was just made.
#[derive(Deserialize)]
struct Made {
    id: String,
}

impl QlikWriter<'_> {
    /// Gives a user or a group one role besides those that were read of it. The vendor only takes the whole list.
    pub async fn assign(&self, account: &Name, host: &Host, to: &Assignee, role: &str) -> Outcome<()> {
        let known = to.roles.iter().map(|role| match (&role.name, &role.id) {
            (Some(name), _) => json!({ "name": name }),
            (None, id) => json!({ "id": id }),
        });
        let roles: Vec<Value> = known.chain([json!({ "name": role })]).collect();
        let endpoint = match to.kind {
            Kind::User => &endpoints::PATCH_USER,
            Kind::Group => &endpoints::PATCH_GROUP,
        };
        self.patch(account, host, Who::Client, endpoint, to.id.raw(), &[replace("/assignedRoles", roles)]).await
    }

    /// Makes a user who can be acted for at once. Its subject is unique, so that doing it twice makes one.
    pub async fn create_user(&self, account: &Name, host: &Host, user: &User) -> Outcome<Untrusted> {
        let subject = user.subject.as_deref().unwrap_or_default();
        let body = NewUser { subject, name: user.name.as_deref(), email: user.email.as_deref(), status: "active" };
        self.make(account, host, &endpoints::CREATE_USER, &auth::json(&body), "a user").await
    }

    /// Makes a space. Only tests have this kind.
    #[cfg(test)]
    pub async fn create_space(
        &self,
        account: &Name,
        host: &Host,
        space: &crate::model::object::Space,
    ) -> Outcome<Untrusted> {
        self.make(account, host, &endpoints::CREATE_SPACE, &auth::json(space), "a space").await
    }

    /// Makes a custom role that may manage API keys. Its name is unique, so that doing it twice makes one.
    pub async fn create_role(&self, account: &Name, host: &Host, name: &str) -> Outcome<Untrusted> {
        let body = NewRole { name, description: ROLE_DESCRIPTION, assigned_scopes: ["api-keys"] };
        self.make(account, host, &endpoints::CREATE_ROLE, &auth::json(&body), "a role").await
    }

    async fn make(
        &self,
        account: &Name,
        host: &Host,
        endpoint: &'static Endpoint,
        body: &[u8],
        what: &str,
    ) -> Outcome<Untrusted> {
        match Call::new(account, host, Who::Client, endpoint, &[], &[]) {
            Err(trouble) => Outcome::NotSent(trouble),
            Ok(call) => {
                self.change(&call, Some(body), &[], Deed::Change, |body| {
                    let made: Made = wire::parse(body, what)?;
                    let fits = is_segment(&made.id);
                    if fits {
                        Ok(made.id.into())
                    } else {
                        Err(format!("{what} was made, and its id is not of Qlik's kind"))
                    }
                })
                .await
            }
        }
    }

    /// Removes a user that a rehearsal made.
    pub async fn delete_user(&self, account: &Name, host: &Host, id: &str) -> Outcome<()> {
        self.remove(account, host, Who::Client, &endpoints::DELETE_USER, id).await
    }
}
