//! A ledger in a real S3 API and a real Azure Blob API: runners that keep nothing, two of them at once, and a store that fails
//! them.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::service::{AZURITE, Between, Habit, Service, azure, blobs, http, s3};
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, Stage};

/// The store of the tests believes whoever names a key.
const SIGNED: (&str, &str) = (
    "Authorization",
    "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
);

/// Whose API the store speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    S3,
    Azure,
}

impl Kind {
    const ALL: [Self; 2] = [Self::S3, Self::Azure];

    fn start(self) -> Option<Service> {
        match self {
            Self::S3 => s3(),
            Self::Azure => azure(),
        }
    }

    fn place(self) -> &'static str {
        match self {
            Self::S3 => "s3://estate/qlik/prod",
            Self::Azure => "az://estate/qlik/prod",
        }
    }

    /// As settings name it; an emulator of Azure's prints its endpoint with the account behind it.
    fn ledger(self, host: &str) -> String {
        let place = self.place();
        let where_to = match self {
            Self::S3 => format!("endpoint: 'http://{host}'"),
            Self::Azure => format!("account: {account}, endpoint: 'http://{host}/{account}'", account = AZURITE.0),
        };
        format!("ledger: {{ kind: object-store, url: {place}, {where_to} }}")
    }
}

/// An estate in a bucket, a cloud, and secrets where every runner finds them.
struct Estate {
    kind: Kind,
    stage: Stage,
    store: Service,
    secrets: TempDir,
}

/// A machine that has nothing but the repository and the settings.
struct Runner<'a> {
    estate: &'a Estate,
    dir: TempDir,
}

impl Estate {
    fn new() -> Option<Self> {
        Self::of(Kind::S3)
    }

    fn of(kind: Kind) -> Option<Self> {
        let store = kind.start()?;
        Some(Self { kind, stage: Stage::new(ONE_TENANT), store, secrets: TempDir::new().unwrap() })
    }

    /// With a ledger in it, and rehearsed.
    fn ready() -> Option<Self> {
        Self::ready_of(Kind::S3)
    }

    fn ready_of(kind: Kind) -> Option<Self> {
        let estate = Self::of(kind)?;
        let runner = estate.runner();
        runner.apply(&["ledger", "init"]).exits(0);
        runner.apply(&["rehearse", "us-oem"]).exits(0);
        Some(estate)
    }

    fn runner(&self) -> Runner<'_> {
        let sink =
            format!("{{ kind: file, directory: {}, durable: true, shared: true }}", self.secrets.path().display());
        self.runner_with(&self.store.host, &sink)
    }

    fn runner_with(&self, store: &str, sink: &str) -> Runner<'_> {
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
  files: {sink}
{}
",
            self.kind.ledger(store)
        );
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("desired.yaml"), ONE_TENANT).unwrap();
        std::fs::write(dir.path().join("settings.yaml"), settings).unwrap();
        Runner { estate: self, dir }
    }

    /// An object of the ledger, as it stands in the bucket.
    fn object(&self, name: &str) -> Value {
        let path = format!("/estate/qlik/prod/{name}");
        let (status, body) = match self.kind {
            Kind::S3 => http(&self.store.host, "GET", &path, &[SIGNED], ""),
            Kind::Azure => blobs(&self.store.host, "GET", &path, &[]),
        };
        assert_eq!(status, 200, "{name}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    fn put(&self, name: &str, object: &Value) {
        let (status, body) =
            http(&self.store.host, "PUT", &format!("/estate/qlik/prod/{name}"), &[SIGNED], &object.to_string());
        assert_eq!(status, 200, "{body}");
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let prefix = format!("qlik/prod/{folder}");
        let (body, tag) = match self.kind {
            Kind::S3 => (http(&self.store.host, "GET", &format!("/estate?prefix={prefix}"), &[SIGNED], "").1, "Key"),
            Kind::Azure => {
                let query = [("comp", "list"), ("prefix", &prefix), ("restype", "container")];
                (blobs(&self.store.host, "GET", "/estate", &query).1, "Name")
            }
        };
        let (begin, end) = (format!("<{tag}>"), format!("</{tag}>"));
        let keys = body.split(&begin).skip(1).map(|rest| rest.split(&end).next().unwrap());
        keys.map(|key| key.trim_start_matches("qlik/prod/").to_owned()).collect()
    }

    /// Waits until the cloud holds a request back.
    fn wait_held(&self) {
        while self.stage.control("GET", "/wait", &Value::Null)["held"] == json!(0) {}
    }
}

