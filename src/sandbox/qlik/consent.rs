//! `/api/v1/oauth-clients/{id}/connection-configs/me`: whether this tenant trusts a published client.

use serde_json::json;

use super::caller::{self, Caller};
use super::reply::{Reply, bad_request, forbidden, problem};
use super::{Call, clients, patch};
use crate::sandbox::state::State;

/// A client is found where its subscription has published it; region-level clients are invisible in tenants.
fn refused(state: &State, caller: &Caller, client: &str) -> Option<Reply> {
    if !caller.admin {
        return Some(forbidden("only TenantAdmin may read or change the consent for OAuth clients"));
    }
    let published = state.tenant(&caller.tenant).is_some_and(|tenant| {
        let subscription = state.subscription(&tenant.subscription);
        subscription.is_some_and(|one| one.key_client.id == client) || clients::known(state, tenant, client).is_some()
    });
    (!published).then(missing)
}

fn missing() -> Reply {
    problem(404, "OAUTH-CLIENTS-404", "Not found")
}

pub(super) fn get(state: &State, caller: &Caller, client: &str) -> Reply {
    if let Some(refusal) = refused(state, caller, client) {
        return refusal;
    }
    let Some(tenant) = state.tenant(&caller.tenant) else { return missing() };
    let consent = if caller::trusted(state, tenant, client) { "trusted" } else { "required" };
    Reply::json(
        200,
        &json!({
            "clientId": client,
            "tenantId": tenant.id,
            "consentMethod": consent,
            "created": format!("{:.3}", tenant.created),
            "lastUpdated": format!("{:.3}", tenant.last_updated),
        }),
    )
}

pub(super) fn patch(state: &mut State, call: &Call<'_>, caller: &Caller, client: &str) -> Reply {
    if let Some(refusal) = refused(state, caller, client) {
        return refusal;
    }
    let changes = match patch::read(call) {
        Ok(changes) => changes,
        Err(refusal) => return refusal,
    };
    let mut consent = None;
    for change in &changes {
        match (change.op.as_str(), change.path.as_str(), change.value.as_str()) {
            ("replace", "/consentMethod", Some(value @ ("trusted" | "required"))) => consent = Some(value.to_owned()),
            _ => return bad_request("only replace of /consentMethod with trusted or required"),
        }
    }
    if consent.as_deref() == Some("trusted") && !state.switches().key_client_trustable {
        return forbidden("this OAuth client cannot be trusted in this tenant");
    }
    if let Some(tenant) = state.tenant_mut(&caller.tenant)
        && let Some(consent) = consent
    {
        tenant.consent.insert(client.to_owned(), consent);
    }
    Reply::empty(204)
}
