//! A login at a vault: what is sent, what is answered, and the sentences on a refusal, which hold no proof and no token.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::live::Unreadable;
use crate::model::secret::Secret;
use crate::model::settings::{LoginMethod, VaultLogin, VaultSink};
use crate::model::untrusted::Untrusted;

/// What a login gives.
pub(super) struct Given {
    pub(super) token: Secret,
    /// `None`: it does not end.
    pub(super) lease: Option<Duration>,
    pub(super) renewable: bool,
    /// A batch token is kept by nobody: it cannot be renewed or revoked.
    pub(super) is_batch: bool,
}

/// The request of a login, after `/v1/`.
pub(super) fn path(login: &VaultLogin) -> String {
    format!("auth/{}/login", login.mount)
}

/// The body of a login with this proof.
pub(super) fn body(login: &VaultLogin, proof: &Secret) -> Option<Zeroizing<Vec<u8>>> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Body<'a> {
        Jwt { role: &'a str, jwt: &'a str },
        AppRole { role_id: &'a str, secret_id: &'a str },
    }
    let of = match &login.method {
        LoginMethod::Jwt { role, .. } | LoginMethod::Kubernetes { role, .. } => Body::Jwt { role, jwt: proof.expose() },
        LoginMethod::AppRole { role_id, .. } => Body::AppRole { role_id, secret_id: proof.expose() },
    };
    written(&of, proof.expose().len())
}

/// The body of a question about a token that wraps something.
pub(super) fn of_wrapping(token: &Secret) -> Option<Zeroizing<Vec<u8>>> {
    #[derive(Serialize)]
    struct Body<'a> {
        token: &'a str,
    }
    written(&Body { token: token.expose() }, token.expose().len())
}

fn written(body: &impl Serialize, secret: usize) -> Option<Zeroizing<Vec<u8>>> {
    // Room for every byte escaped, so that no copy is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(6 * secret + 1024));
    serde_json::to_writer(&mut *bytes, body).ok()?;
    Some(bytes)
}

/// The answer to a login or a renewal.
pub(super) fn given(body: &[u8]) -> Option<Given> {
    #[derive(Deserialize)]
    struct Answer {
        auth: Auth,
    }
    #[derive(Deserialize)]
    struct Auth {
        client_token: String,
        #[serde(default)]
        lease_duration: u64,
        #[serde(default)]
        renewable: bool,
        #[serde(default)]
        token_type: String,
    }
    let Auth { client_token, lease_duration, renewable, token_type } =
        serde_json::from_slice::<Answer>(body).ok()?.auth;
    let token = Secret::new(client_token);
    (!token.is_empty()).then(|| Given {
        token,
        lease: (lease_duration > 0).then(|| Duration::from_secs(lease_duration)),
        renewable,
        is_batch: token_type == "batch",
    })
}

/// Where what is wrapped was made: the answer of `sys/wrapping/lookup`.
pub(super) fn wrapped_at(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        creation_path: String,
    }
    serde_json::from_slice::<Answer>(body).ok().map(|answer| answer.data.creation_path)
}

/// What was wrapped: the answer of `sys/wrapping/unwrap`.
pub(super) fn unwrapped(body: &[u8]) -> Option<Secret> {
    #[derive(Deserialize)]
    struct Answer {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        secret_id: String,
    }
    serde_json::from_slice::<Answer>(body).ok().map(|answer| Secret::new(answer.data.secret_id))
}

/// `the login by jwt as role qlik at auth/jwt of https://vault.example in namespace team`.
pub(super) fn name(sink: &VaultSink, login: &VaultLogin) -> String {
    let namespace = sink.namespace.as_ref().map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default();
    let VaultLogin { mount, .. } = login;
    format!("the login by {} as {} at auth/{mount} of {}{namespace}", login.word(), login.role(), sink.address)
}

fn of_login(why: String, next: impl Into<String>) -> Unreadable {
    Unreadable { why: why.into(), next: next.into(), credentials: true }
}

/// It answered, and gave no token. `errors` are for telling cases apart, `words` may be shown.
pub(super) fn refused(sink: &VaultSink, login: &VaultLogin, status: u16, errors: &str, words: &str) -> Unreadable {
    let name = name(sink, login);
    if (300..400).contains(&status) {
        return of_login(
            format!("{name} is sent elsewhere ({status}), and no proof follows"),
            "name the active node, or a load balancer that knows it, as `address`",
        );
    }
    let (what, next) = reason(sink, login, status, errors);
    of_login(format!("{name} is refused ({status}): {what}{words}"), next)
}

