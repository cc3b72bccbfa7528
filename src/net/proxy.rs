//! A proxy: read from what a person wrote, handed to a client, and asked again for the answer that the client did not pass on.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::model::secret::Secret;

/// Of an answer, no more than its first line is looked at.
const FIRST_LINE_MAX: usize = 1024;

/// What is wrong with a proxy's text. The text may hold a password and is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(&'static str);

/// A proxy that a run goes through.
pub struct Proxy {
    /// With user and password, where there are any.
    url: Secret,
    /// `USER:PASSWORD`, decoded.
    user: Option<Secret>,
    host: String,
    port: u16,
    tls: bool,
    /// Where its text stands: `HTTPS_PROXY`, `network.proxy`.
    named: String,
    /// What is reached without it, as NO_PROXY lists it.
    except: String,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words())
    }
}

impl Proxy {
    /// Reads `http://USER:PASSWORD@HOST:PORT`; scheme, user, password and port may be left out. Whatever a client would pass over and
    /// go its own way is an error: a company's proxy is there for a reason.
    ///
    /// # Errors
    /// It cannot be read, or is of a kind that is not known.
    pub fn read(text: &str, named: &str, except: &str) -> Result<Self, Malformed> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Malformed("a blank, a line end or another character that is not seen stands in it"));
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            "socks4" | "socks4a" | "socks5" | "socks5h" => return Err(Malformed("SOCKS proxies are not supported")),
            _ => return Err(Malformed("its scheme is neither http nor https")),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if !matches!(path, "" | "/") {
            return Err(Malformed("it is not of the form http://HOST:PORT"));
        }
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let (host, port) = match place.rfind(':').filter(|at| !place[*at..].contains(']')) {
            Some(at) => (&place[..at], Some(&place[at + 1..])),
            None => (place, None),
        };
        if !is_host(host) {
            return Err(Malformed("it names no host"));
        }
        let port = match port {
            None => {
                if tls {
                    443
                } else {
                    80
                }
            }
            Some(port) => match port.parse::<u16>() {
                Ok(port) if port > 0 => port,
                Ok(_) | Err(_) => return Err(Malformed("behind the host's last colon stands no port")),
            },
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(|text| text.into_owned());
        let user = user.map(decoded).transpose().map_err(|_| Malformed("user and password are no text"))?;
        let proxy = Self {
            url: Secret::new(format!("{}://{authority}", if tls { "https" } else { "http" })),
            user: user.map(Secret::new),
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            tls,
            named: named.to_owned(),
            except: except.to_owned(),
        };
        proxy.client().map(|_| proxy)
    }

    /// For a client's builder.
    ///
    /// # Errors
    /// The client does not take it.
    pub fn client(&self) -> Result<reqwest::Proxy, Malformed> {
        let proxy = reqwest::Proxy::all(self.url.expose()).map_err(|_| Malformed("it cannot be read as a URL"))?;
        Ok(proxy.no_proxy(reqwest::NoProxy::from_string(&self.except)))
    }

    /// Where it is and where that was said: `proxy.example:3128 (HTTPS_PROXY)`.
    pub(super) fn words(&self) -> String {
        format!("{}:{} ({})", self.host, self.port, self.named)
    }

    /// The status by which it answers a CONNECT to `HOST:PORT`; the client only tells that it was not 200. Nothing is sent through
    /// what opens. `None` where it cannot be asked.
    pub(super) async fn answer(&self, authority: &str, limit: Duration) -> Option<u16> {
        if self.tls {
            return None;
        }
        tokio::time::timeout(limit, self.ask(authority)).await.ok()?.ok()?
    }

    async fn ask(&self, authority: &str) -> std::io::Result<Option<u16>> {
        let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let credentials = self.user.as_ref().map(|user| {
            let user = user.expose();
            let colon = if user.contains(':') { "" } else { ":" };
            format!("Proxy-Authorization: Basic {}\r\n", BASE64_STANDARD.encode(format!("{user}{colon}")))
        });
        let request = zeroize::Zeroizing::new(format!(
            "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{}\r\n",
            credentials.unwrap_or_default()
        ));
        stream.write_all(request.as_bytes()).await?;
        let mut line = Vec::new();
        while line.len() < FIRST_LINE_MAX && !line.contains(&b'\n') {
            let mut piece = [0; 256];
            match stream.read(&mut piece).await? {
                0 => break,
                count => line.extend_from_slice(&piece[..count]),
            }
        }
        Ok(status(&line))
    }
}

