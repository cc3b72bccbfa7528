//! What people do in Imburse's portal behind a program's back: approve, reject, rename, delete.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Account, Address, Key, Ring, Tenant};
use crate::sandbox::state::State;

/// One edit. An account is named by its id; without one, the first is meant. A tenant is named by its id.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
#[expect(clippy::enum_variant_names, reason = "beside the other vendor's edits, these are the control API's words")]
pub(in crate::sandbox) enum Edit {
    ImburseApprove {
        tenant: String,
    },
    ImburseReject {
        tenant: String,
        #[serde(default)]
        reason: Option<String>,
    },
    ImburseRenameTenant {
        tenant: String,
        name: String,
    },
    /// Softly, as the vendor does.
    ImburseDeleteTenant {
        tenant: String,
    },
    /// As if it had never been.
    ImbursePurgeTenant {
        tenant: String,
    },
    /// A tenant that a person makes in the portal.
    ImburseCreateTenant {
        #[serde(default)]
        account: Option<String>,
        name: String,
    },
    ImburseSetAccount {
        #[serde(default)]
        account: Option<String>,
        #[serde(default)]
        approval_required: Option<bool>,
        #[serde(default)]
        max_tenants: Option<i64>,
    },
    /// A key of a tenant that a person makes in the portal.
    ImburseCreateKey {
        tenant: String,
        name: String,
        roles: Vec<String>,
    },
    /// Of an account or a tenant; what is not named stays.
    ImburseChangeKey {
        key: String,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        roles: Option<Vec<String>>,
    },
    ImburseDeleteKey {
        key: String,
    },
}

#[derive(Debug, thiserror::Error)]
#[error("there is no such {0} in this sandbox")]
pub(in crate::sandbox) struct EditError(&'static str);

/// Whoever acts in the portal.
const PERSON: &str = "portal@sandbox.example";

impl Edit {
    /// Whether a control call is one of these.
    pub(in crate::sandbox) fn is_meant(edit: &Value) -> bool {
        edit.get("action").and_then(Value::as_str).is_some_and(|action| action.starts_with("imburse_"))
    }

    /// What was made, where something was.
    pub(in crate::sandbox) fn apply(self, state: &mut State, now: Timestamp) -> Result<Value, EditError> {
        let person = || Some((now, PERSON.to_owned()));
        match self {
            Self::ImburseApprove { tenant } => {
                let tenant = find(state, &tenant)?;
                (tenant.approved, tenant.rejected, tenant.rejection_reason) = (person(), None, None);
            }
            Self::ImburseReject { tenant, reason } => {
                let tenant = find(state, &tenant)?;
                (tenant.rejected, tenant.rejection_reason) = (person(), reason);
            }
            Self::ImburseRenameTenant { tenant, name } => find(state, &tenant)?.name = name,
            Self::ImburseDeleteTenant { tenant } => {
                let tenant = find(state, &tenant)?;
                tenant.deleted = person();
                tenant.ring.tokens.clear();
            }
            Self::ImbursePurgeTenant { tenant } => {
                let id = find(state, &tenant)?.tenant_id.clone();
                state.imburse.remove_tenant(&id);
            }
            Self::ImburseCreateTenant { account, name } => {
                let slot = slot(state, account.as_deref())?;
                let account = state.imburse.account(&slot).ok_or(EditError("account"))?;
                let tenant = Tenant::new(account, name, Address::default(), PERSON, now);
                let made = json!({ "tenantId": tenant.tenant_id });
                state.imburse.add_tenant(tenant);
                return Ok(made);
            }
            Self::ImburseSetAccount { account, approval_required, max_tenants } => {
                let slot = slot(state, account.as_deref())?;
                let account = state.imburse.account_mut(&slot).ok_or(EditError("account"))?;
                account.approval_required = approval_required.unwrap_or(account.approval_required);
                account.max_tenants = max_tenants.unwrap_or(account.max_tenants);
            }
            Self::ImburseCreateKey { tenant, name, roles } => {
                let key = Key::new(Some(name), roles, now);
                let made = json!({ "publicKey": key.public_key });
                find(state, &tenant)?.ring.add(key);
                return Ok(made);
            }
            Self::ImburseChangeKey { key, name, roles } => {
                let found = ring(state, &key)?.key_mut(&key).ok_or(EditError("key"))?;
                if let Some(name) = name {
                    found.name = name;
                }
                if let Some(roles) = roles {
                    found.roles = roles;
                }
            }
            Self::ImburseDeleteKey { key } => drop(ring(state, &key)?.remove(&key)),
        }
        Ok(json!({}))
    }
}

fn find<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Tenant, EditError> {
    state.imburse.tenant_mut(id).ok_or(EditError("tenant"))
}

fn slot(state: &State, account: Option<&str>) -> Result<String, EditError> {
    let fits = |one: &&Account| account.is_none_or(|id| one.account_id.eq_ignore_ascii_case(id));
    let found = state.imburse.accounts().filter(fits).min_by_key(|one| one.created);
    found.map(|one| one.slot.clone()).ok_or(EditError("account"))
}

fn ring<'a>(state: &'a mut State, key: &str) -> Result<&'a mut Ring, EditError> {
    let account = state.imburse.accounts().find(|one| one.ring.key(key).is_some()).map(|one| one.slot.clone());
    if let Some(slot) = account {
        return state.imburse.account_mut(&slot).map(|one| &mut one.ring).ok_or(EditError("key"));
    }
    let tenant = state.imburse.tenants().find(|one| one.ring.key(key).is_some()).map(|one| one.tenant_id.clone());
    let tenant = tenant.ok_or(EditError("key"))?;
    state.imburse.tenant_mut(&tenant).map(|one| &mut one.ring).ok_or(EditError("key"))
}
