//! No standing secret in a pipeline: runners that log in to the vault with what the pipeline issues, and leave no token behind.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::aws::disguises;

const FULL: [&str; 3] = ["--preflight", "full", "--detailed-exitcode"];
const AUDIENCE: &str = "https://vault.example:8200";
const TOKEN: &str = "token: { env: VAULT_TOKEN }";
const JWT: &str = "login: { jwt: { role: qlik, token: { env: CI_ID_TOKEN } } }";

/// Whoever issues id tokens: a pipeline, or a cluster.
struct Issuer {
    key: rcgen::KeyPair,
}

impl Issuer {
    fn new() -> Self {
        Self { key: rcgen::KeyPair::generate().unwrap() }
    }

    fn sign(&self, claims: &Value) -> String {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.key.serialize_der()).unwrap();
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": "ES256", "typ": "JWT" })), part(claims));
        let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// For a job of this repository, as GitHub and GitLab issue them.
    fn id_token(&self, estate: &Estate, changes: &Value) -> String {
        let now = estate.now();
        let mut claims = json!({
            "iss": "https://ci.example", "sub": "repo:mycorp/estate", "aud": AUDIENCE, "repository": "mycorp/estate",
            "iat": now, "nbf": now, "exp": now + 600,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.sign(&claims)
    }
}

impl Estate {
    /// Seconds, by the vault's clock.
    fn now(&self) -> i64 {
        bao(&self.vault, "GET", "sys/health", &Value::Null).1["server_time_utc"].as_i64().unwrap()
    }

    fn set(&self, path: &str, body: &Value) {
        let (status, said) = bao(&self.vault, "POST", path, body);
        assert!(matches!(status, 200 | 204), "{path}: {status} {said}");
    }

    /// A vault that takes what this issuer signs for the role `qlik`.
    fn trusts(&self, issuer: &Issuer) {
        // The policy `qlik`.
        self.token_with(&json!({ "policies": ["qlik"] }));
        self.set("sys/auth/jwt", &json!({ "type": "jwt" }));
        self.set("auth/jwt/config", &json!({ "jwt_validation_pubkeys": [issuer.key.public_key_pem()] }));
        self.role(&json!({}));
    }

    /// The role `qlik`, with what else is asked of it.
    fn role(&self, wishes: &Value) {
        let mut role = json!({
            "role_type": "jwt", "user_claim": "sub", "bound_audiences": [AUDIENCE],
            "bound_claims": { "repository": "mycorp/estate" }, "token_policies": ["qlik"],
        });
        for (name, value) in wishes.as_object().unwrap() {
            role[name] = value.clone();
        }
        self.set("auth/jwt/role/qlik", &role);
    }

    /// Of the tokens that live.
    fn accessors(&self) -> Vec<String> {
        let (_, list) = bao(&self.vault, "LIST", "auth/token/accessors", &Value::Null);
        list["data"]["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect()
    }

    /// A runner with this in the place of the standing token, and this in its environment.
    fn logs_in(&self, login: &str, given: &[(&str, &str)]) -> Runner<'_> {
        let mut runner = self.runner_of("").with(TOKEN, login);
        runner.given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        runner
    }

    /// Asked for nothing, the vendor: neither tenant nor key was made.
    #[track_caller]
    fn made_nothing(&self) {
        assert_eq!(self.stage.changes(), Vec::<String>::new());
    }
}

/// Hands on every connection, and keeps what the server answers.
struct Tee {
    host: String,
    answers: Arc<Mutex<Vec<u8>>>,
}

impl Tee {
    fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (server, answers) = (server.to_owned(), Arc::new(Mutex::new(Vec::new())));
        let kept = Arc::clone(&answers);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (Ok(there), kept) = (TcpStream::connect(&server), Arc::clone(&kept)) else { continue };
                let (mut up, mut down) = (client.try_clone().unwrap(), there.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut up, &mut &there);
                    let _ = there.shutdown(Shutdown::Write);
                });
                std::thread::spawn(move || {
                    let (mut client, mut buffer) = (client, [0; 4096]);
                    while let Ok(count @ 1..) = down.read(&mut buffer) {
                        kept.lock().unwrap().extend_from_slice(&buffer[..count]);
                        let _ = client.write_all(&buffer[..count]);
                    }
                    let _ = client.shutdown(Shutdown::Both);
                });
            }
        });
        Self { host, answers }
    }

    /// The tokens that logins were given.
    fn tokens(&self) -> Vec<String> {
        let answers = self.answers.lock().unwrap();
        let text = String::from_utf8_lossy(&answers).into_owned();
        let tokens = text.split("\"client_token\":\"").skip(1);
        tokens.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_key_is_minted_delivered_and_read_back_by_a_login_alone() {
    let Some(estate) = Estate::ready() else { return };
    let issuer = Issuer::new();
    estate.trusts(&issuer);
    let before = estate.accessors();
    let runner = || estate.logs_in(JWT, &[("CI_ID_TOKEN", &issuer.id_token(&estate, &json!({})))]);
    let run = runner().plan(&FULL).exits(2);
    assert!(!run.all().contains("the token of sink"), "{}", run.all());
    runner().apply(&["--yes"]).exits(0);
    runner().plan(&FULL).exits(0);
    estate.is_whole();
    // What logged in has logged out.
    assert_eq!(estate.accessors(), before);
    let doctor = runner().plan(&["doctor"]).exits(0);
    doctor
        .says("logins")
        .says("sinks.vault: the login by jwt as role qlik at auth/jwt of http://127.0.0.1:")
        .says("works; its token lives for 2764800 s (renewed before it ends, revoked with the run)");
    assert_eq!(estate.accessors(), before);

    // A batch token is nobody's to revoke, and none is left in a list.
    estate.role(&json!({ "token_type": "batch" }));
    runner().plan(&FULL).exits(0);
    runner().plan(&["doctor"]).exits(0).says("a batch token: it cannot be revoked, and ends by itself");
    // Without the policy `default` it may not revoke itself, and that stops nobody.
    estate.role(&json!({ "token_no_default_policy": true, "token_ttl": "1s" }));
    runner().apply(&["--yes"]).exits(0);
}

#[test]
fn a_token_that_ends_in_mid_run_is_followed_by_another() {
    let Some(estate) = Estate::ready() else { return };
    let issuer = Issuer::new();
    estate.trusts(&issuer);
    let before = estate.accessors();
    // Renewed to its longest life, then replaced; and one that is never renewed.
    for (wishes, keys) in [
        (json!({ "token_ttl": "2s", "token_max_ttl": "4s" }), 2),
        (json!({ "token_ttl": "2s", "token_max_ttl": "2s" }), 0),
    ] {
        estate.role(&wishes);
        let runner = estate.logs_in(JWT, &[("CI_ID_TOKEN", &issuer.id_token(&estate, &json!({})))]);
        if keys == 0 {
            estate.stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
        }
        estate.pause("POST", "/api/v1/api-keys");
        let running = runner.begin();
        // The key is being made, and the token ends meanwhile.
        while estate.accessors() != before {}
        estate.release();
        runner.end(running).exits(0);
        runner.plan(&FULL).exits(0);
    }
    assert_eq!((estate.secret("ci", 0).1, estate.secret("reporting", 0).1), (2, 2));
    while estate.accessors() != before {}
}

#[test]
fn a_token_that_somebody_revokes_in_mid_run_is_replaced_once() {
    let Some(estate) = Estate::ready() else { return };
    let issuer = Issuer::new();
    estate.trusts(&issuer);
    let before = estate.accessors();
    let runner = estate.logs_in(JWT, &[("CI_ID_TOKEN", &issuer.id_token(&estate, &json!({})))]);
    estate.pause("POST", "/api/v1/api-keys");
    let running = runner.begin();
    let of_the_run: Vec<String> = estate.accessors().into_iter().filter(|one| !before.contains(one)).collect();
    assert_eq!(of_the_run.len(), 1);
    assert_eq!(bao(&estate.vault, "POST", "auth/token/revoke-accessor", &json!({ "accessor": of_the_run[0] })).0, 204);
    estate.release();
    runner.end(running).exits(0);
    estate.is_whole();
    assert_eq!(estate.secret("ci", 0).1, 1);
    assert_eq!(estate.accessors(), before);
}

#[test]
fn a_login_that_fails_is_told_by_its_cause_before_anything_is_made() {
    let Some(mut estate) = Estate::ready() else { return };
    let issuer = Issuer::new();
    estate.trusts(&issuer);
    estate.stage.forget_requests();
    let now = estate.now();
    let id = |changes: Value| issuer.id_token(&estate, &changes);
    let other = Issuer::new().id_token(&estate, &json!({}));
    let role = "login: { jwt: { role: nobody, token: { env: CI_ID_TOKEN } } }";
    let mount = "login: { jwt: { mount: ci/gitlab, role: qlik, token: { env: CI_ID_TOKEN } } }";
    for (login, token, what, next) in [
        (
            JWT,
            id(json!({ "iat": now - 9000, "nbf": now - 9000, "exp": now - 8000 })),
            "the id token has ended",
            "issue a new one",
        ),
        (JWT, id(json!({ "nbf": now + 8000, "exp": now + 9000 })), "does not hold yet", "compare the clocks"),
        (
            JWT,
            id(json!({ "aud": "https://elsewhere.example" })),
            "is for another audience",
            "bao read auth/jwt/role/qlik",
        ),
        (JWT, id(json!({ "repository": "mycorp/fork" })), "not for whom the id token names", "repository, branch"),
        (JWT, other, "does not know who issued", "bao read auth/jwt/config"),
        (
            JWT,
            "no-id-token-at-all-but-something".to_owned(),
            "does not know who issued",
            "that an id token stands there",
        ),
        (role, id(json!({})), "there is no such role", "bao list auth/jwt/role"),
        (mount, id(json!({})), "no such method is mounted", "check `mount: ci/gitlab`"),
    ] {
        let runner = estate.logs_in(login, &[("CI_ID_TOKEN", &token)]);
        for run in [runner.apply(&["--yes"]), runner.plan(&FULL), runner.plan(&["doctor"])] {
            let run = run.exits(1).says(what).says(next).says("the login by jwt as role ");
            run.says(if login == mount { "at auth/ci/gitlab of http" } else { "at auth/jwt of http" });
        }
    }
    estate.logs_in(JWT, &[]).apply(&["--yes"]).exits(1).says("CI_ID_TOKEN is not set");
    let github = "login: { jwt: { role: qlik, token: { github_actions: \"https://vault.example:8200\" } } }";
    estate.logs_in(github, &[]).apply(&["--yes"]).exits(1).says("id-token: write");
    let namespace = "namespace: nowhere, login: { jwt: { role: qlik, token: { env: CI_ID_TOKEN } } }";
    let token = id(json!({}));
    let run = estate.logs_in(namespace, &[("CI_ID_TOKEN", &token)]).apply(&["--yes"]).exits(1);
    run.says("in namespace nowhere is refused").says("there is no such namespace");
    // Nobody listens there any more. A plan that only reads the vendor does without.
    estate.vault.stop();
    let runner = estate.logs_in(JWT, &[("CI_ID_TOKEN", &token)]);
    runner.apply(&["--yes"]).exits(1).says("came to nothing").says("bao status");
    runner.plan(&["--preflight", "read"]).exits(0);
    estate.made_nothing();
}

#[test]
fn a_secret_id_logs_in_and_a_wrapped_one_once() {
    let Some(estate) = Estate::ready() else { return };
    let before = {
        estate.token_with(&json!({ "policies": ["qlik"] }));
        estate.set("sys/auth/team/approle", &json!({ "type": "approle" }));
        estate.set("auth/team/approle/role/qlik", &json!({ "token_policies": ["qlik"] }));
        estate.accessors()
    };
    let (_, read) = bao(&estate.vault, "GET", "auth/team/approle/role/qlik/role-id", &Value::Null);
    let id = read["data"]["role_id"].as_str().unwrap().to_owned();
    let login = |rest: &str| {
        format!("login: {{ approle: {{ mount: team/approle, role_id: {id}, secret_id: {{ env: SECRET_ID }}{rest} }} }}")
    };
    let issue = |wrap: &[(&str, &str)]| {
        let headers: Vec<(&str, &str)> = [("X-Vault-Token", ROOT)].into_iter().chain(wrap.iter().copied()).collect();
        let (_, made) = http(&estate.vault.host, "POST", "/v1/auth/team/approle/role/qlik/secret-id", &headers, "");
        serde_json::from_str::<Value>(&made).unwrap()
    };
    let secret_id = issue(&[])["data"]["secret_id"].as_str().unwrap().to_owned();
    let wrapped = || issue(&[("X-Vault-Wrap-TTL", "10m")])["wrap_info"]["token"].as_str().unwrap().to_owned();
    let plain = |secret: &str| estate.logs_in(&login(""), &[("SECRET_ID", secret)]);
    let once = |secret: &str| estate.logs_in(&login(", wrapped: true"), &[("SECRET_ID", secret)]);

    estate.stage.forget_requests();
    let run = plain("00000000-0000-0000-0000-000000000000").apply(&["--yes"]).exits(1);
    run.says(&format!("the login by approle as role_id {id} at auth/team/approle")).says("have a new secret id issued");
    // Somebody has taken the secret id, and wrapped something else in its place.
    let headers = [("X-Vault-Token", ROOT), ("X-Vault-Wrap-TTL", "10m")];
    let (_, made) = http(&estate.vault.host, "POST", "/v1/sys/wrapping/wrap", &headers, r#"{"secret_id":"x"}"#);
    let made: Value = serde_json::from_str(&made).unwrap();
    let forged = made["wrap_info"]["token"].as_str().unwrap();
    once(forged).apply(&["--yes"]).exits(1).says("was made at sys/wrapping/wrap").says("may have taken the secret id");
    estate.made_nothing();

    // A run of its own: it asks the vault about the keys.
    once(&wrapped()).plan(&["doctor"]).exits(0).says("was not tried: its wrapped secret id is there");
    let token = wrapped();
    once(&token).apply(&["--yes"]).exits(0);
    estate.is_whole();
    let run =
        once(&token).apply(&["--yes"]).exits(1).says("it was used before, has ended").says("bao write -wrap-ttl=10m");
    run.says("at auth/team/approle");
    plain(&secret_id).plan(&FULL).exits(0);
    let left: Vec<String> = estate.accessors().into_iter().filter(|one| !before.contains(one)).collect();
    // The forged one wraps still, as it was not unwrapped.
    let (_, forged) = bao(&estate.vault, "POST", "auth/token/lookup", &json!({ "token": forged }));
    assert_eq!(left, [forged["data"]["accessor"].as_str().unwrap()]);
}

/// The method of Kubernetes itself, with a stand-in for the cluster's review of tokens.
#[test]
fn a_pod_logs_in_with_the_token_of_its_service_account() {
    let Some(estate) = Estate::ready() else { return };
    let cluster = Issuer::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": {
        "authenticated": true, "user": { "username": "system:serviceaccount:ci:runner", "uid": "u-1" },
    } });
    let asked = answering(listener, move |_| review.to_string());
    estate.token_with(&json!({ "policies": ["qlik"] }));
    estate.set("sys/auth/kubernetes", &json!({ "type": "kubernetes" }));
    let certificate = rcgen::generate_simple_self_signed(["cluster.example".to_owned()]).unwrap().cert.pem();
    let config = json!({ "kubernetes_host": host, "kubernetes_ca_cert": certificate, "disable_local_ca_jwt": true });
    estate.set("auth/kubernetes/config", &config);
    for (role, account) in [("qlik", "runner"), ("other", "deployer")] {
        let bound = json!({
            "bound_service_account_names": account, "bound_service_account_namespaces": "ci", "token_policies": ["qlik"],
        });
        estate.set(&format!("auth/kubernetes/role/{role}"), &bound);
    }
    let before = estate.accessors();
    let of_pod = |ends: i64| {
        cluster.sign(&json!({
            "iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:ci:runner", "iat": estate.now() - 9000,
            "exp": estate.now() + ends, "nbf": estate.now() - 9000,
            "kubernetes.io": { "namespace": "ci", "serviceaccount": { "name": "runner", "uid": "u-1" } },
        }))
    };
    let runner = |role: &str, token: &str| {
        let login = format!("login: {{ kubernetes: {{ role: {role}, token: {{ file: token }} }} }}");
        let runner = estate.logs_in(&login, &[]);
        std::fs::write(runner.dir.path().join("token"), token).unwrap();
        runner
    };
    let token = of_pod(600);
    runner("qlik", &token).apply(&["--yes"]).exits(0);
    runner("qlik", &token).plan(&FULL).exits(0);
    estate.is_whole();
    assert_eq!(estate.accessors(), before);
    assert!(asked.lock().unwrap().iter().all(|asked| asked.contains("/apis/authentication.k8s.io/v1/tokenreviews")));

    estate.stage.forget_requests();
    let run = runner("other", &token).apply(&["--yes"]).exits(1).says("the login by kubernetes as role other");
    run.says("not for whom the id token names").says("bao read auth/kubernetes/role/other");
    runner("nobody", &token).apply(&["--yes"]).exits(1).says("there is no such role");
    runner("qlik", &of_pod(-8000)).apply(&["--yes"]).exits(1).says("the id token has ended");
    // Outside a pod.
    let run = estate.logs_in("login: { kubernetes: { role: qlik } }", &[]).apply(&["--yes"]).exits(1);
    run.says("/var/run/secrets/kubernetes.io/serviceaccount/token cannot be read");
    estate.made_nothing();
}

