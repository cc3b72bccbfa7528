//! How servers are reached, as settings and the environment say it: the proxy, the certificates, and what they are told of us. What
//! cannot be read is an error: a client of its own would pass over it and go another way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::settings::Network;
use crate::model::untrusted::escape;
use crate::net::Proxy;

use super::exit::Problem;

/// Of a proxy for https, best first, as most programs have it. An empty one counts as unset. HTTP_PROXY is for plain http, which is
/// only spoken on loopback, and there directly.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// Where TLS libraries look for the system's certificates, but for macOS and Windows, which have stores of their own.
const ROOTS: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The proxy of the settings, or else the environment's.
pub(super) fn proxy(network: &Network) -> Result<Option<Arc<Proxy>>, Problem> {
    let (text, named) = match &network.proxy {
        Some(proxy) => (proxy.clone(), "network.proxy"),
        None if network.ignore_env_proxy => return Ok(None),
        None => match first(&PROXIES)? {
            Some((text, name)) => (text, name),
            None => return Ok(None),
        },
    };
    let except = if network.proxy.is_some() { None } else { first(&EXCEPTIONS)? };
    let except = except.map(|(text, _)| text).unwrap_or_default();
    let proxy = Proxy::read(&text, named, &except).map_err(|error| {
        Problem::new(
            format!("{named} is no proxy: {error}; nothing was sent"),
            format!(
                "correct {named}, as in http://proxy.example:3128, or unset it; its text is not shown, since it may hold a password"
            ),
        )
    })?;
    Ok(Some(Arc::new(proxy)))
}

/// The first of these variables that holds something.
fn first(names: &[&'static str]) -> Result<Option<(String, &'static str)>, Problem> {
    let set = names.iter().find_map(|name| Some((std::env::var_os(name).filter(|value| !value.is_empty())?, *name)));
    set.map(|(value, name)| {
        let text = value.into_string().map_err(|_| {
            Problem::new(
                format!("{name} is no proxy: it is not UTF-8; nothing was sent"),
                format!("correct {name}, or unset it"),
            )
        })?;
        Ok((text, name))
    })
    .transpose()
}

/// Sees that the certificates that the environment names are there; without them every server would be "not trusted".
pub(super) fn roots_are_there() -> Result<(), Problem> {
    if cfg!(any(target_vendor = "apple", windows)) {
        return Ok(());
    }
    for name in ROOTS {
        let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { continue };
        // One file, or folders with colons between, of which one is enough.
        let places: Vec<PathBuf> = match name {
            "SSL_CERT_FILE" => vec![PathBuf::from(&value)],
            _ => std::env::split_paths(&value).collect(),
        };
        let wrong = places.iter().map(|place| match name {
            "SSL_CERT_FILE" => std::fs::File::open(place)
                .and_then(|file| file.metadata())
                .and_then(|found| if found.is_dir() { Err(std::io::ErrorKind::IsADirectory.into()) } else { Ok(()) }),
            _ => std::fs::read_dir(place).map(drop),
        });
        let wrong: Result<Vec<std::io::Error>, ()> = wrong.map(|found| found.err().ok_or(())).collect();
        if let Ok(errors) = wrong
            && let Some(error) = errors.first()
        {
            return Err(Problem::new(
                format!("{name}={} cannot be read: {error}; nothing was sent", escape(&value.to_string_lossy())),
                format!(
                    "correct {name}, or unset it to trust the system's certificates; settings network.ca_file adds to them"
                ),
            ));
        }
    }
    Ok(())
}

/// What servers are told of this program.
pub(super) fn user_agent() -> String {
    format!("qlik-plan/{} ({})", env!("CARGO_PKG_VERSION"), std::env::consts::OS)
}

/// `network.ca_file`, read.
pub(super) fn certificates(file: Option<&Path>) -> Result<Option<Vec<u8>>, Problem> {
    let Some(file) = file else { return Ok(None) };
    let pem = std::fs::read(file).map_err(|error| {
        Problem::new(format!("network.ca_file {} cannot be read: {error}", file.display()), "correct it in settings")
    })?;
    Ok(Some(pem))
}
