//! A vault of Azure on loopback with Microsoft Entra beside it, as Microsoft documents both: secrets with versions that never change, tags and
//! attributes, deleted secrets whose names are kept, and tokens for a client secret, a federated token, a platform and a machine.
//! `tests/clients/azure.sh` holds it to Microsoft's own clients.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::certified::certified;

pub(crate) const TENANT: &str = "16b3c013-d300-468d-ac64-7eda0820b6d3";
pub(crate) const CLIENT: &str = "5f1d0c8e-7a1b-4a53-9d83-2f6a3e0b9c11";
pub(crate) const SECRET: &str = "the~secret.of-the_application-4711";
pub(crate) const ASSERTION: &str = "eyJhbGciOiJSUzI1NiJ9.of-the-pipeline-0815.c2lnbmF0dXJl";
pub(crate) const OF_THE_JOB: &str = "what-the-job-asks-with-0819";
pub(crate) const HEADER: &str = "the-header-of-the-platform-0816";

/// Who may do everything.
const ADMIN: &str = "the-admins-token-4712";

#[derive(Clone)]
pub(crate) struct Vault {
    /// `127.0.0.1:PORT`, of the vault and of Entra.
    pub(crate) host: String,
    /// The certificate of its authority, as PEM.
    pub(crate) ca: String,
    /// `127.0.0.1:PORT`, of the metadata service, which speaks plain http.
    pub(crate) near: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    secrets: BTreeMap<String, Vec<Value>>,
    deleted: BTreeMap<String, Vec<Value>>,
    /// Tokens that live.
    tokens: BTreeSet<String>,
    given: u32,
    rights: BTreeSet<&'static str>,
    does: Does,
    /// Whether Entra takes what it is shown.
    refuses_logins: bool,
    /// Each request that reached the vault and would change something, with its body.
    writes: Vec<(String, Value)>,
    /// How each token was asked for.
    logins: Vec<String>,
    /// What was sent and has not arrived.
    on_the_way: Vec<Request>,
    made: u64,
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
    /// Refuses writes and repeats what it was given.
    Repeats(u16),
    /// Somebody else writes in the last moment.
    Races,
}

#[derive(Clone)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    /// Microsoft's client writes `api%2Dversion`, which is the same.
    fn asks(&self, name: &str, value: impl Fn(&str) -> bool) -> bool {
        url::form_urlencoded::parse(self.query.as_bytes()).any(|(said, what)| said == name && value(&what))
    }
}

type Reply = (u16, Value);

