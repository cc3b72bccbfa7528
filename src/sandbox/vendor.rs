//! Which vendor a host belongs to, and what that vendor says there.

use jiff::Timestamp;

use super::call::Call;
use super::reply::Reply;
use super::state::State;
use super::{imburse, qlik};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vendor {
    Qlik,
    Imburse,
}

/// For a host that the stand-in plays, what its certificate is made out to. `None` for every other place in the world.
pub(super) fn played(host: &str) -> Option<String> {
    if host == "console.qlikcloud.com" {
        return Some(host.to_owned());
    }
    if let Some(label) = host.strip_suffix(imburse::DOMAIN).and_then(|rest| rest.strip_suffix('.')) {
        return plain(label).then(|| format!("*.{}", imburse::DOMAIN));
    }
    let (label, region) = host.strip_suffix(".qlikcloud.com")?.split_once('.')?;
    (plain(label) && plain(region)).then(|| format!("*.{region}.qlikcloud.com"))
}

fn plain(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

impl Vendor {
    /// Whose a host is that is played.
    pub(super) fn of(host: &str) -> Self {
        if host.ends_with(imburse::DOMAIN) { Self::Imburse } else { Self::Qlik }
    }

    /// Answers one call. Everything a call changes is changed when this returns, or nothing is.
    pub(super) fn answer(self, state: &mut State, call: &Call<'_>) -> Reply {
        match self {
            Self::Qlik => qlik::answer(state, call),
            Self::Imburse => imburse::answer(state, call),
        }
    }

    /// Who is asking, for the record: a client's or a key's id, never a secret. The claim counts, also where it is refused.
    pub(super) fn claimed(self, state: &State, call: &Call<'_>) -> Option<String> {
        match self {
            Self::Qlik => qlik::claimed(state, call),
            Self::Imburse => imburse::claimed(state, call),
        }
    }

    /// The vendor's envelope around words that are not the vendor's.
    pub(super) fn problem(self, status: u16, code: &str, title: &str, now: Timestamp) -> Reply {
        match self {
            Self::Qlik => qlik::reply::problem(status, code, title),
            Self::Imburse => imburse::problem(status, code, now),
        }
    }

    pub(super) fn rate_limited(self, wait: Option<i64>, now: Timestamp) -> Reply {
        match self {
            Self::Qlik => qlik::rate_limited(wait),
            Self::Imburse => imburse::rate_limited(wait, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_vendors_hosts_are_played() {
        assert_eq!(played("register.us.qlikcloud.com").as_deref(), Some("*.us.qlikcloud.com"));
        assert_eq!(played("acme.some-region.qlikcloud.com").as_deref(), Some("*.some-region.qlikcloud.com"));
        assert_eq!(played("console.qlikcloud.com").as_deref(), Some("console.qlikcloud.com"));
        assert_eq!(played("sandbox-api.imbursepayments.com").as_deref(), Some("*.imbursepayments.com"));
        assert_eq!(played("api.imbursepayments.com").as_deref(), Some("*.imbursepayments.com"));
        for host in [
            "api.qlikcloud.com",
            "qlikcloud.com",
            "us.qlikcloud.com",
            "a.b.us.qlikcloud.com",
            "127.0.0.1",
            "a.us.qlikcloud.com.x",
            "imbursepayments.com",
            "a.b.imbursepayments.com",
            "evilimbursepayments.com",
            "api.imbursepayments.com.x",
        ] {
            assert_eq!(played(host), None, "{host}");
        }
    }

    #[test]
    fn a_host_is_one_vendors() {
        assert_eq!(Vendor::of("api.imbursepayments.com"), Vendor::Imburse);
        assert_eq!(Vendor::of("register.us.qlikcloud.com"), Vendor::Qlik);
    }
}
