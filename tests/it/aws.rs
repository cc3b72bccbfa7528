//! Keys in AWS Secrets Manager, as two servers by different people play it: one of them checks signatures and rights.

mod trouble;

use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::Client;
use crate::service::{Aws, Between, both_aws};
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, Stage};

const FULL: [&str; 3] = ["--preflight", "full", "--detailed-exitcode"];

/// What root may do, and what nobody may see.
const ROOT: (&str, &str) = ("test", "a-secret-of-the-account-root-4711");

/// A cloud of Qlik, and AWS.
struct Shop {
    stage: Stage,
    aws: Aws,
    /// Stands before AWS.
    between: Between,
    login: Vec<(String, String)>,
    /// A secret that stands elsewhere than in the login.
    canary: String,
}

impl Shop {
    /// With a ledger, and rehearsed; one at each server.
    fn both() -> Vec<Self> {
        both_aws().into_iter().flatten().map(Self::at).collect()
    }

    fn at(aws: Aws) -> Self {
        let desired = ONE_TENANT.replace("deliver_to: files", "deliver_to: aws");
        let between = Between::before(&aws.server.host);
        let settings = crate::stage::SETTINGS.replace(
            "files: { kind: file, directory: ./secrets, durable: true }",
            &format!(
                "aws: {{ kind: aws-secrets-manager, region: us-east-1, account: '{}', name: 'prod/{{vendor}}/{{tenant}}/{{key}}', endpoint: 'http://{}' }}",
                aws.account, between.host
            ),
        );
        let login = [("AWS_ACCESS_KEY_ID", ROOT.0), ("AWS_SECRET_ACCESS_KEY", ROOT.1)];
        let login = login.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let shop =
            Self { stage: Stage::with_settings(&desired, &settings), aws, between, login, canary: ROOT.1.to_owned() };
        shop.apply(&["ledger", "init"]).exits(0);
        shop.apply(&["rehearse", "us-oem"]).exits(0);
        shop
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.stage.command(SANDBOX);
        command.envs(self.login.iter().cloned()).args(["exec", "--", program]).args(args);
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

    /// An apply that is at work while the story goes on, from the moment where the cloud holds a request of it.
    fn begin(&self) -> Child {
        let mut child = self.command(APPLY, &["--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        assert!(self.stage.holds_a_request_of(&mut child), "it ended before it came to that request");
        child
    }

    #[track_caller]
    fn end(&self, child: Child) -> Run {
        self.checked(Run::of(&child.wait_with_output().unwrap()))
    }

    /// No secret of anybody's was printed, in whatever form.
    #[track_caller]
    fn checked(&self, run: Run) -> Run {
        let mut secrets = vec![self.canary.clone()];
        secrets.extend(
            self.login.iter().filter(|(name, _)| name == "AWS_SECRET_ACCESS_KEY").map(|(_, value)| value.clone()),
        );
        for key in ["ci", "reporting"] {
            let (_, there) = self.aws.secrets("GetSecretValue", &current(key));
            secrets.extend(value_of(&there).as_str().map(str::to_owned));
        }
        for form in secrets.iter().flat_map(|secret| disguises(secret)) {
            assert!(!run.all().contains(&form), "{form}\n{}", run.all());
        }
        assert!(!run.shows_a_token(), "{}", run.all());
        run
    }

    /// What is current of a key: the object, and the id of its version.
    fn current(&self, key: &str) -> (Value, String) {
        let (_, there) = self.aws.secrets("GetSecretValue", &current(key));
        (object(&there), there["VersionId"].as_str().unwrap_or_default().to_owned())
    }

    fn labelled(&self, key: &str, label: &str) -> Value {
        object(&self.aws.secrets("GetSecretValue", &json!({ "SecretId": name(key), "VersionStage": label })).1)
    }

    /// What is current lives in the tenant, of each key once, and works.
    #[track_caller]
    fn is_whole(&self) {
        let live = self.stage.live_keys();
        let ids: Vec<&str> = live.iter().map(|key| key["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 2, "{live:#?}");
        for key in ["ci", "reporting"] {
            let (object, _) = self.current(key);
            assert!(ids.contains(&object["qlik_plan"]["key_id"].as_str().unwrap()), "{key}: {object:#}");
        }
        let host = self.stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
        let (object, _) = self.current("ci");
        assert_eq!(Client::at(self.stage.dir()).users_me(&host, object["value"].as_str().unwrap()).0, 200);
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

fn name(key: &str) -> String {
    format!("prod/qlik/acme/{key}")
}

/// The label is said: without it moto answers with the version that was current first.
fn current(key: &str) -> Value {
    json!({ "SecretId": name(key), "VersionStage": "AWSCURRENT" })
}

fn object(there: &Value) -> Value {
    there["SecretString"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn value_of(there: &Value) -> Value {
    object(there)["value"].clone()
}

/// A secret as it is, in base64 at each offset, in hexadecimal digits, for a URL and for JSON.
pub(crate) fn disguises(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let mut forms = vec![secret.to_owned(), bytes.iter().map(|byte| format!("{byte:02x}")).collect()];
    for offset in 0..3 {
        let shifted = [&[0; 2][..offset.min(2)], bytes].concat();
        // The ends depend on what stands beside it.
        let text = STANDARD.encode(shifted).trim_end_matches('=').to_owned();
        forms.push(text[4..text.len() - 4].to_owned());
    }
    forms.push(percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string());
    forms.push(serde_json::to_string(secret).unwrap().trim_matches('"').to_owned());
    forms
}

#[test]
fn keys_are_delivered_and_renewed_and_the_former_version_is_kept() {
    for shop in Shop::both() {
        shop.plan(&FULL)
            .exits(2)
            .says("Not checked")
            .says("may change prod/qlik/acme/ci (CreateSecret, PutSecretValue, UpdateSecretVersionStage)");
        shop.apply(&["--yes"]).exits(0);
        shop.plan(&FULL).exits(0);
        shop.is_whole();
        let ((first, version), ()) = (shop.current("ci"), shop.stage.forget_requests());
        assert!(!first["value"].as_str().unwrap().ends_with('\n'), "a header takes no line end");
        shop.apply(&["--yes"]).exits(0);
        assert_eq!(shop.stage.changes(), Vec::<String>::new());

        // What somebody adds to the same secret outlives the renewal.
        let mut theirs = first.clone();
        theirs["consumer"] = json!("etl");
        let put = json!({ "SecretId": name("ci"), "SecretString": theirs.to_string() });
        assert_eq!(shop.aws.secrets("PutSecretValue", &put).0, 200);
        shop.plan(&FULL).exits(0);
        shop.six_days_later();
        shop.apply(&["--yes"]).exits(0);
        shop.plan(&FULL).exits(0);
        let (second, newest) = shop.current("ci");
        assert_ne!((&first["qlik_plan"]["key_id"], &version), (&second["qlik_plan"]["key_id"], &newest));
        assert_eq!(second["consumer"], "etl");
        // A reader that was begun with the former key finds it where AWS keeps it.
        assert_eq!(shop.labelled("ci", "AWSPREVIOUS"), theirs);
        // Of each delivery one version, and none twice.
        shop.six_days_later();
        shop.apply(&["--yes"]).exits(0);
        shop.plan(&FULL).exits(0);
        assert_eq!(shop.labelled("ci", "AWSPREVIOUS"), second);
    }
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_replaced() {
    for shop in Shop::both() {
        shop.stage
            .fault(&json!({ "match": { "method": "POST", "path": "/api/v1/api-keys" }, "nth": 1, "action": "pause" }));
        let running = shop.begin();
        let theirs = json!({ "Name": name("ci"), "SecretString": "of a colleague" });
        assert_eq!(shop.aws.secrets("CreateSecret", &theirs).0, 200);
        shop.stage.control("POST", "/release", &json!({}));
        shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
        let there = shop.aws.secrets("GetSecretValue", &current("ci")).1;
        assert_eq!(there["SecretString"], "of a colleague");
        assert_eq!(shop.stage.live_keys().len(), 1);

        shop.stage.forget_requests();
        shop.plan(&FULL).exits(1).says("did not write").says("aws secretsmanager delete-secret");
        shop.apply(&["--yes"]).exits(1).says("did not write");
        assert_eq!(shop.stage.changes(), Vec::<String>::new());
        let gone = json!({ "SecretId": name("ci"), "ForceDeleteWithoutRecovery": true });
        assert_eq!(shop.aws.secrets("DeleteSecret", &gone).0, 200);
        shop.recovers();
    }
}

/// Between the two steps of a delivery: AWS itself compares, and nobody's version is lost.
#[test]
fn what_became_current_between_the_two_steps_stays_current() {
    for shop in Shop::both() {
        shop.recovers();
        shop.six_days_later();
        shop.between.becomes_to("UpdateSecretVersionStage", crate::service::Habit::Holding);
        let running = shop.command(APPLY, &["--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        shop.between.wait_held();
        let (before, _) = shop.current("ci");
        let (held, other) = (shop.labelled("ci", "qlik-plan"), shop.labelled("reporting", "qlik-plan"));
        let key = if held["qlik_plan"]["key_id"].is_string() && held != before { "ci" } else { "reporting" };
        assert!(key == "ci" || other != shop.current("reporting").0, "no version waits under our label");
        let theirs = json!({ "SecretId": name(key), "SecretString": "of a colleague" });
        assert_eq!(shop.aws.secrets("PutSecretValue", &theirs).0, 200);
        shop.between.becomes(crate::service::Habit::Honest);
        // The other key may have come to its second step too.
        shop.between.release();
        shop.between.release();
        shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
        let there = shop.aws.secrets("GetSecretValue", &current(key)).1;
        assert_eq!(there["SecretString"], "of a colleague");
    }
}

#[test]
fn a_secret_that_others_made_and_left_empty_is_filled() {
    for shop in Shop::both() {
        for key in ["ci", "reporting"] {
            assert_eq!(shop.aws.secrets("CreateSecret", &json!({ "Name": name(key) })).0, 200);
        }
        shop.recovers();
        shop.six_days_later();
        shop.apply(&["--yes"]).exits(0);
        shop.plan(&FULL).exits(0);
    }
}

#[test]
fn a_secret_that_is_to_be_deleted_is_said_with_the_way_back_and_one_that_is_gone_is_missed() {
    for shop in Shop::both() {
        shop.recovers();
        let secret = json!({ "SecretId": name("ci") });
        assert_eq!(
            shop.aws.secrets("DeleteSecret", &json!({ "SecretId": name("ci"), "RecoveryWindowInDays": 7 })).0,
            200
        );
        shop.stage.forget_requests();
        let way = "aws secretsmanager restore-secret --region us-east-1 --secret-id prod/qlik/acme/ci";
        shop.plan(&FULL).exits(1).says("is to be deleted for good at 20").says(way);
        shop.apply(&["--yes"]).exits(1).says(way);
        assert_eq!(shop.stage.changes(), Vec::<String>::new());
        assert_eq!(shop.aws.secrets("RestoreSecret", &secret).0, 200);
        shop.plan(&FULL).exits(0);

        let gone = json!({ "SecretId": name("ci"), "ForceDeleteWithoutRecovery": true });
        assert_eq!(shop.aws.secrets("DeleteSecret", &gone).0, 200);
        shop.apply(&["--yes"]).exits(1).says("QP0301");
        shop.apply(&["--yes", "--remint", "qlik/acme/ci"]).exits(0);
        shop.plan(&FULL).exits(0);
    }
}
