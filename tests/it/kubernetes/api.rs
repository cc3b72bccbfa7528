//! An API server on loopback, as the documents of Kubernetes have it: Secrets of namespaces with a `resourceVersion`, reviews of one's own
//! rights, and `Status` for whatever is refused. `tests/clients/kubernetes.sh` holds it to kubectl and to the client for Python.

mod protobuf;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::certified::certified;

/// The token that may do everything.
pub(crate) const ADMIN: &str = "the-admins-token-of-the-cluster-4711";

#[derive(Clone)]
pub(crate) struct Cluster {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    /// The certificate of its authority, as PEM.
    pub(crate) ca: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    namespaces: BTreeSet<String>,
    secrets: BTreeMap<(String, String), Value>,
    /// Who each token is of, and which verbs it has on Secrets.
    tokens: BTreeMap<String, (String, Vec<String>)>,
    /// Of the last change.
    revision: u64,
    does: Does,
    /// Each request that was no dry run, `PUT /api/…`, with its body.
    requests: Vec<(String, Value)>,
    /// What was sent and has not arrived.
    on_the_way: Vec<Request>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Does {
    #[default]
    Well,
    /// Takes writes and does not answer.
    Mute,
    /// Breaks the connection of writes; they arrive later, if at all.
    Deaf,
    /// 503 to everything.
    Down,
    /// A webhook refuses writes and repeats what it was given: with this code.
    Repeats(u16),
    /// A quota is used up.
    Quota,
}

#[derive(Clone)]
struct Request {
    method: String,
    path: String,
    query: String,
    token: String,
    is_protobuf: bool,
    body: Vec<u8>,
}

impl Request {
    fn is_write(&self) -> bool {
        ["POST", "PUT", "DELETE"].contains(&self.method.as_str()) && self.path.starts_with("/api/") && !self.is_dry()
    }

