//! Keys in a vault of Azure, as a stand-in for it and for Microsoft Entra plays it.

mod clients;
mod logins;
mod trouble;
mod vault;

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::client::Client;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, Stage};

use vault::{ASSERTION, CLIENT, Does, SECRET, TENANT, Vault};

const FULL: [&str; 3] = ["--preflight", "full", "--detailed-exitcode"];

const RIGHTS: &str = "Microsoft.KeyVault/vaults/secrets/getSecret/action and setSecret/action";

/// A cloud of Qlik, and a vault.
struct Shop {
    stage: Stage,
    vault: Vault,
    env: Vec<(String, String)>,
}

impl Shop {
    /// With a ledger, and rehearsed; logged in by the token of a pipeline.
    fn new() -> Self {
        Self::with("")
    }

    fn with(more: &str) -> Self {
        let vault = Vault::start();
        let host = &vault.host;
        let settings = crate::stage::SETTINGS.replace(
            "files: { kind: file, directory: ./secrets, durable: true }",
            &format!(
                "kv: {{ kind: azure-key-vault, vault: 'https://{host}', authority: 'https://{host}', name: 'prod--{{vendor}}--{{tenant}}--{{key}}'{more} }}"
            ),
        ) + "network: { ca_file: vault.pem }\n";
        let desired = ONE_TENANT.replace("deliver_to: files", "deliver_to: kv");
        let ca = vault.ca.clone();
        let stage = Stage::prepared(&desired, &settings, |dir| {
            std::fs::write(dir.join("vault.pem"), ca).unwrap();
            std::fs::write(dir.join("token"), ASSERTION).unwrap();
        });
        let mut shop = Self { stage, vault, env: Vec::new() };
        shop.is("AZURE_TENANT_ID", TENANT);
        shop.is("AZURE_CLIENT_ID", CLIENT);
        let file = shop.stage.dir().join("token").to_str().unwrap().to_owned();
        shop.is("AZURE_FEDERATED_TOKEN_FILE", &file);
        shop.apply(&["ledger", "init"]).exits(0);
        shop.apply(&["rehearse", "us-oem"]).exits(0);
        shop
    }

    fn is(&mut self, variable: &str, value: &str) {
        self.is_not(variable);
        self.env.push((variable.to_owned(), value.to_owned()));
    }

