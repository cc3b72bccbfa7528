//! A GitLab on loopback, as its documents and its source have it: CI/CD variables of a project and of a group, what tokens may do, and what it
//! refuses. `tests/clients/gitlab.sh` holds it to python-gitlab.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::forge::{self, Request};

/// A token that may do everything.
pub(crate) const OWNER: &str = "glpat-the-owners-token-4711";

#[derive(Clone)]
pub(crate) struct GitLab {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By owner (`projects/acme/deploy`), name and scope.
    variables: BTreeMap<(String, String, String), Value>,
    tokens: BTreeMap<String, Holder>,
    version: &'static str,
    does: Does,
    /// Each write, `PUT /api/…`, with its body.
    writes: Vec<(String, Value)>,
    /// What was sent and has not arrived.
    on_the_way: Vec<Request>,
}

#[derive(Clone)]
pub(crate) struct Holder {
    pub(crate) scopes: &'static [&'static str],
    /// A member of the project and the group.
    pub(crate) is_member: bool,
    /// Maintainer of the one and owner of the other.
    pub(crate) is_maintainer: bool,
    /// Whether it may ask about itself.
    pub(crate) tells: bool,
}

pub(crate) const MAINTAINER: Holder = Holder { scopes: &["api"], is_member: true, is_maintainer: true, tells: true };

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Does {
    #[default]
    Well,
    /// Takes writes and does not answer.
    Mute,
    /// Breaks the connection of writes of values; they arrive later, if at all.
    Deaf,
    /// The same for every write.
    AllDeaf,
    /// 503 to everything.
    Down,
    /// A proxy repeats what was written, with this code.
    Repeats(u16),
    /// No more variables fit.
    Full,
}

type Reply = (u16, Value);

impl GitLab {
    /// With the project `acme/deploy` and the group `acme`.
    pub(crate) fn start() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let own = Arc::clone(&state);
        let host = forge::serve(move |request| serve(&own, request));
        let gitlab = Self { host, state };
        gitlab.allow(OWNER, MAINTAINER);
        gitlab.is("17.8.1-ee");
        gitlab
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn allow(&self, token: &str, holder: Holder) {
        self.state().tokens.insert(token.to_owned(), holder);
    }

    /// The token has ended.
    pub(crate) fn ends(&self, token: &str) {
        self.state().tokens.remove(token);
    }

    pub(crate) fn does(&self, does: Does) {
        self.state().does = does;
    }

    pub(crate) fn is(&self, version: &'static str) {
        self.state().version = version;
    }

    /// Requests that change something, since the last time.
    pub(crate) fn writes(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.state().writes)
    }

    /// The values of all that was sent since the last time, whether it was taken or not.
    pub(crate) fn written_values(&self) -> Vec<String> {
        let state = self.state();
        let late = state.on_the_way.iter().map(Request::json);
        let bodies: Vec<Value> = state.writes.iter().map(|(_, body)| body.clone()).chain(late).collect();
        bodies.iter().filter_map(|body| body["value"].as_str().map(str::to_owned)).collect()
    }

    /// What was sent first arrives after all; what it is answered.
    pub(crate) fn arrives(&self) -> u16 {
        let late = self.state().on_the_way.remove(0);
        self.state().reply(&late).0
    }

    /// What stands there, hidden or not.
    pub(crate) fn variable(&self, owner: &str, name: &str, scope: &str) -> Value {
        let key = (owner.to_owned(), name.to_owned(), scope.to_owned());
        self.state().variables.get(&key).cloned().unwrap_or_default()
    }

    /// A colleague writes it, or takes it away with `null`.
    pub(crate) fn sets(&self, owner: &str, name: &str, scope: &str, variable: Value) {
        let key = (owner.to_owned(), name.to_owned(), scope.to_owned());
        if variable.is_null() {
            self.state().variables.remove(&key);
        } else {
            self.state().variables.insert(key, variable);
        }
    }
}

