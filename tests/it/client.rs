//! A user's own client at a sandbox that serves: nothing of the programs under test, and no tool that a machine may lack.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

pub(crate) struct Client {
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Client {
    /// At the sandbox whose state is in this folder's `.qlik-sandbox`.
    pub(crate) fn at(dir: &Path) -> Self {
        let server = std::fs::read(dir.join(".qlik-sandbox/server.json")).unwrap();
        let server: Value = serde_json::from_slice(&server).unwrap();
        let authority = std::fs::read(server["ca"].as_str().unwrap()).unwrap();
        let client = reqwest::Client::builder()
            .proxy(reqwest::Proxy::https(server["proxy"].as_str().unwrap()).unwrap())
            .tls_certs_only([reqwest::Certificate::from_pem(&authority).unwrap()])
            .build()
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { client, runtime }
    }

    /// The status and the body of the last answer, redirects followed.
    pub(crate) fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        self.runtime.block_on(self.ask(method, url, headers, body)).unwrap()
    }

    /// The same for one of several at once. `None`: no whole answer came.
    pub(crate) async fn ask(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<(u16, String)> {
        let mut request = self.client.request(method.parse().unwrap(), url).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// Waits for all of these.
    pub(crate) fn all(&self, tasks: impl IntoIterator<Item = impl Future>) {
        self.runtime.block_on(futures_util::future::join_all(tasks));
    }

    /// What `users/me` of a tenant answers to a token.
    pub(crate) fn users_me(&self, host: &str, token: &str) -> (u16, String) {
        let bearer = format!("Bearer {}", token.trim());
        self.send("GET", &format!("https://{host}/api/v1/users/me"), &[("Authorization", &bearer)], "")
    }

    /// What Imburse answers to a key pair that asks for a token, at a second of its clock.
    pub(crate) fn imburse_token(&self, base_url: &str, public: &str, private: &str, now: i64) -> (u16, String) {
        let mut nonce = [0; 12];
        getrandom::fill(&mut nonce).unwrap();
        let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(private).unwrap()).unwrap();
        mac.update(format!("{public}:{nonce}:{now}:").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let authorization = format!("Hmac {public}:{nonce}:{now}:{signature}");
        self.send("POST", &format!("{base_url}/v2/identity/hmac"), &[("Authorization", &authorization)], "")
    }
}

/// The value of a file of `NAME=value` lines, as a delivery `as: env` writes them.
pub(crate) fn value(file: &Path, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let of = |line: &str| Some(line.strip_prefix(name)?.strip_prefix('=')?.trim_matches(['\'', '"']).to_owned());
    text.lines().find_map(of).unwrap()
}
