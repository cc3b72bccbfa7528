//! Users, groups and roles of a tenant: who is there, and who has which role.

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::live::{CallerLive, GroupLive, RoleLive};
use crate::model::spec::{Owner, User, UserKey};
use crate::model::untrusted::Untrusted;

use super::super::http::{ReadError, RejectionKind};
use super::read::{At, same_id, understand};
use super::{Lookup, QlikReader, Who, endpoints, wire};

/// Who of those that were asked about holds a role.
pub struct Holders {
    pub held_by: Vec<Owner>,
    /// Those of them who are not active, and what the vendor says they are.
    pub inactive: Vec<(Owner, Untrusted)>,
    /// Whether it is certain that the role gives the permission.
    pub certain: bool,
}

/// A user or a group, and the roles that were read of it: what is written back with one more.
pub struct Assignee {
    pub id: Untrusted,
    pub(super) kind: Kind,
    pub(super) roles: Vec<wire::Assigned>,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    User,
    Group,
}

impl Assignee {
    pub fn has(&self, role: &RoleLive, name: &str) -> bool {
        self.roles.iter().any(|assigned| assigned.is(role.id.raw(), name))
    }

    /// Which of the roles that another reading had are not here any more: written over, or taken away meanwhile.
    pub fn lost_since(&self, before: &Self) -> Vec<Untrusted> {
        let here =
            |role: &&wire::Assigned| self.roles.iter().any(|known| known.id == role.id && known.name == role.name);
        let name = |role: &wire::Assigned| role.name.clone().or_else(|| role.id.clone()).unwrap_or_default().into();
        before.roles.iter().filter(|role| !here(role)).map(name).collect()
    }
}

impl QlikReader {
    /// As whom a key's owner is asked for: the vendor lets nobody mint for somebody else.
    pub(super) async fn who(&self, account: &Name, host: &Host, owner: &Owner) -> Result<Who, ReadError> {
        Ok(match owner {
            Owner::Client => Who::KeyClient,
            Owner::Configured(name) => Who::Owner(name.clone()),
            Owner::User(user) => Who::User(match user.key() {
                UserKey::Id(id) => Lookup::Id(id.to_owned()),
                UserKey::Subject(subject) => Lookup::Subject(subject.to_owned()),
                // The vendor looks nobody up by that.
                UserKey::Email(_) => match self.find(account, host, user).await? {
                    Some(found) => Lookup::Id(found.id),
                    None => {
                        let call = self.call(account, host, Who::Client, &endpoints::USERS, &[])?;
                        let what = format!("there is no user with {user}");
                        return Err(ReadError::Trouble(call.trouble(&what, "plan again")));
                    }
                },
            }),
        })
    }

    /// A declared user, as the administrator reads it; `None` where there is none.
    ///
    /// # Errors
    /// Also where several users fit the declaration, or somebody else has the address of one who is to be made.
    pub async fn person(&self, account: &Name, host: &Host, user: &User) -> Result<Option<CallerLive>, ReadError> {
        if let Some(found) = self.find(account, host, user).await? {
            return self.with_roles(account, host, found).await.map(Some);
        }
        if let (UserKey::Subject(_), Some(email)) = (user.key(), &user.email) {
            let other = User { email: Some(email.clone()), ..User::default() };
            if let Some(other) = self.find(account, host, &other).await? {
                let call = self.call(account, host, Who::Client, &endpoints::USERS, &[])?;
                let subject = Untrusted::new(other.subject.unwrap_or_default());
                let what = format!("there is no user with {user}, and subject {subject} has its e-mail address");
                let next = "if that is the user, declare its subject; if not, declare another address, or none";
                return Err(ReadError::Trouble(call.trouble(&what, next)));
            }
        }
        Ok(None)
    }

    /// The bot user of the account's key client; `None` where the client was never here.
    ///
    /// # Errors
    /// As every read.
    pub async fn bot(&self, account: &Name, host: &Host) -> Result<Option<CallerLive>, ReadError> {
        let id = self.key_client_id(account).map_err(ReadError::Trouble)?;
        let found = self.users(account, host, &equals("clientId", id)).await?;
        match found.into_iter().find(|user| user.client_id.as_deref() == Some(id)) {
            Some(found) => self.with_roles(account, host, found).await.map(Some),
            None => Ok(None),
        }
    }

    async fn find(&self, account: &Name, host: &Host, user: &User) -> Result<Option<wire::User>, ReadError> {
        let (field, value) = user.key().parts();
        let found = self.users(account, host, &equals(field, value)).await?;
        // The vendor's filter is trusted for what it leaves out, not for what it lets in.
        let mut fitting = found.into_iter().filter(|one| is(one, user));
        match (fitting.next(), fitting.next()) {
            (found, None) => Ok(found),
            (_, Some(_)) => {
                let call = self.call(account, host, Who::Client, &endpoints::USERS, &[])?;
                let what = format!("several users have {user}");
                Err(ReadError::Trouble(call.trouble(&what, "name the one that is meant by its subject or id")))
            }
        }
    }

