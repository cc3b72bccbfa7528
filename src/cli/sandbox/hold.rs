//! Files in the state folder that hold programs inside which read no proxy variable: Node before 24, and Java.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What Node loads before a program: `held.cjs`, with the proxy in the place of its name.
const NODE: &str = include_str!("held.cjs");

/// Java wants one. It guards nothing here: the store holds a certificate that anybody may read.
const PASSWORD: &str = "changeit";

/// The variables that lead Node and Java to the sandbox, and the files that they name.
pub(super) struct Hold {
    node: PathBuf,
    store: PathBuf,
    proxy: String,
}

impl Hold {
    /// Writes the files into the state folder.
    pub(super) fn write(state: &Path, proxy: &str, ca: &Path) -> anyhow::Result<Self> {
        let hold =
            Self { node: state.join("node-held.cjs"), store: state.join("truststore.jks"), proxy: proxy.to_owned() };
        let pem = std::fs::read_to_string(ca).with_context(|| format!("cannot read {}", ca.display()))?;
        let der = certificate(&pem).with_context(|| format!("{} holds no certificate", ca.display()))?;
        replace(state, &hold.node, NODE.replace("PROXY", proxy).as_bytes())
            .context("cannot write the file for Node")?;
        replace(state, &hold.store, &truststore(&der)).context("cannot write the store for Java")?;
        Ok(hold)
    }

    /// For `NODE_OPTIONS`, behind what the caller has there.
    pub(super) fn node_options(&self, given: Option<&str>) -> String {
        let ours = format!("--require \"{}\"", self.node.display());
        given.filter(|given| !given.trim().is_empty()).map_or_else(|| ours.clone(), |given| format!("{given} {ours}"))
    }

    /// For `JAVA_TOOL_OPTIONS`, which every Java program reads (and says so on stderr).
    pub(super) fn java_options(&self, given: Option<&str>) -> String {
        let (host, port) = self.proxy.trim_start_matches("http://").rsplit_once(':').unwrap_or(("127.0.0.1", "443"));
        let store = self.store.display();
        let ours = format!(
            "-Dhttps.proxyHost={host} -Dhttps.proxyPort={port} -Dhttp.proxyHost={host} -Dhttp.proxyPort={port} \
             \"-Djavax.net.ssl.trustStore={store}\" -Djavax.net.ssl.trustStoreType=JKS \
             -Djavax.net.ssl.trustStorePassword={PASSWORD}"
        );
        given.filter(|given| !given.trim().is_empty()).map_or_else(|| ours.clone(), |given| format!("{given} {ours}"))
    }
}

fn certificate(pem: &str) -> Option<Vec<u8>> {
    let body = pem.split_once("-----BEGIN CERTIFICATE-----")?.1.split_once("-----END CERTIFICATE-----")?.0;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

/// Replaces a file whole. Several commands may start on one state at once, so each writes a file of its own first.
fn replace(folder: &Path, file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.persist(file)?;
    Ok(())
}

/// A JKS of one trusted certificate: the oldest format of Java's, which every version since reads. A header, the entry, and a
/// SHA-1 over the password in UTF-16, the words below and all before; it tells a damaged file and protects nothing.
fn truststore(der: &[u8]) -> Vec<u8> {
    fn text(bytes: &mut Vec<u8>, text: &str) {
        bytes.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend(text.bytes());
    }
    let mut bytes = Vec::new();
    // Magic, version, one entry, of the kind "trusted certificate".
    for word in [0xFEED_FEED_u32, 2, 1, 2] {
        bytes.extend(word.to_be_bytes());
    }
    text(&mut bytes, "qlik-sandbox");
    bytes.extend(0_u64.to_be_bytes());
    text(&mut bytes, "X.509");
    bytes.extend(u32::try_from(der.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(der);
    let mut whole: Vec<u8> = PASSWORD.encode_utf16().flat_map(u16::to_be_bytes).collect();
    whole.extend(b"Mighty Aphrodite");
    whole.extend(&bytes);
    bytes.extend(digest(&SHA1_FOR_LEGACY_USE_ONLY, &whole).as_ref());
    bytes
}
