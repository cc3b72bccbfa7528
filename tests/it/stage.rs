//! Where a story is played: a folder of its own, a running sandbox, and the real programs.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PLAN: &str = env!("CARGO_BIN_EXE_qlik-plan");
pub(crate) const APPLY: &str = env!("CARGO_BIN_EXE_qlik-apply");
pub(crate) const SANDBOX: &str = env!("CARGO_BIN_EXE_qlik-sandbox");

/// One tenant with two keys and everything that they need.
pub(crate) const ONE_TENANT: &str = r#"version: 1
qlik:
  tenants:
    acme:
      account: us-oem
      display_name: Acme Corp
      alias: acme-analytics
      api_key_limits: { max_expiry: P30D, max_keys_per_user: 10 }
      grants: { manage_api_keys: { everyone: {} } }
      api_keys:
        ci: { description: CI deploys, owner: { client: {} }, expires_in: P7D, renew_before: P1D, deliver_to: files }
        reporting: { description: Reporting, owner: { client: {} }, expires_in: P7D, renew_before: P1D, deliver_to: files, deliver_as: env }
"#;

pub(crate) const SETTINGS: &str = r"version: 1
accounts:
  us-oem:
    vendor: qlik
    region: us
    source_tenant: mycorp
    client: { id: { env: QLIK_CLIENT_ID }, secret: { env: QLIK_CLIENT_SECRET } }
    key_client: { id: { env: QLIK_KEY_CLIENT_ID }, secret: { env: QLIK_KEY_CLIENT_SECRET } }
sinks:
  files: { kind: file, directory: ./secrets, durable: true }
ledger: { kind: directory, path: .qlik-plan/ledger, durable: true }
";

/// How long a control call may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A story's folder with `desired.yaml` and settings, and a sandbox that runs on its state.
pub(crate) struct Stage {
    dir: TempDir,
    server: Child,
    control: String,
    token: String,
    /// The rule that the programs leave out, and the folder of the programs that can.
    left_out: Option<(&'static str, &'static Path)>,
}

/// How a program ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// One space for each run of them.
fn squeezed(text: &str) -> String {
    text.split("  ")
        .map(|part| part.trim_start_matches(' '))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// True if a word of a text begins as tokens and keys of the vendor do. An id may have those letters within.
pub(crate) fn holds_a_token(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c)).any(|word| word.starts_with("eyJ"))
}

impl Run {
    /// True if a token or a key of the vendor was printed.
    pub(crate) fn shows_a_token(&self) -> bool {
        holds_a_token(&self.all())
    }

    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Everything it printed.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// Demands an exit code; shows everything if it was another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Demands that something was said, on either stream. How wide its columns are depends on what else is said.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            squeezed(&self.all()).contains(&squeezed(text)),
            "{text:?} was not said.\nstdout:\n{}\nstderr:\n{}",
            self.out,
            self.err
        );
        self
    }
}

impl Stage {
    pub(crate) fn new(desired: &str) -> Self {
        Self::with_settings(desired, SETTINGS)
    }

    pub(crate) fn with_settings(desired: &str, settings: &str) -> Self {
        Self::prepared(desired, settings, |_| {})
    }

    /// The same in a folder that is prepared before the sandbox looks at it.
    pub(crate) fn prepared(desired: &str, settings: &str, prepare: impl FnOnce(&Path)) -> Self {
        let dir = TempDir::new().unwrap();
        prepare(dir.path());
        std::fs::write(dir.path().join("desired.yaml"), desired).unwrap();
        std::fs::write(dir.path().join("qlik-plan.settings.yaml"), settings).unwrap();
        let mut server = clean(SANDBOX, dir.path())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let control = ready["control"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let token = std::fs::read_to_string(ready["control_token_file"].as_str().unwrap()).unwrap();
        Self { dir, server, control, token: token.trim().to_owned(), left_out: None }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A program in this folder with a clean environment. Nobody is at a terminal, so settings are named, as in a pipeline.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = clean(self.path(program), self.dir());
        command.env("QLIK_PLAN_SETTINGS", "qlik-plan.settings.yaml");
        command.envs(self.left_out.map(|(rule, _)| ("QLIK_PLAN_WEAKEN", rule)));
        command
    }

    /// Where a program is.
    pub(crate) fn path(&self, program: &str) -> PathBuf {
        match (self.left_out, Path::new(program).file_name()) {
            (Some((_, programs)), Some(name)) if [PLAN, APPLY].contains(&program) => programs.join(name),
            (Some(_) | None, _) => program.into(),
        }
    }

    /// From now on the programs are those in this folder, and leave out this rule.
    pub(crate) fn leave_out(&mut self, rule: &'static str, programs: &'static Path) {
        self.left_out = Some((rule, programs));
    }

    /// `qlik-plan --sandbox` with more arguments.
    pub(crate) fn plan(&self, args: &[&str]) -> Run {
        Run::of(&self.command(PLAN).arg("--sandbox").args(args).output().unwrap())
    }

    /// `qlik-apply --sandbox` with more arguments.
    pub(crate) fn apply(&self, args: &[&str]) -> Run {
        Run::of(&self.command(APPLY).arg("--sandbox").args(args).output().unwrap())
    }

    /// Applies, and demands that it went well and that a second plan finds nothing to do.
    #[track_caller]
    pub(crate) fn settle(&self) {
        self.apply(&["--yes"]).exits(0);
        self.plan(&["--detailed-exitcode"]).exits(0);
    }

    /// `qlik-sandbox exec` of a shell script.
    pub(crate) fn shell(&self, script: &str) -> Run {
        Run::of(&self.command(SANDBOX).args(["exec", "--", "sh", "-euc", script]).output().unwrap())
    }

    /// One call of the control API. An answer other than 200 fails the story.
    #[track_caller]
    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = self.ask(method, path, body);
        // A story that waits for what does not come fails, and says where.
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
        serde_json::from_str(body).unwrap()
    }

