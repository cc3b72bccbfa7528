//! Who is calling with a bearer token: an account's key or a tenant's, what it may do, and whether the headers agree.

use super::identity::Holder;
use super::reply::refusal;
use super::{Call, Reply};
use crate::sandbox::state::State;
use crate::sandbox::token::hash;

pub(super) struct Caller {
    pub(super) holder: Holder,
    /// The account's slot.
    pub(super) account: String,
    pub(super) account_id: String,
    pub(super) public_key: String,
    roles: Vec<String>,
}

/// Where a call belongs: it decides which headers it must have and whose key it takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    Account,
    /// The account's calls of 2019, which were sent without headers.
    AccountOf2019,
    Tenant,
}

/// Looks up a token's key with its roles as they are now. `None`: 401.
pub(super) fn identify(state: &State, call: &Call<'_>) -> Option<Caller> {
    let hash = hash(call.bearer()?);
    for account in state.imburse.accounts().filter(|account| account.host == call.host) {
        if let Some(key) = account.ring.bearer(&hash, call.now) {
            return Some(Caller {
                holder: Holder::Account(account.slot.clone()),
                account: account.slot.clone(),
                account_id: account.account_id.clone(),
                public_key: key.public_key.clone(),
                roles: key.roles.clone(),
            });
        }
    }
    let mut found = state.imburse.tenants().filter_map(|tenant| {
        let account = state.imburse.account(&tenant.account).filter(|account| account.host == call.host)?;
        let key = tenant.ring.bearer(&hash, call.now)?;
        (tenant.counts()).then(|| Caller {
            holder: Holder::Tenant(tenant.tenant_id.clone()),
            account: account.slot.clone(),
            account_id: account.account_id.clone(),
            public_key: key.public_key.clone(),
            roles: key.roles.clone(),
        })
    });
    found.next()
}

impl Caller {
    /// Checks the headers of a context against the key, and that the key is of that context.
    pub(super) fn enters(&self, state: &State, call: &Call<'_>, context: Context) -> Result<(), Reply> {
        let required = match context {
            Context::Account => state.switches().imburse.account_header,
            Context::AccountOf2019 => false,
            Context::Tenant => true,
        };
        match call.header("x-account-id") {
            None if required => return Err(refusal(call, 400, "ACCOUNT_ID_IS_REQUIRED")),
            Some(id) if !id.eq_ignore_ascii_case(&self.account_id) => return Err(refusal(call, 403, "FORBIDDEN")),
            None | Some(_) => {}
        }
        match (context, &self.holder) {
            (Context::Account | Context::AccountOf2019, Holder::Account(_)) => Ok(()),
            (Context::Tenant, Holder::Tenant(own)) => match call.header("x-tenant-id") {
                None => Err(refusal(call, 400, "TENANT_ID_IS_REQUIRED")),
                Some(id) if id.eq_ignore_ascii_case(own) => Ok(()),
                Some(_) => Err(refusal(call, 403, "FORBIDDEN")),
            },
            (Context::Account | Context::AccountOf2019, Holder::Tenant(_)) | (Context::Tenant, Holder::Account(_)) => {
                Err(refusal(call, 403, "FORBIDDEN"))
            }
        }
    }

    /// One of these roles is needed.
    pub(super) fn may(&self, call: &Call<'_>, roles: &[&str]) -> Result<(), Reply> {
        let may = self.roles.iter().any(|role| roles.contains(&role.as_str()));
        if may { Ok(()) } else { Err(refusal(call, 403, "FORBIDDEN")) }
    }
}
