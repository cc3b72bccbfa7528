//! What stood between us and a server, as far as the error of a client tells: a proxy's answer, or what is wrong with a certificate.

use std::error::Error as _;
use std::time::Duration;

use super::proxy::Proxy;

/// How long a proxy is asked for the answer that it gave before.
const ASKED_FOR: Duration = Duration::from_secs(5);

/// Why no connection came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It answered CONNECT with this, or closed, or said something that is no answer.
    Proxy {
        proxy: String,
        answered: Option<u16>,
    },
    /// It could not be reached.
    ProxyDown {
        proxy: String,
        why: String,
    },
    Expired,
    NotYetValid,
    /// The certificate is for other names.
    WrongName,
    /// Nobody that we trust vouches for it; in the verifier's words.
    Untrusted(String),
}

impl Obstacle {
    /// What the error of a request is about, if it is one of these. `authority` is the server's `HOST:PORT`.
    pub async fn of(error: &reqwest::Error, proxy: Option<&Proxy>, authority: &str) -> Option<Self> {
        let causes = causes(error);
        let Some(tunnel) = causes.iter().find_map(|cause| cause.strip_prefix("tunnel error: ")) else {
            return causes.iter().rev().find_map(|cause| Self::of_certificate(cause));
        };
        let named = proxy.map_or_else(|| "of this system".to_owned(), Proxy::words);
        if tunnel.starts_with("failed to create underlying connection") {
            let why = causes.last().filter(|last| !last.contains(tunnel)).cloned();
            return Some(Self::ProxyDown { proxy: named, why: why.unwrap_or_else(|| tunnel.to_owned()) });
        }
        let answered = match proxy {
            _ if tunnel == "proxy authorization required" => Some(407),
            Some(proxy) => proxy.answer(authority, ASKED_FOR).await.filter(|status| *status != 200),
            None => None,
        };
        Some(Self::Proxy { proxy: named, answered })
    }

    /// By the words of rustls 0.23 for a certificate, the last of the causes.
    fn of_certificate(cause: &str) -> Option<Self> {
        let why = cause.split_once("invalid peer certificate: ").map(|(_, why)| why)?;
        Some(if why.starts_with("certificate expired") || why == "Expired" {
            Self::Expired
        } else if why.starts_with("certificate not valid yet") || why == "NotValidYet" {
            Self::NotYetValid
        } else if why.starts_with("certificate not valid for name") || why == "NotValidForName" {
            Self::WrongName
        } else {
            Self::Untrusted(why.to_owned())
        })
    }

    pub fn words(&self, authority: &str) -> String {
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        match self {
            Self::Proxy { proxy, answered: Some(status) } => {
                format!("cannot connect: the proxy {proxy} answers {status} to CONNECT {authority}")
            }
            Self::Proxy { proxy, answered: None } => {
                format!("cannot connect: the proxy {proxy} opens no way to {authority}")
            }
            Self::ProxyDown { proxy, why } => format!("cannot connect: the proxy {proxy} cannot be reached ({why})"),
            Self::Expired => format!("cannot connect: the certificate of {host} has expired"),
            Self::NotYetValid => format!("cannot connect: the certificate of {host} is not valid yet"),
            Self::WrongName => format!("cannot connect: the certificate that {host} shows is for another name"),
            Self::Untrusted(why) => format!("cannot connect: the certificate is not trusted ({why})"),
        }
    }

    pub fn next(&self) -> &'static str {
        match self {
            Self::Proxy { answered: Some(407), .. } => {
                "put the proxy's user and password, percent-encoded, into its URL: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT, without network.proxy in settings"
            }
            Self::Proxy { answered: Some(300..=399), .. } => {
                "the proxy sends browsers to a sign-in page: sign this machine in, or name a proxy for programs in HTTPS_PROXY"
            }
            Self::Proxy { answered: Some(401 | 403), .. } => {
                "have the proxy allow CONNECT to this host; or list the host in NO_PROXY if it may be reached directly"
            }
            Self::Proxy { answered: Some(500..=599), .. } => {
                "the proxy does not reach this host: check the host's name, and the proxy's own way out and names (DNS)"
            }
            Self::Proxy { .. } => {
                "check settings network.proxy or HTTPS_PROXY, and that a proxy answers there which allows CONNECT to this host"
            }
            Self::ProxyDown { .. } => {
                "check the proxy's host and port in settings network.proxy or HTTPS_PROXY, and that it runs"
            }
            Self::Expired | Self::NotYetValid => {
                "check this machine's clock; if it is right, tell whoever runs this host, or the proxy that inspects TLS before it"
            }
            Self::WrongName => {
                "check the host's name; else something answers in its place (a captive portal, a wrong DNS entry): do not trust this network"
            }
            Self::Untrusted(_) => {
                "if a proxy of yours inspects TLS, name its certificate in settings network.ca_file; else do not trust this network"
            }
        }
    }

    /// Whether another try may end otherwise.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Proxy { answered: Some(500..=599) | None, .. } | Self::ProxyDown { .. } => true,
            Self::Proxy { answered: Some(_), .. }
            | Self::Expired
            | Self::NotYetValid
            | Self::WrongName
            | Self::Untrusted(_) => false,
        }
    }
}

/// The words of each cause below the error itself, whose own words hold the URL; those below hold host names at most.
pub fn causes(error: &reqwest::Error) -> Vec<String> {
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    words
}
