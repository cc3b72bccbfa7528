//! Real services on loopback for as long as a story runs: an S3 API, and what can stand before it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

/// A server that is stopped with this value.
pub(crate) struct Service {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Service {
    /// As if its machine were gone.
    pub(crate) fn stop(&mut self) {
        // A server that is gone already is what we want.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Starts a program and waits for the line that says it is ready.
    fn start(command: Command, ready: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::try_start(command, ready).unwrap_or_else(|| panic!("the server ended before it was ready"))
    }

    fn try_start(mut command: Command, ready: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Option<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (tell, hear) = mpsc::channel();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let ready = Arc::new(ready);
        let streams: [Box<dyn std::io::Read + Send>; 2] = [Box::new(out), Box::new(err)];
        for stream in streams {
            let (tell, ready) = (tell.clone(), Arc::clone(&ready));
            // Reads on to the end, so that the server never waits for a reader.
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if let Some(host) = ready(&line) {
                        drop(tell.send(host));
                    }
                }
            });
        }
        drop(tell);
        match hear.recv() {
            Ok(host) => Some(Self { child, host }),
            Err(_) => {
                drop(child.wait());
                None
            }
        }
    }
}

/// Where `tests/clients/install.sh` puts them.
#[track_caller]
pub(crate) fn installed(program: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let path = target.join("services/bin").join(program);
    if path.exists() {
        return Some(path);
    }
    #[expect(clippy::disallowed_methods, reason = "a switch for the runner of the tests")]
    let required = std::env::var_os("REQUIRE_SERVICES").is_some();
    assert!(!required, "{} is not installed", path.display());
    crate::needs::not_run(&format!("{program} (tests/clients/install.sh)"));
    None
}

/// An S3 API with the bucket `estate`.
pub(crate) fn s3() -> Option<Service> {
    let mut command = Command::new(installed("moto_server")?);
    command.args(["-H", "127.0.0.1", "-p", "0"]);
    let service = Service::start(command, |line| {
        line.split_once("Running on http://").map(|(_, host)| host.trim().trim_end_matches('/').to_owned())
    });
    assert_eq!(http(&service.host, "PUT", "/estate", &[], "").0, 200);
    Some(service)
}

/// An API of AWS: its server, and the account that is served.
pub(crate) struct Aws {
    pub(crate) server: Service,
    pub(crate) account: &'static str,
}

/// Two servers by different people, so that what one of them takes wrongly the other may refuse.
pub(crate) fn both_aws() -> Option<[Aws; 2]> {
    let mut moto = Command::new(installed("moto_server")?);
    moto.args(["-H", "127.0.0.1", "-p", "0"]);
    let moto = Service::start(moto, |line| {
        line.split_once("Running on http://").map(|(_, host)| host.trim().trim_end_matches('/').to_owned())
    });
    Some([Aws { server: moto, account: "123456789012" }, ministack()?])
}

/// The one that checks signatures and rights; only the key `test` may do everything.
pub(crate) fn ministack() -> Option<Aws> {
    let program = installed("ministack")?;
    // It says the port that it was told, so it is told one; somebody may be quicker.
    for _ in 0..20 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        let mut command = Command::new(&program);
        command.env("GATEWAY_PORT", port.to_string()).env("BIND_HOST", "127.0.0.1").env("AUTH", "true");
        for (name, value) in
            [("SERVICES", "secretsmanager,sts,iam,s3"), ("IOT_MTLS_ENABLED", "0"), ("SFTP_ENABLED", "0")]
        {
            command.env(name, value);
        }
        // What the tester has of AWS is none of its affair.
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            command.env_remove(name);
        }
        let ready = move |line: &str| line.contains("Running on http://").then(|| host.clone());
        if let Some(server) = Service::try_start(command, ready) {
            return Some(Aws { server, account: "000000000000" });
        }
    }
    panic!("ministack found no free port");
}

impl Aws {
    /// One request of Secrets Manager as the account's root; its status and what it answers.
    pub(crate) fn secrets(&self, action: &str, body: &Value) -> (u16, Value) {
        let target = format!("secretsmanager.{action}");
        let headers = [
            ("Authorization", Self::root("secretsmanager")),
            ("Content-Type", "application/x-amz-json-1.1".to_owned()),
            ("X-Amz-Target", target),
        ];
        let (status, answer) = self.send(&headers, &body.to_string());
        (status, serde_json::from_str(&answer).unwrap_or_default())
    }