    fn is_dry(&self) -> bool {
        self.query.split('&').any(|one| one == "dryRun=All")
    }
}

type Reply = (u16, Value);

impl Cluster {
    /// With one namespace.
    pub(crate) fn start(namespace: &str) -> Self {
        let (tls, ca) = certified();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cluster = Self { host: listener.local_addr().unwrap().to_string(), ca, state: Arc::default() };
        cluster.allow(ADMIN, &["get", "list", "create", "update", "delete"]);
        cluster.state().namespaces.insert(namespace.to_owned());
        let own = cluster.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (own, tls) = (own.clone(), Arc::clone(&tls));
                std::thread::spawn(move || own.serve(stream, tls));
            }
        });
        cluster
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn allow(&self, token: &str, verbs: &[&str]) {
        let verbs = verbs.iter().map(|verb| (*verb).to_owned()).collect();
        self.state().tokens.insert(token.to_owned(), ("system:serviceaccount:qlik:runner".to_owned(), verbs));
    }

    /// The token has ended.
    pub(crate) fn ends(&self, token: &str) {
        self.state().tokens.remove(token);
    }

    pub(crate) fn does(&self, does: Does) {
        self.state().does = does;
    }

    pub(crate) fn without_namespaces(&self) {
        self.state().namespaces.clear();
    }

    /// Requests that change something, since the last time.
    pub(crate) fn writes(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.state().requests)
    }

    /// The values of all data that was sent since the last time, whether it was taken or not.
    pub(crate) fn written_values(&self) -> Vec<String> {
        let state = self.state();
        let late = state.on_the_way.iter().map(|late| serde_json::from_slice(&late.body).unwrap_or_default());
        let bodies: Vec<Value> = state.requests.iter().map(|(_, body)| body.clone()).chain(late).collect();
        let values = bodies.iter().filter_map(|body| body["data"].as_object()).flat_map(|data| data.values());
        let decoded = values.filter_map(|value| STANDARD.decode(value.as_str()?).ok());
        decoded.filter_map(|bytes| String::from_utf8(bytes).ok()).collect()
    }

    /// What was sent arrives after all; what it is answered.
    pub(crate) fn arrives(&self) -> u16 {
        let late = self.state().on_the_way.remove(0);
        self.reply(&late).0
    }

    /// One request as whoever may do everything.
    pub(crate) fn admin(&self, method: &str, path: &str, body: &Value) -> Reply {
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: String::new(),
            token: ADMIN.to_owned(),
            is_protobuf: false,
            body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
        };
        self.reply(&request)
    }

    fn serve(&self, stream: TcpStream, tls: Arc<ServerConfig>) {
        let mut stream = StreamOwned::new(ServerConnection::new(tls).unwrap(), stream);
        let Some(request) = read(&mut stream) else { return };
        let does = self.state().does;
        if request.is_write() && does == Does::Deaf {
            self.state().on_the_way.push(request);
            return;
        }
        let (code, answer) = match does {
            Does::Down => {
                status(503, "ServiceUnavailable", "the server is currently unable to handle the request", &Value::Null)
            }
            Does::Well | Does::Mute | Does::Deaf | Does::Repeats(_) | Does::Quota => self.reply(&request),
        };
        if request.is_write() && does == Does::Mute {
            return;
        }
        let answer = answer.to_string();
        // Whoever went away does not want it.
        drop(write!(
            stream,
            "HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        ));
        stream.conn.send_close_notify();
        drop(stream.flush());
    }

    fn reply(&self, request: &Request) -> Reply {
        let mut state = self.state();
        let Some((user, verbs)) = state.tokens.get(&request.token).cloned() else {
            return status(401, "Unauthorized", "Unauthorized", &Value::Null);
        };
        let body: Value = match request.is_protobuf {
            true => protobuf::object(&request.body).unwrap(),
            false => serde_json::from_slice(&request.body).unwrap_or_default(),
        };
        let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), path.as_slice()) {
            ("POST", ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"]) => {
                let asked = &body["spec"]["resourceAttributes"];
                let allowed = asked["resource"] == "secrets"
                    && verbs.iter().any(|verb| asked["verb"] == json!(verb))
                    && state.namespaces.iter().any(|one| asked["namespace"] == json!(one));
                let mut review = body.clone();
                review["status"] = json!({ "allowed": allowed });
                (201, review)
            }
            (method, ["api", "v1", "namespaces", namespace, "secrets", rest @ ..]) if rest.len() <= 1 => {
                let name = rest.first().copied();
                let verb = match (method, name) {
                    ("GET", Some(_)) => "get",
                    ("GET", None) => "list",
                    ("POST", None) => "create",
                    ("PUT", Some(_)) => "update",
                    ("DELETE", Some(_)) => "delete",
                    _ => {
                        return status(
                            405,
                            "MethodNotAllowed",
                            "the server does not allow this method on the requested resource",
                            &Value::Null,
                        );
                    }
                };
                if !verbs.iter().any(|one| one == verb) {
                    let what = name.filter(|_| verb != "create").map(|name| format!(" {name:?}")).unwrap_or_default();
                    let message = format!(
                        "secrets{what} is forbidden: User {user:?} cannot {verb} resource \"secrets\" in API group \"\" in the namespace {namespace:?}"
                    );
                    return status(403, "Forbidden", &message, &json!({ "name": name, "kind": "secrets" }));
                }
                if request.is_write() {
                    state.requests.push((format!("{method} {}", request.path), body.clone()));
                }
                let refused = match state.does {
                    Does::Repeats(code) if request.is_write() => {
                        let message = format!("admission webhook \"policy.example\" denied the request: {body}");
                        Some(status(
                            code,
                            if code == 403 { "Forbidden" } else { "InternalError" },
                            &message,
                            &Value::Null,
                        ))
                    }
                    Does::Quota if verb == "create" => {
                        let message = "secrets is forbidden: exceeded quota: small, requested: secrets=1, used: secrets=9, limited: secrets=9";
                        Some(status(403, "Forbidden", message, &json!({ "kind": "secrets" })))
                    }
                    Does::Well | Does::Mute | Does::Deaf | Does::Down | Does::Repeats(_) | Does::Quota => None,
                };
                refused.unwrap_or_else(|| state.secret(verb, namespace, name, &body, request.is_dry()))
            }
            // kubectl asks for it where it finds nothing.
            ("GET", ["api", "v1", "namespaces", name]) => {
                let details = json!({ "name": name, "kind": "namespaces" });
                if !verbs.iter().any(|verb| verb == "list") {
                    let message =
                        format!("namespaces {name:?} is forbidden: User {user:?} cannot get resource \"namespaces\"");
                    status(403, "Forbidden", &message, &details)
                } else if state.namespaces.contains(*name) {
                    (200, json!({ "kind": "Namespace", "apiVersion": "v1", "metadata": { "name": name } }))
                } else {
                    status(404, "NotFound", &format!("namespaces {name:?} not found"), &details)
                }
            }
            ("GET", path) => discovery(path).unwrap_or_else(unknown),
            _ => unknown(),
        }
    }
}

