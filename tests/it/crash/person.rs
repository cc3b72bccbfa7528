//! Who runs the programs at Imburse, is interrupted, does what they say, and looks whether all is well: from the cloud's state and
//! record and from the sinks, never from our own report.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Client, value};
use crate::service::Service;
use crate::stage::{APPLY, PLAN, Run, Stage, holds_a_token};

use super::judge::{below, hidden, shape};
use super::place::{Place, Runner};

const SETTINGS: &str = "version: 1
accounts:
  payments:
    vendor: imburse
    base_url: https://sandbox-api.imbursepayments.com
    account_id: 53ca62f5-b124-447d-b593-2f7ea4fecdcc
    account_key: { public: { env: IMBURSE_PUBLIC_KEY }, private: { env: IMBURSE_PRIVATE_KEY } }
sinks:
  files: { kind: file, directory: ./secrets, durable: true }
ledger: { kind: directory, path: .qlik-plan/ledger, durable: true }
";

const DESIRED: &str = "version: 1
imburse:
  tenants:
    uk-retail:
      account: payments
      display_name: UK Retail
      address: { street_address: 1 High Street, locality: London, region: London, post_code: N1 1AA, country: GB }
      api_keys:
        admin: { name: Admin Key, roles: [tenant-admin], deliver_to: files }
        reader: { name: Reader, roles: [tenant-app-read], deliver_to: files, deliver_as: env }
";

const KEYS: [&str; 2] = ["admin", "reader"];

/// More rounds than any story needs.
const ROUNDS: usize = 6;

/// Where the ledger is, and where the keys go.
#[derive(Clone)]
pub(super) enum Ground {
    /// Both are folders of one machine.
    Folders,
    /// Runners that keep nothing: a ledger in an object store, keys in a vault.
    Services { store: Arc<Service>, vault: Arc<Service> },
}

impl Ground {
    fn set(&self) -> Place {
        match self {
            Self::Folders => Place::Sandbox(Stage::with_settings(DESIRED, SETTINGS)),
            Self::Services { store, vault } => Place::with_vault(DESIRED, SETTINGS, store, vault),
        }
    }

    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Folders => "imburse",
            Self::Services { .. } => "imburse, on services",
        }
    }
}

/// One person, and everything that programs said to it.
pub(super) struct Person {
    pub(super) stage: Place,
    said: RefCell<Vec<String>>,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

impl Person {
    pub(super) fn new(ground: &Ground, weakness: Option<&'static str>) -> Self {
        let mut stage = ground.set();
        if let Some(weakness) = weakness {
            stage.leave_out(weakness);
        }
        Self { stage, said: RefCell::default() }
    }

    /// What was sent since the requests were last forgotten, with `*` for every id.
    pub(super) fn requests(&self) -> Vec<String> {
        let words = |one: &Value| format!("{} {}", text(&one["method"]), shape(text(&one["path"])));
        self.stage.requests().iter().map(words).collect()
    }

    pub(super) fn heard(&self, run: Run) -> Run {
        self.said.borrow_mut().push(run.all());
        assert!(self.created() <= 1, "a second tenant was made:\n{}", self.said.borrow().join("\n----\n"));
        run
    }

    /// P1, from the record of all runs.
    fn created(&self) -> usize {
        self.changes().iter().filter(|change| *change == "POST /v2/account/tenants").count()
    }

    fn changes(&self) -> Vec<String> {
        let requests = self.stage.requests();
        let done = requests.iter().filter(|one| one["committed"] == json!(true) && one["method"] != json!("GET"));
        let done = done.map(|one| format!("{} {}", text(&one["method"]), shape(text(&one["path"]))));
        done.filter(|change| !change.ends_with("/identity/hmac")).collect()
    }

    pub(super) fn apply(&self, args: &[&str]) -> Run {
        let args = [&["--yes"], args].concat();
        self.heard(Run::of(&self.stage.program(APPLY, &args, Runner::First).output().unwrap()))
    }

    fn plan(&self) -> Run {
        let args = ["--detailed-exitcode", "--preflight", "full"];
        self.heard(Run::of(&self.stage.program(PLAN, &args, Runner::First).output().unwrap()))
    }

