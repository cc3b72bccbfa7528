//! The vendor's envelope for everything that went wrong. Where the vendor publishes no code, the code is ours.

use jiff::Timestamp;
use serde_json::json;

use super::Call;
use crate::sandbox::random;
use crate::sandbox::reply::Reply;
use crate::sandbox::state::State;

/// Thirteen letters and digits, a colon, eight digits: as `0HLPSRAQ7S0I6:00000002`.
fn correlation() -> String {
    format!("0H{}:00000001", random::upper(11))
}

/// The outer id is Imburse's, the inner one the caller's where it sent one.
fn envelope(status: u16, code: &str, callers: Option<&str>, now: Timestamp) -> Reply {
    let ours = correlation();
    let inner = callers.unwrap_or(&ours);
    let body = json!({
        "timestamp": now.as_second(),
        "correlationId": ours,
        "errors": [{
            "errorCode": code,
            "message": format!("Please reference [{inner}] when contacting support."),
            "messageTemplate": "Please reference {correlationId} when contacting support.",
            "metadata": { "correlationId": inner },
        }],
    });
    Reply::json(status, &body)
}

/// A refusal of this call.
pub(super) fn refusal(call: &Call<'_>, status: u16, code: &str) -> Reply {
    envelope(status, code, call.header("x-correlation-id"), call.now)
}

/// Something that is not there: 404 as the table of statuses has it, or 400 as the vendor's other services answer.
pub(super) fn missing(state: &State, call: &Call<'_>, code: &str) -> Reply {
    refusal(call, state.switches().imburse.not_found, code)
}

/// A refusal that is about no call in particular.
pub(in crate::sandbox) fn problem(status: u16, code: &str, now: Timestamp) -> Reply {
    envelope(status, code, None, now)
}

/// "Too many requests": whether `Retry-After` comes with it is not said.
pub(in crate::sandbox) fn rate_limited(wait: Option<i64>, now: Timestamp) -> Reply {
    let reply = problem(429, "TOO_MANY_REQUESTS", now);
    match wait {
        Some(seconds) => reply.with("retry-after", seconds.to_string()),
        None => reply,
    }
}