/// Answers every request on this listener, and keeps what was asked.
fn answering(
    listener: TcpListener,
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> Arc<Mutex<Vec<String>>> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    std::thread::spawn(move || {
        use std::io::{BufRead as _, BufReader};
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap_or_default() > 2 {}
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
            });
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).unwrap();
            let body = answer(&head);
            heard.lock().unwrap().push(head);
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n");
            let _ = write!(reader.into_inner(), "{head}Connection: close\r\n\r\n{body}");
        }
    });
    asked
}

#[test]
fn a_job_of_github_actions_asks_for_its_id_token() {
    let Some(estate) = Estate::ready() else { return };
    let issuer = Issuer::new();
    estate.trusts(&issuer);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/abc//idtoken/1-2?api-version=2.0", listener.local_addr().unwrap());
    let token = issuer.id_token(&estate, &json!({}));
    let answer = json!({ "count": 1, "value": token }).to_string();
    let asked = answering(listener, move |_| answer.clone());
    let login = format!("login: {{ jwt: {{ role: qlik, token: {{ github_actions: \"{AUDIENCE}\" }} }} }}");
    let bearer = "the-bearer-of-the-job-which-nobody-may-see";
    let given = [("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", bearer)];
    let runner = estate.logs_in(&login, &given);
    let run = runner.apply(&["--yes"]).exits(0);
    assert!(!run.all().contains(&token), "{}", run.all());
    estate.is_whole();
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1);
    // As GitHub documents it: `&audience=` behind the URL that it gives, and the bearer token.
    let audience = "audience=https%3A%2F%2Fvault.example%3A8200";
    assert!(
        asked[0].starts_with(&format!("GET /abc//idtoken/1-2?api-version=2.0&{audience} HTTP/1.1\r\n")),
        "{}",
        asked[0]
    );
    assert!(asked[0].lines().any(|line| line.eq_ignore_ascii_case(&format!("authorization: bearer {bearer}"))));
}