    fn is_not(&mut self, variable: &str) {
        self.env.retain(|(name, _)| name != variable);
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

    /// No secret of anybody's was printed or kept beside the vault, in whatever form.
    #[track_caller]
    fn checked(&self, run: Run) -> Run {
        let mut secrets: Vec<String> =
            [ASSERTION, SECRET, vault::HEADER, vault::OF_THE_JOB].map(str::to_owned).to_vec();
        secrets.extend(["ci", "reporting"].into_iter().filter_map(|key| self.value(key)));
        secrets.extend(self.vault.secrets());
        crate::forge::is_told_nowhere(&secrets, &run, self.stage.dir());
        run
    }

    /// The newest version.
    fn secret(&self, key: &str) -> Value {
        let (status, found) = self.vault.admin("GET", &path(key), &Value::Null);
        if status == 200 { found } else { Value::Null }
    }

    /// As a consumer reads it: `az keyvault secret show … --query value`.
    fn value(&self, key: &str) -> Option<String> {
        self.secret(key)["value"].as_str().map(str::to_owned)
    }

    fn entry(&self, key: &str) -> Value {
        let tags = self.secret(key)["tags"].clone();
        let pieces = (1..=15).filter_map(|number| tags[format!("qlik-plan-{number}")].as_str());
        serde_json::from_str(&pieces.collect::<String>()).unwrap_or_default()
    }

    /// A colleague's new version, with the same tags or none.
    fn colleague(&self, key: &str, body: &Value) {
        assert_eq!(self.vault.admin("PUT", &path(key), body).0, 200);
    }

    fn versions(&self, key: &str) -> Vec<Value> {
        let (_, found) = self.vault.admin("GET", &format!("{}/versions", path(key)), &Value::Null);
        found["value"].as_array().cloned().unwrap_or_default()
    }

    /// The key that stands there lives in the tenant and works.
    #[track_caller]
    fn works(&self) {
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
        self.works();
    }

    fn six_days_later(&self) {
        self.stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
    }
}

fn path(key: &str) -> String {
    format!("/secrets/prod--qlik--acme--{key}")
}

#[test]
fn keys_are_delivered_and_renewed_and_every_version_before_stays() {
    let shop = Shop::new();
    shop.plan(&FULL)
        .exits(2)
        .says("Not checked")
        .says("whether the identity may write the secret prod--qlik--acme--ci in https://127.0.0.1");
    assert_eq!(shop.vault.writes(), [], "a plan writes nothing");
    shop.apply(&["--yes"]).exits(0);
    shop.plan(&FULL).exits(0);
    shop.works();
    let (first, made) = (shop.entry("ci"), shop.secret("ci"));
    assert!(!shop.value("ci").unwrap().ends_with('\n'), "a header takes no line end");
    assert!(shop.value("reporting").unwrap().contains("QLIK_API_KEY="));
    let expiry: jiff::Timestamp = first["expiry"].as_str().unwrap().parse().unwrap();
    assert_eq!((&made["attributes"]["exp"], &made["contentType"]), (&json!(expiry.as_second()), &json!("text/plain")));
    assert_eq!(shop.vault.logins().last().map(String::as_str), Some("assertion"));
    shop.stage.forget_requests();
    shop.vault.writes();
    shop.apply(&["--yes"]).exits(0);
    assert_eq!((shop.stage.changes(), shop.vault.writes()), (Vec::new(), Vec::new()));

    // What others say of the version goes along to the next one.
    let version = made["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let mut tags = made["tags"].clone();
    tags["team"] = json!("data");
    let change = json!({ "tags": tags, "contentType": "application/x-key" });
    assert_eq!(shop.vault.admin("PATCH", &format!("{}/{version}", path("ci")), &change).0, 200);
    shop.plan(&FULL).exits(0);
    shop.six_days_later();
    shop.recovers();
    let second = shop.secret("ci");
    assert_ne!(shop.entry("ci")["key_id"], first["key_id"]);
    assert_eq!((&second["tags"]["team"], &second["contentType"]), (&json!("data"), &json!("application/x-key")));
    let (_, before) = shop.vault.admin("GET", &format!("{}/{version}", path("ci")), &Value::Null);
    assert_eq!((&before["value"], shop.versions("ci").len()), (&made["value"], 2));
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_replaced() {
    let shop = Shop::new();
    // Where nothing was.
    let running = shop.begin();
    shop.colleague("ci", &json!({ "value": "of a colleague" }));
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert_eq!(shop.value("ci").unwrap(), "of a colleague");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.stage.forget_requests();
    let way_out = "az keyvault secret delete --vault-name VAULT --name prod--qlik--acme--ci";
    shop.plan(&FULL).exits(1).says("did not write").says(way_out);
    shop.apply(&["--yes", "--only", "qlik/acme/ci"]).exits(1).says("did not write");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());

    // Deleted, its name is kept: said before a key is made, until somebody purges it.
    assert_eq!(shop.vault.admin("DELETE", &path("ci"), &Value::Null).0, 200);
    shop.plan(&FULL).exits(1).says("can be recovered until 2027-02-26").says("az keyvault secret purge");
    shop.apply(&["--yes", "--only", "qlik/acme/ci"]).exits(1).says("can be recovered");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    let deleted = path("ci").replace("/secrets/", "/deletedsecrets/");
    assert_eq!(shop.vault.admin("DELETE", &deleted, &Value::Null).0, 204);
    shop.recovers();

    // Over a version that was looked at: also one that says the same.
    shop.six_days_later();
    let live = shop.stage.live_keys().len();
    let (running, there) = (shop.begin(), shop.secret("ci"));
    shop.colleague("ci", &json!({ "value": there["value"], "tags": there["tags"] }));
    shop.end(running).exits(1).says("changed while the key was minted").says("was revoked");
    assert_eq!((&shop.secret("ci")["value"], shop.stage.live_keys().len()), (&there["value"], live));
    shop.recovers();

    // It is gone by then, and comes back.
    shop.six_days_later();
    let running = shop.begin();
    assert_eq!(shop.vault.admin("DELETE", &path("ci"), &Value::Null).0, 200);
    shop.end(running).exits(1).says("can be recovered").says("was revoked").says("az keyvault secret recover");
    assert_eq!(shop.vault.admin("POST", &format!("{deleted}/recover"), &Value::Null).0, 200);
    shop.recovers();
}

/// The vault compares nothing: between the last look and the write there is a moment that nobody guards. Nothing is lost, since a version
/// never changes.
#[test]
fn a_version_of_the_last_moment_is_the_former_one_and_stays() {
    let shop = Shop::new();
    shop.vault.does(Does::Races);
    shop.apply(&["--yes"]).exits(0);
    shop.vault.does(Does::Well);
    shop.works();
    let versions = shop.versions("ci");
    assert_eq!(versions.len(), 2);
    let former = versions[0]["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let (_, former) = shop.vault.admin("GET", &format!("{}/{former}", path("ci")), &Value::Null);
    assert_eq!(former["value"], "of a colleague");
}

/// Whatever arrives last is what readers get, so nothing that may arrive is ever revoked: at every moment the vault holds a key that works.
#[test]
fn what_arrives_late_is_a_key_that_works() {
    let shop = Shop::new();
    shop.recovers();
    shop.six_days_later();
    shop.vault.does(Does::Deaf);
    shop.apply(&["--yes"]).exits(1).says("left as undelivered");
    shop.vault.does(Does::Well);
    shop.works();
    shop.apply(&["--yes"]).exits(0);
    shop.works();
    let delivered = shop.entry("ci");
    shop.plan(&FULL).exits(0).says("takes whatever arrives, however late");
    assert_eq!((shop.vault.arrives(), shop.vault.arrives()), (200, 200));
    assert_ne!(shop.entry("ci")["key_id"], delivered["key_id"], "an older key is the newest version");
    shop.works();
    shop.recovers();
    shop.six_days_later();
    shop.recovers();
}

#[test]
fn a_name_that_becomes_no_secrets_name_is_a_fault_with_a_place() {
    let shop = Shop::new();
    let desired = std::fs::read_to_string(shop.stage.dir().join("desired.yaml")).unwrap();
    shop.stage.forget_requests();
    for (from, to) in [("    acme:", "    acme-:"), ("        ci:", "        c--i:")] {
        shop.stage.write_desired(&desired.replace(from, to));
        shop.plan(&["validate"]).exits(1).says("QP0141").says("becomes no part of a secret's name in sink `kv`");
        shop.apply(&["--yes"]).exits(1).says("QP0141").says("desired.yaml");
    }
    let long = "a".repeat(60);
    let longer =
        desired.replace("    acme:", &format!("    {long}:")).replace("        ci:", &format!("        {long}:"));
    shop.stage.write_desired(&longer);
    shop.plan(&["validate"]).exits(1).says("would have a name of 134 characters").says("a vault takes 127 at most");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
}
