//! Keys in secrets of GitHub Actions, as a stand-in for its API plays it. What a secret holds, nobody reads but who has the other half of the key.

mod api;
mod clients;
mod trouble;

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::client::Client;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, Stage};

use api::{ALL, Does, GitHub, Holder};

const FULL: [&str; 3] = ["--preflight", "full", "--detailed-exitcode"];

/// Of whoever has the least rights.
const RUNNER: &str = "github_pat_the-runners-token-0815";
const REPOSITORY: &str = "repos/acme/deploy";

/// A cloud of Qlik, and a GitHub.
struct Shop {
    stage: Stage,
    github: GitHub,
    env: Vec<(String, String)>,
    owner: &'static str,
}

impl Shop {
    /// With a ledger, and rehearsed.
    fn new() -> Self {
        Self::with("repository: acme/deploy", REPOSITORY)
    }

    fn with(way: &str, owner: &'static str) -> Self {
        let github = GitHub::start();
        github.allow(RUNNER, ALL);
        let settings = crate::stage::SETTINGS.replace(
            "files: { kind: file, directory: ./secrets, durable: true }",
            &format!(
                "forge: {{ kind: github-actions, server: 'http://{}', name: 'PROD_{{vendor}}_{{tenant}}_{{key}}', token: {{ env: GH_SECRETS_TOKEN }}, {way} }}",
                github.host
            ),
        );
        let mut shop = Self { stage: Stage::with_settings(&desired(), &settings), github, env: Vec::new(), owner };
        shop.is("GH_SECRETS_TOKEN", RUNNER);
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

    /// No secret of anybody's was printed or kept beside GitHub, in whatever form.
    #[track_caller]
    fn checked(&self, run: Run) -> Run {
        let mut secrets = vec![RUNNER.to_owned(), api::OWNER.to_owned()];
        secrets.extend(self.github.opened().iter().map(|opened| token_in(opened)));
        crate::forge::is_told_nowhere(&secrets, &run, self.stage.dir());
        run
    }

    fn value(&self, key: &str) -> Option<String> {
        self.github.secret(self.owner, &name(key)).map(|secret| secret.value)
    }

    /// The tokens in both secrets work.
    #[track_caller]
    fn works(&self) -> bool {
        let host = self.stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
        let client = Client::at(self.stage.dir());
        ["ci", "reporting"].iter().all(|key| client.users_me(&host, &token_in(&self.value(key).unwrap())).0 == 200)
    }

    #[track_caller]
    fn recovers(&self) {
        self.apply(&["--yes"]).exits(0);
        self.plan(&FULL).exits(0);
        assert!(self.works());
    }

    fn six_days_later(&self) {
        self.stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
    }
}

fn desired() -> String {
    ONE_TENANT.replace("deliver_to: files", "deliver_to: forge")
}

fn name(key: &str) -> String {
    format!("PROD_QLIK_ACME_{}", key.to_ascii_uppercase())
}

/// The token itself, in whichever of the two shapes.
fn token_in(payload: &str) -> String {
    let line = payload.lines().find_map(|line| line.strip_prefix("QLIK_API_KEY="));
    line.unwrap_or(payload).to_owned()
}

#[test]
fn keys_are_sealed_and_delivered_and_renewed_and_that_they_cannot_be_read_back_is_said() {
    let shop = Shop::new();
    shop.plan(&FULL).exits(2).says("Not checked").says("GitHub tells it only to a write");
    assert_eq!(shop.github.writes(), [], "a plan writes nothing");
    shop.apply(&["--yes"]).exits(0).says("cannot be read back: that the key is there is the word of the sink");
    assert!(!shop.value("ci").unwrap().ends_with('\n'), "a header takes no line end");
    assert!(shop.value("reporting").unwrap().contains("QLIK_API_KEY="));
    for (line, body) in shop.github.writes() {
        assert!(line.starts_with("PUT /api/v3/repos/acme/deploy/actions/secrets/PROD_QLIK_ACME_"), "{line}");
        let fields: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["encrypted_value", "key_id"]);
    }
    shop.plan(&FULL).exits(0).says("Not checked");
    assert!(shop.works());
    shop.stage.forget_requests();
    shop.apply(&["--yes"]).exits(0);
    assert_eq!((shop.stage.changes(), shop.github.writes()), (Vec::new(), Vec::new()));

    shop.six_days_later();
    let before = shop.value("ci");
    shop.recovers();
    assert_ne!(shop.value("ci"), before);
    assert!(shop.stage.live_keys().len() <= 4);
}