#[test]
fn a_login_is_of_the_namespace_that_the_keys_are_in() {
    let Some(estate) = Estate::ready() else { return };
    let issuer = Issuer::new();
    estate.set("sys/namespaces/team", &json!({}));
    let policy = r#"path "secret/data/+/+/+" { capabilities = ["create", "read", "update"] }"#;
    estate.set("team/sys/policies/acl/qlik", &json!({ "policy": policy }));
    estate.set("team/sys/mounts/secret", &json!({ "type": "kv", "options": { "version": "2" } }));
    estate.set("team/sys/auth/jwt", &json!({ "type": "jwt" }));
    estate.set("team/auth/jwt/config", &json!({ "jwt_validation_pubkeys": [issuer.key.public_key_pem()] }));
    let role = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": [AUDIENCE], "token_policies": ["qlik"],
    });
    estate.set("team/auth/jwt/role/qlik", &role);
    let token = issuer.id_token(&estate, &json!({}));
    let runner = || estate.logs_in(&format!("namespace: team, {JWT}"), &[("CI_ID_TOKEN", &token)]);
    runner().apply(&["--yes"]).exits(0);
    runner().plan(&FULL).exits(0);
    let (_, there) = bao(&estate.vault, "GET", "team/secret/data/qlik/acme/ci", &Value::Null);
    assert!(there["data"]["data"]["value"].is_string(), "{there}");
    let (_, list) = bao(&estate.vault, "LIST", "team/auth/token/accessors", &Value::Null);
    assert_eq!(list["data"]["keys"].as_array().map_or(0, Vec::len), 0, "{list}");
}

