//! A GitHub on loopback, as its documents have it: secrets of Actions, of a repository, an environment and an organization, and the public keys
//! that they are sealed for. `tests/clients/github-actions.sh` holds it to @octokit/rest, and to libsodium.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_box::SecretKey;
use serde_json::{Value, json};

use crate::forge::{self, Request};

/// A token that may do everything.
pub(crate) const OWNER: &str = "github_pat_the-owners-token-4711";

#[derive(Clone)]
pub(crate) struct GitHub {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By owner (`repos/acme/deploy`), the half of its key that opens boxes.
    keys: BTreeMap<String, [u8; 32]>,
    /// By owner and name.
    secrets: BTreeMap<(String, String), Secret>,
    tokens: BTreeMap<String, Holder>,
    does: Does,
    /// Each write, `PUT /api/…`, with its body.
    writes: Vec<(String, Value)>,
    /// What all boxes held that were sent.
    opened: Vec<String>,
    /// What was sent and has not arrived.
    on_the_way: Vec<Request>,
    /// Grows by a second with each change.
    seconds: u32,
}

#[derive(Clone)]
pub(crate) struct Secret {
    pub(crate) value: String,
    created_at: String,
    updated_at: String,
    pub(crate) visibility: Value,
    pub(crate) repositories: Value,
}

#[derive(Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) is_member: bool,
    pub(crate) reads: bool,
    pub(crate) writes: bool,
}

pub(crate) const ALL: Holder = Holder { is_member: true, reads: true, writes: true };

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
    /// A proxy repeats what was written, with this code.
    Repeats(u16),
    /// Replaces its public key before the next write, and refuses what was sealed for the former.
    Replaces,
    /// No more secrets fit.
    Full,
}

type Reply = (u16, Value);

const OWNERS: [&str; 3] = ["repos/acme/deploy", "repos/acme/deploy/environments/production", "orgs/acme"];

impl GitHub {
    pub(crate) fn start() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let own = Arc::clone(&state);
        let host = forge::serve(move |request| serve(&own, request));
        let github = Self { host, state };
        for owner in OWNERS {
            github.state().replace_key(owner);
        }
        github.allow(OWNER, ALL);
        github
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

    /// Requests that change something, since the last time.
    pub(crate) fn writes(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.state().writes)
    }

    pub(crate) fn opened(&self) -> Vec<String> {
        self.state().opened.clone()
    }

    /// The half of an owner's key that opens boxes, for whoever opens them with another library.
    pub(crate) fn opening(&self, owner: &str) -> String {
        STANDARD.encode(self.state().keys[owner])
    }

    /// What was sent first arrives after all; what it is answered.
    pub(crate) fn arrives(&self) -> u16 {
        let late = self.state().on_the_way.remove(0);
        self.state().reply(&late).0
    }

    pub(crate) fn secret(&self, owner: &str, name: &str) -> Option<Secret> {
        self.state().secrets.get(&(owner.to_owned(), name.to_owned())).cloned()
    }

    /// A colleague writes it, or takes it away.
    pub(crate) fn sets(&self, owner: &str, name: &str, value: Option<&str>) {
        let mut state = self.state();
        let at = (owner.to_owned(), name.to_owned());
        match value {
            Some(value) => state.keep(at, value.to_owned(), &Value::Null),
            None => drop(state.secrets.remove(&at)),
        }
    }
}

fn serve(state: &Mutex<State>, request: Request) -> Option<Reply> {
    let mut state = state.lock().unwrap();
    let is_write = request.is_write();
    match state.does {
        Does::Down => return Some((503, json!({ "message": "Service Unavailable" }))),
        Does::Deaf if is_write => {
            state.open(&request);
            state.on_the_way.push(request);
            return None;
        }
        Does::Repeats(code) if is_write => {
            state.open(&request);
            return Some((code, json!({ "message": format!("blocked: {} {:?}", request.json(), state.opened) })));
        }
        Does::Replaces if is_write => {
            state.does = Does::Well;
            OWNERS.iter().for_each(|owner| state.replace_key(owner));
        }
        Does::Well | Does::Mute | Does::Deaf | Does::Repeats(_) | Does::Replaces | Does::Full => {}
    }
    let reply = state.reply(&request);
    (!(is_write && state.does == Does::Mute)).then_some(reply)
}

fn key_id(private: &[u8; 32]) -> String {
    let public = SecretKey::from(*private).public_key();
    u64::from_le_bytes(public.as_bytes()[..8].try_into().unwrap()).to_string()
}

