//! What users of a tenant may do there, by their roles and those of their groups; and the bots of clients.

use jiff::Timestamp;

use super::people::{Role, User};
use super::state::Tenant;

impl Tenant {
    pub(super) fn role_named(&self, name: &str) -> Option<&Role> {
        self.roles.values().find(|role| role.name == name)
    }

    /// The names of the roles of a user: their own and those of their groups.
    pub(super) fn roles_of<'a>(&'a self, user: &'a User) -> impl Iterator<Item = &'a str> {
        let groups = user.groups.iter().filter_map(|group| self.groups.get(group));
        user.roles.iter().chain(groups.flat_map(|group| &group.roles)).map(String::as_str)
    }

    pub(super) fn is_admin(&self, user: &User) -> bool {
        self.roles_of(user).any(|role| role == "TenantAdmin")
    }

    /// Whether everybody has the permission, or this user by a role of their own or of a group of theirs.
    pub(super) fn grants(&self, user: &User, scope: &str) -> bool {
        self.user_default.contains(scope)
            || user.scopes.contains(scope)
            || self.roles_of(user).filter_map(|name| self.role_named(name)).any(|role| role.scopes.contains(scope))
    }

    /// The bot of a client, made when the client first gets a token here.
    pub(super) fn bot(&mut self, client: &str, name: &str, roles: &[&str], now: Timestamp) -> String {
        if let Some(user) = self.users.values().find(|user| user.client.as_deref() == Some(client)) {
            return user.id.clone();
        }
        let mut user = User::new(name, &format!("qlikbot\\{client}"), now);
        user.client = Some(client.to_owned());
        user.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let id = user.id.clone();
        self.users.insert(id.clone(), user);
        id
    }
}
