//! What goes back to the caller, whichever vendor says it.

use serde_json::Value;

/// One answer, before faults are laid over it.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), content_type: "application/json", body: body.to_string().into_bytes() }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), content_type: "application/json", body: Vec::new() }
    }

    /// The `…/me` calls: a redirect with a page for browsers.
    pub(super) fn found(status: u16, location: String) -> Self {
        Self {
            status,
            headers: vec![("location", location)],
            content_type: "text/html; charset=utf-8",
            body: b"<a href=\"#\">Found</a>.\n".to_vec(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
