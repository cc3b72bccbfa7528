//! Rate limits: per tier, per user, per tenant, in windows of the sandbox's clock; and the documented 429.

use super::Call;
use super::reply::Reply;
use crate::sandbox::random;
use crate::sandbox::state::State;

/// Counts a request against its tier. A window begins with its first request; when it is full, nothing of that tier is
/// answered until it ends.
pub(super) fn too_many(state: &mut State, call: &Call<'_>, user: &str, tier: u8) -> Option<Reply> {
    let switches = state.switches();
    let a_minute = u64::from(if tier == 1 { switches.rate_tier_1 } else { switches.rate_tier_2 });
    let seconds = u64::from(switches.rate_window_seconds.max(1));
    let allowed = (a_minute * seconds).div_ceil(60);
    let tenant = state.tenant_at(call.host);
    // One place by whichever of its names.
    let place = tenant.map_or_else(|| call.host.to_owned(), |tenant| tenant.id.clone());
    // The formula in the vendor's document: the user's limit, times users, times one half.
    let everybody = tenant.filter(|_| switches.rate_tenant_wide).map(|tenant| {
        let users = tenant.users.values().filter(|user| user.is_active()).count();
        (allowed * u64::try_from(users).unwrap_or(u64::MAX)).div_ceil(2)
    });
    let speed = state.main().clock.speed;
    let limits = [(user.to_owned(), Some(allowed)), (String::new(), everybody)];
    let limits = limits.into_iter().filter_map(|(who, allowed)| allowed.map(|allowed| (who, allowed)));
    let limits: Vec<_> = limits.map(|(who, allowed)| ((place.clone(), who, tier), allowed)).collect();
    let mut longest = 0;
    for (window, allowed) in &limits {
        let window = state.rates.entry(window.clone()).or_insert((call.now, 0));
        let passed = call.now.duration_since(window.0).as_secs();
        let left = i64::try_from(seconds).unwrap_or(i64::MAX) - passed;
        // A clock that was set back has ended the window too.
        if left <= 0 || passed < 0 {
            *window = (call.now, 0);
        } else if window.1 >= *allowed {
            longest = longest.max(left);
        }
    }
    if longest > 0 {
        // Clients wait in real seconds, however fast the sandbox's clock runs.
        let speed = i64::from(speed);
        return Some(rate_limited(Some((longest + speed - 1) / speed)));
    }
    for (window, _) in limits {
        if let Some(window) = state.rates.get_mut(&window) {
            window.1 += 1;
        }
    }
    None
}

/// The documented 429; the header can be missing, as faults want it.
pub(in crate::sandbox) fn rate_limited(wait: Option<i64>) -> Reply {
    let detail = format!("You need to wait {} seconds until limit is lifted.", wait.unwrap_or(1));
    let error = serde_json::json!({ "code": "HTTP-429", "title": "API rate limit reached.", "detail": detail });
    let reply = Reply::json(429, &serde_json::json!({ "errors": [error], "traceId": random::hex_id() }));
    match wait {
        Some(seconds) => reply.with("retry-after", seconds.to_string()),
        None => reply,
    }
}
