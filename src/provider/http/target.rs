//! Where a request goes: built from a bound host and known path words only, never from a vendor's link.

use url::Url;

use crate::model::host::Host;

/// One URL on a bound host: https, port 443, nothing else.
#[derive(Clone)]
pub(crate) struct Target(Url);

impl Target {
    /// `template` with each `{}`-word replaced by the next of `ids`. `None` if an id is no plain path word.
    pub(crate) fn new(host: &Host, template: &str, ids: &[&str], query: &[(&str, &str)]) -> Option<Self> {
        let mut ids = ids.iter();
        let mut path = Vec::new();
        for word in template.trim_start_matches('/').split('/') {
            path.push(if word.starts_with('{') { ids.next().copied().filter(|id| is_segment(id))? } else { word });
        }
        let mut url = Url::parse(&format!("https://{host}/{}", path.join("/"))).ok()?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let bound = url.host_str() == Some(host.as_str()) && url.port().is_none() && url.scheme() == "https";
        (bound && ids.next().is_none()).then_some(Self(url))
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

/// Whether an id from outside can stand in a path without changing its shape.
pub(crate) fn is_segment(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    !id.is_empty() && id.len() <= 256 && id.bytes().all(plain) && !id.bytes().all(|b| b == b'.')
}

/// The id in a documented `…/me` redirect: the same host over https, and the path `prefix` followed by one id.
pub(crate) fn redirected_id(from: &Target, location: &str, prefix: &str) -> Option<String> {
    let to = from.0.join(location).ok()?;
    let same = to.scheme() == "https" && to.host() == from.0.host() && to.port().is_none();
    if !same || !to.username().is_empty() || to.password().is_some() {
        return None;
    }
    let id = to.path().strip_prefix(prefix)?.strip_prefix('/')?;
    (is_segment(id) && id != "me").then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::host::{Label, Region};

    fn host() -> Host {
        let us = Region { label: Label::parse("us").unwrap(), domain: "qlikcloud.com".into() };
        us.host(&Label::parse("acme").unwrap())
    }

    #[test]
    fn a_target_stays_on_its_host_and_path() {
        let target = Target::new(&host(), "/api/v1/tenants/{id}", &["7WZ_q-1"], &[("sort", "+created")]).unwrap();
        assert_eq!(target.url().as_str(), "https://acme.us.qlikcloud.com/api/v1/tenants/7WZ_q-1?sort=%2Bcreated");
        for bad in ["..", ".", "", "a/b", "a?b", "a#b", "%2e%2e", "a b", "ä", "a\\b", &"x".repeat(257)] {
            assert!(Target::new(&host(), "/api/v1/tenants/{id}", &[bad], &[]).is_none(), "{bad}");
        }
        assert!(Target::new(&host(), "/api/v1/tenants/{id}", &[], &[]).is_none());
        assert!(Target::new(&host(), "/api/v1/tenants/me", &["x"], &[]).is_none());
    }

    #[test]
    fn only_a_redirect_to_one_id_on_the_same_host_is_followed() {
        let me = Target::new(&host(), "/api/v1/tenants/me", &[], &[]).unwrap();
        let id = |location: &str| redirected_id(&me, location, "/api/v1/tenants");
        for good in [
            "/api/v1/tenants/abc",
            "https://acme.us.qlikcloud.com/api/v1/tenants/abc",
            "https://ACME.us.qlikcloud.com:443/api/v1/tenants/abc",
            "//acme.us.qlikcloud.com/api/v1/tenants/abc",
            "abc",
            "./abc",
        ] {
            assert_eq!(id(good).as_deref(), Some("abc"), "{good}");
        }
        for bad in [
            "",
            "http://acme.us.qlikcloud.com/api/v1/tenants/abc",
            "https://acme.us.qlikcloud.com:8443/api/v1/tenants/abc",
            "https://evil.example/api/v1/tenants/abc",
            "https://acme.us.qlikcloud.com@evil.example/api/v1/tenants/abc",
            "https://u:p@acme.us.qlikcloud.com/api/v1/tenants/abc",
            "https://acme.us.qlikcloud.com.evil.example/api/v1/tenants/abc",
            "//evil.example/api/v1/tenants/abc",
            "/api/v1/users/abc",
            "/api/v1/tenants/a/b",
            "/api/v1/tenants/../users/abc",
            "/api/v1/tenants/me",
            "/api/v1/tenants/",
            "/api/v1/tenants/%2e%2e",
            "javascript:alert(1)",
        ] {
            assert_eq!(id(bad), None, "{bad}");
        }
    }
}
