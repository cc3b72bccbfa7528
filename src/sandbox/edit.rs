//! What people do behind a program's back: edits by hand in the tenant or in the vendor's console.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::qlik;
use super::random;
use super::state::{Group, State, Tenant, User};

/// One edit. A tenant is named by its id or any of its host names.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Edit {
    PatchKey {
        key: String,
        description: String,
    },
    RevokeKey {
        key: String,
    },
    DeleteKey {
        key: String,
    },
    RenameTenant {
        tenant: String,
        name: String,
    },
    SetAlias {
        tenant: String,
        alias: String,
    },
    DisableTenant {
        tenant: String,
    },
    EnableTenant {
        tenant: String,
    },
    PurgeTenant {
        tenant: String,
    },
    /// A tenant that a person makes in the portal, in the first account of the region.
    CreateTenant {
        region: String,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        alias: Option<String>,
    },
    SetLimits {
        tenant: String,
        #[serde(default)]
        max_keys_per_user: Option<u64>,
        #[serde(default)]
        max_api_key_expiry: Option<String>,
    },
    /// Replaces the scopes of `UserDefault`.
    SetUserDefault {
        tenant: String,
        scopes: BTreeSet<String>,
    },
    /// Replaces what a custom role of this user's own grants them.
    SetUserScopes {
        user: String,
        scopes: BTreeSet<String>,
    },
    SetConsent {
        tenant: String,
        client: String,
        consent: String,
    },
    /// A person who is there and active, as after their first login.
    AddUser {
        tenant: String,
        subject: String,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        email: Option<String>,
    },
    SetUserStatus {
        user: String,
        status: String,
    },
    /// Replaces the roles of a user, by name.
    SetUserRoles {
        user: String,
        roles: Vec<String>,
    },
    /// Replaces the groups of a user, by name; groups that are missing are made, as by an identity provider.
    SetUserGroups {
        user: String,
        groups: BTreeSet<String>,
    },
    DeleteUser {
        user: String,
    },
    /// The old secret stops working; the new one is answered by the next seeding.
    RotateSecret {
        client: String,
    },
}

