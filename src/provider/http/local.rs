//! A scripted server on loopback for the wire's tests: a CONNECT proxy that speaks TLS for the vendors' hosts.
#![expect(clippy::unwrap_used, reason = "all of this is test code, most of it outside a test function")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use jiff::Timestamp;

use crate::model::clock::Clocks;
use crate::model::wait::Waits;
use crate::net::{Proxy, Roots};

use super::{NetworkOptions, Shared, Tiers, Timeouts};

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) host: String,
    /// `GET /api/v1/tenants/me`.
    pub(crate) line: String,
    pub(crate) authorization: String,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// What the server does with a request.
pub(crate) enum Play {
    Json(u16, String),
    /// The bytes of a whole reply, and then the connection is closed.
    Raw(String),
    /// The connection is closed without a reply.
    Close,
    /// No reply ever comes.
    Silence,
}

type Script = Arc<dyn Fn(&Seen, usize) -> Play + Send + Sync>;

pub(crate) struct Local {
    port: u16,
    ca_pem: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Local {
    /// Starts the server. The script gets each request and how many of the same line came before it.
    pub(crate) async fn start(script: impl Fn(&Seen, usize) -> Play + Send + Sync + 'static) -> Self {
        Self::start_with(script, "200 OK").await
    }

    pub(crate) async fn start_with(
        script: impl Fn(&Seen, usize) -> Play + Send + Sync + 'static,
        connect: &'static str,
    ) -> Self {
        let (acceptor, ca_pem) = tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script: Script = Arc::new(script);
        let record = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, script, record) = (acceptor.clone(), Arc::clone(&script), Arc::clone(&record));
                tokio::spawn(async move { serve(stream, acceptor, script, record, connect).await });
            }
        });
        Self { port, ca_pem, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, line: &str) -> usize {
        self.seen().iter().filter(|seen| seen.line == line).count()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }
}

/// The network that leads to a server on this port.
pub(crate) fn network(port: u16, ca_pem: Option<&str>) -> NetworkOptions {
    NetworkOptions {
        proxy: Some(Arc::new(Proxy::read(&format!("http://127.0.0.1:{port}"), "network.proxy", "").ok().unwrap())),
        trust: Roots::read(ca_pem.map(|pem| pem.as_bytes().to_vec()).as_slice()).ok().unwrap(),
        ignore_env_proxy: true,
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(5),
            create: Duration::from_millis(700),
        },
        user_agent: "qlik-plan/0 (test)".into(),
        waits: Waits::default(),
        clocks: Clocks::new(Timestamp::UNIX_EPOCH),
        tiers: Tiers::Unknown,
        shared: Shared::default(),
    }
}

fn tls() -> (TlsAcceptor, String) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let names = vec!["*.us.qlikcloud.com".to_owned(), "*.imbursepayments.com".to_owned(), "*.evil.example".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), ca_pem)
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    script: Script,
    record: Arc<Mutex<Vec<Seen>>>,
    connect: &str,
) -> Option<()> {
    let mut plain = BufReader::new(stream);
    let (line, _) = head(&mut plain).await?;
    let host = line.split_whitespace().nth(1)?.split(':').next()?.to_owned();
    plain.get_mut().write_all(format!("HTTP/1.1 {connect}\r\n\r\n").as_bytes()).await.ok()?;
    let mut secure = BufReader::new(acceptor.accept(plain.into_inner()).await.ok()?);
    loop {
        let (line, headers) = head(&mut secure).await?;
        let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        secure.read_exact(&mut body).await.ok()?;
        let line = line.trim_end_matches(" HTTP/1.1").to_owned();
        let seen = Seen {
            host: host.clone(),
            line,
            authorization: headers.get("authorization").cloned().unwrap_or_default(),
            headers,
            body: String::from_utf8(body).unwrap(),
        };
        let nth = {
            let mut record = record.lock().unwrap();
            let nth = record.iter().filter(|other| other.line == seen.line).count();
            record.push(seen.clone());
            nth
        };
        let reply = match script(&seen, nth) {
            Play::Json(status, body) => format!(
                "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
            Play::Raw(raw) => {
                secure.get_mut().write_all(raw.as_bytes()).await.ok()?;
                let _ = secure.get_mut().shutdown().await;
                return None;
            }
            Play::Close => return None,
            Play::Silence => std::future::pending().await,
        };
        secure.get_mut().write_all(reply.as_bytes()).await.ok()?;
    }
}

/// The first line, and the headers by their lower-case names.
async fn head(stream: &mut BufReader<impl AsyncRead + Unpin>) -> Option<(String, BTreeMap<String, String>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let headers = lines.iter().skip(1).filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Some((lines.first()?.clone(), headers))
}