impl Vault {
    pub(crate) fn start() -> Self {
        let (tls, ca) = certified();
        let [listener, near] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [host, near_host] = [&listener, &near].map(|one| one.local_addr().unwrap().to_string());
        let vault = Self { host, ca, near: near_host, state: Arc::default() };
        vault.allow(&["get", "set"]);
        vault.state().tokens.insert(ADMIN.to_owned());
        let own = vault.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (own, tls) = (own.clone(), Arc::clone(&tls));
                std::thread::spawn(move || own.serve(stream, tls));
            }
        });
        let own = vault.clone();
        std::thread::spawn(move || {
            for mut stream in near.incoming().map_while(Result::ok) {
                let Some(request) = read(&mut stream) else { continue };
                let (code, answer) = own.near(&request);
                say(&mut stream, code, "", &answer);
            }
        });
        vault
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Of the secrets' rights, those that whoever is logged in has.
    pub(crate) fn allow(&self, rights: &[&'static str]) {
        self.state().rights = rights.iter().copied().collect();
    }

    pub(crate) fn does(&self, does: Does) {
        self.state().does = does;
    }

    /// All tokens that were given have ended.
    pub(crate) fn ends(&self) {
        self.state().tokens.retain(|token| token == ADMIN);
    }

    pub(crate) fn refuses_logins(&self, whether: bool) {
        self.state().refuses_logins = whether;
    }

    pub(crate) fn writes(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.state().writes)
    }

    pub(crate) fn logins(&self) -> Vec<String> {
        std::mem::take(&mut self.state().logins)
    }

    /// What may be seen nowhere: the tokens that were given and the values that were sent.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let state = self.state();
        let late = state.on_the_way.iter().map(|late| serde_json::from_slice(&late.body).unwrap_or_default());
        let bodies: Vec<Value> = state.writes.iter().map(|(_, body)| body.clone()).chain(late).collect();
        let values = bodies.iter().filter_map(|body| body["value"].as_str()).map(str::to_owned);
        (1..=state.given).map(token).chain(values.filter(|value| value.len() > 100)).collect()
    }

    /// What was sent arrives after all; what it is answered.
    pub(crate) fn arrives(&self) -> u16 {
        let late = self.state().on_the_way.remove(0);
        self.reply(&late).0
    }

    /// One request as whoever may do everything.
    pub(crate) fn admin(&self, method: &str, path: &str, body: &Value) -> Reply {
        let headers = BTreeMap::from([("authorization".to_owned(), format!("Bearer {ADMIN}"))]);
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let (method, path, query) = (method.to_owned(), path.to_owned(), "api-version=7.4".to_owned());
        self.reply(&Request { method, path, query, headers, body })
    }

    fn serve(&self, stream: TcpStream, tls: Arc<ServerConfig>) {
        let mut stream = StreamOwned::new(ServerConnection::new(tls).unwrap(), stream);
        let Some(request) = read(&mut stream) else { return };
        let does = self.state().does;
        let of_vault = request.path.starts_with("/secrets/") || request.path.starts_with("/deletedsecrets/");
        let is_write = of_vault && request.method == "PUT" && request.headers.contains_key("authorization");
        if is_write && does == Does::Deaf {
            self.state().on_the_way.push(request);
            return;
        }
        let (code, answer) = match does {
            Does::Down if of_vault => error(503, "ServiceUnavailable", "", "The service is unavailable."),
            Does::Well | Does::Mute | Does::Deaf | Does::Down | Does::Repeats(_) | Does::Races => self.reply(&request),
        };
        if is_write && does == Does::Mute {
            return;
        }
        let challenge = match code {
            401 if of_vault => format!(
                "WWW-Authenticate: Bearer authorization=\"https://{}/{TENANT}\", resource=\"https://vault.azure.net\"\r\n",
                self.host
            ),
            _ => String::new(),
        };
        say(&mut stream, code, &challenge, &answer);
        stream.conn.send_close_notify();
        drop(stream.flush());
    }

    fn reply(&self, request: &Request) -> Reply {
        let mut state = self.state();
        let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), path.as_slice()) {
            ("POST", [TENANT, "oauth2", "v2.0", "token"]) => state.token(&request.body),
            (_, [TENANT, "v2.0", ".well-known", "openid-configuration"]) => (
                200,
                json!({
                    "issuer": format!("https://{}/{TENANT}/v2.0", self.host),
                    "token_endpoint": format!("https://{}/{TENANT}/oauth2/v2.0/token", self.host),
                    "authorization_endpoint": format!("https://{}/{TENANT}/oauth2/v2.0/authorize", self.host),
                    "jwks_uri": format!("https://{}/{TENANT}/discovery/v2.0/keys", self.host),
                }),
            ),
            (_, [_, "oauth2", "v2.0", "token"]) => refused(
                90_002,
                "invalid_request",
                "Tenant 'x' not found. Check to make sure you have the correct tenant ID",
            ),
            (method, ["secrets" | "deletedsecrets", ..]) => {
                if !request.asks("api-version", |_| true) {
                    return error(400, "BadParameter", "", "AKV10046: Unable to resolve the version of the API");
                }
                let bearer = request.headers.get("authorization").and_then(|value| value.strip_prefix("Bearer "));
                let Some(bearer) = bearer else {
                    return error(401, "Unauthorized", "", "AKV10000: Request is missing a Bearer or PoP token.");
                };
                if !state.tokens.contains(bearer) {
                    return error(
                        401,
                        "Unauthorized",
                        "",
                        &format!("[TokenExpired] Error validating token: '{bearer}'"),
                    );
                }
                let (is_admin, body) = (bearer == ADMIN, serde_json::from_slice(&request.body).unwrap_or_default());
                state.secret(method, &path, &body, is_admin, &self.host)
            }
            _ => error(404, "NotFound", "", "The requested resource was not found"),
        }
    }

    /// The identity of a platform, and of a machine.
    fn near(&self, request: &Request) -> Reply {
        let mut state = self.state();
        // Microsoft's client ends it in a slash.
        let path = request.path.trim_end_matches('/');
        let has = |name: &str, value: &str| request.asks(name, |said| said == value);
        let is_asked = has("resource", "https://vault.azure.net");
        let header = |name: &str| request.headers.get(name).map(String::as_str);
        let is_known = match path {
            "/msi/token" => is_asked && has("api-version", "2019-08-01") && header("x-identity-header") == Some(HEADER),
            "/metadata/identity/oauth2/token" => {
                is_asked && has("api-version", "2018-02-01") && header("metadata") == Some("true")
            }
            // GitHub Actions, as it documents how a job asks for an id token.
            "/idtoken" => {
                let is_asked = has("audience", "api://AzureADTokenExchange") && has("job", "1");
                return match header("authorization") == Some(&format!("bearer {OF_THE_JOB}")) && is_asked {
                    true => (200, json!({ "value": ASSERTION })),
                    false => (401, json!({ "message": "no" })),
                };
            }
            _ => return (404, json!({ "error": "not_found" })),
        };
        if !is_known || state.refuses_logins {
            return (400, json!({ "error": "invalid_request", "error_description": "Identity not found" }));
        }
        let token = state.gives(path);
        match path {
            "/msi/token" => (200, json!({ "access_token": token, "expires_on": "4102444800", "token_type": "Bearer" })),
            _ => (
                200,
                json!({
                    "access_token": token, "expires_in": "86399", "expires_on": "4102444800", "token_type": "Bearer",
                    "resource": "https://vault.azure.net",
                }),
            ),
        }
    }
}