impl State {
    fn secret(&mut self, verb: &str, namespace: &str, name: Option<&str>, body: &Value, is_dry: bool) -> Reply {
        let about = |name: &str| json!({ "name": name, "kind": "secrets" });
        let absent = |name: &str| status(404, "NotFound", &format!("secrets {name:?} not found"), &about(name));
        let own = body["metadata"]["name"].as_str().unwrap_or_default();
        let name = name.unwrap_or(own).to_owned();
        let at = (namespace.to_owned(), name.clone());
        match verb {
            "list" => {
                let items: Vec<&Value> =
                    self.secrets.iter().filter(|((of, _), _)| of == namespace).map(|(_, one)| one).collect();
                (200, json!({ "kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": items }))
            }
            "get" => self.secrets.get(&at).map_or_else(|| absent(&name), |found| (200, found.clone())),
            "create" => {
                if !self.namespaces.contains(namespace) {
                    let details = json!({ "name": namespace, "kind": "namespaces" });
                    return status(404, "NotFound", &format!("namespaces {namespace:?} not found"), &details);
                }
                if self.secrets.contains_key(&at) {
                    return status(409, "AlreadyExists", &format!("secrets {name:?} already exists"), &about(&name));
                }
                let mut made = body.clone();
                self.revision += 1;
                made["metadata"]["namespace"] = json!(namespace);
                made["metadata"]["uid"] = json!(format!("6f1b3c0a-9d1e-4a0e-8d57-{:012}", self.revision));
                made["metadata"]["creationTimestamp"] = json!("2026-11-28T00:00:00Z");
                if made["type"].is_null() {
                    made["type"] = json!("Opaque");
                }
                self.keep(at, made, is_dry, 201)
            }
            "update" => {
                let Some(found) = self.secrets.get(&at) else { return absent(&name) };
                let (metadata, given) = (&found["metadata"], &body["metadata"]);
                let conflict = |why: &str| {
                    let message = format!("Operation cannot be fulfilled on secrets {name:?}: {why}");
                    status(409, "Conflict", &message, &about(&name))
                };
                if own != name {
                    return status(
                        400,
                        "BadRequest",
                        "the name of the object does not match the name on the URL",
                        &Value::Null,
                    );
                }
                // Without a version it is written whatever stands there, as the real one does for Secrets.
                let version = &given["resourceVersion"];
                if !version.is_null() && *version != metadata["resourceVersion"] {
                    return conflict(
                        "the object has been modified; please apply your changes to the latest version and try again",
                    );
                }
                if !given["uid"].is_null() && given["uid"] != metadata["uid"] {
                    return conflict("the UID in the precondition does not match the UID in record");
                }
                if found["immutable"] == true && (found["data"] != body["data"] || body["immutable"] != true) {
                    return invalid(&name, "data: Forbidden: field is immutable when `immutable` is set");
                }
                if found["type"] != body["type"] {
                    return invalid(&name, "type: Invalid value: field is immutable");
                }
                self.revision += 1;
                self.keep(at, body.clone(), is_dry, 200)
            }
            _ => {
                let Some(found) = self.secrets.get_mut(&at) else { return absent(&name) };
                if found["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty()) {
                    found["metadata"]["deletionTimestamp"] = json!("2026-11-28T00:00:00Z");
                    return (200, found.clone());
                }
                self.secrets.remove(&at);
                (
                    200,
                    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": about(&name) }),
                )
            }
        }
    }