#[derive(Debug, thiserror::Error)]
pub(super) enum EditError {
    #[error("there is no such {0} in this sandbox")]
    Missing(&'static str),
    #[error("{0}")]
    Alias(&'static str),
    #[error("{0} is not an ISO 8601 duration such as PT24H")]
    Duration(String),
}

impl Edit {
    /// What was made, where something was.
    pub(super) fn apply(self, state: &mut State, now: Timestamp) -> Result<Value, EditError> {
        let mut made = json!({});
        match self {
            Self::PatchKey { key, description } => {
                let tenant = of_key(state, &key)?;
                if let Some(key) = tenant.keys.get_mut(&key) {
                    key.description = description;
                    key.last_updated = now;
                }
            }
            Self::RevokeKey { key } => {
                if let Some(key) = of_key(state, &key)?.keys.get_mut(&key) {
                    key.revoked = true;
                }
            }
            Self::DeleteKey { key } => {
                of_key(state, &key)?.keys.remove(&key);
            }
            Self::RenameTenant { tenant, name } => find(state, &tenant)?.name = name,
            Self::SetAlias { tenant, alias } => {
                let id = find(state, &tenant)?.id.clone();
                let tenant = state.tenant(&id).ok_or(EditError::Missing("tenant"))?;
                let alias = qlik::check_alias(state, tenant, &alias).map_err(|(_, title)| EditError::Alias(title))?;
                state.set_alias(&id, &alias);
            }
            Self::DisableTenant { tenant } => find(state, &tenant)?.disabled = true,
            Self::EnableTenant { tenant } => {
                let tenant = find(state, &tenant)?;
                (tenant.disabled, tenant.purge_at) = (false, None);
            }
            Self::PurgeTenant { tenant } => {
                let id = find(state, &tenant)?.id.clone();
                qlik::bury(state, &id, now);
            }
            Self::CreateTenant { region, name, alias } => {
                let subscription = state.subscriptions().find(|one| one.region == region);
                let mut tenant = subscription.ok_or(EditError::Missing("account"))?.tenant(now);
                if let Some(alias) = alias {
                    let alias =
                        qlik::check_alias(state, &tenant, &alias).map_err(|(_, title)| EditError::Alias(title))?;
                    tenant.hostnames.push(alias);
                }
                tenant.name = name.unwrap_or(tenant.name);
                tenant.hidden_lists = state.switches().console_lag;
                made = json!({ "id": tenant.id, "hostnames": tenant.hostnames });
                state.add(tenant);
            }
            Self::SetLimits { tenant, max_keys_per_user, max_api_key_expiry } => {
                if let Some(text) = max_api_key_expiry.as_ref().filter(|text| qlik::end(now, text).is_none()) {
                    return Err(EditError::Duration(text.clone()));
                }
                let limits = &mut find(state, &tenant)?.limits;
                limits.max_keys_per_user = max_keys_per_user.unwrap_or(limits.max_keys_per_user);
                if let Some(expiry) = max_api_key_expiry {
                    limits.max_api_key_expiry = expiry;
                }
            }
            Self::SetUserDefault { tenant, scopes } => find(state, &tenant)?.user_default = scopes,
            Self::SetUserScopes { user, scopes } => with_user(state, &user, |one| one.scopes = scopes)?,
            Self::AddUser { tenant, subject, name, email } => {
                let name = name.or_else(|| email.clone()).unwrap_or_else(|| subject.clone());
                let user = User { email, ..User::new(&name, &subject, now) };
                made = json!({ "id": user.id });
                find(state, &tenant)?.users.insert(user.id.clone(), user);
            }
            Self::SetUserStatus { user, status } => with_user(state, &user, |one| one.status = status)?,
            Self::SetUserRoles { user, roles } => with_user(state, &user, |one| one.roles = roles)?,
            Self::SetUserGroups { user, groups } => {
                let tenant = of_user(state, &user)?;
                let mut ids = Vec::new();
                for name in groups {
                    let known = tenant.groups.values().find(|group| group.name == name).map(|group| group.id.clone());
                    ids.push(known.unwrap_or_else(|| {
                        let group = Group::new(&name, "idp", now);
                        let id = group.id.clone();
                        tenant.groups.insert(id.clone(), group);
                        id
                    }));
                }
                with_user(state, &user, |one| one.groups = ids)?;
            }
            Self::DeleteUser { user } => drop(of_user(state, &user)?.users.remove(&user)),
            Self::SetConsent { tenant, client, consent } => {
                find(state, &tenant)?.consent.insert(client, consent);
            }
            Self::RotateSecret { client } => {
                let clients = state.clients_mut(&client);
                if clients.is_empty() {
                    return Err(EditError::Missing("client"));
                }
                clients.into_iter().for_each(|client| client.secret = random::secret());
            }
        }
        Ok(made)
    }
}

fn find<'a>(state: &'a mut State, name: &str) -> Result<&'a mut Tenant, EditError> {
    let id = state.tenant_at(&name.to_ascii_lowercase()).map_or_else(|| name.to_owned(), |tenant| tenant.id.clone());
    state.tenant_mut(&id).ok_or(EditError::Missing("tenant"))
}

fn of_user<'a>(state: &'a mut State, user: &str) -> Result<&'a mut Tenant, EditError> {
    let id = state.tenants().find(|tenant| tenant.users.contains_key(user)).map(|tenant| tenant.id.clone());
    id.and_then(|id| state.tenant_mut(&id)).ok_or(EditError::Missing("user"))
}

fn with_user(state: &mut State, user: &str, change: impl FnOnce(&mut User)) -> Result<(), EditError> {
    let found = of_user(state, user)?.users.get_mut(user);
    found.map(change).ok_or(EditError::Missing("user"))
}

fn of_key<'a>(state: &'a mut State, key: &str) -> Result<&'a mut Tenant, EditError> {
    let id = state.tenants().find(|tenant| tenant.keys.contains_key(key)).map(|tenant| tenant.id.clone());
    id.and_then(|id| state.tenant_mut(&id)).ok_or(EditError::Missing("key"))
}