/// The token of this number.
fn token(number: u32) -> String {
    format!("eyJ0eXAiOiJKV1QifQ.the-token-{number}-that-entra-gave-out.c2lnbmF0dXJl")
}

impl State {
    fn gives(&mut self, how: &str) -> String {
        self.given += 1;
        self.logins.push(how.to_owned());
        let token = token(self.given);
        self.tokens.insert(token.clone());
        token
    }

    fn token(&mut self, body: &[u8]) -> Reply {
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        // Microsoft's own client asks for more that nobody here gives.
        let is_asked = field("grant_type") == "client_credentials"
            && field("scope").split(' ').any(|scope| scope == "https://vault.azure.net/.default");
        if !is_asked {
            return refused(
                70_011,
                "invalid_scope",
                "The provided value for the input parameter 'scope' is not valid.",
            );
        }
        if field("client_id") != CLIENT {
            return refused(
                700_016,
                "unauthorized_client",
                "Application with identifier 'x' was not found in the directory 'y'.",
            );
        }
        let is_jwt = field("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let how = match (field("client_secret"), field("client_assertion")) {
            (SECRET, "") => "secret",
            ("", ASSERTION) if is_jwt => "assertion",
            ("", shown) => {
                let words = format!("Client assertion is not within its valid time range. Got {shown}");
                return refused(700_024, "invalid_client", &words);
            }
            (shown, _) => {
                let words = format!("Invalid client secret provided: '{shown}'");
                return refused(7_000_215, "invalid_client", &words);
            }
        };
        if self.refuses_logins {
            return refused(7_000_222, "invalid_client", "The provided client secret keys for app 'x' are expired.");
        }
        let token = self.gives(how);
        (200, json!({ "token_type": "Bearer", "expires_in": 3_599, "ext_expires_in": 3_599, "access_token": token }))
    }

    fn secret(&mut self, method: &str, path: &[&str], body: &Value, is_admin: bool, host: &str) -> Reply {
        let right = if method == "GET" { "get" } else { "set" };
        if !is_admin && !self.rights.contains(right) {
            let words = "Caller is not authorized to perform action on resource.";
            return error(403, "Forbidden", "ForbiddenByRbac", words);
        }
        if !is_admin && method != "GET" {
            self.writes.push((format!("{method} /{}", path.join("/")), body.clone()));
            if let Does::Repeats(code) = self.does {
                return error(code, "BadParameter", "", &format!("This is not a secret: {body}"));
            }
        }
        let absent = |words: &str| error(404, "SecretNotFound", "", words);
        let none = "A secret with (name/id) x was not found in this key vault. If you recently deleted this secret you may be able to recover it";
        match (method, path) {
            ("PUT", ["secrets", name]) => {
                if self.deleted.contains_key(*name) {
                    let words = format!(
                        "Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused"
                    );
                    return error(409, "Conflict", "ObjectIsDeletedButRecoverable", &words);
                }
                let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
                let is_name = (1..=127).contains(&name.len()) && name.bytes().all(inner);
                let tags = body["tags"].as_object().cloned().unwrap_or_default();
                let fit = |text: &str| text.chars().count() <= 256;
                let tags_fit =
                    tags.len() <= 15 && tags.iter().all(|(tag, value)| fit(tag) && value.as_str().is_some_and(fit));
                let value = body["value"].as_str().unwrap_or_default();
                if !is_name || !tags_fit || value.is_empty() || value.len() > 25_600 {
                    return error(400, "BadParameter", "", "The request is not well-formed");
                }
                if !is_admin && self.does == Does::Races {
                    self.keep(name, &json!({ "value": "of a colleague" }), host);
                }
                (200, self.keep(name, body, host))
            }
            ("PATCH", ["secrets", name, version]) => {
                let Some(found) = self.at(name, Some(version)) else { return absent(none) };
                for part in ["tags", "contentType"] {
                    if !body[part].is_null() {
                        found[part] = body[part].clone();
                    }
                }
                for (part, value) in body["attributes"].as_object().into_iter().flatten() {
                    found["attributes"][part] = value.clone();
                }
                let mut found = found.clone();
                found.as_object_mut().unwrap().remove("value");
                (200, found)
            }
            ("GET", ["secrets", name, "versions"]) => {
                let all = self.secrets.get(*name).cloned().unwrap_or_default();
                let without = |mut one: Value| {
                    one.as_object_mut().unwrap().remove("value");
                    one
                };
                (200, json!({ "value": all.into_iter().map(without).collect::<Vec<_>>(), "nextLink": null }))
            }
            ("GET", ["secrets", name, version @ ..]) => match self.at(name, version.first().copied()) {
                Some(found) if found["attributes"]["enabled"] == false => {
                    error(403, "Forbidden", "SecretDisabled", "Operation get is not allowed on a disabled secret.")
                }
                Some(found) => (200, found.clone()),
                None => absent(none),
            },
            ("DELETE", ["secrets", name]) => match self.secrets.remove(*name) {
                Some(all) => {
                    let told = deleted(name, &all, host);
                    self.deleted.insert((*name).to_owned(), all);
                    (200, told)
                }
                None => absent(none),
            },
            ("GET", ["deletedsecrets", name]) => match self.deleted.get(*name) {
                Some(all) => (200, deleted(name, all, host)),
                None => absent(&format!("Deleted Secret not found: {name}")),
            },
            ("POST", ["deletedsecrets", name, "recover"]) => match self.deleted.remove(*name) {
                Some(all) => {
                    let newest = all.last().cloned().unwrap();
                    self.secrets.insert((*name).to_owned(), all);
                    (200, newest)
                }
                None => absent(&format!("Deleted Secret not found: {name}")),
            },
            ("DELETE", ["deletedsecrets", name]) => match self.deleted.remove(*name) {
                Some(_) => (204, Value::Null),
                None => absent(&format!("Deleted Secret not found: {name}")),
            },
            _ => error(405, "MethodNotAllowed", "", "The method is not allowed"),
        }
    }