    /// The first key that the plan would have a person delete.
    pub(super) fn is_asked_to_reclaim(&self) -> Option<String> {
        let plan = self.plan();
        let (_, rest) = plan.out.split_once("qlik-apply --reclaim ")?;
        rest.split_whitespace().next().map(str::to_owned)
    }

    /// Programs run so far.
    pub(super) fn count(&self) -> usize {
        self.said.borrow().len()
    }

    pub(super) fn is_killed_when_held(&self) {
        let mut command = self.stage.program(APPLY, &["--yes"], Runner::First);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        if self.stage.holds_a_request_of(&mut child) {
            child.kill().unwrap();
        }
        self.heard(Run::of(&child.wait_with_output().unwrap()));
    }

    pub(super) fn release(&self, dropped: bool) {
        self.stage.control("POST", "/release", &json!({ "drop": dropped }));
        self.settle_what_is_on_its_way();
    }

    pub(super) fn settle_what_is_on_its_way(&self) {
        let arrived = self.stage.requests().len();
        self.stage.control("GET", &format!("/wait?requests={arrived}"), &Value::Null);
    }

    /// Success means that the secrets are there (P2), and a failure names a step (P10).
    pub(super) fn is_disturbed(&self, args: &[&str]) {
        let run = self.apply(args);
        self.stage.control("DELETE", "/faults", &Value::Null);
        if run.code == Some(0) {
            self.delivered();
        } else {
            self.is_told_what_next(&run);
        }
    }

    pub(super) fn is_told_what_next(&self, run: &Run) {
        assert_eq!(run.code, Some(1), "{}", run.all());
        let said = run.all();
        let step = said.contains("  next: ") || said.contains("\nNext:\n") || said.contains("-> ");
        assert!(step, "it failed and says no next step:\n{said}");
    }

    /// Applies until all is well, and does on the way what it is asked for.
    pub(super) fn recovers(&self) {
        for _ in 0..ROUNDS {
            self.stage.runs_are_over();
            let run = self.apply(&[]);
            if run.code == Some(0) {
                return;
            }
            let said = run.all();
            self.is_told_what_next(&run);
            if said.contains("qlik-apply resolve imburse/uk-retail --adopt") {
                self.resolves();
            }
        }
        panic!("{ROUNDS} rounds were not enough:\n{}", self.said.borrow().join("\n----\n"));
    }

    fn resolves(&self) {
        let tenants = self.tenants();
        let answer = match tenants.as_slice() {
            [] => {
                // The hour in which the request may still arrive.
                self.stage.control("POST", "/clock", &json!({ "advance": "PT2H" }));
                vec!["--not-created"]
            }
            [tenant] => vec!["--adopt", text(&tenant["tenantId"])],
            more => panic!("{} tenants for one address", more.len()),
        };
        let args = [vec!["resolve", "imburse/uk-retail"], answer].concat();
        self.heard(Run::of(&self.stage.program(APPLY, &args, Runner::First).output().unwrap())).exits(0);
    }

    fn tenants(&self) -> Vec<Value> {
        let state = self.stage.state();
        let accounts = list(&state["imburse"]["accounts"]).iter();
        accounts.flat_map(|account| list(&account["tenants"]).to_vec()).collect()
    }

    fn live_keys(&self) -> BTreeSet<String> {
        let tenants = self.tenants();
        let keys = tenants.iter().flat_map(|tenant| list(&tenant["keys"]));
        keys.map(|key| text(&key["publicKey"]).to_owned()).collect()
    }

    /// Public and private key in a sink.
    pub(super) fn pair(&self, key: &str) -> Option<(String, String)> {
        let payload = match self.stage.is_shared() {
            true => self.stage.in_vault("imburse", "uk-retail", key)?,
            false => std::fs::read_to_string(self.stage.sinks().join("files/imburse/uk-retail").join(key)).ok()?,
        };
        let object: Value = serde_json::from_str(&payload).unwrap_or_default();
        let of = |json: &str, env: &str| {
            let line = payload.lines().find_map(|line| line.split_once(env)).map(|(_, value)| value.trim_matches('\''));
            object[json].as_str().or(line).map(str::to_owned)
        };
        of("publicKey", "IMBURSE_PUBLIC_KEY=").zip(of("privateKey", "IMBURSE_PRIVATE_KEY="))
    }

