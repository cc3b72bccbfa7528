//! Where a request may go: regions, DNS labels and the hosts made of them. Nothing else becomes a host name.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::origin::Origin;

/// One DNS label, lower case: `[a-z0-9]([a-z0-9-]*[a-z0-9])?`, at most 63 characters. All that desired state may say of a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Label(String);

/// The error for a text that is no DNS label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one DNS label is expected: a-z, 0-9 and '-' inside, 1 to 63 characters, no dots")]
pub struct LabelError;

impl Label {
    /// Parses one label; upper case is folded, since host names know no case.
    ///
    /// # Errors
    /// Anything but one DNS label of ASCII letters, digits and inner hyphens.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let text = text.to_ascii_lowercase();
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let ends_well = !text.starts_with('-') && !text.ends_with('-');
        if text.is_empty() || text.len() > 63 || !ends_well || !text.bytes().all(inner) {
            return Err(LabelError);
        }
        Ok(Self(text))
    }

    /// Returns the label in lower case, without a dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Labels at which Qlik Cloud has services of its own: `register.us.qlikcloud.com` creates tenants, `console.qlikcloud.com`
/// lists them, `api.qlikcloud.com` stands in its links, `login.qlikcloud.com` is where people sign in. The last three are
/// what such a service is called elsewhere: the vendor publishes no list.
pub const RESERVED: [&str; 7] = ["api", "console", "login", "register", "auth", "oauth", "www"];

/// The domain of Qlik Cloud, other than for governments. An account's `domain` in settings may name another.
pub const QLIK_CLOUD: &str = "qlikcloud.com";

/// The part of Qlik Cloud that an account lives in: `us` at `qlikcloud.com`. It comes from settings only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Region {
    /// `us`, `eu`, `de`, …: the vendor's list is open, so any label.
    pub label: Label,
    /// The domain under which the region lies: `qlikcloud.com`, or a government's own.
    pub domain: String,
}

impl Region {
    /// The host of one tenant of this region.
    pub fn host(&self, tenant: &Label) -> Host {
        Host(format!("{tenant}.{}.{}", self.label, self.domain))
    }

    /// The registration host, where tenants are created.
    pub fn register(&self) -> Host {
        Host(format!("register.{}.{}", self.label, self.domain))
    }

    /// The organization's console, where its tenants are listed. One for all regions.
    pub fn console(&self) -> Host {
        Host(format!("console.{}", self.domain))
    }

    /// The host that a vendor's reply or a ledger record names, if it is one label under this region.
    pub fn accept(&self, host: &str) -> Option<Host> {
        let host = host.to_ascii_lowercase();
        let label = host.strip_suffix(&format!(".{}.{}", self.label, self.domain))?;
        Label::parse(label).ok().map(|label| self.host(&label))
    }
}

/// A host name that a credential may be sent to. Only a [`Region`] and an [`Origin`] of settings make one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Host(String);

impl Host {
    /// The host that settings name whole: https on 443, on another machine.
    pub fn of_origin(origin: &Origin) -> Option<Self> {
        let host = origin.as_str().strip_prefix("https://")?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        (host.contains('.') && host.bytes().all(plain) && !origin.is_loopback()).then(|| Self(host.to_owned()))
    }

    /// Returns the host in lower case, without scheme, port or path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first label: the tenant's own name in it.
    pub fn label(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us() -> Region {
        Region { label: Label::parse("us").unwrap(), domain: "qlikcloud.com".into() }
    }

    #[test]
    fn only_one_label_under_the_region_is_accepted() {
        assert_eq!(us().accept("ABC.us.qlikcloud.com").unwrap().as_str(), "abc.us.qlikcloud.com");
        for bad in [
            "abc.eu.qlikcloud.com",
            "a.b.us.qlikcloud.com",
            "us.qlikcloud.com",
            ".us.qlikcloud.com",
            "abc.us.qlikcloud.com.evil.example",
            "abc.us.qlikcloud.com:444",
            "x@abc.us.qlikcloud.com",
            "abc.us.qlikcloud.com.",
        ] {
            assert!(us().accept(bad).is_none(), "{bad}");
        }
    }
}
