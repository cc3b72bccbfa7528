//! Keys in a real OpenBao, the ledger in a real S3 API: runners that keep nothing, two at once, and trouble at the vault.

mod logins;
mod ways;

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::service::{Between, Habit, ROOT, Service, bao, http, openbao, s3};
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, Stage};

/// The store of the tests believes whoever names a key.
const SIGNED: (&str, &str) = (
    "Authorization",
    "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
);

/// A cloud, a bucket and a vault.
struct Estate {
    stage: Stage,
    store: Service,
    vault: Service,
    /// Stands before the vault.
    between: Between,
}

/// A machine that has nothing but the repository and the settings.
struct Runner<'a> {
    estate: &'a Estate,
    dir: TempDir,
    token: String,
    /// Besides, of its environment; none of it may be seen.
    given: Vec<(String, String)>,
}

impl Estate {
    fn new() -> Option<Self> {
        let (store, vault) = (s3()?, openbao()?);
        let between = Between::before(&vault.host);
        let desired = ONE_TENANT.replace("deliver_to: files", "deliver_to: vault");
        Some(Self { stage: Stage::new(&desired), store, vault, between })
    }

    /// With a ledger, and rehearsed.
    fn ready() -> Option<Self> {
        let estate = Self::new()?;
        estate.runner().apply(&["ledger", "init"]).exits(0);
        estate.runner().apply(&["rehearse", "us-oem"]).exits(0);
        Some(estate)
    }