    /// P2, at any moment: what stands in a sink is a live key.
    pub(super) fn sinks_hold_live_keys(&self) {
        let live = self.live_keys();
        for (public, _) in KEYS.iter().filter_map(|key| self.pair(key)) {
            assert!(live.contains(&public), "the sink's key {public} was deleted");
        }
    }

    /// P2: every declared key is in its sink and lives.
    fn delivered(&self) -> BTreeMap<String, String> {
        let live = self.live_keys();
        let pairs = KEYS.iter().map(|key| self.pair(key).unwrap_or_else(|| panic!("the sink has no key {key}")));
        let pairs: BTreeMap<String, String> = pairs.collect();
        assert_eq!(pairs.len(), KEYS.len(), "two files hold one key");
        for public in pairs.keys() {
            assert!(live.contains(public), "the sink's key {public} does not live");
        }
        pairs
    }

    /// All promises, at the end of a story.
    pub(super) fn finds_all_well(&self) {
        let tenants = self.tenants();
        let [tenant] = tenants.as_slice() else { panic!("{} tenants are there", tenants.len()) };
        assert_eq!((self.created(), &tenant["name"]), (1, &json!("UK Retail")));
        let pairs = self.delivered();
        // No orphan: these keys do not expire.
        let live = self.live_keys();
        assert_eq!(live, pairs.keys().cloned().collect(), "other keys live:\n{}", self.said.borrow().join("\n----\n"));
        for key in list(&tenant["keys"]) {
            assert!(text(&key["name"]).ends_with(":d]"), "a delivered key is not marked so: {key}");
        }
        self.keys_work(&pairs);
        const ALLOWED: [&str; 4] = [
            "POST /v2/account/tenants",
            "POST /v2/account/tenants/*/keys",
            "PUT /v2/account/tenants/*/keys/*",
            "DELETE /v2/account/tenants/*/keys/*",
        ];
        let before = self.changes();
        for change in &before {
            assert!(ALLOWED.contains(&change.as_str()), "{change} is none of ours");
        }
        self.plan().exits(0);
        assert_eq!(self.is_asked_to_reclaim(), None, "a person is asked to clear up");
        self.apply(&[]).exits(0).says("Nothing to do");
        assert_eq!(self.changes(), before, "a second apply changed something");
        self.nothing_leaked(&pairs);
    }

    /// With nothing but the pair, a client of no programs of ours gets a token.
    fn keys_work(&self, pairs: &BTreeMap<String, String>) {
        let now = self.stage.control("GET", "/clock", &Value::Null);
        let now = text(&now["now"]).parse::<jiff::Timestamp>().unwrap().as_second();
        let dir = self.stage.dir();
        let base_url = value(&dir.join(".qlik-sandbox/env.sh"), "export IMBURSE_BASE_URL");
        for (public, private) in pairs {
            let (status, answer) = Client::at(dir).imburse_token(&base_url, public, private, now);
            assert_eq!(status, 201, "the delivered key {public}: {answer}");
        }
    }

    /// P3: no private key and no token in what was printed, nor in any file that is no secret's place.
    fn nothing_leaked(&self, pairs: &BTreeMap<String, String>) {
        let dir = self.stage.dir();
        let mut places: Vec<(String, String)> =
            self.said.borrow().iter().map(|said| ("what was printed".to_owned(), said.clone())).collect();
        let sandbox = dir.join(".qlik-sandbox");
        places.extend(self.stage.ledger_files());
        let mut files: Vec<PathBuf> = below(&self.stage.sinks()).into_iter().filter(|file| hidden(file)).collect();
        files.extend(below(dir).into_iter().filter(|file| !file.starts_with(&sandbox)));
        for file in files {
            let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
            places.push((file.display().to_string(), text));
        }
        for (place, said) in places {
            assert!(!place.ends_with(".tmp"), "{place} was left behind");
            assert!(!holds_a_token(&said), "a token is in {place}");
            for private in pairs.values() {
                assert!(!said.contains(private.as_str()), "a private key is in {place}");
            }
        }
    }
}
