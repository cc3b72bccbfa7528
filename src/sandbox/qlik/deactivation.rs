//! `/api/v1/tenants/{id}/actions/…` at the register host: switched off, then purged by the clock, or switched on again.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;

use super::reply::{Reply, bad_request, forbidden, problem};
use super::tenants::at_register;
use super::{Call, too_many};
use crate::sandbox::state::State;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wanted {
    #[serde(default = "thirty")]
    purge_after_days: i64,
}

fn thirty() -> i64 {
    30
}

/// The tenant, where the caller may act on it and has confirmed it by one of its host names.
fn confirmed(state: &mut State, call: &Call<'_>, region: &str, id: &str, scope: &str) -> Result<(), Reply> {
    let caller = at_register(state, call, region)?;
    if !caller.scopes.iter().any(|carried| carried == scope) {
        return Err(forbidden(&format!("the token lacks the scope {scope}")));
    }
    if let Some(refusal) = too_many(state, call, &caller.client, 2) {
        return Err(refusal);
    }
    let tenant = state.tenant(id).filter(|tenant| tenant.subscription == caller.subscription);
    let tenant = tenant.ok_or_else(|| problem(404, "TENANTS-8", "Not found"))?;
    let given = call.headers.get("qlik-confirm-hostname").and_then(|value| value.to_str().ok());
    let given = given.unwrap_or_default().to_ascii_lowercase();
    if !tenant.hostnames.contains(&given) {
        return Err(problem(412, "TENANTS-412", "Precondition Failed (invalid qlik-confirm-hostname value)"));
    }
    Ok(())
}

/// On a tenant that is switched off already it moves the date.
pub(super) fn deactivate(state: &mut State, call: &Call<'_>, region: &str, id: &str) -> Reply {
    if let Err(refusal) = confirmed(state, call, region, id, "tenants:deactivate") {
        return refusal;
    }
    let body = if call.body.is_empty() { b"{}" } else { call.body };
    let wanted =
        serde_json::from_slice(body).ok().filter(|wanted: &Wanted| (10..=90).contains(&wanted.purge_after_days));
    let Some(Wanted { purge_after_days }) = wanted else {
        return bad_request("purgeAfterDays is a whole number from 10 to 90");
    };
    let purge = call.now.checked_add(SignedDuration::from_hours(24 * purge_after_days)).unwrap_or(call.now);
    if let Some(tenant) = state.deactivate(id, purge) {
        tenant.last_updated = call.now;
    }
    Reply::json(200, &json!({ "id": id, "status": "disabled", "estimatedPurgeDate": format!("{purge:.3}") }))
}

pub(super) fn reactivate(state: &mut State, call: &Call<'_>, region: &str, id: &str) -> Reply {
    if let Err(refusal) = confirmed(state, call, region, id, "tenants:reactivate") {
        return refusal;
    }
    if !state.tenant(id).is_some_and(|tenant| tenant.disabled) {
        return forbidden("the tenant is not deactivated");
    }
    if let Some(tenant) = state.tenant_mut(id) {
        (tenant.disabled, tenant.purge_at, tenant.last_updated) = (false, None, call.now);
    }
    Reply::json(200, &json!({ "id": id, "status": "active" }))
}
