//! Keys in CI/CD variables of GitLab, as a stand-in for its API plays it.

mod api;
mod clients;
mod trouble;

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::Client;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, Stage};

use api::{Does, GitLab, Holder, MAINTAINER};

const FULL: [&str; 3] = ["--preflight", "full", "--detailed-exitcode"];

/// Of whoever has the least rights.
const RUNNER: &str = "glpat-the-runners-token-0815";
const RIGHTS: &str = "the scope api and the role Maintainer in the project acme/deploy";
const PROJECT: &str = "projects/acme/deploy";

/// A cloud of Qlik, and a GitLab.
struct Shop {
    stage: Stage,
    gitlab: GitLab,
    env: Vec<(String, String)>,
    owner: &'static str,
    scope: &'static str,
}

impl Shop {
    /// With a ledger, and rehearsed.
    fn new() -> Self {
        Self::with("project: acme/deploy, environment_scope: production", PROJECT, "production")
    }

    fn with(way: &str, owner: &'static str, scope: &'static str) -> Self {
        let gitlab = GitLab::start();
        gitlab.allow(RUNNER, MAINTAINER);
        let settings = crate::stage::SETTINGS.replace(
            "files: { kind: file, directory: ./secrets, durable: true }",
            &format!(
                "forge: {{ kind: gitlab-variables, server: 'http://{}', name: 'PROD_{{vendor}}_{{tenant}}_{{key}}', token: {{ env: GITLAB_TOKEN }}, {way} }}",
                gitlab.host
            ),
        );
        let stage = Stage::with_settings(&desired(), &settings);
        let mut shop = Self { stage, gitlab, env: Vec::new(), owner, scope };
        shop.is("GITLAB_TOKEN", RUNNER);
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

    /// No secret of anybody's was printed or kept beside GitLab, in whatever form.
    #[track_caller]
    fn checked(&self, run: Run) -> Run {
        let mut secrets = vec![RUNNER.to_owned(), api::OWNER.to_owned()];
        secrets.extend(["ci", "reporting"].iter().filter_map(|key| self.value(key)));
        // What has a blank or a brace is metadata, or of a colleague.
        secrets.extend(self.gitlab.written_values().into_iter().filter(|value| value.starts_with("ey")));
        secrets.retain(|secret| secret.len() > 20);
        crate::forge::is_told_nowhere(&secrets, &run, self.stage.dir());
        run
    }

    fn variable(&self, key: &str) -> Value {
        self.gitlab.variable(self.owner, &name(key), self.scope)
    }

    fn value(&self, key: &str) -> Option<String> {
        self.variable(key)["value"].as_str().map(str::to_owned)
    }

    /// The metadata of what stands there.
    fn entry(&self, key: &str) -> Value {
        let text = self.gitlab.variable(self.owner, &format!("{}_QLIK_PLAN", name(key)), self.scope);
        let journal: Value = serde_json::from_str(text["value"].as_str().unwrap_or("{}")).unwrap();
        let Some(value) = self.value(key) else { return Value::Null };
        let print: String = Sha256::digest(value.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let entries = journal["entries"].as_array().cloned().unwrap_or_default();
        entries.into_iter().find(|entry| entry["fingerprint"] == json!(print)).unwrap_or_default()
    }

    /// A colleague's change of a variable.
    fn edits(&self, key: &str, change: impl FnOnce(&mut Value)) {
        let mut variable = self.variable(key);
        change(&mut variable);
        self.gitlab.sets(self.owner, &name(key), self.scope, variable);
    }

    /// What stands there lives in the tenant, and works.
    #[track_caller]
    fn is_whole(&self) {
        let live = self.stage.live_keys();
        let ids: Vec<&str> = live.iter().map(|key| key["id"].as_str().unwrap()).collect();
        for key in ["ci", "reporting"] {
            let entry = self.entry(key);
            assert!(ids.contains(&entry["key_id"].as_str().unwrap_or_default()), "{key}: {entry:#}");
            assert!(self.works(key), "{key}");
        }
    }

    fn works(&self, key: &str) -> bool {
        let host = self.stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
        Client::at(self.stage.dir()).users_me(&host, &self.value(key).unwrap()).0 == 200
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

/// Both keys as they are masked: the token alone.
fn desired() -> String {
    ONE_TENANT.replace("deliver_to: files", "deliver_to: forge").replace(", deliver_as: env", "")
}

fn name(key: &str) -> String {
    format!("PROD_QLIK_ACME_{}", key.to_ascii_uppercase())
}

fn of_a_colleague() -> Value {
    json!({ "key": name("ci"), "value": "of a colleague", "hidden": false, "masked": false, "environment_scope": "production" })
}

#[test]
fn keys_are_delivered_and_renewed_as_settings_say_and_what_people_wrote_beside_them_stays() {
    let shop = Shop::new();
    shop.plan(&FULL).exits(2);
    assert_eq!(shop.gitlab.writes(), [], "a plan writes nothing");
    shop.apply(&["--yes"]).exits(0);
    shop.plan(&FULL).exits(0);
    shop.is_whole();
    let made = shop.variable("ci");
    assert_eq!(
        (&made["masked"], &made["protected"], &made["raw"], &made["variable_type"], &made["hidden"]),
        (&json!(true), &json!(true), &json!(true), &json!("env_var"), &json!(false))
    );
    shop.stage.forget_requests();
    shop.gitlab.writes();
    shop.apply(&["--yes"]).exits(0);
    assert_eq!((shop.stage.changes(), shop.gitlab.writes()), (Vec::new(), Vec::new()));

    // A colleague's words, and a variable of that name for other environments.
    shop.edits("ci", |variable| variable["description"] = json!("for the nightly deploy"));
    let elsewhere = json!({ "key": name("ci"), "value": "elsewhere", "environment_scope": "*" });
    shop.gitlab.sets(PROJECT, &name("ci"), "*", elsewhere.clone());
    shop.plan(&FULL).exits(0);
    let before = shop.entry("ci");
    shop.six_days_later();
    shop.recovers();
    assert_ne!(shop.entry("ci")["key_id"], before["key_id"]);
    assert_eq!(shop.variable("ci")["description"], "for the nightly deploy");
    assert_eq!(shop.gitlab.variable(PROJECT, &name("ci"), "*"), elsewhere);
    assert!(shop.stage.live_keys().len() <= 4);
}

#[test]
fn all_projects_of_a_group_have_the_variables_of_the_group() {
    let shop = Shop::with("group: acme, protected: false, variable_type: file", "groups/acme", "*");
    shop.recovers();
    let made = shop.variable("ci");
    assert_eq!((&made["protected"], &made["variable_type"]), (&json!(false), &json!("file")));
    let told = shop.plan(&["doctor", "--scopes"]).exits(0);
    told.says("the scope api and the role Owner in the group acme");
    shop.six_days_later();
    shop.recovers();
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_replaced() {
    let shop = Shop::new();
    // Where nothing was.
    let running = shop.begin();
    shop.gitlab.sets(PROJECT, &name("ci"), "production", of_a_colleague());
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert_eq!(shop.value("ci").unwrap(), "of a colleague");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says("did not write").says("Settings > CI/CD > Variables of the project acme/deploy");
    shop.apply(&["--yes", "--only", "qlik/acme/ci"]).exits(1).says("did not write");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.gitlab.sets(PROJECT, &name("ci"), "production", Value::Null);
    shop.recovers();

    // Over a value that was looked at.
    shop.six_days_later();
    let live = shop.stage.live_keys().len();
    let running = shop.begin();
    shop.gitlab.sets(PROJECT, &name("ci"), "production", of_a_colleague());
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert_eq!((shop.value("ci").as_deref(), shop.stage.live_keys().len()), (Some("of a colleague"), live));
    // It is gone: a key that was delivered is missed.
    shop.gitlab.sets(PROJECT, &name("ci"), "production", Value::Null);
    shop.apply(&["--yes"]).exits(1).says("QP0301");
    shop.apply(&["--yes", "--remint", "qlik/acme/ci"]).exits(0);
    shop.plan(&FULL).exits(0);
    shop.is_whole();

    // It is gone by the time of the write.
    shop.six_days_later();
    let running = shop.begin();
    shop.gitlab.sets(PROJECT, &name("ci"), "production", Value::Null);
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert!(shop.variable("ci").is_null());
}

#[test]
fn a_hidden_variable_cannot_be_looked_into_and_that_is_said() {
    let mut shop = Shop::with("project: acme/deploy, hidden: true", PROJECT, "*");
    shop.plan(&FULL).exits(2);
    shop.apply(&["--yes"]).exits(0).says("cannot be read back: that the key is there is the word of the sink");
    let made = shop.variable("ci");
    assert_eq!((&made["hidden"], &made["masked"]), (&json!(true), &json!(true)));
    assert!(shop.gitlab.variable(PROJECT, &format!("{}_QLIK_PLAN", name("ci")), "*").is_null());
    assert!(shop.works("ci"));
    shop.plan(&FULL).exits(0).says("Not checked");
    shop.six_days_later();
    let before = shop.value("ci");
    shop.apply(&["--yes"]).exits(0);
    assert_ne!(shop.value("ci"), before);
    assert!(shop.works("ci"));

    // That it is gone is seen.
    let there = shop.variable("ci");
    shop.gitlab.sets(PROJECT, &name("ci"), "*", Value::Null);
    shop.plan(&FULL).exits(1).says("QP0301");
    shop.gitlab.sets(PROJECT, &name("ci"), "*", there);

    // One that a colleague made is not replaced, though nobody sees what it holds.
    shop.six_days_later();
    shop.edits("ci", |variable| variable["description"] = json!("of a colleague"));
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says("did not write");
    shop.apply(&["--yes", "--only", "qlik/acme/ci"]).exits(1).says("did not write");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());

    // A GitLab that does not know the word would show the key.
    shop = Shop::with("project: acme/deploy, hidden: true", PROJECT, "*");
    shop.gitlab.is("17.3.9");
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says("older than GitLab 17.4");
    shop.apply(&["--yes"]).exits(1).says("older than GitLab 17.4");
    assert_eq!((shop.stage.changes(), shop.gitlab.writes()), (Vec::new(), Vec::new()));
}

#[test]
fn settings_that_do_not_fit_desired_state_are_faults_with_a_place() {
    let shop = Shop::new();
    shop.stage.forget_requests();
    let with = |from: &str, to: &str| {
        shop.stage.write_desired(&desired().replace(from, to));
        shop.apply(&["--yes"]).exits(1).says("QP0141").says("desired.yaml");
        shop.plan(&["validate"]).exits(1).says("QP0141")
    };
    with("deliver_to: forge }\n        reporting", "deliver_to: forge, deliver_as: env }\n        reporting")
        .says("GitLab masks a value of one line alone")
        .says("say `deliver_as: token`");
    // Two addresses, and one name.
    let second = "    acme-ci:\n      account: us-oem\n      display_name: Other\n      api_keys:\n        x: { description: X, owner: { client: {} }, expires_in: P7D, deliver_to: forge }\n";
    let key = "        ci-x: { description: X, owner: { client: {} }, expires_in: P7D, deliver_to: forge }\n";
    shop.stage.write_desired(&format!("{}{key}{second}", desired()));
    shop.plan(&["validate"])
        .exits(1)
        .says("qlik/acme/ci-x and qlik/acme-ci/x would both be PROD_QLIK_ACME_CI_X in sink `forge`");
    with("        reporting:", "        ci-qlik-plan:").says("would both be PROD_QLIK_ACME_CI_QLIK_PLAN");
    assert_eq!((shop.stage.changes(), shop.gitlab.writes()), (Vec::new(), Vec::new()));
}