impl Runner<'_> {
    /// With CI set, as on a hosted runner.
    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.estate.stage.command(SANDBOX);
        command
            .current_dir(self.dir.path())
            .env("QLIK_SANDBOX_STATE", self.estate.stage.dir().join(".qlik-sandbox"))
            .env("CI", "true")
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-store")
            .env("AZURE_STORAGE_ACCOUNT_KEY", AZURITE.1)
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

    fn checked(&self, run: Run) -> Run {
        for secret in ["a-secret-of-the-store", AZURITE.1] {
            assert!(!run.all().contains(secret), "{}", run.all());
        }
        run
    }
}

#[test]
fn runners_that_keep_nothing_make_one_estate() {
    for estate in Kind::ALL.into_iter().filter_map(Estate::of) {
        let place = estate.kind.place();
        estate.runner().plan(&[]).exits(1).says("QP0201");
        estate.runner().apply(&["ledger", "init"]).exits(0).says(place);
        estate.runner().apply(&["ledger", "init"]).exits(1).says("already");
        estate.runner().apply(&["rehearse", "us-oem"]).exits(0);
        estate.runner().plan(&["--detailed-exitcode"]).exits(2);
        estate.runner().apply(&["--yes"]).exits(0);
        estate.runner().plan(&["--detailed-exitcode"]).exits(0);
        estate.stage.forget_requests();
        estate.runner().apply(&["--yes"]).exits(0);
        assert_eq!(estate.stage.changes(), Vec::<String>::new(), "{place}");
        assert_eq!((estate.stage.tenants().len(), estate.stage.live_keys().len()), (1, 2), "{place}");
        // Each run said that it ended, and nothing of the probes is left.
        let runs = estate.names("runs");
        assert!(!runs.is_empty(), "{place}");
        for run in runs {
            assert!(estate.object(&run)["run"]["ended"].is_string(), "{place}: {run}");
        }
        assert_eq!(estate.names(".probe"), Vec::<String>::new(), "{place}");
        estate.runner().apply(&["ledger", "list"]).exits(0).says("qlik/acme");
    }
}

#[test]
fn a_key_in_another_machines_folder_is_named_with_its_end_by_the_plans_of_both() {
    let Some(estate) = Estate::ready() else { return };
    let own = "{ kind: file, directory: ./secrets, durable: true }";
    let machines = [(); 2].map(|()| estate.runner_with(&estate.store.host, own));
    let names = |machine: &Runner, keys: &[Value]| {
        let plan = machine.plan(&["--preflight", "full"]).exits(0);
        for key in keys {
            let (id, end) = (key["id"].as_str().unwrap(), key["expiry"].as_str().unwrap());
            let end: jiff::Timestamp = end.parse().unwrap();
            let why = "minted for another sink than this machine's, and may be in use on another machine";
            assert!(
                plan.out.contains(&format!("key {id} lives until {end:.0} and is left to expire: {why}")),
                "{}",
                plan.out
            );
        }
    };
    let [one, other] = &machines;
    one.apply(&["--yes"]).exits(0);
    let first = estate.stage.live_keys();
    assert_eq!(first.len(), 2);
    names(other, &first);
    // It has its own keys then, and neither touches what is the other's.
    other.apply(&["--yes"]).exits(0);
    let both = estate.stage.live_keys();
    assert_eq!(both.len(), 4);
    let second: Vec<Value> = both.into_iter().filter(|key| first.iter().all(|one| one["id"] != key["id"])).collect();
    names(one, &second);
    names(other, &first);
    one.apply(&["--yes"]).exits(0).says("Nothing to do");
}

