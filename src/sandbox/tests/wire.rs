//! A client of HTTP by hand: CONNECT, TLS, one request, and whatever comes back.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::sandbox::Running;

pub(super) struct Wire {
    proxy: String,
    trust: Arc<ClientConfig>,
}

pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) text: String,
}

impl Answer {
    fn read(bytes: &[u8]) -> io::Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or_else(broken)?;
        let answer = Self { status, head: head.to_owned(), text: body.to_owned() };
        match answer.header("content-length").map(|length| length.parse::<usize>()) {
            Some(Ok(length)) if length != body.len() => Err(broken()),
            _ => Ok(answer),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// Of either vendor's envelope.
    pub(super) fn code(&self) -> String {
        let error = &self.json()["errors"][0];
        error["code"].as_str().or(error["errorCode"].as_str()).unwrap_or_default().to_owned()
    }
}

/// What a token says about itself.
pub(super) fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

impl Wire {
    pub(super) fn new(running: &Running) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(running.ca_file()).unwrap()).unwrap();
        let trust = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { proxy: running.proxy().trim_start_matches("http://").to_owned(), trust: Arc::new(trust) }
    }

    /// Plain bytes to the proxy itself.
    pub(super) async fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.proxy).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        Answer::read(&bytes).unwrap()
    }

    /// A tunnel to `host` whose handshake names `name`.
    pub(super) async fn tunnel(&self, host: &str, name: &str) -> io::Result<TlsStream<TcpStream>> {
        let mut stream = TcpStream::connect(&self.proxy).await?;
        stream.write_all(format!("CONNECT {host}:443 HTTP/1.1\r\nhost: {host}:443\r\n\r\n").as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::clone(&self.trust)).connect(name, stream).await
    }

    pub(super) async fn through(mut stream: TlsStream<TcpStream>, request: &str) -> io::Result<Answer> {
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        match stream.read_to_end(&mut bytes).await {
            // A close without TLS's own goodbye: what came before it still counts.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            other => drop(other?),
        }
        Answer::read(&bytes)
    }

    async fn exchange(&self, host: &str, head: &str, body: &str) -> io::Result<Answer> {
        let length = body.len();
        let request = format!("{head}\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        Self::through(self.tunnel(host, host).await?, &request).await
    }

    pub(super) async fn send(
        &self,
        method: &str,
        host: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> io::Result<Answer> {
        let authorization = token.map(|token| format!("\r\nauthorization: Bearer {token}")).unwrap_or_default();
        let head = format!("{method} {path} HTTP/1.1\r\ncontent-type: application/json{authorization}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.exchange(host, &head, &body).await
    }

    /// A call with headers and a body as they are.
    pub(super) async fn plain(
        &self,
        (method, host, path): (&str, &str, &str),
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let headers = headers.iter().fold(String::new(), |text, (name, value)| text + "\r\n" + name + ": " + value);
        let head = format!("{method} {path} HTTP/1.1\r\ncontent-type: application/json{headers}");
        self.exchange(host, &head, body).await.unwrap()
    }

    /// All that HEAD brings.
    pub(super) async fn head(&self, host: &str, path: &str, token: &str) -> String {
        let mut stream = self.tunnel(host, host).await.unwrap();
        let request = format!(
            "HEAD {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    /// A call that names the host it means.
    pub(super) async fn confirmed(&self, host: &str, path: &str, token: &str, confirm: &str, body: &str) -> Answer {
        let confirm = if confirm.is_empty() { String::new() } else { format!("\r\nqlik-confirm-hostname: {confirm}") };
        let kind = "content-type: application/json";
        let head = format!("POST {path} HTTP/1.1\r\n{kind}\r\nauthorization: Bearer {token}{confirm}");
        self.exchange(host, &head, body).await.unwrap()
    }

    pub(super) async fn form(&self, host: &str, id: &str, secret: &str) -> Answer {
        let head = "POST /oauth/token HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded";
        let body = format!("client_id={id}&client_secret={secret}&grant_type=client_credentials");
        self.exchange(host, head, &body).await.unwrap()
    }

    pub(super) async fn basic(&self, host: &str, id: &str, secret: &str) -> Answer {
        let credentials = STANDARD.encode(format!("{id}:{secret}"));
        let kind = "content-type: application/x-www-form-urlencoded";
        let head = format!("POST /oauth/token HTTP/1.1\r\n{kind}\r\nauthorization: Basic {credentials}");
        self.exchange(host, &head, "grant_type=client_credentials").await.unwrap()
    }
}

/// A call of the control API.
pub(super) async fn control(running: &Running, method: &str, path: &str, body: &Value) -> Answer {
    let token = std::fs::read_to_string(running.control_token_file()).unwrap();
    let address = running.control().trim_start_matches("http://");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    Answer::read(&bytes).unwrap()
}
