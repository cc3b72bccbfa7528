//! What goes back to the caller, and the vendor's envelope for everything that went wrong.

use serde_json::{Value, json};

use crate::sandbox::random;

/// One answer, before faults are laid over it.
#[derive(Clone)]
pub(in crate::sandbox) struct Reply {
    pub(in crate::sandbox) status: u16,
    pub(in crate::sandbox) headers: Vec<(&'static str, String)>,
    pub(in crate::sandbox) content_type: &'static str,
    pub(in crate::sandbox) body: Vec<u8>,
}

impl Reply {
    pub(in crate::sandbox) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), content_type: "application/json", body: body.to_string().into_bytes() }
    }

    pub(in crate::sandbox) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), content_type: "application/json", body: Vec::new() }
    }

    /// The `…/me` calls: a redirect with a page for browsers.
    pub(in crate::sandbox) fn found(location: String) -> Self {
        Self {
            status: 302,
            headers: vec![("location", location)],
            content_type: "text/html; charset=utf-8",
            body: b"<a href=\"#\">Found</a>.\n".to_vec(),
        }
    }

    pub(in crate::sandbox) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The envelope of most services: `status` is a string.
pub(in crate::sandbox) fn problem(status: u16, code: &str, title: &str) -> Reply {
    envelope(status, json!({ "code": code, "title": title, "status": status.to_string() }))
}

pub(in crate::sandbox) fn problem_with_detail(status: u16, code: &str, title: &str, detail: &str) -> Reply {
    envelope(status, json!({ "code": code, "title": title, "detail": detail, "status": status.to_string() }))
}

/// The envelope where `status` is an integer: API keys, users, groups.
pub(super) fn numbered_problem(status: u16, code: &str, title: &str, detail: &str) -> Reply {
    envelope(status, json!({ "code": code, "title": title, "detail": detail, "status": status }))
}

/// The licence service's older envelope, which says everything twice.
pub(super) fn licence_problem(status: u16, title: &str) -> Reply {
    let body = json!({
        "error": status.to_string(),
        "message": title,
        "errors": [{ "code": format!("LICENSES-{status}"), "title": title, "status": status.to_string() }],
        "traceId": random::hex_id(),
    });
    Reply::json(status, &body)
}

pub(super) fn envelope(status: u16, error: Value) -> Reply {
    Reply::json(status, &json!({ "errors": [error], "traceId": random::hex_id() }))
}

pub(super) fn not_found() -> Reply {
    problem(404, "HTTP-404", "Not found")
}

pub(super) fn unauthorized() -> Reply {
    problem(401, "HTTP-401", "Authorization Required")
}

pub(super) fn forbidden(detail: &str) -> Reply {
    problem_with_detail(403, "HTTP-403", "Forbidden", detail)
}

pub(super) fn bad_request(detail: &str) -> Reply {
    problem_with_detail(400, "HTTP-400", "Bad request", detail)
}