#[test]
fn secrets_of_an_environment_and_of_an_organization_are_delivered_alike() {
    let shop =
        Shop::with("repository: acme/deploy, environment: production", "repos/acme/deploy/environments/production");
    shop.recovers();
    shop.plan(&["doctor", "--scopes"])
        .exits(0)
        .says("the permission Environments (write) on the repository of the environment production of acme/deploy");
    let shop = Shop::with("organization: acme, visibility: selected, repository_ids: [7, 4000000000]", "orgs/acme");
    shop.recovers();
    shop.six_days_later();
    shop.recovers();
    let secret = shop.github.secret("orgs/acme", &name("ci")).unwrap();
    assert_eq!((secret.visibility, secret.repositories), (json!("selected"), json!([7, 4_000_000_000_u32])));
    let shop = Shop::with("organization: acme, visibility: private", "orgs/acme");
    shop.recovers();
    let secret = shop.github.secret("orgs/acme", &name("ci")).unwrap();
    assert_eq!((secret.visibility, secret.repositories), (json!("private"), Value::Null));
    // An environment that is not there is not made.
    let shop = Shop::with("repository: acme/deploy, environment: staging", "repos/acme/deploy/environments/staging");
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says("check that there is the environment staging of acme/deploy");
    shop.apply(&["--yes"]).exits(1).says("check that there is the environment staging of acme/deploy");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
}

/// What a secret holds nobody sees. That it is there, and when it was changed, GitHub tells.
#[test]
fn what_somebody_else_wrote_meanwhile_is_not_replaced_and_one_that_is_gone_is_missed() {
    let shop = Shop::new();
    // Where nothing was.
    let running = shop.begin();
    shop.github.sets(REPOSITORY, &name("ci"), Some("of a colleague"));
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert_eq!(shop.value("ci").unwrap(), "of a colleague");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.github.sets(REPOSITORY, &name("ci"), None);
    shop.recovers();

    // Over one that was looked at.
    shop.six_days_later();
    let live = shop.stage.live_keys().len();
    let running = shop.begin();
    shop.github.sets(REPOSITORY, &name("ci"), Some("of a colleague"));
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert_eq!((shop.value("ci").as_deref(), shop.stage.live_keys().len()), (Some("of a colleague"), live));
    shop.recovers();

    // It is gone: a key that was delivered is missed, also where nobody could read it.
    shop.github.sets(REPOSITORY, &name("ci"), None);
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says("QP0301");
    shop.apply(&["--yes"]).exits(1).says("QP0301");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.apply(&["--yes", "--remint", "qlik/acme/ci"]).exits(0);
    shop.plan(&FULL).exits(0);
    assert!(shop.works());

    // One that cannot be looked for is not taken for one that is gone.
    shop.github.allow(RUNNER, Holder { reads: false, ..ALL });
    let run = shop.plan(&FULL);
    assert!(!run.all().contains("QP0301"), "{}", run.all());
}

#[test]
fn settings_that_do_not_fit_desired_state_are_faults_with_a_place() {
    let shop = Shop::new();
    shop.stage.forget_requests();
    let second = "    acme-ci:\n      account: us-oem\n      display_name: Other\n      api_keys:\n        x: { description: X, owner: { client: {} }, expires_in: P7D, deliver_to: forge }\n";
    let key = "        ci-x: { description: X, owner: { client: {} }, expires_in: P7D, deliver_to: forge }\n";
    shop.stage.write_desired(&format!("{}{key}{second}", desired()));
    for run in [shop.plan(&["validate"]), shop.apply(&["--yes"])] {
        run.exits(1)
            .says("QP0141")
            .says("qlik/acme/ci-x and qlik/acme-ci/x would both be PROD_QLIK_ACME_CI_X in sink `forge`");
    }
    // Names that GitHub takes from nobody.
    let settings = shop.stage.dir().join("qlik-plan.settings.yaml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("PROD_{vendor}_{tenant}_{key}", "{tenant}_{vendor}_{key}")).unwrap();
    for (tenant, says) in
        [("github", "GitHub keeps names that begin so"), ("4711", "no variable's name begins with a digit")]
    {
        shop.stage.write_desired(&desired().replace("    acme:", &format!("    \"{tenant}\":")));
        shop.plan(&["validate"]).exits(1).says("QP0141").says(says);
    }
    assert_eq!((shop.stage.changes(), shop.github.writes()), (Vec::new(), Vec::new()));
}
