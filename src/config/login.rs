//! How a vault is opened, as settings say it: by a token, or by a login of one of three methods.

use std::path::{Path, PathBuf};

use super::diagnostic::{Faults, code};
use super::place::is_segment;
use super::read::{self, Fields, Keys};
use super::reference::{path, reference, required_reference};
use super::syntax::{Entry, Node, Value};
use crate::model::settings::{IdToken, LoginMethod, VaultAuth, VaultLogin};

const LOGIN: Keys = Keys { known: &["jwt", "approle", "kubernetes"], later: &[] };
const JWT: Keys = Keys { known: &["mount", "role", "token"], later: &[] };
const APPROLE: Keys = Keys { known: &["mount", "role_id", "secret_id", "wrapped"], later: &[] };
const KUBERNETES: Keys = Keys { known: &["mount", "role", "token"], later: &[] };
const TOKEN_FILE: Keys = Keys { known: &["file"], later: &[] };

const EXAMPLE: &str = "login: { jwt: { role: qlik-plan, token: { env: VAULT_ID_TOKEN } } }";

/// Where Kubernetes puts the token of a pod's service account.
const POD: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

pub(super) fn vault(
    fields: &Fields<'_>,
    what: &str,
    entry: &Entry,
    base: &Path,
    faults: &mut Faults<'_>,
) -> Option<VaultAuth> {
    let Some(login) = fields.entry("login") else {
        return required_reference(fields, "token", "VAULT_TOKEN", base, faults).map(VaultAuth::Token);
    };
    if let Some(token) = fields.entry("token") {
        faults.mask(token.value.at);
        faults
            .add(code::CHOICE, entry.key_at, format!("{what} says `token` and `login`"), "one of them is expected")
            .help("leave `token` out: a login gives a token for the run");
        return None;
    }
    let read = read::choice(&login.value, "`login`", &LOGIN, EXAMPLE, faults);
    let Some((method, entry)) = read else {
        faults.mask(login.value.at);
        return None;
    };
    match method {
        "jwt" => jwt(entry, base, faults),
        "approle" => approle(entry, base, faults),
        _ => kubernetes(entry, base, faults),
    }
    .map(VaultAuth::Login)
}

fn jwt(entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<VaultLogin> {
    let fields = read::fields(&entry.value, "`jwt`", entry.key_at, &JWT, faults)?;
    let mount = mount(&fields, "jwt", faults);
    let role = role(&fields, "role", "qlik-plan", faults);
    let token = fields.require("token", "{ env: VAULT_ID_TOKEN }", faults).and_then(|_| fields.entry("token"));
    let token = token.and_then(|entry| id_token(entry, base, faults));
    Some(VaultLogin { mount: mount?, method: LoginMethod::Jwt { role: role?, token: token? } })
}

fn approle(entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<VaultLogin> {
    let fields = read::fields(&entry.value, "`approle`", entry.key_at, &APPROLE, faults)?;
    let mount = mount(&fields, "approle", faults);
    let role_id = role(&fields, "role_id", "e5406d25-b5b8-7205-672c-55925bd833e9", faults);
    let secret_id = required_reference(&fields, "secret_id", "VAULT_SECRET_ID", base, faults);
    let wrapped = match fields.get("wrapped") {
        Some(node) => read::boolean(node, "`wrapped`", faults),
        None => Some(false),
    };
    let method = LoginMethod::AppRole { role_id: role_id?, secret_id: secret_id?, wrapped: wrapped? };
    Some(VaultLogin { mount: mount?, method })
}

fn kubernetes(entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<VaultLogin> {
    let fields = read::fields(&entry.value, "`kubernetes`", entry.key_at, &KUBERNETES, faults)?;
    let mount = mount(&fields, "kubernetes", faults);
    let role = role(&fields, "role", "qlik-plan", faults);
    let token = match fields.entry("token") {
        Some(entry) => token_file(entry, base, faults),
        None => Some(PathBuf::from(POD)),
    };
    Some(VaultLogin { mount: mount?, method: LoginMethod::Kubernetes { role: role?, token: token? } })
}

/// The cluster writes it into a file; whatever else stands there may be the token itself.
fn token_file(entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<PathBuf> {
    let example = format!("token: {{ file: {POD} }}");
    let read = read::choice(&entry.value, "`token` of `kubernetes`", &TOKEN_FILE, &example, faults);
    let Some((_, file)) = read else {
        faults.mask(entry.value.at);
        return None;
    };
    path(&file.value, "`file`", base, faults)
}

/// A reference, or whom GitHub Actions is to issue a token for.
fn id_token(entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<IdToken> {
    if let Value::Map(entries) = &entry.value.value
        && let [only] = entries.as_slice()
        && only.key == "github_actions"
    {
        return audience(&only.value, faults).map(|audience| IdToken::GitHubActions { audience });
    }
    reference(entry, base, faults).map(IdToken::Stored)
}

/// Mostly a URL. A token may have been pasted, so what does not fit is not shown.
fn audience(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, "`github_actions`", faults)?;
    if (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) && !text.starts_with("eyJ") {
        return Some(text.to_owned());
    }
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, "`github_actions` is no audience", "not shown")
        .help("whom the id token is for, as in `https://vault.example:8200`: one of `bound_audiences` of the role");
    None
}

/// The method's own word if it is left out, as `bao auth enable` mounts it.
fn mount(fields: &Fields<'_>, default: &str, faults: &mut Faults<'_>) -> Option<String> {
    let Some(node) = fields.get("mount") else { return Some(default.to_owned()) };
    let text = read::text(node, "`mount`", faults)?;
    if text.split('/').next() != Some("auth") && text.split('/').all(is_segment) {
        return Some(text.to_owned());
    }
    faults.mask(node.at);
    faults.add(code::PLACE, node.at, "`mount` is not the path of an auth method", "not shown").help(format!(
        "what stands behind `auth/`, as in `{default}`; letters, digits, '-', '_', '.', and slashes between"
    ));
    None
}

/// A secret id may have been pasted, so what does not fit is not shown.
fn role(fields: &Fields<'_>, key: &'static str, example: &str, faults: &mut Faults<'_>) -> Option<String> {
    let node = fields.require(key, example, faults)?;
    let text = read::text(node, &format!("`{key}`"), faults)?;
    if is_segment(text) {
        return Some(text.to_owned());
    }
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, format!("`{key}` is not what a role is called by"), "not shown")
        .help(format!("letters, digits, '-', '_' and '.', as in `{example}`"));
    None
}
