//! The account itself: its licence, and whether people approve its tenants.

use serde::Deserialize;

use super::caller::Caller;
use super::reply::refusal;
use super::shape;
use super::switches::Shape;
use super::{Call, Reply};
use crate::sandbox::state::State;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Change {
    tenant_creation_approval_required: bool,
}

pub(super) fn get(state: &State, call: &Call<'_>, caller: &Caller, shape: Shape) -> Result<Reply, Reply> {
    let account = state.imburse.account(&caller.account).ok_or_else(|| refusal(call, 404, "ACCOUNT_NOT_FOUND"))?;
    Ok(Reply::json(200, &shape::account(account, state.imburse.usage(&account.slot), shape)))
}

pub(super) fn update(state: &mut State, call: &Call<'_>, caller: &Caller) -> Result<Reply, Reply> {
    let change: Change = serde_json::from_slice(call.body).map_err(|_| refusal(call, 400, "BODY_IS_INVALID"))?;
    if let Some(account) = state.imburse.account_mut(&caller.account) {
        account.approval_required = change.tenant_creation_approval_required;
    }
    Ok(Reply::empty(204))
}
