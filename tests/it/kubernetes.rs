//! Keys in Secrets of a Kubernetes cluster, as a stand-in for its API server plays it.

mod api;
mod clients;
mod trouble;

use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::Client;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, Stage};

use api::{Cluster, Does};

const FULL: [&str; 3] = ["--preflight", "full", "--detailed-exitcode"];

/// Of whoever has the least rights.
const RUNNER: &str = "eyJhbGciOiJSUzI1NiJ9.the-runners-token-0815.c2lnbmF0dXJl";
const LEAST: [&str; 3] = ["get", "create", "update"];

/// A cloud of Qlik, and a cluster.
struct Shop {
    stage: Stage,
    cluster: Cluster,
    env: Vec<(String, String)>,
}

impl Shop {
    /// With a ledger, and rehearsed.
    fn new() -> Self {
        Self::with("server: 'https://HOST', token: { env: KUBE_TOKEN }, ca_file: cluster.pem")
    }

    fn with(way: &str) -> Self {
        let cluster = Cluster::start("qlik");
        cluster.allow(RUNNER, &LEAST);
        let way = way.replace("HOST", &cluster.host);
        let settings = crate::stage::SETTINGS.replace(
            "files: { kind: file, directory: ./secrets, durable: true }",
            &format!(
                "kube: {{ kind: kubernetes, namespace: qlik, name: 'prod.{{vendor}}.{{tenant}}.{{key}}', {way} }}"
            ),
        );
        let desired = ONE_TENANT.replace("deliver_to: files", "deliver_to: kube");
        let ca = cluster.ca.clone();
        let stage = Stage::prepared(&desired, &settings, |dir| std::fs::write(dir.join("cluster.pem"), ca).unwrap());
        let mut shop = Self { stage, cluster, env: Vec::new() };
        shop.is("KUBE_TOKEN", RUNNER);
        shop.apply(&["ledger", "init"]).exits(0);
        shop.apply(&["rehearse", "us-oem"]).exits(0);
        shop
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

    /// No secret of anybody's was printed or kept beside the cluster, in whatever form.
    #[track_caller]
    fn checked(&self, run: Run) -> Run {
        let mut secrets = vec![RUNNER.to_owned(), api::ADMIN.to_owned()];
        for key in ["ci", "reporting"] {
            secrets.extend(self.value(key));
        }
        // What is shorter is no key.
        secrets.extend(self.cluster.written_values().into_iter().filter(|value| value.len() > 100));
        let kept = crate::forge::kept_below(self.stage.dir());
        for form in secrets.iter().flat_map(|secret| crate::aws::disguises(secret)) {
            assert!(!run.all().contains(&form), "{form}\n{}", run.all());
            for (path, text) in &kept {
                assert!(!text.contains(&form), "{form} is in {}", path.display());
            }
        }
        assert!(!run.shows_a_token(), "{}", run.all());
        run
    }

    fn secret(&self, key: &str) -> Value {
        let (status, found) = self.cluster.admin("GET", &path(key), &Value::Null);
        if status == 200 { found } else { Value::Null }
    }

    /// As a consumer reads it: `kubectl get secret … -o jsonpath={.data.value} | base64 -d`.
    fn value(&self, key: &str) -> Option<String> {
        let text = STANDARD.decode(self.secret(key)["data"]["value"].as_str()?).unwrap();
        Some(String::from_utf8(text).unwrap())
    }

    fn entry(&self, key: &str) -> Value {
        let secret = self.secret(key);
        let text = secret["metadata"]["annotations"]["qlik-plan/entry"].as_str();
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// A colleague's change of a Secret.
    fn edits(&self, key: &str, change: impl FnOnce(&mut Value)) {
        let mut secret = self.secret(key);
        change(&mut secret);
        assert_eq!(self.cluster.admin("PUT", &path(key), &secret).0, 200);
    }

    /// What stands there lives in the tenant, and works.
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

fn secrets() -> String {
    "/api/v1/namespaces/qlik/secrets".to_owned()
}

fn path(key: &str) -> String {
    format!("{}/prod.qlik.acme.{key}", secrets())
}

fn of_a_colleague(key: &str) -> Value {
    let name = format!("prod.qlik.acme.{key}");
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "data": { "value": STANDARD.encode("of a colleague") } })
}

#[test]
fn keys_are_delivered_and_renewed_and_what_others_keep_there_stays() {
    let shop = Shop::new();
    shop.plan(&FULL).exits(2);
    assert_eq!(shop.cluster.writes(), [], "a plan writes nothing");
    shop.apply(&["--yes"]).exits(0);
    shop.plan(&FULL).exits(0);
    shop.is_whole();
    assert_eq!(shop.stage.live_keys().len(), 2);
    let first = shop.entry("ci");
    assert!(!shop.value("ci").unwrap().ends_with('\n'), "a header takes no line end");
    assert!(shop.value("reporting").unwrap().contains("QLIK_API_KEY="));
    let made = shop.secret("ci");
    assert_eq!(
        (&made["type"], &made["metadata"]["labels"]),
        (&json!("Opaque"), &json!({ "app.kubernetes.io/managed-by": "qlik-plan" }))
    );
    assert_eq!(
        made["data"].as_object().unwrap().len(),
        1,
        "a consumer that takes all of it gets the key and nothing else"
    );
    shop.stage.forget_requests();
    shop.cluster.writes();
    shop.apply(&["--yes"]).exits(0);
    assert_eq!((shop.stage.changes(), shop.cluster.writes()), (Vec::new(), Vec::new()));

    shop.edits("ci", |secret| {
        secret["data"]["consumer"] = json!(STANDARD.encode("etl"));
        secret["metadata"]["labels"]["team"] = json!("data");
        secret["metadata"]["annotations"]["note"] = json!("\"a\"\n1.50");
        secret["metadata"]["ownerReferences"] =
            json!([{ "apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "1" }]);
    });
    shop.plan(&FULL).exits(0);
    let before = shop.secret("ci");
    shop.six_days_later();
    shop.apply(&["--yes"]).exits(0);
    shop.plan(&FULL).exits(0);
    assert_ne!(shop.entry("ci")["key_id"], first["key_id"]);
    // Of the whole object, what is ours is new, and nothing else.
    let without_ours = |mut secret: Value| {
        secret["data"]["value"].take();
        secret["metadata"]["annotations"]["qlik-plan/entry"].take();
        secret["metadata"]["resourceVersion"].take();
        secret
    };
    assert_eq!(without_ours(before), without_ours(shop.secret("ci")));
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_replaced() {
    let shop = Shop::new();
    // Where nothing was.
    let running = shop.begin();
    assert_eq!(shop.cluster.admin("POST", &secrets(), &of_a_colleague("ci")).0, 201);
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert_eq!(shop.value("ci").unwrap(), "of a colleague");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says("did not write").says("kubectl delete secret --namespace qlik prod.qlik.acme.ci");
    shop.apply(&["--yes", "--only", "qlik/acme/ci"]).exits(1).says("did not write");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    assert_eq!(shop.cluster.admin("DELETE", &path("ci"), &Value::Null).0, 200);
    shop.recovers();

    // Over a version that was looked at.
    shop.six_days_later();
    let live = shop.stage.live_keys().len();
    let running = shop.begin();
    shop.edits("ci", |secret| secret["metadata"]["labels"]["team"] = json!("data"));
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert_eq!(
        (&shop.secret("ci")["metadata"]["labels"]["team"], shop.stage.live_keys().len()),
        (&json!("data"), live)
    );
    shop.recovers();

    // It is gone by then.
    shop.six_days_later();
    let running = shop.begin();
    assert_eq!(shop.cluster.admin("DELETE", &path("ci"), &Value::Null).0, 200);
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert!(shop.secret("ci").is_null());
}

/// The write itself carries the version: what happens between the read before it and the write is refused by the server.
#[test]
fn a_write_that_comes_late_is_refused_by_the_server() {
    let shop = Shop::new();
    shop.recovers();
    shop.six_days_later();
    shop.cluster.does(Does::Deaf);
    shop.apply(&["--yes"]).exits(1);
    shop.cluster.does(Does::Well);
    for key in ["ci", "reporting"] {
        shop.edits(key, |secret| secret["metadata"]["labels"]["team"] = json!("data"));
    }
    let before = shop.value("ci");
    assert_eq!((shop.cluster.arrives(), shop.cluster.arrives()), (409, 409));
    assert_eq!((shop.value("ci"), &shop.secret("ci")["metadata"]["labels"]["team"]), (before, &json!("data")));
    shop.recovers();
}

#[test]
fn a_secret_that_others_made_and_left_empty_is_filled_and_keeps_their_labels() {
    let shop = Shop::new();
    // Who may not make Secrets has them made.
    shop.cluster.allow(RUNNER, &["get", "update"]);
    shop.plan(&FULL).exits(1).says("may not create secrets in the namespace qlik");
    for key in ["ci", "reporting"] {
        let mut empty = of_a_colleague(key);
        empty["data"].take();
        empty["metadata"]["labels"] = json!({ "app": "etl" });
        assert_eq!(shop.cluster.admin("POST", &secrets(), &empty).0, 201);
    }
    shop.recovers();
    assert_eq!(shop.secret("ci")["metadata"]["labels"], json!({ "app": "etl" }));
    shop.six_days_later();
    shop.recovers();
}

#[test]
fn what_nobody_may_change_or_is_being_deleted_is_said_with_the_way_out_and_one_that_is_gone_is_missed() {
    let shop = Shop::new();
    shop.recovers();
    shop.edits("ci", |secret| secret["immutable"] = json!(true));
    shop.plan(&FULL).exits(0);
    shop.six_days_later();
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says("is immutable").says("kubectl delete secret --namespace qlik prod.qlik.acme.ci");
    shop.apply(&["--yes", "--only", "qlik/acme/ci"]).exits(1).says("is immutable");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());

    assert_eq!(shop.cluster.admin("DELETE", &path("ci"), &Value::Null).0, 200);
    shop.apply(&["--yes"]).exits(1).says("QP0301");
    shop.apply(&["--yes", "--remint", "qlik/acme/ci"]).exits(0);
    shop.plan(&FULL).exits(0);

    shop.edits("ci", |secret| secret["metadata"]["finalizers"] = json!(["example.com/backup"]));
    assert_eq!(shop.cluster.admin("DELETE", &path("ci"), &Value::Null).0, 200);
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says("is being deleted").says("-o jsonpath='{.metadata.finalizers}'");
    shop.apply(&["--yes"]).exits(1).says("is being deleted");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
}

#[test]
fn in_a_pod_the_cluster_is_its_own_and_the_token_is_the_one_of_this_moment() {
    let mut shop = Shop::with("token: { file: run/token }, ca_file: cluster.pem");
    std::fs::create_dir(shop.stage.dir().join("run")).unwrap();
    let file = shop.stage.dir().join("run/token");
    std::fs::write(&file, format!("{RUNNER}\n")).unwrap();
    shop.plan(&FULL)
        .exits(1)
        .says("KUBERNETES_SERVICE_HOST is not set")
        .says("name `server` and `token` under sinks.kube");
    let (host, port) =
        shop.cluster.host.clone().rsplit_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).unwrap();
    shop.is("KUBERNETES_SERVICE_HOST", &host);
    shop.is("KUBERNETES_SERVICE_PORT", &port);
    shop.recovers();

    // The kubelet replaces the token while a run is at work, and the former one ends.
    shop.six_days_later();
    let running = shop.begin();
    let next = "eyJhbGciOiJSUzI1NiJ9.the-runners-next-token-0816.c2lnbmF0dXJl";
    shop.cluster.allow(next, &LEAST);
    shop.cluster.ends(RUNNER);
    std::fs::write(&file, next).unwrap();
    shop.end(running).exits(0);
    shop.recovers();
}

#[test]
fn a_name_that_becomes_no_secrets_name_is_a_fault_with_a_place() {
    let shop = Shop::new();
    let desired = std::fs::read_to_string(shop.stage.dir().join("desired.yaml")).unwrap();
    shop.stage.forget_requests();
    for (from, to) in [("    acme:", "    acme-:"), ("        ci:", "        ci-:")] {
        shop.stage.write_desired(&desired.replace(from, to));
        shop.plan(&["validate"]).exits(1).says("QP0141").says("becomes no part of a Secret's name in sink `kube`");
        shop.apply(&["--yes"]).exits(1).says("QP0141").says("desired.yaml");
    }
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
}
