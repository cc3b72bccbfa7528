//! Why a client cannot be made: the proxy, the certificates, or the client itself.

use super::proxy::Malformed;

/// Why no client could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error("the proxy cannot be used: {0}")]
    Proxy(#[from] Malformed),
    #[error("network.ca_file holds no certificate in PEM form")]
    Certificates,
    #[error("the HTTPS client cannot be made: {0}")]
    Client(String),
}