    fn runner(&self) -> Runner<'_> {
        self.runner_of(&self.token(&["create", "read", "update"]))
    }

    /// A fresh folder with the repository's files, and a token of the vault.
    fn runner_of(&self, token: &str) -> Runner<'_> {
        let settings = format!(
            "version: 1
accounts:
  us-oem:
    vendor: qlik
    region: us
    source_tenant: mycorp
    client: {{ id: {{ env: QLIK_CLIENT_ID }}, secret: {{ env: QLIK_CLIENT_SECRET }} }}
    key_client: {{ id: {{ env: QLIK_KEY_CLIENT_ID }}, secret: {{ env: QLIK_KEY_CLIENT_SECRET }} }}
sinks:
  vault: {{ kind: vault, address: 'http://{}', mount: secret, token: {{ env: VAULT_TOKEN }} }}
ledger: {{ kind: object-store, url: s3://estate/qlik/prod, endpoint: 'http://{}' }}
",
            self.between.host, self.store.host
        );
        let dir = TempDir::new().unwrap();
        std::fs::copy(self.stage.dir().join("desired.yaml"), dir.path().join("desired.yaml")).unwrap();
        std::fs::write(dir.path().join("settings.yaml"), settings).unwrap();
        Runner { estate: self, dir, token: token.to_owned(), given: Vec::new() }
    }

    /// A token that may do this where the keys are.
    fn token(&self, capabilities: &[&str]) -> String {
        let policy = format!(r#"path "secret/data/+/+/+" {{ capabilities = {} }}"#, json!(capabilities));
        let name = format!("qlik-{}", capabilities.join("-"));
        let (status, _) = bao(&self.vault, "PUT", &format!("sys/policies/acl/{name}"), &json!({ "policy": policy }));
        assert_eq!(status, 204);
        let (status, made) = bao(&self.vault, "POST", "auth/token/create", &json!({ "policies": [name] }));
        assert_eq!(status, 200);
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// A token that may do this where the keys are, and what else is asked of it.
    fn token_with(&self, wishes: &Value) -> String {
        let policy = r#"path "secret/data/+/+/+" { capabilities = ["create", "read", "update"] }
path "secret/config" { capabilities = ["read"] }"#;
        assert_eq!(bao(&self.vault, "PUT", "sys/policies/acl/qlik", &json!({ "policy": policy })).0, 204);
        let (status, made) = bao(&self.vault, "POST", "auth/token/create", wishes);
        assert_eq!(status, 200, "{made}");
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// What the vault holds of a key: the data of a version (0: the newest), and how many versions there are.
    fn secret(&self, key: &str, version: u64) -> (Value, u64) {
        let (_, found) =
            bao(&self.vault, "GET", &format!("secret/data/qlik/acme/{key}?version={version}"), &Value::Null);
        let (_, all) = bao(&self.vault, "GET", &format!("secret/metadata/qlik/acme/{key}"), &Value::Null);
        (found["data"]["data"].clone(), all["data"]["current_version"].as_u64().unwrap_or_default())
    }

    /// What stands in the vault is what lives in the tenant: of each key once, and it works.
    #[track_caller]
    fn is_whole(&self) {
        assert_eq!(self.stage.tenants().len(), 1);
        let live = self.stage.live_keys();
        assert_eq!(live.len(), 2, "{live:#?}");
        let ids: Vec<&str> = live.iter().map(|key| key["id"].as_str().unwrap()).collect();
        for key in ["ci", "reporting"] {
            let (data, _) = self.secret(key, 0);
            assert!(ids.contains(&data["qlik_plan"]["key_id"].as_str().unwrap()), "{key}: {data:#}");
        }
        let (token, _) = self.secret("ci", 0);
        let host = self.stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
        assert_eq!(Client::at(self.stage.dir()).users_me(&host, token["value"].as_str().unwrap()).0, 200);
    }

    fn pause(&self, method: &str, path: &str) {
        self.stage.fault(&json!({ "match": { "method": method, "path": path }, "nth": 1, "action": "pause" }));
    }

    /// Waits until the cloud holds a request back.
    fn wait_held(&self) {
        while self.stage.control("GET", "/wait", &Value::Null)["held"] == json!(0) {}
    }

    /// Since the requests were last forgotten.
    fn keys_minted(&self) -> usize {
        self.stage.changes().iter().filter(|change| change.starts_with("POST") && change.ends_with("/api-keys")).count()
    }

    fn release(&self) {
        self.stage.control("POST", "/release", &json!({}));
    }

    /// As if the run that is at work had begun years ago: nobody waits for it any more.
    fn make_all_runs_old(&self) {
        let (_, list) = http(&self.store.host, "GET", "/estate?prefix=qlik/prod/runs", &[SIGNED], "");
        for name in list.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap()) {
            let (_, body) = http(&self.store.host, "GET", &format!("/estate/{name}"), &[SIGNED], "");
            let mut run: Value = serde_json::from_str(&body).unwrap();
            run["run"]["started"] = json!("2020-01-01T00:00:00Z");
            let (status, _) = http(&self.store.host, "PUT", &format!("/estate/{name}"), &[SIGNED], &run.to_string());
            assert_eq!(status, 200);
        }
    }

    /// Recovered by the next runner, with nothing left to do.
    #[track_caller]
    fn recovers(&self) {
        self.runner().apply(&["--yes"]).exits(0);
        self.runner().plan(&["--preflight", "full", "--detailed-exitcode"]).exits(0);
        self.is_whole();
    }
}

impl Runner<'_> {
    /// Settings of another vault than the story's.
    fn with(self, from: &str, to: &str) -> Self {
        let settings = self.dir.path().join("settings.yaml");
        let text = std::fs::read_to_string(&settings).unwrap();
        assert!(text.contains(from));
        std::fs::write(&settings, text.replace(from, to)).unwrap();
        self
    }

    /// With CI set, as on a hosted runner.
    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.estate.stage.command(SANDBOX);
        command
            .current_dir(self.dir.path())
            .env("QLIK_SANDBOX_STATE", self.estate.stage.dir().join(".qlik-sandbox"))
            .env("CI", "true")
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-store")
            .env("VAULT_TOKEN", &self.token)
            .envs(self.given.iter().map(|(name, value)| (name, value)))
            .args(["exec", "--", program])
            .args(args)
            .arg("--settings")
            .arg(self.dir.path().join("settings.yaml"));
        command
    }

    fn plan(&self, args: &[&str]) -> Run {
        self.checked(Run::of(&self.command(PLAN, args).output().unwrap()))
    }

    fn apply(&self, args: &[&str]) -> Run {
        self.checked(Run::of(&self.command(APPLY, args).output().unwrap()))
    }

    /// An apply that is at work while the story goes on, from the moment where the cloud holds a request of it.
    fn begin(&self) -> Child {
        let mut child = self.command(APPLY, &["--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        assert!(self.estate.stage.holds_a_request_of(&mut child), "it ended before it came to that request");
        child
    }

    fn end(&self, child: Child) -> Run {
        self.checked(Run::of(&child.wait_with_output().unwrap()))
    }

    /// No secret of anybody's was printed.
    #[track_caller]
    fn checked(&self, run: Run) -> Run {
        let given = self.given.iter().map(|(_, value)| value.as_str()).filter(|value| value.len() > 16);
        for secret in ["a-secret-of-the-store", &self.token, ROOT].into_iter().chain(given) {
            assert!(secret.is_empty() || !run.all().contains(secret), "{}", run.all());
        }
        assert!(!run.shows_a_token(), "{}", run.all());
        run
    }
}

#[test]
fn runners_that_keep_nothing_deliver_and_renew_in_a_vault() {
    let Some(estate) = Estate::ready() else { return };
    estate.runner().plan(&["--detailed-exitcode"]).exits(2);
    estate.runner().plan(&["--preflight", "full", "--detailed-exitcode"]).exits(2);
    estate.stage.forget_requests();
    estate.runner().apply(&["--yes"]).exits(0);
    estate.runner().plan(&["--detailed-exitcode"]).exits(0);
    estate.runner().plan(&["--preflight", "full", "--detailed-exitcode"]).exits(0);
    estate.is_whole();
    estate.stage.forget_requests();
    estate.runner().apply(&["--yes"]).exits(0);
    assert_eq!(estate.stage.changes(), Vec::<String>::new());
    let (first, versions) = estate.secret("ci", 0);
    assert_eq!(versions, 1);

    // Six days later both are due; the vault keeps what was there before.
    estate.stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
    estate.runner().apply(&["--yes"]).exits(0);
    estate.runner().plan(&["--preflight", "full", "--detailed-exitcode"]).exits(0);
    let (second, versions) = estate.secret("ci", 0);
    assert_eq!(versions, 2);
    assert_ne!(first["qlik_plan"]["key_id"], second["qlik_plan"]["key_id"]);
    assert_eq!(estate.secret("ci", 1).0, first);
}

#[test]
fn a_second_runner_waits_while_the_first_creates_or_delivers() {
    let Some(estate) = Estate::ready() else { return };
    // Before the tenant is made, and after a key was minted.
    for (path, action) in [("/api/v1/tenants", "pause"), ("/api/v1/api-keys", "hang")] {
        estate.stage.fault(&json!({ "match": { "method": "POST", "path": path }, "nth": 1, "action": action }));
    }
    let first = estate.runner();
    let running = first.begin();
    estate.stage.forget_requests();
    estate.runner().apply(&["--yes"]).says("another run is creating this tenant");
    estate.release();
    estate.wait_held();
    estate.runner().apply(&["--yes"]).says("another run minted a key for it and may still deliver it");
    estate.release();
    // The other key may have been the second runner's.
    first.end(running);
    estate.recovers();
    assert_eq!((estate.secret("ci", 0).1, estate.keys_minted()), (1, 2));
}

/// Before the POST nothing says that it comes: the vault then lets in one delivery, and the other revokes its own key.
#[test]
fn of_two_runners_that_mint_the_same_key_one_delivers() {
    let Some(estate) = Estate::ready() else { return };
    estate.pause("POST", "/api/v1/api-keys");
    let first = estate.runner();
    let running = first.begin();
    let second = estate.runner().apply(&["--yes"]);
    let keys = estate.stage.live_keys();
    estate.release();
    let ended = first.end(running).exits(1);
    if second.code == Some(0) {
        assert!(ended.all().contains("was revoked"), "{}", ended.all());
        assert_eq!(estate.stage.live_keys(), keys);
    }
    estate.recovers();
    assert_eq!(estate.secret("ci", 0).1, 1);
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_replaced() {
    let Some(estate) = Estate::ready() else { return };
    estate.pause("POST", "/api/v1/api-keys");
    let first = estate.runner();
    let running = first.begin();
    let theirs = json!({ "data": { "value": "of a colleague" } });
    assert_eq!(bao(&estate.vault, "POST", "secret/data/qlik/acme/ci", &theirs).0, 200);
    estate.release();
    first.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert_eq!(estate.secret("ci", 0), (theirs["data"].clone(), 1));
    // The other key is there, and no key lives that is in no sink.
    assert_eq!(estate.stage.live_keys().len(), 1);

    estate.stage.forget_requests();
    estate.runner().plan(&["--preflight", "full"]).exits(1).says("did not write").says("bao kv metadata delete");
    estate.runner().apply(&["--yes"]).exits(1).says("did not write");
    assert_eq!(estate.stage.changes(), Vec::<String>::new());
    assert_eq!(bao(&estate.vault, "DELETE", "secret/metadata/qlik/acme/ci", &Value::Null).0, 204);
    estate.recovers();
}

#[test]
fn a_version_that_somebody_deleted_is_followed_by_the_next() {
    let Some(estate) = Estate::ready() else { return };
    estate.recovers();
    assert_eq!(bao(&estate.vault, "DELETE", "secret/data/qlik/acme/ci", &Value::Null).0, 204);
    estate.runner().apply(&["--yes"]).exits(1).says("QP0301");
    estate.runner().apply(&["--yes", "--remint", "qlik/acme/ci"]).exits(0);
    assert_eq!(estate.secret("ci", 0).1, 2);
    estate.runner().plan(&["--preflight", "full", "--detailed-exitcode"]).exits(0);
}

#[test]
fn an_answer_that_is_lost_is_looked_up() {
    let Some(estate) = Estate::ready() else { return };
    estate.between.becomes(Habit::Mute);
    estate.runner().apply(&["--yes"]).exits(0).says("reading it back");
    estate.between.becomes(Habit::Honest);
    estate.runner().plan(&["--preflight", "full", "--detailed-exitcode"]).exits(0);
    estate.is_whole();
    assert_eq!(estate.secret("ci", 0).1, 1);
}

#[test]
fn a_write_that_is_lost_is_followed_by_a_successor() {
    let Some(estate) = Estate::ready() else { return };
    estate.between.becomes(Habit::Deaf);
    estate.runner().apply(&["--yes"]).exits(1).says("does not hold the new key").says("left as undelivered");
    assert_eq!((estate.secret("ci", 0).1, estate.stage.live_keys().len()), (0, 2));
    estate.between.becomes(Habit::Honest);
    // It may still arrive, so that run counts as alive until its time is over.
    estate.stage.forget_requests();
    estate.runner().apply(&["--yes"]).says("another run minted a key");
    assert_eq!(estate.stage.changes(), Vec::<String>::new());
    estate.make_all_runs_old();
    estate.recovers();
}

#[test]
fn an_outage_in_the_middle_loses_no_key() {
    let Some(estate) = Estate::ready() else { return };
    estate.pause("POST", "/api/v1/api-keys");
    let first = estate.runner();
    let running = first.begin();
    estate.between.becomes(Habit::Sealed);
    estate.release();
    first.end(running).exits(1).says("503: Vault is sealed").says("left as undelivered");
    // Nothing is begun while it lasts.
    estate.make_all_runs_old();
    estate.stage.forget_requests();
    estate.runner().apply(&["--yes"]).exits(1).says("Vault is sealed").says("next:");
    assert_eq!(estate.stage.changes(), Vec::<String>::new());
    estate.between.becomes(Habit::Honest);
    estate.recovers();
}

#[test]
fn a_vault_that_is_sealed_or_out_of_reach_stops_a_run_before_it_mints() {
    let Some(mut estate) = Estate::ready() else { return };
    estate.stage.forget_requests();
    let token = estate.token(&["create", "read", "update"]);
    assert_eq!(bao(&estate.vault, "PUT", "sys/seal", &Value::Null).0, 204);
    estate.runner_of(&token).apply(&["--yes"]).exits(1).says("ealed").says("bao status");
    estate.vault.stop();
    estate.runner_of(&token).plan(&["--preflight", "full"]).exits(1).says("check that http://127.0.0.1:");
    assert_eq!(estate.stage.changes(), Vec::<String>::new());
    // A plan that only reads the vendor does without, and without a token.
    estate.runner_of("").plan(&["--preflight", "read"]).exits(0);
}

#[test]
fn a_missing_right_is_said_with_the_policy_that_gives_it() {
    let Some(estate) = Estate::ready() else { return };
    estate.stage.forget_requests();
    for (capabilities, missing) in [
        (&["read"][..], "may not create or update secret/data/qlik/acme/"),
        (&["create", "update"], "may not"),
        (&["deny"], "may not"),
    ] {
        let runner = estate.runner_of(&estate.token(capabilities));
        let policy = r#"path "secret/data/+/+/+" { capabilities = ["create", "read", "update"] }"#;
        runner.plan(&["--preflight", "full"]).exits(1).says(missing).says(policy);
        runner.apply(&["--yes"]).exits(1).says(missing).says("VAULT_TOKEN");
    }
    let runner = estate.runner_of("s.nobody-knows-this-token");
    runner.apply(&["--yes"]).exits(1).says("403");
    let mut command = runner.command(APPLY, &["--yes"]);
    command.env_remove("VAULT_TOKEN");
    Run::of(&command.output().unwrap())
        .exits(1)
        .says("sinks.vault.token: the environment variable VAULT_TOKEN is not set");
    // An engine that is not there, and one that keeps no versions.
    assert_eq!(
        bao(&estate.vault, "POST", "sys/mounts/old", &json!({ "type": "kv", "options": { "version": "1" } })).0,
        204
    );
    for mount in ["nowhere", "old"] {
        let runner = estate.runner_of(ROOT);
        let settings = runner.dir.path().join("settings.yaml");
        let text = std::fs::read_to_string(&settings).unwrap().replace("mount: secret", &format!("mount: {mount}"));
        std::fs::write(&settings, text).unwrap();
        let run = Run::of(&runner.command(APPLY, &["--yes"]).output().unwrap()).exits(1);
        assert!(run.all().contains("KV engine of version 2"), "{}", run.all());
    }
    assert_eq!(estate.stage.changes(), Vec::<String>::new());
    estate.recovers();
}