    /// Makes the bucket `estate`.
    pub(crate) fn bucket(&self) {
        let root = Self::root("s3");
        let (status, answer) = http(&self.server.host, "PUT", "/estate", &[("Authorization", &root)], "");
        assert_eq!(status, 200, "{answer}");
    }

    /// One request of IAM as the account's root; what it answers.
    pub(crate) fn iam(&self, action: &str, fields: &[(&str, &str)]) -> String {
        let encoded =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let fields: String = fields.iter().map(|(name, value)| format!("&{name}={}", encoded(value))).collect();
        let headers =
            [("Authorization", Self::root("iam")), ("Content-Type", "application/x-www-form-urlencoded".to_owned())];
        let (status, answer) = self.send(&headers, &format!("Action={action}&Version=2010-05-08{fields}"));
        assert_eq!(status, 200, "{action}: {answer}");
        answer
    }

    fn root(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    fn send(&self, headers: &[(&str, String)], body: &str) -> (u16, String) {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        http(&self.server.host, "POST", "/", &headers, body)
    }
}

/// The account that every Azurite has, and its key, as its documentation prints them.
pub(crate) const AZURITE: (&str, &str) =
    ("devstoreaccount1", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==");

/// An Azure Blob API with the container `estate`.
pub(crate) fn azure() -> Option<Service> {
    let mut command = Command::new(installed("azurite-blob")?);
    command.args(["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry"]);
    let service = Service::start(command, |line| {
        line.split_once("successfully listens on http://").map(|(_, host)| host.trim().to_owned())
    });
    let (status, answer) = blobs(&service.host, "PUT", "/estate", &[("restype", "container")]);
    assert_eq!(status, 201, "{answer}");
    Some(service)
}

/// One signed request to an Azurite, without a body. The query's names are sorted, as the signature wants them.
pub(crate) fn blobs(host: &str, method: &str, path: &str, query: &[(&str, &str)]) -> (u16, String) {
    const VERSION: &str = "2021-08-06";
    let (account, key) = AZURITE;
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now(host)).unwrap();
    let resource: String = query.iter().map(|(name, value)| format!("\n{name}:{value}")).collect();
    let signed = format!(
        "{method}{}x-ms-date:{date}\nx-ms-version:{VERSION}\n/{account}/{account}{path}{resource}",
        "\n".repeat(12)
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(key).unwrap()).unwrap();
    mac.update(signed.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let query = query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let headers = [
        ("x-ms-date", date.as_str()),
        ("x-ms-version", VERSION),
        ("Authorization", &format!("SharedKey {account}:{signature}")),
    ];
    http(host, method, &format!("/{account}{path}?{query}"), &headers, "")
}

/// A server's clock.
fn now(host: &str) -> jiff::Timestamp {
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let date = answer.lines().find_map(|line| line.strip_prefix("Date: ")).unwrap();
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).unwrap()
}

/// The token that may do everything in [`openbao`].
pub(crate) const ROOT: &str = "root-of-the-test";

/// An OpenBao with a KV v2 engine at `secret`, kept in memory.
pub(crate) fn openbao() -> Option<Service> {
    let program = installed("bao")?;
    // It does not say which port it got, so it is told one; somebody may be quicker.
    for _ in 0..20 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        let mut command = Command::new(&program);
        command
            .args(["server", "-dev", "-dev-no-store-token"])
            .args([format!("-dev-listen-address={host}"), format!("-dev-root-token-id={ROOT}")]);
        let ready = move |line: &str| line.contains("Development mode should NOT be used").then(|| host.clone());
        if let Some(service) = Service::try_start(command, ready) {
            return Some(service);
        }
    }
    panic!("OpenBao found no free port");
}

/// One request to an OpenBao as its root; its status and what it answers.
pub(crate) fn bao(service: &Service, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = http(&service.host, method, &format!("/v1/{path}"), &[("X-Vault-Token", ROOT)], &body);
    (status, serde_json::from_str(&answer).unwrap_or_default())
}

/// One request; its status and the reply's body.
pub(crate) fn http(host: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(host).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// What a [`Between`] does to requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Hands on.
    Honest,
    /// Takes conditions off writes, like a store that has never heard of them.
    Unconditional,
    /// 403 to every write.
    Forbidding,
    /// Hands writes on, and breaks the connection instead of answering, every other time.
    Forgetful,
    /// Hands writes on, and breaks the connection instead of answering, every time.
    Mute,
    /// Breaks the connection of every write and hands nothing on.
    Deaf,
    /// 503 to everything, like a vault that is sealed.
    Sealed,
    /// Holds writes until it is told to go on.
    Holding,
}