    /// Sends a control call and leaves its answer to be read.
    fn ask(&self, method: &str, path: &str, body: &Value) -> TcpStream {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(&self.control).unwrap();
        write!(
            stream,
            "{method} /control{path} HTTP/1.1\r\nHost: control\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.token,
            body.len(),
        )
        .unwrap();
        stream
    }

    /// Whether the cloud comes to hold a request while a program runs; `false` when the program ends first.
    pub(crate) fn holds_a_request_of(&self, child: &mut Child) -> bool {
        let mut answer = self.ask("GET", "/wait", &Value::Null);
        // Two things are waited for at once, so neither for long.
        answer.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        loop {
            match answer.read(&mut [0; 1]) {
                Ok(count) => {
                    assert_eq!(count, 1, "the control API hung up");
                    return true;
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => panic!("the control API cannot be read: {error}"),
            }
            if child.try_wait().unwrap().is_some() {
                return false;
            }
        }
    }

    /// Scripts a fault.
    #[track_caller]
    pub(crate) fn fault(&self, fault: &Value) {
        self.control("POST", "/faults", fault);
    }

    /// What the vendor's cloud holds.
    pub(crate) fn state(&self) -> Value {
        self.control("GET", "/state", &Value::Null)
    }

    /// Every tenant but the source tenants.
    pub(crate) fn tenants(&self) -> Vec<Value> {
        let state = self.state();
        state["tenants"].as_array().unwrap().iter().filter(|tenant| tenant["source"] == json!(false)).cloned().collect()
    }

    /// Live keys of every tenant but the source tenants.
    pub(crate) fn live_keys(&self) -> Vec<Value> {
        let keys = |tenant: &Value| tenant["keys"].as_array().unwrap().clone();
        self.tenants().iter().flat_map(keys).filter(|key| key["status"] == json!("active")).collect()
    }

    /// Forgets the requests so far.
    pub(crate) fn forget_requests(&self) {
        self.control("DELETE", "/requests", &Value::Null);
    }

    pub(crate) fn requests(&self) -> Vec<Value> {
        self.control("GET", "/requests", &Value::Null)["requests"].as_array().unwrap().clone()
    }

    /// Requests since the last forgetting that changed something at the vendor, tokens aside.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.requests()
            .iter()
            .filter(|one| one["method"] != json!("GET") && !one["path"].as_str().unwrap().starts_with("/oauth/"))
            .map(|one| {
                format!(
                    "{} {}{}",
                    one["method"].as_str().unwrap(),
                    one["host"].as_str().unwrap(),
                    one["path"].as_str().unwrap()
                )
            })
            .collect()
    }

    /// Where `--sandbox` delivers a key.
    pub(crate) fn secret_file(&self, tenant: &str, key: &str) -> PathBuf {
        self.dir().join(".qlik-sandbox/sinks/files/qlik").join(tenant).join(key)
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.dir().join(".qlik-sandbox/ledger")
    }

    pub(crate) fn write_desired(&self, text: &str) {
        std::fs::write(self.dir().join("desired.yaml"), text).unwrap();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A server that is gone already is what we want.
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// Nothing of the tester's environment reaches a program but what it needs to run.
pub(crate) fn clean(program: impl AsRef<OsStr>, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir).env_clear().stdin(Stdio::null());
    for kept in ["PATH", "HOME", "LANG", "TMPDIR", "LLVM_PROFILE_FILE"] {
        #[expect(clippy::disallowed_methods, reason = "the harness hands on what a program needs to run")]
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}
