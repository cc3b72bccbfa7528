//! Keys of accounts and of tenants, under each of their paths: made once, the private half shown once, listed whole.

use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::identity::Holder;
use super::reply::{missing, refusal};
use super::shape::{self, Owner};
use super::state::{Key, Ring, Standing, named};
use super::switches::Shape;
use super::{Call, Reply};
use crate::sandbox::state::State;

pub(super) const ACCOUNT_ROLES: [&str; 4] =
    ["account-admin", "account-tenant-read", "account-tenant-write", "account-tenant-approval"];
pub(super) const TENANT_ROLES: [&str; 12] = [
    "tenant-admin",
    "tenant-management",
    "tenant-app-read",
    "tenant-app-write",
    "tenant-collect-scheme-read",
    "tenant-collect-scheme-write",
    "tenant-payout-scheme-read",
    "tenant-payout-scheme-write",
    "tenant-reward-group-read",
    "tenant-reward-group-write",
    "tenant-transaction-read",
    "tenant-transaction-write",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    roles: Option<Vec<String>>,
}

/// Both are sent: what an update does to what it leaves out is not said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedKey {
    #[serde(deserialize_with = "Option::deserialize")]
    name: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    roles: Option<Vec<String>>,
}

/// Whose keys a call is about, and how they are shown.
pub(super) struct Keys<'a> {
    pub(super) holder: &'a Holder,
    pub(super) shape: Shape,
    pub(super) caller: &'a Caller,
}

impl Keys<'_> {
    fn known_roles(&self) -> &'static [&'static str] {
        match self.holder {
            Holder::Account(_) => &ACCOUNT_ROLES,
            Holder::Tenant(_) => &TENANT_ROLES,
        }
    }

    fn list_name(&self) -> &'static str {
        match self.holder {
            Holder::Account(_) => "accountKeys",
            Holder::Tenant(_) => "tenantKeys",
        }
    }

    /// The ring to read, or why there is none: a tenant of another account, or one that was deleted, is not there.
    fn ring<'a>(&self, state: &'a State, call: &Call<'_>) -> Result<&'a Ring, Reply> {
        let found = match self.holder {
            Holder::Account(slot) => state.imburse.account(slot).map(|account| &account.ring),
            Holder::Tenant(id) => {
                let tenant = state.imburse.tenant(id).filter(|tenant| tenant.account == self.caller.account);
                tenant.filter(|tenant| tenant.standing() != Standing::Deleted).map(|tenant| &tenant.ring)
            }
        };
        found.ok_or_else(|| missing(state, call, "TENANT_NOT_FOUND"))
    }

    fn ring_mut<'a>(&self, state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Ring, Reply> {
        self.ring(state, call)?;
        self.holder.ring_mut(state).ok_or_else(|| refusal(call, 404, "TENANT_NOT_FOUND"))
    }

    fn shown(&self, key: &Key) -> Value {
        let tenant_id = match self.holder {
            Holder::Account(_) => None,
            Holder::Tenant(id) => Some(id.as_str()),
        };
        shape::key(key, &Owner { account_id: &self.caller.account_id, tenant_id }, self.shape)
    }

    fn check_roles(&self, state: &State, call: &Call<'_>, roles: &[String]) -> Result<(), Reply> {
        let known = |role: &String| self.known_roles().contains(&role.as_str());
        if state.switches().imburse.unknown_roles || roles.iter().all(known) {
            Ok(())
        } else {
            Err(refusal(call, 400, "ROLE_IS_INVALID"))
        }
    }

    pub(super) fn list(&self, state: &mut State, call: &Call<'_>) -> Result<Reply, Reply> {
        let ring = self.ring(state, call)?;
        let shown: Vec<Value> = ring.keys().filter(|key| key.hidden_lists == 0).map(|key| self.shown(key)).collect();
        if ring.keys().any(|key| key.hidden_lists > 0) {
            self.ring_mut(state, call)?.listed();
        }
        let mut body = json!({});
        body[self.list_name()] = Value::from(shown);
        Ok(Reply::json(200, &body))
    }

    pub(super) fn get(&self, state: &State, call: &Call<'_>, public_key: &str) -> Result<Reply, Reply> {
        match self.ring(state, call)?.key(public_key) {
            Some(key) => Ok(Reply::json(200, &self.shown(key))),
            None => Err(missing(state, call, "API_KEY_NOT_FOUND")),
        }
    }

    pub(super) fn create(&self, state: &mut State, call: &Call<'_>) -> Result<Reply, Reply> {
        self.ring(state, call)?;
        let new: NewKey = serde_json::from_slice(call.body).map_err(|_| refusal(call, 400, "BODY_IS_INVALID"))?;
        let roles = new.roles.unwrap_or_default();
        self.check_roles(state, call, &roles)?;
        if let Holder::Tenant(id) = self.holder {
            match state.imburse.tenant(id).map(super::state::Tenant::standing) {
                Some(Standing::Approved) => {}
                Some(Standing::Pending) if state.switches().imburse.keys_before_approval => {}
                Some(Standing::Pending) => return Err(refusal(call, 400, "TENANT_IS_PENDING_APPROVAL")),
                Some(Standing::Rejected | Standing::Deleted) | None => {
                    return Err(refusal(call, 400, "TENANT_IS_REJECTED"));
                }
            }
        }
        let mut key = Key::new(new.name, roles, call.now);
        key.hidden_lists = state.switches().imburse.key_list_lag;
        let mut shown = self.shown(&key);
        // Here and nowhere else.
        shown["privateKey"] = Value::from(key.private_key.as_str());
        self.ring_mut(state, call)?.add(key);
        Ok(Reply::json(201, &shown).with("cache-control", "no-store"))
    }

    pub(super) fn update(&self, state: &mut State, call: &Call<'_>, public_key: &str) -> Result<Reply, Reply> {
        self.ring(state, call)?;
        if !state.switches().imburse.key_update {
            return Err(refusal(call, 405, "SERVICE_UNAVAILABLE"));
        }
        let changed: ChangedKey =
            serde_json::from_slice(call.body).map_err(|_| refusal(call, 400, "BODY_IS_INVALID"))?;
        let roles = changed.roles.unwrap_or_default();
        self.check_roles(state, call, &roles)?;
        let gone = missing(state, call, "API_KEY_NOT_FOUND");
        let key = self.ring_mut(state, call)?.key_mut(public_key).ok_or(gone)?;
        key.name = named(changed.name);
        key.roles = roles;
        Ok(Reply::empty(204))
    }

    /// "Will immediately revoke access to ALL APIs": its tokens go with it.
    pub(super) fn delete(&self, state: &mut State, call: &Call<'_>, public_key: &str) -> Result<Reply, Reply> {
        let gone = missing(state, call, "API_KEY_NOT_FOUND");
        if self.ring(state, call)?.key(public_key).is_none() {
            return Err(gone);
        }
        self.ring_mut(state, call)?.remove(public_key);
        Ok(Reply::empty(204))
    }
}