    fn at(&mut self, name: &str, version: Option<&str>) -> Option<&mut Value> {
        let all = self.secrets.get_mut(name)?;
        match version {
            Some(version) => {
                let is_it = |one: &&mut Value| one["id"].as_str().unwrap().rsplit('/').next() == Some(version);
                all.iter_mut().find(is_it)
            }
            None => all.last_mut(),
        }
    }

    /// A new version, which is the newest, whatever was there.
    fn keep(&mut self, name: &str, body: &Value, host: &str) -> Value {
        self.made += 1;
        let version = format!("{:032x}", u128::from(self.made).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        let mut kept = json!({
            "id": format!("https://{host}/secrets/{name}/{version}"),
            "value": body["value"],
            "attributes": { "enabled": true, "created": 1_795_867_200, "updated": 1_795_867_200, "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90 },
        });
        for (part, value) in body["attributes"].as_object().into_iter().flatten() {
            kept["attributes"][part] = value.clone();
        }
        for part in ["tags", "contentType"] {
            if !body[part].is_null() {
                kept[part] = body[part].clone();
            }
        }
        self.secrets.entry(name.to_owned()).or_default().push(kept.clone());
        kept
    }
}

fn deleted(name: &str, all: &[Value], host: &str) -> Value {
    let mut told = all.last().cloned().unwrap();
    told.as_object_mut().unwrap().remove("value");
    told["recoveryId"] = json!(format!("https://{host}/deletedsecrets/{name}"));
    told["deletedDate"] = json!(1_795_867_200);
    told["scheduledPurgeDate"] = json!(1_803_643_200);
    told
}

fn refused(code: u32, error: &str, words: &str) -> Reply {
    let words = format!("AADSTS{code}: {words} Trace ID: 2f1c Correlation ID: 77aa Timestamp: 2026-11-28 00:00:00Z");
    (401, json!({ "error": error, "error_description": words, "error_codes": [code] }))
}

fn error(status: u16, code: &str, inner: &str, words: &str) -> Reply {
    let mut error = json!({ "code": code, "message": words });
    if !inner.is_empty() {
        error["innererror"] = json!({ "code": inner });
    }
    (status, json!({ "error": error }))
}

fn say(stream: &mut impl Write, code: u16, header: &str, answer: &Value) {
    let answer = if answer.is_null() { String::new() } else { answer.to_string() };
    // Whoever went away does not want it.
    drop(write!(
        stream,
        "HTTP/1.1 {code} X\r\nContent-Type: application/json; charset=utf-8\r\n{header}Content-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    ));
}

fn read(stream: &mut impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or_default() == 0 {
        return None;
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 || line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Request { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}