fn serve(state: &Mutex<State>, request: Request) -> Option<Reply> {
    let mut state = state.lock().unwrap();
    let is_of_value = request.is_write() && !request.path.ends_with("_QLIK_PLAN") && !is_metadata(&request.json());
    match state.does {
        Does::Down => return Some((503, json!({ "message": "503 Service Unavailable" }))),
        Does::Deaf if is_of_value => {
            state.on_the_way.push(request);
            return None;
        }
        Does::AllDeaf if request.is_write() => {
            state.on_the_way.push(request);
            return None;
        }
        Does::Repeats(code) if is_of_value => {
            state.writes.push((format!("{} {}", request.method, request.path), request.json()));
            return Some((code, json!({ "message": format!("blocked: {}", request.json()) })));
        }
        Does::Well | Does::Mute | Does::Deaf | Does::AllDeaf | Does::Repeats(_) | Does::Full => {}
    }
    let reply = state.reply(&request);
    (!(request.is_write() && state.does == Does::Mute)).then_some(reply)
}

fn is_metadata(body: &Value) -> bool {
    body["key"].as_str().is_some_and(|key| key.ends_with("_QLIK_PLAN"))
}

impl State {
    fn reply(&mut self, request: &Request) -> Reply {
        let token = match request.header("private-token") {
            "" => request.header("authorization").trim_start_matches("Bearer "),
            token => token,
        };
        let Some(holder) = self.tokens.get(token).cloned() else {
            return (401, json!({ "message": "401 Unauthorized" }));
        };
        let scope = if request.is_write() { &["api"][..] } else { &["api", "read_api"] };
        let is_allowed = holder.scopes.iter().any(|one| scope.contains(one));
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["api", "v4", "personal_access_tokens", "self"]) => {
                if !holder.tells {
                    return (403, json!({ "message": "403 Forbidden" }));
                }
                (
                    200,
                    json!({
                        "id": 4, "name": "qlik-plan", "revoked": false, "created_at": "2026-11-01T08:00:00.000Z", "scopes": holder.scopes,
                        "user_id": 12, "last_used_at": null, "active": true, "expires_at": "2027-11-01",
                    }),
                )
            }
            _ if !is_allowed => (
                403,
                json!({
                    "error": "insufficient_scope", "scope": scope.join(" "),
                    "error_description": "The request requires higher privileges than provided by the access token.",
                }),
            ),
            ("GET", ["api", "v4", "version"]) => (200, json!({ "version": self.version, "revision": "abc" })),
            (_, ["api", "v4", kind @ ("projects" | "groups"), id, "variables", rest @ ..]) if rest.len() <= 1 => {
                let path = match (*kind, *id) {
                    ("projects", "7" | "acme/deploy") if holder.is_member => "projects/acme/deploy",
                    ("groups", "3" | "acme") if holder.is_member => "groups/acme",
                    ("projects", _) => return (404, json!({ "message": "404 Project Not Found" })),
                    _ => return (404, json!({ "message": "404 Group Not Found" })),
                };
                if !holder.is_maintainer {
                    return (403, json!({ "message": "403 Forbidden" }));
                }
                if request.is_write() {
                    self.writes.push((format!("{} {}", request.method, request.path), request.json()));
                }
                self.variable(request, path, rest.first().copied())
            }
            _ => (404, json!({ "error": "404 Not Found" })),
        }
    }

    fn variable(&mut self, request: &Request, owner: &str, name: Option<&str>) -> Reply {
        let body = request.json();
        let Some(name) = name else {
            return match request.method.as_str() {
                "GET" => {
                    let of_owner = self.variables.iter().filter(|((of, ..), _)| of == owner);
                    (200, of_owner.map(|(_, variable)| shown(variable)).collect())
                }
                "POST" => self.make(owner, &body),
                _ => (405, json!({ "error": "405 Not Allowed" })),
            };
        };
        let scope = request.query.get("filter[environment_scope]").map(String::as_str);
        let fits = |(of, key, at): &&(String, String, String)| {
            of == owner && key == name && scope.is_none_or(|scope| at == scope)
        };
        let found: Vec<_> = self.variables.keys().filter(fits).cloned().collect();
        let at = match found.as_slice() {
            [] => return (404, json!({ "message": "404 Variable Not Found" })),
            [one] => one.clone(),
            _ => {
                return (
                    409,
                    json!({
                        "message": "409 Conflict: There are multiple variables with provided parameters. Please use 'filter[environment_scope]'",
                    }),
                );
            }
        };
        match request.method.as_str() {
            "GET" => (200, shown(&self.variables[&at])),
            "PUT" => {
                let mut next = self.variables[&at].clone();
                if next["hidden"] == true && body.get("masked").is_some_and(|masked| *masked != next["masked"]) {
                    return (400, json!({ "message": { "base": ["The visibility attribute cannot be updated."] } }));
                }
                for field in
                    ["value", "protected", "masked", "raw", "variable_type", "description", "environment_scope"]
                {
                    if let Some(value) = body.get(field) {
                        next[field] = value.clone();
                    }
                }
                self.keep(at, next, 200)
            }
            "DELETE" => {
                self.variables.remove(&at);
                (204, Value::Null)
            }
            _ => (405, json!({ "error": "405 Not Allowed" })),
        }
    }

    fn make(&mut self, owner: &str, body: &Value) -> Reply {
        let (Some(key), Some(_)) = (body["key"].as_str(), body["value"].as_str()) else {
            return (400, json!({ "error": "key is missing, value is missing" }));
        };
        // Before 17.4 the word is not known, and what is not known is left out.
        let numbers: Vec<u32> = self.version.split('.').take(2).map(|part| part.parse().unwrap()).collect();
        let is_hidden = body["masked_and_hidden"] == true && numbers >= vec![17, 4];
        // Premium alone has scopes in groups; this one is none.
        let scope = body["environment_scope"].as_str().filter(|_| owner.starts_with("projects/")).unwrap_or("*");
        let at = (owner.to_owned(), key.to_owned(), scope.to_owned());
        if self.variables.contains_key(&at) {
            return (400, json!({ "message": { "key": [format!("({key}) has already been taken")] } }));
        }
        if self.does == Does::Full {
            return (400, json!({ "message": { "base": ["Maximum number of project variables (8000) exceeded"] } }));
        }
        let flag = |field: &str| body[field].as_bool().unwrap_or_default();
        let variable = json!({
            "variable_type": body["variable_type"].as_str().unwrap_or("env_var"), "key": key, "value": body["value"],
            "protected": flag("protected"), "masked": flag("masked") || is_hidden, "hidden": is_hidden, "raw": flag("raw"),
            "environment_scope": scope, "description": body["description"],
        });
        self.keep(at, variable, 201)
    }

    fn keep(&mut self, at: (String, String, String), variable: Value, code: u16) -> Reply {
        let wrong = |field: &str, why: &str| (400, json!({ "message": { field: [why] } }));
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if !(1..=255).contains(&at.1.len()) || !at.1.bytes().all(is_word) {
            return wrong("key", "can contain only letters, digits and '_'.");
        }
        if variable["description"].as_str().is_some_and(|text| text.len() > 255) {
            return wrong("description", "is too long (maximum is 255 characters)");
        }
        let value = variable["value"].as_str().unwrap();
        let is_one = value.chars().count() >= 8 && !value.contains(char::is_whitespace);
        let is_plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=/@:.~-".contains(&b));
        if variable["masked"] == true && !(is_one && (variable["raw"] == true || is_plain)) {
            return wrong("value", "is invalid");
        }
        let answer = shown(&variable);
        self.variables.insert(at, variable);
        (code, answer)
    }
}

fn shown(variable: &Value) -> Value {
    let mut shown = variable.clone();
    if shown["hidden"] == true {
        shown["value"] = Value::Null;
    }
    shown
}