/// Whoever is asked does not answer well.
pub(super) fn not_answered(sink: &VaultSink, login: &VaultLogin, how: &str) -> Unreadable {
    let address = &sink.address;
    of_login(
        format!("{} came to nothing: {how}", name(sink, login)),
        format!("check that {address} runs, is unsealed (`bao status`) and is reached from here, then run this again"),
    )
}

/// There is no proof to log in with.
pub(super) fn no_proof(sink: &VaultSink, login: &VaultLogin, why: &Unreadable) -> Unreadable {
    of_login(format!("{} has no proof to send: {}", name(sink, login), why.why.raw()), why.next.clone())
}

/// What is asked before a secret id is unwrapped: somebody may have wrapped another one again.
pub(super) fn wrapped_elsewhere(sink: &VaultSink, login: &VaultLogin, path: &str) -> Unreadable {
    let VaultLogin { mount, .. } = login;
    of_login(
        format!(
            "{} has no proof to send: what is wrapped was made at {}, and not by a role of auth/{mount}; it was not unwrapped",
            name(sink, login),
            Untrusted::from(path)
        ),
        "find out who made it: somebody may have taken the secret id and wrapped another",
    )
}

/// The token that wraps the secret id gives nothing.
pub(super) fn not_unwrapped(sink: &VaultSink, login: &VaultLogin, status: u16, words: &str) -> Unreadable {
    let VaultLogin { mount, .. } = login;
    of_login(
        format!(
            "{} has no proof to send: the token that wraps its secret id is not alive ({status}): it was used before, has ended, \
             or never was one there{words}",
            name(sink, login)
        ),
        format!(
            "wrap a new secret id for each run: bao write -wrap-ttl=10m -f auth/{mount}/role/ROLE/secret-id; and where nobody of yours \
             used this one, find out who did"
        ),
    )
}

/// Why, and what to do, by what OpenBao and HashiCorp Vault say.
fn reason(sink: &VaultSink, login: &VaultLogin, status: u16, errors: &str) -> (&'static str, String) {
    let VaultLogin { mount, method } = login;
    let errors = errors.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| errors.contains(word));
    if says(&["namespace not found"]) {
        let namespace = sink.namespace.as_deref().unwrap_or("root");
        return (
            "there is no such namespace",
            format!("check `namespace: {namespace}`; `bao namespace list` says which there are"),
        );
    }
    // Of a mount that is not there both say `permission denied`, and elsewhere they count: `1 error occurred:`.
    if status == 404 || says(&["no handler for route", "unsupported path"]) || errors == "permission denied" {
        let why = match method {
            LoginMethod::Kubernetes { .. } => "no such method is mounted there, or the cluster does not know the token",
            LoginMethod::Jwt { .. } | LoginMethod::AppRole { .. } => "no such method is mounted there",
        };
        let kind = login.word();
        return (why, format!("check `mount: {mount}` of the login; `bao auth list` says which there are ({kind}/)"));
    }
    match method {
        LoginMethod::AppRole { .. } => (
            "the vault does not take role_id and secret_id together",
            format!(
                "have a new secret id issued (bao write -f auth/{mount}/role/ROLE/secret-id): this one has ended, was used up or \
                 belongs to another role; or correct `role_id`"
            ),
        ),
        LoginMethod::Jwt { role, .. } | LoginMethod::Kubernetes { role, .. } => {
            if says(&["could not be found", "invalid role name"]) {
                let next = format!("correct `role`, or make it; `bao list auth/{mount}/role` says which there are");
                return ("there is no such role", next);
            }
            let of_role = format!("bao read auth/{mount}/role/{role}");
            if says(&["is expired", "has expired", "expiration", "invalid issued at", "token expired"]) {
                return (
                    "the id token has ended",
                    "have the job issue a new one just before this runs: an id token lives for minutes; and compare the clocks \
                     of the vault and the issuer"
                        .to_owned(),
                );
            }
            if says(&["not yet valid", "not before"]) {
                return ("the id token does not hold yet", "compare the clocks of the vault and the issuer".to_owned());
            }
            if says(&["audience"]) {
                return (
                    "the id token is for another audience",
                    format!("ask for it with an audience of `bound_audiences` of the role ({of_role})"),
                );
            }
            if says(&["claim", "subject", "service account name", "namespace not authorized"]) {
                return (
                    "the role is not for whom the id token names",
                    format!(
                        "compare what the role is bound to ({of_role}) with repository, branch, environment or account"
                    ),
                );
            }
            if says(&["signature", "issuer", "three parts", "malformed", "parse"]) {
                return (
                    "the vault does not know who issued the id token",
                    format!("check whom it trusts (bao read auth/{mount}/config), and that an id token stands there"),
                );
            }
            (
                "the vault says why",
                format!("do what it says ({of_role}; bao read auth/{mount}/config), then run this again"),
            )
        }
    }
}
