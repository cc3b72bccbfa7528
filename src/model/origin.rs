//! The exact place of a service that settings name: scheme, host and port, and nothing more.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// `https://host[:port]`; plain http on loopback only. It ends in no slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    text: String,
    loopback: bool,
}

/// The reason for which a text is no [`Origin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// The text has another scheme, a user, a path, a query, or no host.
    #[error("an origin is https://HOST or https://HOST:PORT, without user, path or query")]
    Shape,
    /// The text is plain http to another machine.
    #[error("plain http is taken on loopback only (127.0.0.1, [::1], localhost); say https://")]
    Plain,
}

impl Origin {
    /// Parses an origin.
    ///
    /// # Errors
    /// Anything besides a scheme, a host and a port, and plain http to another machine.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(OriginError::Shape),
        };
        let (host, port) = match rest.rsplit_once(':') {
            // The colons of an address in brackets are no port's.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            Some(_) | None => (rest, None),
        };
        let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0);
        if !port.is_none_or(is_port) {
            return Err(OriginError::Shape);
        }
        let loopback = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().map_err(|_| OriginError::Shape)?.is_loopback(),
            None => is_host(host).then(|| is_loopback(host)).ok_or(OriginError::Shape)?,
        };
        if !tls && !loopback {
            return Err(OriginError::Plain);
        }
        Ok(Self { text: text.to_ascii_lowercase(), loopback })
    }

    /// Parses the origin of a service that gives the machine's own identity: plain http is taken on a link-local address too, which no
    /// router passes on.
    ///
    /// # Errors
    /// As [`Origin::parse`].
    pub fn near(text: &str) -> Result<Self, OriginError> {
        let host = text.strip_prefix("http://").map(|rest| rest.split_once(':').map_or(rest, |(host, _)| host));
        let link_local = host.is_some_and(|host| host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_link_local()));
        if !link_local {
            return Self::parse(text);
        }
        // The same rules for all else.
        let Self { text: tls, .. } = Self::parse(&text.replacen("http", "https", 1))?;
        Ok(Self { text: tls.replacen("https", "http", 1), loopback: true })
    }

    /// Returns the server of one of AWS's services in a region, both made of lower-case letters, digits and hyphens.
    pub fn of_aws(service: &str, region: &str) -> Self {
        let china = if region.starts_with("cn-") { ".cn" } else { "" };
        Self { text: format!("https://{service}.{region}.amazonaws.com{china}"), loopback: false }
    }

    /// Returns the server of one of Google's services, made of lower-case letters, digits, hyphens and dots.
    pub fn of_google(service: &str) -> Self {
        Self { text: format!("https://{service}.googleapis.com"), loopback: false }
    }

    /// Returns the origin in lower case, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `HOST:PORT`, as a proxy is asked for it.
    pub fn authority(&self) -> String {
        let (scheme, rest) = self.text.split_once("://").unwrap_or(("https", &self.text));
        let has_port = rest.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
        match (has_port, scheme) {
            (true, _) => rest.to_owned(),
            (false, "http") => format!("{rest}:80"),
            (false, _) => format!("{rest}:443"),
        }
    }

    /// Returns whether it is on this machine, or on a link that ends at it, and so is reached directly whatever proxy there is.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_no_further_than_this_machine_and_its_link() {
        for near in ["http://169.254.169.254", "http://169.254.130.2:8081", "http://localhost:1", "http://127.0.0.1:1"]
        {
            let origin = Origin::near(near).unwrap();
            assert_eq!((origin.as_str(), origin.is_loopback()), (near, true));
        }
        assert!(!Origin::near("https://identity.example").unwrap().is_loopback());
        for (far, why) in [
            ("http://10.0.0.1", OriginError::Plain),
            ("http://169.255.0.1", OriginError::Plain),
            ("http://metadata.example", OriginError::Plain),
            ("http://169.254.169.254/path", OriginError::Shape),
            ("http://169.254.169.254.example", OriginError::Plain),
            ("http://169.254.169.254:0", OriginError::Shape),
            ("http://u@169.254.169.254", OriginError::Shape),
        ] {
            assert_eq!(Origin::near(far), Err(why), "{far}");
        }
        assert_eq!(Origin::parse("http://169.254.169.254"), Err(OriginError::Plain));
    }

    #[test]
    fn an_origin_has_a_scheme_a_host_and_perhaps_a_port() {
        for good in ["https://vault.example", "https://vault.example:8200", "https://[2001:db8::1]:8200"] {
            assert!(!Origin::parse(good).unwrap().is_loopback(), "{good}");
        }
        for good in
            ["http://127.0.0.1:8200", "http://[::1]:8200", "http://[::1]", "http://localhost:1", "https://127.1.2.3"]
        {
            assert!(Origin::parse(good).unwrap().is_loopback(), "{good}");
        }
        for bad in [
            "vault.example",
            "ftp://vault.example",
            "https://",
            "https://u:p@vault.example",
            "https://vault.example/",
            "https://vault.example/path",
            "https://vault.example?x",
            "https://vault.example:0",
            "https://vault.example:99999",
            "https://vault.example:+1",
            "https://a..b",
            "https://[::1",
            "https://vault.example#x",
            "https://va ult",
        ] {
            assert_eq!(Origin::parse(bad), Err(OriginError::Shape), "{bad}");
        }
        for plain in
            ["http://vault.example", "http://10.0.0.1:8200", "http://localhost.example", "http://127.0.0.1.example"]
        {
            assert_eq!(Origin::parse(plain), Err(OriginError::Plain), "{plain}");
        }
    }
}
