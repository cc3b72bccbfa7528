//! Google's Secret Manager on loopback, with whoever gives tokens beside it, as Google documents them: secrets with an etag, annotations and
//! aliases, versions with a state, and permissions. `tests/clients/gcp.sh` holds it to Google's own clients.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::forge::{Request, serve};

pub(crate) const PROJECT: &str = "acme-estate";
pub(crate) const EMAIL: &str = "qlik-plan@acme-estate.iam.gserviceaccount.com";
pub(crate) const POOL: &str =
    "//iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/ci/providers/forge";
pub(crate) const SUBJECT: &str = "eyJhbGciOiJSUzI1NiJ9.of-the-pipeline-0815.c2lnbmF0dXJl";
pub(crate) const OF_THE_JOB: &str = "what-the-job-asks-with-0819";
pub(crate) const CLIENT_SECRET: &str = "the-secret-of-gcloud-itself-0820";
pub(crate) const REFRESH: &str = "1//the-refresh-token-of-a-user-0821";

pub(crate) const LEAST: [&str; 6] =
    ["secrets.create", "secrets.get", "secrets.update", "versions.add", "versions.get", "versions.access"];

/// Who may do everything.
const ADMIN: &str = "the-admins-token-4712";

#[derive(Clone)]
pub(crate) struct Google {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    /// The service account's key, as PEM.
    pub(crate) key: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    public: Vec<u8>,
    secrets: BTreeMap<String, Secret>,
    /// Tokens that live.
    tokens: BTreeSet<String>,
    given: u32,
    permissions: BTreeSet<&'static str>,
    does: Does,
    refuses_logins: bool,
    /// Each request that would change something, with its body.
    writes: Vec<(String, Value)>,
    /// How each token was asked for.
    logins: Vec<String>,
    /// What was sent and has not arrived.
    on_the_way: Vec<Request>,
    revision: u64,
}

