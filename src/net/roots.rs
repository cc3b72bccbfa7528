//! Whom a server must be vouched for by, read once: the system's certificates or else the ones that we carry, and those of settings.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
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
        let extra = certificates(ca_pem)?;
        let provider = provider();
        // A machine without system roots (a slim image): take the ones we carry.
        let verifier = match extra.is_empty() {
            true => Verifier::new(Arc::clone(&provider)),
            false => Verifier::new_with_extra_roots(extra.iter().cloned(), Arc::clone(&provider)),
        };
        match verifier {
            Ok(verifier) => Self::vouched_by(Arc::new(verifier), provider),
            Err(_) => {
                let all = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned().chain(extra);
                Self::vouched_by(verifier_of(all, Arc::clone(&provider))?, provider)
            }
        }
    }

    /// Trusts these certificates and no others, as a run in the sandbox does: no server of the real cloud is vouched for there.
    ///
    /// # Errors
    /// A text without a certificate, or one that is none.
    pub fn only(ca_pem: &[Vec<u8>]) -> Result<Self, BuildError> {
        let provider = provider();
        let verifier = verifier_of(certificates(ca_pem)?.into_iter(), Arc::clone(&provider))?;
        Self::vouched_by(verifier, provider)
    }

    fn vouched_by(verifier: Arc<dyn ServerCertVerifier>, provider: Arc<CryptoProvider>) -> Result<Self, BuildError> {
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13, &TLS12]);
        let builder = builder.map_err(|error| BuildError::Client(error.to_string()))?.dangerous();
        let mut config = builder.with_custom_certificate_verifier(verifier).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(config))
    }

    pub(super) fn config(&self) -> ClientConfig {
        self.0.clone()
    }
}

fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()))
}

fn certificates(ca_pem: &[Vec<u8>]) -> Result<Vec<CertificateDer<'static>>, BuildError> {
    let mut all = Vec::new();
    for pem in ca_pem {
        let certificates: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(pem).collect();
        // A file that holds none was meant to hold one.
        all.extend(certificates.ok().filter(|found| !found.is_empty()).ok_or(BuildError::Certificates)?);
    }
    Ok(all)
}

fn verifier_of(
    certificates: impl Iterator<Item = CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, BuildError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|error| BuildError::Client(error.to_string()))?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map_err(|error| BuildError::Client(error.to_string()))
}
