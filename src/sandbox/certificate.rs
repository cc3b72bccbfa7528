//! The stand-in's certificate authority, and one certificate per region, and one for the console, made when first asked for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;

use super::files::{self, FileError};

#[derive(Debug, thiserror::Error)]
pub(super) enum CertificateError {
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    #[error("cannot use a certificate")]
    Use(#[from] tokio_rustls::rustls::Error),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} is not what this program wrote: restore it, or remove ca.pem and ca.key: both are made anew then", .0.display())]
    Unreadable(PathBuf),
    #[error(
        "{} is not the key of {}: put back the one that belongs there, or remove both: they are made anew then, and whoever \
         trusts the old one has to be told",
        key.display(),
        certificate.display()
    )]
    Foreign { key: PathBuf, certificate: PathBuf },
    #[error("{} is missing, and {} is there: restore it, or remove both: they are made anew then", key.display(), certificate.display())]
    Missing { key: PathBuf, certificate: PathBuf },
}

pub(super) struct Authority {
    file: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    /// One key for all of this run's certificates.
    key: KeyPair,
    acceptors: Mutex<HashMap<String, TlsAcceptor>>,
}

impl Authority {
    /// Made once per state directory, so that a shell that trusts the file goes on trusting it.
    pub(super) fn open(directory: &Path) -> Result<Self, CertificateError> {
        let (file, key_file) = (directory.join("ca.pem"), directory.join("ca.key"));
        let known = files::read(&key_file)?.map(|pem| KeyPair::from_pem(&pem));
        let known = known.transpose().map_err(|_| CertificateError::Unreadable(key_file.clone()))?;
        let (pem, ca_key) = match (files::read(&file)?, known) {
            (Some(pem), known) => {
                let der = CertificateDer::from_pem_slice(pem.as_bytes());
                let der = der.map_err(|_| CertificateError::Unreadable(file.clone()))?;
                let Some(key) = known else {
                    return Err(CertificateError::Missing { key: key_file, certificate: file });
                };
                if !holds(&der, key.public_key_raw()) {
                    return Err(CertificateError::Foreign { key: key_file, certificate: file });
                }
                // One from an earlier time may not speak for every vendor that is played now.
                let covers = DOMAINS.iter().all(|domain| holds(&der, domain.as_bytes()));
                if covers { (pem, key) } else { (certify(&file, &key)?, key) }
            }
            // A first start that was killed has left the key alone.
            (None, Some(key)) => (certify(&file, &key)?, key),
            (None, None) => {
                let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
                files::write(&key_file, key.serialize_pem().as_bytes())?;
                (certify(&file, &key)?, key)
            }
        };
        Ok(Self {
            file,
            issuer: Issuer::from_ca_cert_pem(&pem, ca_key)?,
            key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
            acceptors: Mutex::new(HashMap::new()),
        })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// For a host name or a wildcard.
    pub(super) fn acceptor(&self, name: &str) -> Result<TlsAcceptor, CertificateError> {
        let mut acceptors = self.acceptors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(acceptor) = acceptors.get(name) {
            return Ok(acceptor.clone());
        }
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        lifetime(&mut params);
        let chain = vec![CertificateDer::from(params.signed_by(&self.key, &self.issuer)?)];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        acceptors.insert(name.to_owned(), acceptor.clone());
        Ok(acceptor)
    }
}

/// Makes the certificate of an authority, and the file that others trust.
fn certify(file: &Path, key: &KeyPair) -> Result<String, CertificateError> {
    let pem = constrained().self_signed(key)?.pem();
    files::write(file, pem.as_bytes())?;
    Ok(pem)
}

/// Names and keys stand in a certificate as they are.
fn holds(certificate: &[u8], part: &[u8]) -> bool {
    certificate.windows(part.len()).any(|bytes| bytes == part)
}

/// The vendors' domains, and no other.
const DOMAINS: [&str; 2] = ["qlikcloud.com", super::imburse::DOMAIN];

/// Whoever trusts this authority trusts it for the vendors' domains only, and for no address.
fn constrained() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "qlik-sandbox: not a real authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: DOMAINS.map(|domain| GeneralSubtree::DnsName(domain.to_owned())).to_vec(),
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
            GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
        ],
    });
    lifetime(&mut params);
    params
}

/// Clients check certificates against the real clock, whatever the sandbox's says: valid for a lifetime.
fn lifetime(params: &mut CertificateParams) {
    params.not_before = rcgen::date_time_ymd(2024, 1, 1);
    params.not_after = rcgen::date_time_ymd(2099, 1, 1);
}