struct Secret {
    said: Value,
    /// State and data.
    versions: Vec<(&'static str, String)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Does {
    #[default]
    Well,
    /// Takes such writes and does not answer.
    Mute(&'static str),
    /// Breaks the connection of such writes; they arrive later, if at all.
    Deaf(&'static str),
    /// 503 to everything.
    Down,
    /// Refuses writes and repeats what it was given.
    Repeats(u16),
    /// Somebody else changes the secret in the last moment.
    Races,
}

type Reply = (u16, Value);

impl Google {
    pub(crate) fn start() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'static> = pair.as_der().unwrap();
        let lines: Vec<String> = STANDARD
            .encode(der.as_ref())
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
        let mut google = Self { host: String::new(), key, state: Arc::default() };
        google.state().public = pair.public_key().as_ref().to_vec();
        google.state().tokens.insert(ADMIN.to_owned());
        google.allow(&LEAST);
        let own = google.clone();
        google.host = serve(move |request| own.answer(request));
        google
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn allow(&self, permissions: &[&'static str]) {
        self.state().permissions = permissions.iter().copied().collect();
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
        let late = state.on_the_way.iter().map(Request::json);
        let bodies: Vec<Value> = state.writes.iter().map(|(_, body)| body.clone()).chain(late).collect();
        let values = bodies.iter().filter_map(|body| STANDARD.decode(body["payload"]["data"].as_str()?).ok());
        let values = values.filter_map(|bytes| String::from_utf8(bytes).ok()).filter(|value| value.len() > 100);
        (1..=state.given).map(token).chain(values).collect()
    }

    /// What was sent arrives after all; what it is answered.
    pub(crate) fn arrives(&self) -> u16 {
        let late = self.state().on_the_way.remove(0);
        self.reply(&late).0
    }

    /// One request as whoever may do everything; `what` begins behind the project.
    pub(crate) fn admin(&self, method: &str, what: &str, body: &Value) -> Reply {
        let headers = BTreeMap::from([("authorization".to_owned(), format!("Bearer {ADMIN}"))]);
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let (path, query) = what.split_once('?').unwrap_or((what, ""));
        let query = query.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let path = format!("/v1/projects/{PROJECT}/{path}");
        self.reply(&Request { method: method.to_owned(), path, query: query.into_iter().collect(), headers, body })
    }

    fn answer(&self, request: Request) -> Option<Reply> {
        let does = self.state().does;
        let of_secrets = request.path.contains("/secrets");
        let is = |what: &str| of_secrets && kind(&request) == what;
        match does {
            Does::Down if of_secrets => Some(error(503, "UNAVAILABLE", "The service is currently unavailable.")),
            Does::Deaf(what) if is(what) => {
                self.state().on_the_way.push(request);
                None
            }
            Does::Mute(what) if is(what) => {
                self.reply(&request);
                None
            }
            Does::Well | Does::Mute(_) | Does::Deaf(_) | Does::Down | Does::Repeats(_) | Does::Races => {
                Some(self.reply(&request))
            }
        }
    }

    fn reply(&self, request: &Request) -> Reply {
        let mut state = self.state();
        let path = request.path.as_str();
        match (request.method.as_str(), path) {
            ("POST", "/token") => state.token(&request.body),
            ("POST", "/v1/token") => state.exchange(&request.body),
            ("POST", _) if path == format!("/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken") => {
                if !state.knows(request) {
                    return error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
                }
                if !state.permissions.contains("iam.serviceAccounts.getAccessToken") {
                    return error(
                        403,
                        "PERMISSION_DENIED",
                        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource",
                    );
                }
                let token = state.gives("borrowed");
                (200, json!({ "accessToken": token, "expireTime": "2027-01-01T00:00:00Z" }))
            }
            ("GET", "/computeMetadata/v1/instance/service-accounts/default/token") => {
                if request.header("metadata-flavor") != "Google" || state.refuses_logins {
                    return (
                        403,
                        json!({ "error": "forbidden", "error_description": "Missing Metadata-Flavor:Google header." }),
                    );
                }
                let token = state.gives("attached");
                (200, json!({ "access_token": token, "expires_in": 3_599, "token_type": "Bearer" }))
            }
            ("GET", "/idtoken") => match request.header("authorization") == format!("Bearer {OF_THE_JOB}") {
                true => (200, json!({ "count": 1, "value": SUBJECT })),
                false => (401, json!({ "message": format!("not {}", request.header("authorization")) })),
            },
            _ => state.secret(request),
        }
    }
}

/// What a request to the secrets is.
fn kind(request: &Request) -> &'static str {
    match request.method.as_str() {
        "POST" if request.path.ends_with(":addVersion") => "add",
        "POST" if request.path.ends_with("/secrets") => "create",
        "PATCH" => "patch",
        _ => "other",
    }
}

/// The token of this number.
fn token(number: u32) -> String {
    format!("ya29.the-token-{number}-that-google-gave-out-0817")
}

fn fields(body: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

impl State {
    fn gives(&mut self, how: &str) -> String {
        self.given += 1;
        self.logins.push(how.to_owned());
        let token = token(self.given);
        self.tokens.insert(token.clone());
        token
    }

    fn bearer(request: &Request) -> &str {
        request.header("authorization").strip_prefix("Bearer ").unwrap_or_default()
    }

    fn knows(&self, request: &Request) -> bool {
        self.tokens.contains(Self::bearer(request))
    }

    /// For a key's signature, and for a user's login.
    fn token(&mut self, body: &[u8]) -> Reply {
        let form = fields(body);
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let how = match field("grant_type") {
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => match self.is_signed(field("assertion")) {
                true => "key",
                false => {
                    let words = format!("Invalid JWT Signature: {}", field("assertion"));
                    return (400, json!({ "error": "invalid_grant", "error_description": words }));
                }
            },
            "refresh_token" if field("client_secret") == CLIENT_SECRET && field("refresh_token") == REFRESH => "user",
            "refresh_token" => {
                let words = format!("Token has been expired or revoked: {}", field("refresh_token"));
                return (400, json!({ "error": "invalid_grant", "error_description": words }));
            }
            _ => return (400, json!({ "error": "unsupported_grant_type" })),
        };
        if self.refuses_logins {
            return (400, json!({ "error": "invalid_grant", "error_description": "Invalid grant: account not found" }));
        }
        let token = self.gives(how);
        (200, json!({ "access_token": token, "expires_in": 3_599, "token_type": "Bearer" }))
    }

    fn is_signed(&self, assertion: &str) -> bool {
        let Some((signed, signature)) = assertion.rsplit_once('.') else { return false };
        let Some((header, claims)) = signed.split_once('.') else { return false };
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).unwrap_or_default();
        let [header, claims]: [Value; 2] =
            [header, claims].map(|part| serde_json::from_slice(&decoded(part)).unwrap_or_default());
        #[expect(clippy::disallowed_methods, reason = "Google has a clock of its own")]
        let now = jiff::Timestamp::now().as_second();
        let (from, to) = (claims["iat"].as_i64().unwrap_or_default(), claims["exp"].as_i64().unwrap_or_default());
        let lasts = from <= now + 60 && to > now && to - from <= 3_600;
        let is_asked = claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
            && claims["aud"].as_str().is_some_and(|aud| aud.ends_with("/token"));
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public);
        header["alg"] == "RS256"
            && claims["iss"] == EMAIL
            && lasts
            && is_asked
            && key.verify(signed.as_bytes(), &decoded(signature)).is_ok()
    }

    /// For somebody else's token.
    fn exchange(&mut self, body: &[u8]) -> Reply {
        let form = fields(body);
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let is_asked = field("grant_type") == "urn:ietf:params:oauth:grant-type:token-exchange"
            && field("requested_token_type") == "urn:ietf:params:oauth:token-type:access_token"
            && field("subject_token_type") == "urn:ietf:params:oauth:token-type:jwt"
            && field("audience") == POOL
            && field("scope") == "https://www.googleapis.com/auth/cloud-platform";
        if !is_asked {
            return (
                400,
                json!({ "error": "invalid_request", "error_description": "Invalid value for \"audience\"." }),
            );
        }
        if field("subject_token") != SUBJECT || self.refuses_logins {
            let words = format!("ID Token issued at 1 is stale to sign-in: {}", field("subject_token"));
            return (400, json!({ "error": "invalid_grant", "error_description": words }));
        }
        let token = self.gives("exchange");
        (200, json!({ "access_token": token, "expires_in": 3_599, "token_type": "Bearer", "issued_token_type": "x" }))
    }

    fn secret(&mut self, request: &Request) -> Reply {
        if !self.knows(request) {
            let words = format!("Request had invalid authentication credentials: {}", Self::bearer(request));
            return error(401, "UNAUTHENTICATED", &words);
        }
        let prefix = format!("/v1/projects/{PROJECT}/secrets");
        let Some(rest) = request.path.strip_prefix(&prefix) else {
            return error(404, "NOT_FOUND", "Project [x] not found");
        };
        let (rest, verb) = match rest.rsplit_once(':') {
            Some((rest, verb)) => (rest, verb),
            None => (rest, ""),
        };
        let path: Vec<&str> = rest.trim_matches('/').split('/').collect();
        let is_admin = Self::bearer(request) == ADMIN;
        let (body, method) = (request.json(), request.method.as_str());
        let needed = match (method, path.as_slice(), verb) {
            ("POST", [""], "") => "secrets.create",
            ("GET", [_], "") => "secrets.get",
            ("PATCH", [_], "") => "secrets.update",
            ("POST", [_], "addVersion") => "versions.add",
            ("POST", [_], "testIamPermissions") => "",
            ("GET", [_, "versions", _], "access") => "versions.access",
            ("GET", [_, "versions", _], "") => "versions.get",
            ("DELETE", [_], "") => "secrets.delete",
            ("POST", [_, "versions", _], "disable" | "enable" | "destroy") => "versions.manage",
            _ => return error(404, "NOT_FOUND", "Method not found."),
        };
        if !is_admin && !needed.is_empty() && !self.permissions.contains(needed) {
            let words =
                format!("Permission 'secretmanager.{needed}' denied for resource '{rest}' (or it may not exist).");
            return error(403, "PERMISSION_DENIED", &words);
        }
        if !is_admin && ["create", "add", "patch"].contains(&kind(request)) {
            self.writes.push((format!("{method} {rest}:{verb}"), body.clone()));
            if let Does::Repeats(code) = self.does {
                let status = if code == 400 { "INVALID_ARGUMENT" } else { "INTERNAL" };
                return error(code, status, &format!("Invalid value: {body}"));
            }
        }
        if needed == "secrets.create" {
            let name = request.query.get("secretId").cloned().unwrap_or_default();
            return self.create(&name, body);
        }
        let (name, is_racing) = (path[0].to_owned(), self.does == Does::Races && !is_admin);
        if verb == "testIamPermissions" {
            let asked: Vec<&str> = body["permissions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let has = |one: &&str| self.permissions.contains(one.strip_prefix("secretmanager.").unwrap());
            let has: Vec<&str> = asked.into_iter().filter(|one| self.secrets.contains_key(&name) && has(one)).collect();
            return (200, if has.is_empty() { json!({}) } else { json!({ "permissions": has }) });
        }
        self.revision += 1;
        let revision = self.revision;
        let Some(secret) = self.secrets.get_mut(&name) else {
            return error(404, "NOT_FOUND", &format!("Secret [projects/123456/secrets/{name}] not found."));
        };
        match needed {
            "secrets.get" => (200, secret.said.clone()),
            "secrets.delete" => {
                self.secrets.remove(&name);
                (200, json!({}))
            }
            "secrets.update" => {
                if is_racing {
                    secret.said["etag"] = json!(format!("\"{:x}\"", revision * 7_919 + 1));
                }
                if !body["etag"].is_null() && body["etag"] != secret.said["etag"] {
                    let words = "The etag provided in the request does not match the resource's current etag.";
                    return error(400, "FAILED_PRECONDITION", words);
                }
                let mask = request.query.get("updateMask").cloned().unwrap_or_default();
                for field in
                    mask.split(',').map(|field| if field == "version_aliases" { "versionAliases" } else { field })
                {
                    if !["annotations", "labels", "versionAliases", "expireTime"].contains(&field) {
                        return error(400, "INVALID_ARGUMENT", "Invalid update mask");
                    }
                    let last = secret.versions.len();
                    let fits = |number: &Value| {
                        number
                            .as_str()
                            .and_then(|number| number.parse::<usize>().ok())
                            .is_some_and(|number| (1..=last).contains(&number))
                    };
                    if field == "versionAliases" && body[field].as_object().is_some_and(|all| !all.values().all(fits)) {
                        return error(
                            400,
                            "FAILED_PRECONDITION",
                            "Version alias refers to a version that is not there",
                        );
                    }
                    secret.said[field] = body[field].clone();
                }
                // Google leaves out what is empty.
                secret.said.as_object_mut().unwrap().retain(|_, value| !value.is_null() && value != &json!({}));
                secret.said["etag"] = json!(format!("\"{:x}\"", revision * 7_919));
                (200, secret.said.clone())
            }
            "versions.add" => {
                let Some(data) = body["payload"]["data"].as_str().filter(|data| STANDARD.decode(data).is_ok()) else {
                    return error(400, "INVALID_ARGUMENT", "Invalid value at 'payload.data'");
                };
                secret.versions.push(("ENABLED", data.to_owned()));
                described(&name, secret, secret.versions.len())
            }
            _ => {
                let number = match path[2] {
                    "latest" => secret.versions.len(),
                    alias => secret.said["versionAliases"][alias].as_str().unwrap_or(alias).parse().unwrap_or_default(),
                };
                let Some(version) = number.checked_sub(1).and_then(|at| secret.versions.get_mut(at)) else {
                    let words = format!(
                        "Secret Version [projects/123456/secrets/{name}/versions/{}] not found or has no versions.",
                        path[2]
                    );
                    return error(404, "NOT_FOUND", &words);
                };
                match verb {
                    "disable" => version.0 = "DISABLED",
                    "enable" => version.0 = "ENABLED",
                    "destroy" => *version = ("DESTROYED", String::new()),
                    "access" if version.0 != "ENABLED" => {
                        let words = format!("Secret Version [x] is in {} state.", version.0);
                        return error(400, "FAILED_PRECONDITION", &words);
                    }
                    "access" => {
                        let name = format!("projects/123456/secrets/{name}/versions/{number}");
                        return (200, json!({ "name": name, "payload": { "data": version.1 } }));
                    }
                    _ => {}
                }
                described(&name, secret, number)
            }
        }
    }

    fn create(&mut self, name: &str, body: Value) -> Reply {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if name.is_empty() || name.len() > 255 || !name.bytes().all(inner) || body["replication"].is_null() {
            return error(400, "INVALID_ARGUMENT", "Invalid secret");
        }
        if self.secrets.contains_key(name) {
            return error(409, "ALREADY_EXISTS", &format!("Secret [projects/123456/secrets/{name}] already exists."));
        }
        self.revision += 1;
        let mut said = body;
        said["name"] = json!(format!("projects/123456/secrets/{name}"));
        said["createTime"] = json!("2026-11-28T00:00:00.123456Z");
        said["etag"] = json!(format!("\"{:x}\"", self.revision * 7_919));
        self.secrets.insert(name.to_owned(), Secret { said: said.clone(), versions: Vec::new() });
        (200, said)
    }
}

fn described(name: &str, secret: &Secret, number: usize) -> Reply {
    let state = secret.versions[number - 1].0;
    let name = format!("projects/123456/secrets/{name}/versions/{number}");
    (
        200,
        json!({ "name": name, "createTime": "2026-11-28T00:00:00.5Z", "state": state, "etag": format!("\"v{number}\"") }),
    )
}

fn error(code: u16, status: &str, words: &str) -> Reply {
    (code, json!({ "error": { "code": code, "message": words, "status": status } }))
}
