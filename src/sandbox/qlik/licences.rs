//! `/api/v1/licenses`: the entitlement behind every tenant of a subscription.

use serde_json::json;

use super::Call;
use super::caller::Caller;
use super::reply::{Reply, licence_problem};
use crate::sandbox::state::{State, Subscription};

fn subscription<'a>(state: &'a State, caller: &Caller) -> Option<&'a Subscription> {
    state.subscription(&state.tenant(&caller.tenant)?.subscription)
}

/// The licence key is a secret; only administrators see it.
pub(super) fn overview(state: &State, call: &Call<'_>, caller: &Caller) -> Reply {
    if !caller.admin {
        return licence_problem(403, "Forbidden");
    }
    let Some(subscription) = subscription(state, caller) else { return licence_problem(404, "Not found") };
    Reply::json(
        200,
        &json!({
            "licenseNumber": subscription.licence_number,
            "licenseKey": subscription.licence_key,
            "valid": "./2099-12-31",
            "status": "Ok",
            "origin": "Internal",
            "updated": "0001-01-01T00:00:00Z",
            "latestUpdateTime": format!("{:.3}", call.now),
            "product": "Qlik Cloud Enterprise",
            "trial": false,
            "allotments": [
                { "name": "professional", "usageClass": "assigned", "units": 25, "unitsUsed": 1, "overage": 0 },
                { "name": "analyzer", "usageClass": "assigned", "units": 50, "unitsUsed": 0, "overage": 0 },
            ],
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
            "valid": true,
        }),
    )
}
