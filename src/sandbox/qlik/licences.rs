//! `/api/v1/licenses`: the entitlement behind every tenant of a subscription.

use serde_json::json;

use super::Call;
use super::caller::Caller;
use super::reply::{Reply, licence_problem};
use crate::sandbox::state::{State, Subscription};

/// Seats that every subscription here has.
const PROFESSIONAL: usize = 25;
const ANALYZER: usize = 50;
const VALID: &str = "./2099-12-31";

/// How many seats of a kind a subscription has, and how many of them its tenants use.
pub(super) fn units(state: &State, subscription: &str, kind: &str) -> (usize, usize) {
    let tenants = state.tenants().filter(|tenant| tenant.subscription == subscription);
    let used = tenants.flat_map(|tenant| tenant.seats.values()).filter(|seat| seat.kind == kind).count();
    (if kind == "professional" { PROFESSIONAL } else { ANALYZER }, used)
}

fn subscription<'a>(state: &'a State, caller: &Caller) -> Option<&'a Subscription> {
    state.subscription(&state.tenant(&caller.tenant)?.subscription)
}

/// The licence key is a secret; only administrators see it.
pub(super) fn overview(state: &State, call: &Call<'_>, caller: &Caller) -> Reply {
    if !caller.admin {
        // The reference has no 403 here.
        return licence_problem(401, "Unauthorized");
    }
    let Some(subscription) = subscription(state, caller) else { return licence_problem(404, "Not found") };
    let allotment = |name: &str| {
        let (units, used) = units(state, &subscription.id, name);
        json!({ "name": name, "usageClass": "assigned", "units": units, "unitsUsed": used, "overage": 0 })
    };
    let allotments = ["professional", "analyzer"].map(allotment);
    Reply::json(
        200,
        &json!({
            "licenseNumber": subscription.licence_number,
            "licenseKey": subscription.licence_key,
            "secondaryNumber": "",
            "version": "1",
            "valid": VALID,
            "status": "Ok",
            "origin": "Internal",
            "updated": "0001-01-01T00:00:00Z",
            "latestUpdateTime": format!("{:.3}", call.now),
            "product": "Qlik Cloud Enterprise",
            "trial": false,
            "allotments": allotments,
            "parameters": [],
        }),
    )
}

pub(super) fn status(state: &State, caller: &Caller) -> Reply {
    if subscription(state, caller).is_none() {
        return licence_problem(404, "Not found");
    }
    Reply::json(
        200,
        &json!({
            "status": "Ok",
            "type": "Signed",
            "product": "Qlik Cloud Enterprise",
            "origin": "Internal",
            "trial": false,
            "deactivated": false,
            "extensionStatus": "Unavailable",
            "valid": VALID,
        }),
    )
}
