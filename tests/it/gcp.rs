//! Keys in Google's Secret Manager, as a stand-in for it and for whoever gives tokens plays it.

mod clients;
mod google;
mod logins;
mod trouble;

use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::Client;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, Stage};

use google::{Does, EMAIL, Google, LEAST, POOL, PROJECT, SUBJECT};

const FULL: [&str; 3] = ["--preflight", "full", "--detailed-exitcode"];

const RIGHTS: &str = "secretmanager.secrets.create, get and update, and secretmanager.versions.add, get and access";

/// A cloud of Qlik, and a project at Google.
struct Shop {
    stage: Stage,
    google: Google,
    env: Vec<(String, String)>,
}

impl Shop {
    /// With a ledger, and rehearsed; logged in by the key of a service account.
    fn new() -> Self {
        Self::with("")
    }

    fn with(more: &str) -> Self {
        let google = Google::start();
        let settings = crate::stage::SETTINGS.replace(
            "files: { kind: file, directory: ./secrets, durable: true }",
            &format!(
                "gsm: {{ kind: gcp-secret-manager, project: {PROJECT}, endpoint: 'http://{}', name: 'prod_{{vendor}}_{{tenant}}_{{key}}'{more} }}",
                google.host
            ),
        );
        let desired = ONE_TENANT.replace("deliver_to: files", "deliver_to: gsm");
        let mut shop = Self { stage: Stage::with_settings(&desired, &settings), google, env: Vec::new() };
        shop.logs_in_by(&shop.key());
        shop.apply(&["ledger", "init"]).exits(0);
        shop.apply(&["rehearse", "us-oem"]).exits(0);
        shop
    }

    /// The credential file of a service account, as the console hands it out.
    fn key(&self) -> Value {
        json!({
            "type": "service_account", "project_id": PROJECT, "private_key_id": "4711", "private_key": self.google.key,
            "client_email": EMAIL, "client_id": "1", "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://oauth2.googleapis.com/token", "universe_domain": "googleapis.com",
        })
    }

