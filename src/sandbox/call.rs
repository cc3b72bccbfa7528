//! One request as a vendor's edge passes it on.

use hyper::header::AUTHORIZATION;
use hyper::{HeaderMap, Method};
use jiff::Timestamp;

use super::jwt::Signer;

/// `host` is lower case and without a port.
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) now: Timestamp,
    pub(super) signer: &'a Signer,
}

impl Call<'_> {
    pub(super) fn query(&self) -> impl Iterator<Item = (String, String)> {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What stands behind a scheme in `Authorization`; schemes know no case.
    pub(super) fn authorization(&self, scheme: &str) -> Option<&str> {
        let value = self.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (found, rest) = value.split_once(' ')?;
        found.eq_ignore_ascii_case(scheme).then(|| rest.trim())
    }

    pub(super) fn bearer(&self) -> Option<&str> {
        self.authorization("bearer")
    }

    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.strip_prefix('/').unwrap_or(self.path).split('/').collect()
    }
}