/// `HTTP/1.1 403 Forbidden`.
fn status(line: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(line.split(|b| *b == b'\r' || *b == b'\n').next()?).ok()?;
    let mut words = line.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok().filter(|status| (100..=599).contains(status))
}

fn is_host(text: &str) -> bool {
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let ends = text.starts_with(|c: char| c.is_ascii_alphanumeric());
            ends && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_would_pass_over_is_an_error_that_repeats_nothing() {
        for bad in [
            "http//u:hunter2@proxy:3128",
            " http://proxy:3128",
            "http://proxy:3128\n",
            "http://proxy:3128\r",
            "http://u:hunter2@ proxy:3128",
            ":::",
            ":3128",
            "http://",
            "http:///",
            "htp://u:hunter2@proxy:3128",
            "ftp://proxy",
            "socks5://u:hunter2@proxy:1080",
            "socks5h://proxy",
            "http://proxy:port",
            "http://proxy:0",
            "http://proxy:65536",
            "http://proxy:",
            "http://proxy:3128/hunter2",
            "http://proxy:3128?hunter2",
            "http://u:hunter2@",
            "http://[::1",
            "http://[proxy]:3128",
            "http://pro xy",
            "http://-proxy",
        ] {
            let error = Proxy::read(bad, "HTTPS_PROXY", "").err();
            let error = error.unwrap_or_else(|| panic!("{bad:?} was taken")).to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_people_write_is_read() {
        for (good, place) in [
            ("http://proxy.example:3128", "proxy.example:3128 (HTTPS_PROXY)"),
            ("http://proxy.example:3128/", "proxy.example:3128 (HTTPS_PROXY)"),
            ("proxy.example:3128", "proxy.example:3128 (HTTPS_PROXY)"),
            ("HTTP://proxy", "proxy:80 (HTTPS_PROXY)"),
            ("https://proxy", "proxy:443 (HTTPS_PROXY)"),
            ("http://10.0.0.1:8080", "10.0.0.1:8080 (HTTPS_PROXY)"),
            ("http://[::1]:3128", "::1:3128 (HTTPS_PROXY)"),
            ("http://some_host:1", "some_host:1 (HTTPS_PROXY)"),
            ("http://user:p%40ss%3A%2Fword@proxy:3128", "proxy:3128 (HTTPS_PROXY)"),
            ("user:pass@proxy:3128", "proxy:3128 (HTTPS_PROXY)"),
        ] {
            let proxy = Proxy::read(good, "HTTPS_PROXY", "").unwrap_or_else(|error| panic!("{good}: {error}"));
            assert_eq!(proxy.words(), place);
        }
        let proxy = Proxy::read("http://user:p%40ss%3A@proxy:3128", "HTTPS_PROXY", "").ok().unwrap();
        assert!(proxy.user.is_some_and(|user| user.expose() == "user:p@ss:"));
    }

    #[test]
    fn an_answers_first_line_has_its_status() {
        assert_eq!(status(b"HTTP/1.1 407 Proxy Authentication Required\r\nX: y\r\n"), Some(407));
        assert_eq!(status(b"HTTP/1.0 502\r\n"), Some(502));
        for none in
            [&b""[..], b"HTTP/1.1\r\n", b"HTTP/1.1 abc\r\n", b"SSH-2.0-x 403\r\n", b"HTTP/1.1 9999 x\r\n", b"\xff"]
        {
            assert_eq!(status(none), None);
        }
    }
}