    /// Checks a Secret and keeps it, with a version of its own.
    fn keep(&mut self, at: (String, String), mut secret: Value, is_dry: bool, code: u16) -> Reply {
        let is_part = |part: &str| {
            let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            !part.is_empty() && part.bytes().all(inner) && !part.starts_with('-') && !part.ends_with('-')
        };
        if at.1.len() > 253 || !at.1.split('.').all(is_part) {
            return invalid(&at.1, "metadata.name: Invalid value: a lowercase RFC 1123 subdomain must consist of …");
        }
        if let Some(plain) = secret.as_object_mut().unwrap().remove("stringData") {
            for (key, text) in plain.as_object().unwrap() {
                secret["data"][key] = json!(STANDARD.encode(text.as_str().unwrap()));
            }
        }
        let mut size = 0;
        for (key, value) in secret["data"].as_object().into_iter().flatten() {
            let Some(bytes) = value.as_str().and_then(|text| STANDARD.decode(text).ok()) else {
                return status(
                    400,
                    "BadRequest",
                    "Secret in version \"v1\" cannot be handled: illegal base64 data",
                    &Value::Null,
                );
            };
            let inner = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            if !key.bytes().all(inner) {
                return invalid(
                    &at.1,
                    &format!("data[{key}]: Invalid value: {key:?}: a valid config key must consist of …"),
                );
            }
            size += bytes.len();
        }
        if size > 1024 * 1024 {
            return invalid(&at.1, "data: Too long: may not be more than 1048576 bytes");
        }
        // Its own word, and not a number that follows another.
        secret["metadata"]["resourceVersion"] = json!(format!("{}", (self.revision * 7_919) % 10_007));
        if !is_dry {
            self.secrets.insert(at, secret.clone());
        }
        (code, secret)
    }
}

fn invalid(name: &str, why: &str) -> Reply {
    status(422, "Invalid", &format!("Secret {name:?} is invalid: {why}"), &json!({ "name": name, "kind": "Secret" }))
}

fn unknown() -> Reply {
    status(404, "NotFound", "the server could not find the requested resource", &json!({}))
}

fn status(code: u16, reason: &str, message: &str, details: &Value) -> Reply {
    let mut status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code,
    });
    if !details.is_null() {
        status["details"] = details.clone();
    }
    (code, status)
}

/// What kubectl asks before it asks for anything.
fn discovery(path: &[&str]) -> Option<Reply> {
    let versions = |group: &str| json!({ "groupVersion": format!("{group}/v1"), "version": "v1" });
    let list = |group: &str, resources: Value| json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": resources });
    let verbs = ["create", "delete", "get", "list", "update"];
    let found = match path {
        ["api"] => json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] }),
        ["apis"] => json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [{
            "name": "authorization.k8s.io",
            "versions": [versions("authorization.k8s.io")],
            "preferredVersion": versions("authorization.k8s.io"),
        }] }),
        ["api", "v1"] => list(
            "v1",
            json!([{ "name": "secrets", "singularName": "secret", "namespaced": true, "kind": "Secret", "verbs": verbs }]),
        ),
        ["apis", "authorization.k8s.io", "v1"] => list(
            "authorization.k8s.io/v1",
            json!([{
                "name": "selfsubjectaccessreviews", "singularName": "", "namespaced": false,
                "kind": "SelfSubjectAccessReview", "verbs": ["create"],
            }]),
        ),
        ["version"] => json!({ "major": "1", "minor": "34", "gitVersion": "v1.34.0", "platform": "linux/amd64" }),
        _ => return None,
    };
    Some((200, found))
}

fn read(stream: impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or_default() == 0 {
        return None;
    }
    let (mut length, mut token, mut is_protobuf) = (0, String::new(), false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 || line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "content-type" => is_protobuf = value.contains("protobuf"),
            "authorization" => token = value.trim().strip_prefix("Bearer ").unwrap_or_default().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Request { method, path: path.to_owned(), query: query.to_owned(), token, is_protobuf, body })
}
