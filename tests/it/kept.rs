//! What a sandbox has answered is there after it was killed, with sixteen writers at work.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::client::{Client, value};
use crate::crash::sweep::variable;
use crate::stage::{SANDBOX, clean};

const WRITERS: usize = 16;

/// What is asked for one after another: by the writer's number, the answers in between are of every kind.
const KINDS: [&str; 4] = ["tenants", "users", "groups", "tokens"];

/// A sandbox that ends with its story.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // One that is gone already is what we want.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn serve(dir: &Path) -> Server {
    let mut command = clean(SANDBOX, dir);
    let mut server = Server(command.arg("serve").stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with('{'), "the sandbox did not start");
    server
}

fn control(dir: &Path, method: &str, path: &str, body: &str) -> Value {
    let output = clean(SANDBOX, dir).args(["control", method, path]).args((!body.is_empty()).then_some(body)).output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

/// Who asks: bearers at the register host and at a tenant, and the credentials for more.
struct Writer<'a> {
    client: &'a Client,
    register: String,
    admin: String,
    grant: String,
    host: &'a str,
    licence: String,
}

const REGISTER: &str = "https://register.us.qlikcloud.com";

impl<'a> Writer<'a> {
    fn new(client: &'a Client, dir: &Path, host: &'a str) -> Self {
        let env = dir.join(".qlik-sandbox/env.sh");
        let of = |name: &str| value(&env, &format!("export {name}"));
        let grant = json!({
            "client_id": of("QLIK_CLIENT_ID"), "client_secret": of("QLIK_CLIENT_SECRET"), "grant_type": "client_credentials",
        });
        let grant = grant.to_string();
        let json = [("content-type", "application/json")];
        let token = |place: &str| {
            let (status, body) = client.send("POST", &format!("{place}/oauth/token"), &json, &grant);
            assert_eq!(status, 200, "{body}");
            let body: Value = serde_json::from_str(&body).unwrap();
            format!("Bearer {}", body["access_token"].as_str().unwrap())
        };
        let (register, admin) = (token(REGISTER), token(&format!("https://{host}")));
        let bearer = [("authorization", admin.as_str())];
        let (_, overview) = client.send("GET", &format!("https://{host}/api/v1/licenses/overview"), &bearer, "");
        let overview: Value = serde_json::from_str(&overview).unwrap();
        let licence = json!({ "licenseKey": overview["licenseKey"] }).to_string();
        Self { client, register, admin, grant, host, licence }
    }

    /// One change. `None`: no answer came.
    async fn change(&self, kind: &str, name: &str) -> Option<String> {
        let (host, named) = (format!("https://{}", self.host), json!({ "name": name, "subject": name }));
        let user = json!({ "name": name, "subject": name, "email": "a@example.com" }).to_string();
        let group = json!({ "name": named["name"] }).to_string();
        let (url, bearer, body, shown) = match kind {
            "tenants" => (format!("{REGISTER}/api/v1/tenants"), &self.register, &self.licence, "id"),
            "users" => (format!("{host}/api/v1/users"), &self.admin, &user, "id"),
            "groups" => (format!("{host}/api/v1/groups"), &self.admin, &group, "id"),
            _ => (format!("{host}/oauth/token"), &self.admin, &self.grant, "access_token"),
        };
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let (status, text) = self.client.ask("POST", &url, &headers, body).await?;
        assert!(status == 201 || status == 200, "{kind}: {status} {text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        Some(answer[shown].as_str().unwrap().to_owned())
    }
}

/// Everything that the state names by an id, of the tenant and of the others.
fn ids(dir: &Path) -> BTreeSet<String> {
    let state = control(dir, "GET", "state", "");
    let tenants = state["tenants"].as_array().unwrap();
    let members = tenants.iter().flat_map(|one| ["users", "groups"].map(|part| one[part].as_array().unwrap()));
    let all = tenants.iter().chain(members.flatten());
    all.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_answered_change_is_lost_by_a_kill_among_sixteen_writers() {
    let dir = tempfile::tempdir().unwrap();
    let points = if variable("QLIK_PLAN_SWEEP").as_deref() == Some("full") { 50 } else { 5 };
    let (mut answered, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    for point in 0..points {
        let mut server = serve(dir.path());
        control(dir.path(), "POST", "switches", r#"{"token_cap":1000000,"licence_quota":1000000}"#);
        let client = Client::at(dir.path());
        let writer = Writer::new(&client, dir.path(), "mycorp.us.qlikcloud.com");
        // The more there is, the later: from the first answer on.
        let last = 1 + point * 200 / points;
        let (count, got) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let pid = rustix::process::Pid::from_child(&server.0);
        client.all((0..WRITERS).map(|at| {
            let (writer, count, got) = (&writer, &count, &got);
            async move {
                let kind = KINDS[at % KINDS.len()];
                for n in 0.. {
                    let Some(id) = writer.change(kind, &format!("{point}-{at}-{n}")).await else { return };
                    got.lock().unwrap().push((kind, id));
                    if count.fetch_add(1, Ordering::Relaxed) + 1 == last {
                        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
                    }
                }
            }
        }));
        server.0.wait().unwrap();
        for (kind, id) in got.into_inner().unwrap() {
            if kind == "tokens" {
                tokens.insert(id)
            } else {
                answered.insert(id)
            };
        }

        let _server = serve(dir.path());
        let there = ids(dir.path());
        let lost: Vec<&String> = answered.difference(&there).collect();
        assert!(lost.is_empty(), "killed after {last} answers: {lost:?} are lost");
        let client = Client::at(dir.path());
        for token in std::mem::take(&mut tokens) {
            assert_eq!(
                client.users_me("mycorp.us.qlikcloud.com", &token).0,
                200,
                "killed after {last} answers: a token is lost"
            );
        }
    }
    assert!(answered.len() > points * 10, "{}", answered.len());
}