    fn logs_in_by(&mut self, file: &Value) {
        let path = self.stage.dir().join("token");
        std::fs::write(&path, file.to_string()).unwrap();
        self.is("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().unwrap());
    }

    fn is(&mut self, variable: &str, value: &str) {
        self.env.retain(|(name, _)| name != variable);
        self.env.push((variable.to_owned(), value.to_owned()));
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.stage.command(SANDBOX);
        command.envs(self.env.iter().cloned()).args(["exec", "--", program]).args(args);
        command
    }

    #[track_caller]
    fn plan(&self, args: &[&str]) -> Run {
        self.checked(Run::of(&self.command(PLAN, args).output().unwrap()))
    }

    #[track_caller]
    fn apply(&self, args: &[&str]) -> Run {
        self.checked(Run::of(&self.command(APPLY, args).output().unwrap()))
    }

    /// An apply of the key `ci` that is at work while the story goes on, from the moment where the cloud has that key to make.
    fn begin(&self) -> Child {
        self.stage
            .fault(&json!({ "match": { "method": "POST", "path": "/api/v1/api-keys" }, "nth": 1, "action": "pause" }));
        let mut command = self.command(APPLY, &["--yes", "--only", "qlik/acme/ci"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        assert!(self.stage.holds_a_request_of(&mut child), "it ended before it came to that request");
        child
    }

    #[track_caller]
    fn end(&self, child: Child) -> Run {
        self.stage.control("POST", "/release", &json!({}));
        self.checked(Run::of(&child.wait_with_output().unwrap()))
    }

    /// No secret of anybody's was printed or kept beside the project, in whatever form.
    #[track_caller]
    fn checked(&self, run: Run) -> Run {
        let mut secrets: Vec<String> =
            [SUBJECT, google::OF_THE_JOB, google::CLIENT_SECRET, google::REFRESH].map(str::to_owned).to_vec();
        // A piece of the key is enough.
        secrets.extend(self.google.key.lines().nth(9).map(str::to_owned));
        secrets.extend(["ci", "reporting"].into_iter().filter_map(|key| self.value(key)));
        secrets.extend(self.google.secrets());
        crate::forge::is_told_nowhere(&secrets, &run, self.stage.dir());
        run
    }

    fn secret(&self, key: &str) -> Value {
        let (status, found) = self.google.admin("GET", &path(key), &Value::Null);
        if status == 200 { found } else { Value::Null }
    }

    /// As a consumer reads it: `gcloud secrets versions access qlik-plan --secret …`.
    fn value(&self, key: &str) -> Option<String> {
        self.version(key, "qlik-plan")
    }

    fn version(&self, key: &str, version: &str) -> Option<String> {
        let (_, found) = self.google.admin("GET", &format!("{}/versions/{version}:access", path(key)), &Value::Null);
        let text = STANDARD.decode(found["payload"]["data"].as_str()?).unwrap();
        Some(String::from_utf8(text).unwrap())
    }

    fn entry(&self, key: &str) -> Value {
        let secret = self.secret(key);
        let text = secret["annotations"]["qlik-plan"].as_str();
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// A colleague's change of a secret.
    fn edits(&self, key: &str, mask: &str, body: &Value) {
        assert_eq!(self.google.admin("PATCH", &format!("{}?updateMask={mask}", path(key)), body).0, 200);
    }

    /// A colleague's secret with a version.
    fn colleague(&self, key: &str) {
        let name = path(key).replace("secrets/", "");
        let made = json!({ "replication": { "automatic": {} } });
        assert_eq!(self.google.admin("POST", &format!("secrets?secretId={name}"), &made).0, 200);
        self.adds(key);
    }

    fn adds(&self, key: &str) {
        let body = json!({ "payload": { "data": STANDARD.encode("of a colleague") } });
        assert_eq!(self.google.admin("POST", &format!("{}:addVersion", path(key)), &body).0, 200);
    }

    /// The key that readers take lives in the tenant and works.
    #[track_caller]
    fn is_whole(&self) {
        let live = self.stage.live_keys();
        let ids: Vec<&str> = live.iter().map(|key| key["id"].as_str().unwrap()).collect();
        for key in ["ci", "reporting"] {
            assert!(ids.contains(&self.entry(key)["key_id"].as_str().unwrap()), "{key}: {:#}", self.secret(key));
        }
        let host = self.stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
        assert_eq!(Client::at(self.stage.dir()).users_me(&host, &self.value("ci").unwrap()).0, 200);
    }

    #[track_caller]
    fn recovers(&self) {
        self.apply(&["--yes"]).exits(0);
        self.plan(&FULL).exits(0);
        self.is_whole();
    }

    fn six_days_later(&self) {
        self.stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
    }
}

fn path(key: &str) -> String {
    format!("secrets/prod_qlik_acme_{key}")
}

#[test]
fn keys_are_delivered_and_renewed_and_what_others_keep_there_stays() {
    let shop = Shop::new();
    shop.plan(&FULL)
        .exits(2)
        .says("Not checked")
        .says("whether the credentials may make the secret prod_qlik_acme_ci of projects/acme-estate");
    assert_eq!(shop.google.writes(), [], "a plan writes nothing");
    shop.apply(&["--yes"]).exits(0);
    shop.plan(&FULL).exits(0);
    shop.is_whole();
    assert_eq!(shop.stage.live_keys().len(), 2);
    let first = shop.entry("ci");
    assert!(!shop.value("ci").unwrap().ends_with('\n'), "a header takes no line end");
    assert!(shop.value("reporting").unwrap().contains("QLIK_API_KEY="));
    assert_eq!(shop.version("ci", "latest"), shop.value("ci"));
    assert_eq!(shop.google.logins().last().map(String::as_str), Some("key"));
    shop.stage.forget_requests();
    shop.google.writes();
    shop.apply(&["--yes"]).exits(0);
    assert_eq!((shop.stage.changes(), shop.google.writes()), (Vec::new(), Vec::new()));

    let mut annotations = shop.secret("ci")["annotations"].clone();
    annotations["note"] = json!("\"a\"\n1.50");
    let aliases = json!({ "qlik-plan": "1", "first": "1" });
    shop.edits("ci", "annotations,versionAliases", &json!({ "annotations": annotations, "versionAliases": aliases }));
    shop.plan(&FULL).exits(0);
    shop.six_days_later();
    shop.recovers();
    let second = shop.secret("ci");
    assert_ne!(shop.entry("ci")["key_id"], first["key_id"]);
    assert_eq!(second["versionAliases"], json!({ "qlik-plan": "2", "first": "1" }));
    assert_eq!(
        (&second["annotations"]["note"], &second["labels"]),
        (&json!("\"a\"\n1.50"), &json!({ "managed-by": "qlik-plan" }))
    );
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_replaced() {
    let shop = Shop::new();
    // Where nothing was.
    let running = shop.begin();
    shop.colleague("ci");
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert_eq!(shop.version("ci", "latest").unwrap(), "of a colleague");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.stage.forget_requests();
    let way_out = "gcloud secrets delete prod_qlik_acme_ci --project acme-estate";
    shop.plan(&FULL).exits(1).says("did not write").says(way_out);
    shop.apply(&["--yes", "--only", "qlik/acme/ci"]).exits(1).says("did not write");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    assert_eq!(shop.google.admin("DELETE", &path("ci"), &Value::Null).0, 200);
    shop.recovers();

    // Over a state that was looked at.
    shop.six_days_later();
    let live = shop.stage.live_keys().len();
    let running = shop.begin();
    shop.edits("ci", "labels", &json!({ "labels": { "team": "data" } }));
    shop.google.writes();
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert_eq!(shop.google.writes(), [], "nothing was sent");
    assert_eq!(shop.stage.live_keys().len(), live);
    shop.recovers();

    // It is gone by then.
    shop.six_days_later();
    let running = shop.begin();
    assert_eq!(shop.google.admin("DELETE", &path("ci"), &Value::Null).0, 200);
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert!(shop.secret("ci").is_null());
}

/// The write itself carries the etag: what happens between the look before it and the write is refused by Google.
#[test]
fn a_change_of_the_last_moment_is_refused_by_google_and_latest_is_told_apart() {
    let shop = Shop::new();
    shop.recovers();
    let before = shop.value("ci");
    shop.six_days_later();
    let live = shop.stage.live_keys().len();
    shop.google.does(Does::Races);
    shop.apply(&["--yes", "--only", "qlik/acme/ci"])
        .exits(1)
        .says("changed while the key was minted")
        .says("was revoked");
    shop.google.does(Does::Well);
    assert_eq!((shop.value("ci"), shop.stage.live_keys().len()), (before.clone(), live));
    // Whoever reads `latest` got another version meanwhile, and every plan says so until the next delivery.
    assert_ne!(shop.version("ci", "latest"), before);
    shop.plan(&FULL).says("whoever reads `latest` does not read what was delivered");
    shop.recovers();
    assert_eq!(shop.version("ci", "latest"), shop.value("ci"));
    shop.adds("ci");
    shop.plan(&FULL).exits(0).says("`latest` is version 4");
    shop.is_whole();
}

#[test]
fn a_change_that_comes_late_is_refused_by_google() {
    let shop = Shop::new();
    shop.recovers();
    shop.six_days_later();
    shop.google.does(Does::Deaf("patch"));
    shop.apply(&["--yes"]).exits(1).says("left as undelivered");
    shop.google.does(Does::Well);
    shop.recovers();
    let delivered = shop.value("ci");
    assert_eq!((shop.google.arrives(), shop.google.arrives()), (400, 400));
    assert_eq!(shop.value("ci"), delivered);
    shop.is_whole();
    assert_eq!(shop.stage.live_keys().len(), 4, "the leftovers were revoked");
}

#[test]
fn a_secret_that_others_made_and_left_empty_is_filled_and_keeps_their_labels() {
    let shop = Shop::new();
    shop.google.allow(&LEAST[1..]);
    for key in ["ci", "reporting"] {
        let name = path(key).replace("secrets/", "");
        let made = json!({ "replication": { "userManaged": { "replicas": [{ "location": "europe-west3" }] } }, "labels": { "team": "data" } });
        assert_eq!(shop.google.admin("POST", &format!("secrets?secretId={name}"), &made).0, 200);
    }
    shop.plan(&FULL).exits(2);
    shop.recovers();
    assert_eq!(shop.secret("ci")["labels"], json!({ "team": "data" }));
    shop.six_days_later();
    shop.recovers();
}

#[test]
fn a_version_that_is_disabled_is_said_and_one_that_was_destroyed_is_missed() {
    let shop = Shop::new();
    shop.recovers();
    let does = |what: &str| {
        assert_eq!(shop.google.admin("POST", &format!("{}/versions/1:{what}", path("ci")), &json!({})).0, 200);
    };
    does("disable");
    shop.stage.forget_requests();
    let way_out = "gcloud secrets versions enable 1 --secret prod_qlik_acme_ci --project acme-estate";
    shop.plan(&FULL).exits(1).says("is disabled").says(way_out);
    shop.apply(&["--yes"]).exits(1).says("is disabled");
    does("enable");
    shop.plan(&FULL).exits(0);
    does("destroy");
    shop.apply(&["--yes"]).exits(1).says("QP0301");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.apply(&["--yes", "--remint", "qlik/acme/ci"]).exits(0);
    shop.plan(&FULL).exits(0);
    shop.is_whole();
}

#[test]
fn a_secret_that_google_deletes_before_its_key_ends_is_told() {
    let shop = Shop::new();
    shop.recovers();
    let expiry: jiff::Timestamp = shop.entry("ci")["expiry"].as_str().unwrap().parse().unwrap();
    let soon = expiry - jiff::SignedDuration::from_hours(24);
    shop.edits("ci", "expireTime", &json!({ "expireTime": soon.to_string() }));
    shop.plan(&FULL).says("deletes");
}