static WRITES: AtomicUsize = AtomicUsize::new(0);

/// Stands before a server and hands requests on, each by a connection of its own, according to its habit.
pub(crate) struct Between {
    pub(crate) host: String,
    current: Arc<Current>,
    held: mpsc::Receiver<()>,
    go: mpsc::Sender<()>,
}

/// What it does at the moment, and to which writes.
struct Current {
    habit: AtomicU8,
    /// Only to those whose head says this.
    only: Mutex<String>,
    hold: mpsc::Sender<()>,
    go: Mutex<mpsc::Receiver<()>>,
}

impl Between {
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let server = server.to_owned();
        let ((hold, held), (go, told)) = (mpsc::channel(), mpsc::channel());
        let current = Arc::new(Current { habit: AtomicU8::new(0), only: Mutex::default(), hold, go: Mutex::new(told) });
        let known = Arc::clone(&current);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, current) = (server.clone(), Arc::clone(&known));
                std::thread::spawn(move || drop(hand_on(client, &server, &current)));
            }
        });
        Self { host, current, held, go }
    }

    pub(crate) fn becomes(&self, habit: Habit) {
        self.becomes_to("", habit);
    }

    /// To the writes whose head says this, and honest to all others.
    pub(crate) fn becomes_to(&self, only: &str, habit: Habit) {
        only.clone_into(&mut self.current.only.lock().unwrap());
        self.current.habit.store(habit as u8, Ordering::SeqCst);
    }

    /// Waits until a write is held.
    pub(crate) fn wait_held(&self) {
        // A story that waits for what does not come fails.
        self.held.recv_timeout(std::time::Duration::from_secs(120)).unwrap();
    }

    /// Lets one write go on.
    pub(crate) fn release(&self) {
        self.go.send(()).unwrap();
    }
}

/// The requests of AWS Secrets Manager that change something: all are a POST to the same path.
const AWS_WRITES: [&str; 3] = ["CreateSecret", "PutSecretValue", "UpdateSecretVersionStage"];

fn hand_on(client: TcpStream, server: &str, current: &Current) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let (mut head, mut length) = (String::new(), 0);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let habit = current.habit.load(Ordering::SeqCst);
    let is = |wanted: Habit| habit == wanted as u8;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let name = name.to_ascii_lowercase();
        if name == "content-length" {
            length = value.trim().parse().unwrap_or(0);
        }
        let dropped = name == "connection" || (name.starts_with("if-") && is(Habit::Unconditional));
        if !dropped {
            head.push_str(&line);
        }
    }
    let of_aws = AWS_WRITES.iter().any(|write| head.contains(&format!("secretsmanager.{write}\r")));
    // A vault is written by POST, and asked by it what one may do.
    let writes = first.starts_with("PUT ") || first.starts_with("POST ") && first.contains("/data/") || of_aws;
    let writes = writes && head.contains(&*current.only.lock().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut client = reader.into_inner();
    if writes && is(Habit::Holding) {
        current.hold.send(()).unwrap();
        current.go.lock().unwrap().recv().unwrap();
    }
    if writes && is(Habit::Forbidding) {
        let body = "<Error><Code>AccessDenied</Code></Error>";
        return write!(
            client,
            "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }
    if is(Habit::Sealed) {
        let body = r#"{"errors":["Vault is sealed"]}"#;
        return write!(
            client,
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }
    if writes && is(Habit::Deaf) {
        return Ok(());
    }
    let mut upstream = TcpStream::connect(server)?;
    write!(upstream, "{first}{head}Connection: close\r\n\r\n")?;
    upstream.write_all(&body)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    if writes && is(Habit::Forgetful) && WRITES.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
        return Ok(());
    }
    if writes && is(Habit::Mute) {
        return Ok(());
    }
    // Each answer ends its connection.
    let end = answer.windows(2).position(|pair| pair == b"\r\n").unwrap_or(answer.len());
    let (status, rest) = answer.split_at(end);
    client.write_all(status)?;
    client.write_all(b"\r\nConnection: close")?;
    client.write_all(rest)
}