impl State {
    fn replace_key(&mut self, owner: &str) {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).unwrap();
        self.keys.insert(owner.to_owned(), bytes);
    }

    /// What a box holds, whoever it was sealed for.
    fn open(&mut self, request: &Request) -> Option<String> {
        let sealed = STANDARD.decode(request.json()["encrypted_value"].as_str()?).ok()?;
        let opened = self.keys.values().find_map(|key| SecretKey::from(*key).unseal(&sealed).ok())?;
        let opened = String::from_utf8(opened).ok()?;
        self.opened.push(opened.clone());
        Some(opened)
    }

    fn reply(&mut self, request: &Request) -> Reply {
        let error = |code: u16, message: &str| {
            (
                code,
                json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": code.to_string() }),
            )
        };
        let token = request.header("authorization");
        let token = token.strip_prefix("Bearer ").or(token.strip_prefix("token ")).unwrap_or_default();
        let Some(holder) = self.tokens.get(token).copied() else { return error(401, "Bad credentials") };
        if !["", "2022-11-28", "2026-03-10"].contains(&request.header("x-github-api-version")) {
            return error(400, "The requested API version is not supported");
        }
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (owner, rest) = match segments.as_slice() {
            ["api", "v3", "repos", owner, name, "actions", "secrets", rest @ ..] => {
                (format!("repos/{owner}/{name}"), rest)
            }
            ["api", "v3", "repos", owner, name, "environments", environment, "secrets", rest @ ..] => {
                (format!("repos/{owner}/{name}/environments/{environment}"), rest)
            }
            ["api", "v3", "orgs", org, "actions", "secrets", rest @ ..] => (format!("orgs/{org}"), rest),
            _ => return error(404, "Not Found"),
        };
        let (true, Some(key)) = (holder.is_member, self.keys.get(&owner).copied()) else {
            return error(404, "Not Found");
        };
        let is_allowed = if request.is_write() { holder.writes } else { holder.reads };
        if !is_allowed {
            return error(403, "Resource not accessible by personal access token");
        }
        match (request.method.as_str(), rest) {
            ("GET", ["public-key"]) => {
                let public = SecretKey::from(key).public_key();
                (200, json!({ "key_id": key_id(&key), "key": STANDARD.encode(public.as_bytes()) }))
            }
            ("GET", []) => {
                let of_owner = self.secrets.iter().filter(|((of, _), _)| *of == owner);
                let secrets: Vec<Value> = of_owner.map(|((_, name), secret)| shown(name, secret)).collect();
                (200, json!({ "total_count": secrets.len(), "secrets": secrets }))
            }
            ("GET", [name]) => {
                let name = name.to_ascii_uppercase();
                match self.secrets.get(&(owner, name.clone())) {
                    Some(secret) => (200, shown(&name, secret)),
                    None => error(404, "Not Found"),
                }
            }
            ("DELETE", [name]) => match self.secrets.remove(&(owner, name.to_ascii_uppercase())) {
                Some(_) => (204, Value::Null),
                None => error(404, "Not Found"),
            },
            ("PUT", [name]) => {
                self.writes.push((format!("PUT {}", request.path), request.json()));
                self.put(&owner, &name.to_ascii_uppercase(), &key, request, &error)
            }
            _ => error(404, "Not Found"),
        }
    }

    fn put(
        &mut self,
        owner: &str,
        name: &str,
        key: &[u8; 32],
        request: &Request,
        error: &dyn Fn(u16, &str) -> Reply,
    ) -> Reply {
        let body = request.json();
        let is_word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_word || name.starts_with(|c: char| c.is_ascii_digit()) || name.starts_with("GITHUB_") {
            return error(422, "Secret names can only contain alphanumeric characters or underscores, …");
        }
        let Some(id) = body["key_id"].as_str() else {
            return error(422, "Invalid request.\n\n\"key_id\" wasn't supplied.");
        };
        if owner.starts_with("orgs/")
            && !["all", "private", "selected"].contains(&body["visibility"].as_str().unwrap_or_default())
        {
            return error(422, "Invalid request.\n\n\"visibility\" wasn't supplied.");
        }
        let opened = self.open(request);
        if id != key_id(key) {
            return error(422, "The key_id is not that of the public key");
        }
        let Some(value) = opened else { return error(422, "The encrypted_value cannot be opened") };
        let at = (owner.to_owned(), name.to_owned());
        let is_there = self.secrets.contains_key(&at);
        if self.does == Does::Full && !is_there {
            return error(422, "Repositories may have 100 secrets");
        }
        self.keep(at, value, &body);
        if is_there { (204, Value::Null) } else { (201, json!({})) }
    }

    fn keep(&mut self, at: (String, String), value: String, body: &Value) {
        self.seconds += 1;
        let now = format!("2026-11-28T18:{:02}:{:02}Z", self.seconds / 60, self.seconds % 60);
        let created_at = self.secrets.get(&at).map_or_else(|| now.clone(), |found| found.created_at.clone());
        let (visibility, repositories) = (body["visibility"].clone(), body["selected_repository_ids"].clone());
        self.secrets.insert(at, Secret { value, created_at, updated_at: now, visibility, repositories });
    }
}

fn shown(name: &str, secret: &Secret) -> Value {
    let mut shown = json!({ "name": name, "created_at": secret.created_at, "updated_at": secret.updated_at });
    if !secret.visibility.is_null() {
        shown["visibility"] = secret.visibility.clone();
    }
    shown
}