#[test]
fn a_second_runner_waits_for_the_first_and_makes_nothing() {
    for estate in Kind::ALL.into_iter().filter_map(Estate::ready_of) {
        estate
            .stage
            .fault(&json!({ "match": { "method": "POST", "path": "/api/v1/tenants" }, "nth": 1, "action": "pause" }));
        let (first, second) = (estate.runner(), estate.runner());
        let running = first.command(APPLY, &["--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        estate.wait_held();
        second.apply(&["--yes"]).says("another run is creating this tenant");
        estate.stage.control("POST", "/release", &json!({}));
        Run::of(&running.wait_with_output().unwrap()).exits(0);
        second.apply(&["--yes"]).exits(0);
        assert_eq!((estate.stage.tenants().len(), estate.stage.live_keys().len()), (1, 2), "{:?}", estate.kind);
    }
}

/// Azurite answers at an address of this machine, where the account can only stand in the path.
#[test]
fn an_azure_endpoint_is_taken_with_its_account_and_on_this_machine_without() {
    let Some(estate) = Estate::of(Kind::Azure) else { return };
    let runner = estate.runner();
    runner.apply(&["ledger", "init"]).exits(0);
    let path = runner.dir.path().join("settings.yaml");
    let settings = std::fs::read_to_string(&path).unwrap();
    let with = |from: &str, to: &str| {
        assert!(settings.contains(from));
        std::fs::write(&path, settings.replace(from, to)).unwrap();
    };
    with("/devstoreaccount1' }", "' }");
    runner.apply(&["ledger", "list"]).exits(0);
    with("/devstoreaccount1' }", "/another' }");
    runner.apply(&["ledger", "list"]).exits(1).says("`endpoint`").says("http://127.0.0.1:10000/devstoreaccount1");
    with("az://estate/", "az://elsewhere/");
    runner.apply(&["ledger", "init"]).exits(1).says("404").says("ContainerNotFound").says("next:");
    std::fs::write(&path, &settings).unwrap();
    let mut command = runner.command(APPLY, &["ledger", "list"]);
    command.env("AZURE_STORAGE_ACCOUNT_KEY", "bm90IHRoZSBrZXk=");
    Run::of(&command.output().unwrap()).exits(1).says("the store refuses it to these credentials (403)");
}

#[test]
fn the_clock_ends_a_silent_run_and_proves_nothing() {
    let Some(estate) = Estate::ready() else { return };
    estate
        .stage
        .fault(&json!({ "match": { "method": "POST", "path": "/api/v1/tenants" }, "nth": 1, "action": "pause" }));
    let first = estate.runner();
    let mut running = first.command(APPLY, &["--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    estate.wait_held();
    let run = estate.object("tenants/qlik.acme.json")["record"]["state"]["pending"]["run"].as_str().unwrap().to_owned();
    // `exec` hands its place on to the program, so this is the run itself.
    running.kill().unwrap();
    running.wait().unwrap();
    estate.runner().plan(&["--detailed-exitcode"]).exits(0).says("another run is creating this tenant");

    let name = format!("runs/{run}.json");
    let mut record = estate.object(&name);
    record["run"]["started"] = json!("2020-01-01T00:00:00Z");
    estate.put(&name, &record);
    estate.runner().apply(&["--yes"]).exits(1).says("QP0203");
    estate.runner().apply(&["resolve", "qlik/acme", "--not-created"]).exits(1);
    assert_eq!(estate.stage.tenants().len(), 0);
}

#[test]
fn a_record_that_another_run_wrote_meanwhile_stops_that_object() {
    let Some(estate) = Estate::ready() else { return };
    estate
        .stage
        .fault(&json!({ "match": { "method": "POST", "path": "/api/v1/tenants" }, "nth": 1, "action": "pause" }));
    let first = estate.runner();
    let running = first.command(APPLY, &["--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    estate.wait_held();
    let mut record = estate.object("tenants/qlik.acme.json");
    record["record"]["seq"] = json!(2);
    estate.put("tenants/qlik.acme.json", &record);
    estate.stage.control("POST", "/release", &json!({}));
    let hostname = |estate: &Estate| estate.stage.tenants()[0]["hostname"].as_str().map(str::to_owned);
    let ended = Run::of(&running.wait_with_output().unwrap())
        .exits(1)
        .says("could not be recorded")
        .says("is not what it was when it was read")
        .says("qlik-apply resolve qlik/acme --adopt");
    drop((hostname(&estate), ended));
    assert_eq!(estate.object("tenants/qlik.acme.json"), record);
    assert_eq!((estate.stage.tenants().len(), estate.stage.live_keys().len()), (1, 0));
}

#[test]
fn a_store_that_ignores_conditions_is_refused_before_anything_is_made() {
    let Some(estate) = Estate::new() else { return };
    let between = Between::before(&estate.store.host);
    let sink = "{ kind: file, directory: ./secrets, durable: true }";
    let runner = estate.runner_with(&between.host, sink);
    between.becomes(Habit::Unconditional);
    runner.apply(&["ledger", "init"]).exits(1).says("replaces objects although it was told not to").says("next:");
    assert_eq!(estate.names(""), Vec::<String>::new());

    // It changed its ways after the ledger was made: each run looks.
    between.becomes(Habit::Honest);
    runner.apply(&["ledger", "init"]).exits(0);
    between.becomes(Habit::Unconditional);
    estate.stage.forget_requests();
    runner.apply(&["--yes", "--unrehearsed"]).exits(1).says("replaces objects although it was told not to");
    assert_eq!(estate.stage.changes(), Vec::<String>::new());
    assert_eq!(estate.names("runs"), Vec::<String>::new());
}

#[test]
fn an_outage_or_a_missing_right_is_said_and_nothing_is_sent() {
    let Some(mut estate) = Estate::new() else { return };
    let between = Between::before(&estate.store.host);
    let (host, secrets) = (between.host.clone(), estate.secrets.path().display().to_string());
    let sink = format!("{{ kind: file, directory: {secrets}, durable: true, shared: true }}");
    {
        let runner = estate.runner_with(&host, &sink);
        runner.apply(&["ledger", "init"]).exits(0);
        between.becomes(Habit::Forbidding);
        estate.stage.forget_requests();
        runner.apply(&["--yes", "--unrehearsed"]).exits(1).says("refuses it to these credentials (403)").says("next:");
        assert_eq!(estate.stage.changes(), Vec::<String>::new());

        // Answers that are lost are looked after: what was written counts.
        between.becomes(Habit::Forgetful);
        runner.apply(&["--yes", "--unrehearsed"]).exits(0);
        between.becomes(Habit::Honest);
        runner.plan(&["--detailed-exitcode"]).exits(0);
        assert_eq!((estate.stage.tenants().len(), estate.stage.live_keys().len()), (1, 2));
    }
    estate.store.stop();
    estate.stage.forget_requests();
    let run = estate.runner().apply(&["--yes"]).exits(1).says("s3://estate/qlik/prod").says("next:");
    assert!(run.err.contains("Connection refused"), "{}", run.err);
    assert_eq!(estate.stage.changes(), Vec::<String>::new());
}

#[test]
fn credentials_and_buckets_that_are_missing_are_named() {
    let Some(estate) = Estate::new() else { return };
    let runner = estate.runner();
    let mut command = runner.command(APPLY, &["ledger", "init"]);
    command.env_remove("AWS_SECRET_ACCESS_KEY");
    Run::of(&command.output().unwrap()).exits(1).says("AWS_SECRET_ACCESS_KEY is not set");
    let settings = std::fs::read_to_string(runner.dir.path().join("settings.yaml")).unwrap();
    std::fs::write(runner.dir.path().join("settings.yaml"), settings.replace("s3://estate/", "s3://elsewhere/"))
        .unwrap();
    runner.apply(&["ledger", "init"]).exits(1).says("404 Not Found, NoSuchBucket");
}

/// A folder of this machine says nothing of the others: what it lacks may be in use there.
#[test]
fn a_key_in_another_machines_folder_is_never_revoked() {
    let Some(estate) = Estate::ready() else { return };
    let sink = "{ kind: file, directory: ./secrets, durable: true }";
    let (here, there) = (estate.runner_with(&estate.store.host, sink), estate.runner_with(&estate.store.host, sink));
    // The folder's path is part of the sink's name, so both machines must have it at the same place.
    let at = TempDir::new().unwrap();
    for runner in [&here, &there] {
        let settings = std::fs::read_to_string(runner.dir.path().join("settings.yaml")).unwrap();
        let settings = settings.replace("./secrets", &at.path().join("secrets").display().to_string());
        std::fs::write(runner.dir.path().join("settings.yaml"), settings).unwrap();
    }
    here.apply(&["--yes"]).exits(0);
    std::fs::rename(at.path().join("secrets"), at.path().join("of-the-other-machine")).unwrap();
    there.apply(&["--yes"]).exits(1).says("QP0301").says("this one is left to expire");
    there.apply(&["--yes", "--remint", "qlik/acme/ci"]).says("left to expire");
    assert_eq!(estate.stage.live_keys().len(), 3);
}
