//! Whom a server must be vouched for by, read once: the system's certificates or else the ones that we carry, and those of settings.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use super::build_error::BuildError;

/// TLS as every client speaks it: 1.2 or later, HTTP/1.1, certificates checked. Sessions that a server lets us resume are shared too.
#[derive(Clone)]
pub struct Roots(ClientConfig);

impl Roots {
    /// `ca_pem`: certificates to trust besides, each in PEM form.
    ///
    /// # Errors
    /// A text without a certificate, or one that is none.
    pub fn read(ca_pem: &[Vec<u8>]) -> Result<Self, BuildError> {
        let mut extra = Vec::new();
        for pem in ca_pem {
            let certificates: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(pem).collect();
            // A file that holds none was meant to hold one.
            let certificates = certificates.ok().filter(|found| !found.is_empty()).ok_or(BuildError::Certificates)?;
            extra.extend(certificates);
        }
        let provider = CryptoProvider::get_default().cloned();
        let provider = provider.unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
        let failed = |error: rustls::Error| BuildError::Client(error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(&[&TLS13, &TLS12]).map_err(failed)?.dangerous();
        // A machine without system roots (a slim image): take the ones we carry.
        let verifier = match extra.is_empty() {
            true => Verifier::new(Arc::clone(&provider)),
            false => Verifier::new_with_extra_roots(extra.iter().cloned(), Arc::clone(&provider)),
        };
        let builder = match verifier {
            Ok(verifier) => builder.with_custom_certificate_verifier(Arc::new(verifier)),
            Err(_) => builder.with_custom_certificate_verifier(carried(extra, provider)?),
        };
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(config))
    }

    pub(super) fn config(&self) -> ClientConfig {
        self.0.clone()
    }
}

fn carried(
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, BuildError> {
    let mut roots = RootCertStore::empty();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned().chain(extra) {
        roots.add(certificate).map_err(|error| BuildError::Client(error.to_string()))?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map_err(|error| BuildError::Client(error.to_string()))
}