/// The tokens of logins, the proof, and the keys themselves: in no output, no record, no argument and no child's environment.
#[test]
fn what_a_login_sends_and_is_given_is_seen_nowhere() {
    let Some(estate) = Estate::ready() else { return };
    let issuer = Issuer::new();
    estate.trusts(&issuer);
    let tee = Tee::before(&estate.vault.host);
    let token = issuer.id_token(&estate, &json!({}));
    let program = "#!/bin/sh\ncat >/dev/null\n{ echo \"$0 $*\"; env; tr '\\0' '\\n' </proc/$PPID/cmdline; } >>seen\n";
    let runner = || {
        let runner = estate.logs_in(JWT, &[("CI_ID_TOKEN", &token)]).with(&estate.between.host, &tee.host);
        let runner = runner.with("sinks:\n", "sinks:\n  program: { kind: command, deliver: [./put], shared: true }\n");
        let desired = ONE_TENANT.replacen("deliver_to: files", "deliver_to: vault", 1);
        let desired = desired.replace("deliver_to: files", "deliver_to: program");
        std::fs::write(runner.dir.path().join("desired.yaml"), desired).unwrap();
        let put = runner.dir.path().join("put");
        std::fs::write(&put, program).unwrap();
        std::fs::set_permissions(&put, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        runner
    };
    let mut seen = Vec::new();
    let first = runner();
    seen.push(first.plan(&["--preflight", "full"]).exits(0).all());
    seen.push(first.plan(&["doctor"]).exits(0).all());
    seen.push(first.plan(&["--preflight", "full", "--out", "plan.json", "--snapshot", "live.json"]).exits(0).all());
    seen.push(first.apply(&["--yes", "--format", "json"]).exits(0).all());
    for file in ["seen", "plan.json", "live.json"] {
        seen.push(std::fs::read_to_string(first.dir.path().join(file)).unwrap());
    }
    assert!(seen[4].contains("PATH=") && seen[4].contains("qlik-apply"), "{}", seen[4]);
    // A vault that repeats what it was sent.
    let wrong = issuer.id_token(&estate, &json!({ "aud": "https://elsewhere.example" }));
    let refused = estate.logs_in(JWT, &[("CI_ID_TOKEN", &wrong)]).apply(&["--yes"]).exits(1);
    seen.push(refused.all());
    let (_, list) = http(&estate.store.host, "GET", "/estate?prefix=qlik/prod", &[SIGNED], "");
    for name in list.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap()) {
        seen.push(http(&estate.store.host, "GET", &format!("/estate/{name}"), &[SIGNED], "").1);
    }
    assert!(seen.len() > 9, "the ledger was not read");
    let mut secrets = vec![token, wrong, estate.secret("ci", 0).0["value"].as_str().unwrap().to_owned()];
    let tokens = tee.tokens();
    assert!(tokens.len() >= 4, "{tokens:?}");
    secrets.extend(tokens);
    let forms: Vec<String> = secrets.iter().flat_map(|secret| disguises(secret)).collect();
    let hits: Vec<&String> = forms.iter().filter(|form| seen.iter().any(|text| text.contains(*form))).collect();
    assert_eq!(hits, Vec::<&String>::new());
}