    /// Which of these owners hold the role by themselves, and whether it is certain that the role gives the permission. An
    /// owner with its own key is known by the user id that is told with it.
    ///
    /// # Errors
    /// As every list.
    pub async fn holders(
        &self,
        account: &Name,
        host: &Host,
        role: &str,
        wanted: &[(Owner, Option<Untrusted>)],
    ) -> Result<Holders, ReadError> {
        let with_role = equals("assignedRoles.name", role);
        let with_both = format!("{with_role} and {}", equals("assignedScopes", "api-keys"));
        let (found, certain) = match self.users(account, host, &with_both).await {
            // Should the vendor not take both at once, the role is looked at by itself.
            Err(ReadError::Rejected(rejection)) if rejection.kind == RejectionKind::Invalid => {
                (self.users(account, host, &with_role).await?, false)
            }
            found => (found?, true),
        };
        let holding = |owner: &Owner, id: Option<&Untrusted>| {
            found.iter().find(|one| match owner {
                Owner::Client => self.key_client_id(account).is_ok_and(|id| one.client_id.as_deref() == Some(id)),
                Owner::Configured(_) => id.is_some_and(|id| id.raw() == one.id),
                Owner::User(user) => is(one, user),
            })
        };
        let mut holders = Holders { held_by: Vec::new(), inactive: Vec::new(), certain };
        for (owner, id) in wanted {
            let Some(one) = holding(owner, id.as_ref()) else { continue };
            holders.held_by.push(owner.clone());
            // The list tells it with the rest.
            holders.inactive.extend(one.not_active().map(|status| (owner.clone(), status)));
        }
        Ok(holders)
    }

    /// A custom role by its name; `None` where there is none.
    ///
    /// # Errors
    /// As every list.
    pub async fn role(&self, account: &Name, host: &Host, name: &str) -> Result<Option<RoleLive>, ReadError> {
        let filter = equals("name", name);
        let found = self.roles(account, host, &[("filter", &filter)]).await?;
        Ok(found.into_iter().find(|role| role.name == name).map(|role| {
            let manages_api_keys = role.manages_api_keys();
            let can_edit = role.can_edit.unwrap_or(role.kind.as_deref() == Some("custom"));
            let (also_allows, built_in) = (role.also_allows(), role.is_built_in());
            RoleLive { id: role.id.into(), can_edit, manages_api_keys, also_allows, built_in }
        }))
    }

    /// A group by its name, and whether it has a role; `None` where there is no such group.
    ///
    /// # Errors
    /// As every list.
    pub async fn group(
        &self,
        account: &Name,
        host: &Host,
        name: &str,
        role: &str,
    ) -> Result<Option<GroupLive>, ReadError> {
        let found = self.find_group(account, host, name).await?;
        Ok(found.map(|group| GroupLive {
            has_role: group.assigned_roles.iter().flatten().any(|known| known.name.as_deref() == Some(role)),
            id: group.id.into(),
        }))
    }

    async fn find_group(&self, account: &Name, host: &Host, name: &str) -> Result<Option<wire::Group>, ReadError> {
        let (at, filter) = (At { account, host, who: Who::Client }, equals("name", name));
        let found = self
            .list(&at, &endpoints::GROUPS, &[("filter", &filter)], "a list of groups", |group: &wire::Group| &group.id)
            .await?;
        Ok(found.into_iter().find(|group| group.name == name))
    }

    async fn users(&self, account: &Name, host: &Host, filter: &str) -> Result<Vec<wire::User>, ReadError> {
        let at = At { account, host, who: Who::Client };
        self.list(&at, &endpoints::USERS, &[("filter", filter)], "a list of users", |user: &wire::User| &user.id).await
    }

    /// The names of the tenant's spaces. Only tests have this kind.
    #[cfg(test)]
    pub async fn spaces(&self, account: &Name, host: &Host) -> Result<std::collections::BTreeSet<String>, ReadError> {
        #[derive(serde::Deserialize)]
        struct Listed {
            id: String,
            name: String,
        }
        let at = At { account, host, who: Who::Client };
        let found = self.list(&at, &endpoints::SPACES, &[], "a list of spaces", |space: &Listed| &space.id).await?;
        Ok(found.into_iter().map(|space| space.name).collect())
    }

    /// A user with its roles, read right before they are replaced.
    ///
    /// # Errors
    /// As every read.
    pub async fn user_roles(&self, account: &Name, host: &Host, id: &str) -> Result<Assignee, ReadError> {
        let call = self.call(account, host, Who::Client, &endpoints::USER, &[id])?;
        let answer = self.get(&call).await?;
        let user: wire::User = understand(&call, wire::parse(&answer.body, "a user"))?;
        same_id(&call, id, &user.id)?;
        Ok(Assignee { id: user.id.into(), kind: Kind::User, roles: user.assigned_roles.unwrap_or_default() })
    }

    /// A group with its roles; `None` where there is no such group.
    ///
    /// # Errors
    /// As every list.
    pub async fn group_roles(&self, account: &Name, host: &Host, name: &str) -> Result<Option<Assignee>, ReadError> {
        let found = self.find_group(account, host, name).await?;
        Ok(found.map(|group| Assignee {
            id: group.id.into(),
            kind: Kind::Group,
            roles: group.assigned_roles.unwrap_or_default(),
        }))
    }
}

/// Whether a user is the declared one. Subjects are compared exactly, addresses as mail is delivered: case counts for nobody.
fn is(found: &wire::User, user: &User) -> bool {
    match user.key() {
        UserKey::Id(id) => found.id == id,
        UserKey::Subject(subject) => found.subject.as_deref() == Some(subject),
        UserKey::Email(email) => found.email.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(email)),
    }
}

/// One clause of a SCIM filter; quotes and backslashes in the value are escaped.
fn equals(attribute: &str, value: &str) -> String {
    format!("{attribute} eq \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_ends_its_clause_of_a_filter() {
        assert_eq!(equals("subject", r"qlikbot\abc"), r#"subject eq "qlikbot\\abc""#);
        assert_eq!(equals("name", r#"a" or name ne ""#), r#"name eq "a\" or name ne \"""#);
    }
}
