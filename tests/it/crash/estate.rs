//! An estate on one machine, of one vendor or of both: programs run on it and are struck; whether all is well is seen from the cloud
//! and from the sinks, and from the plan only that it names what it must.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::stage::{APPLY, Run};

use super::judge::{below, id_of, token_in};
use super::place::{CHECK, PUT};
use super::rules;

/// Whose cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vendor {
    Qlik,
    Imburse,
}

/// Where the keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// A folder.
    File,
    /// Programs, one of which says what is stored.
    Programs,
    /// A program that stores, and none that looks.
    Blind,
}

impl std::fmt::Display for Vendor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Qlik => "Qlik",
            Self::Imburse => "Imburse",
        })
    }
}

impl std::fmt::Display for Home {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::File => "a folder",
            Self::Programs => "programs",
            Self::Blind => "a program and none that looks",
        })
    }
}

/// What an estate is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plot {
    pub(super) vendor: Vendor,
    pub(super) home: Home,
    pub(super) tenants: usize,
    /// The rule that the programs leave out.
    pub(super) weakness: Option<&'static str>,
}

pub(super) const KEYS: [&str; 2] = ["ci", "reporting"];

pub(super) struct Estate {
    pub(super) cloud: Cloud,
    plot: Plot,
    /// Everything that any program printed.
    said: RefCell<Vec<String>>,
}

/// A live key of ours at the vendor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Live {
    pub(super) id: String,
    /// Its description or name, with our marker.
    text: String,
}

/// More rounds than any story needs: one to be told and one to do it, for each trouble.
const ROUNDS: usize = 12;

impl Plot {
    fn desired(self) -> String {
        let mut text = "version: 1\n".to_owned();
        text += match self.vendor {
            Vendor::Qlik => "qlik:\n  tenants:\n",
            Vendor::Imburse => "imburse:\n  tenants:\n",
        };
        for n in 0..self.tenants {
            let tenant = match self.vendor {
                Vendor::Qlik => format!(
                    "    t{n}:
      account: us-oem
      display_name: Tenant {n}
      api_key_limits: {{ max_expiry: P30D, max_keys_per_user: 10 }}
      grants: {{ manage_api_keys: {{ everyone: {{}} }} }}
      api_keys:
        ci: {{ description: CI, owner: {{ client: {{}} }}, expires_in: P20D, renew_before: P1D, deliver_to: home }}
        reporting: {{ description: Reporting, owner: {{ client: {{}} }}, expires_in: P20D, renew_before: P1D, deliver_to: home }}
"
                ),
                Vendor::Imburse => format!(
                    "    t{n}:
      account: payments
      display_name: Tenant {n}
      address: {{ street_address: 1 High Street, locality: London, region: London, post_code: N1 1AA, country: GB }}
      api_keys:
        ci: {{ name: CI, roles: [tenant-admin], deliver_to: home }}
        reporting: {{ name: Reporting, roles: [tenant-app-read], deliver_to: home }}
"
                ),
            };
            text.push_str(&tenant);
        }
        text
    }

    fn settings(self, account: &str) -> String {
        let sink = match self.home {
            Home::File => "{ kind: file, directory: ./secrets, durable: true }",
            Home::Programs => "{ kind: command, deliver: [sh, ./put], check: [sh, ./check] }",
            Home::Blind => "{ kind: command, deliver: [sh, ./put] }",
        };
        format!(
            "version: 1
accounts:
  us-oem:
    vendor: qlik
    region: us
    source_tenant: mycorp
    client: {{ id: {{ env: QLIK_CLIENT_ID }}, secret: {{ env: QLIK_CLIENT_SECRET }} }}
    key_client: {{ id: {{ env: QLIK_KEY_CLIENT_ID }}, secret: {{ env: QLIK_KEY_CLIENT_SECRET }} }}
  payments:
    vendor: imburse
    base_url: https://sandbox-api.imbursepayments.com
    account_id: {account}
    account_key: {{ public: {{ env: IMBURSE_PUBLIC_KEY }}, private: {{ env: IMBURSE_PRIVATE_KEY }} }}
sinks:
  home: {sink}
ledger: {{ kind: directory, path: .qlik-plan/ledger, durable: true }}
limits: {{ create_tenants: 20, mint_keys: 50 }}
"
        )
    }

    fn word(self) -> &'static str {
        match self.vendor {
            Vendor::Qlik => "qlik",
            Vendor::Imburse => "imburse",
        }
    }

    /// The request that makes a key, that marks it and that ends it, as a fault matches them.
    pub(super) fn requests(self) -> [(&'static str, &'static str); 3] {
        match self.vendor {
            Vendor::Qlik => {
                [("POST", "/api/v1/api-keys"), ("PATCH", "/api/v1/api-keys/*"), ("DELETE", "/api/v1/api-keys/*")]
            }
            Vendor::Imburse => [
                ("POST", "/v2/account/tenants/*/keys"),
                ("PUT", "/v2/account/tenants/*/keys/*"),
                ("DELETE", "/v2/account/tenants/*/keys/*"),
            ],
        }
    }
}

impl Estate {
    pub(super) fn new(plot: Plot) -> Self {
        let mut cloud = Cloud::new(&plot.desired());
        let account = cloud.variable("IMBURSE_ACCOUNT_ID").to_owned();
        cloud.write_settings(&plot.settings(&account));
        for (name, text) in [("put", PUT), ("check", CHECK)] {
            let script = format!("set -eu\nplace=secrets/$QLIK_PLAN_VENDOR/$QLIK_PLAN_TENANT\n{text}");
            std::fs::write(cloud.stage.dir().join(name), script).unwrap();
        }
        let init: &[&[&str]] = match plot.vendor {
            Vendor::Qlik => &[&["ledger", "init"], &["rehearse", "us-oem"]],
            Vendor::Imburse => &[&["ledger", "init"]],
        };
        for args in init {
            cloud.apply(&[args, &["--settings", "qlik-plan.settings.yaml"][..]].concat()).exits(0);
        }
        if let Some(weakness) = plot.weakness {
            cloud.stage.leave_out(weakness, rules::programs());
        }
        Self { cloud, plot, said: RefCell::default() }
    }

    pub(super) fn executions(&self) -> usize {
        self.said.borrow().len()
    }

    fn heard(&self, run: Run) -> Run {
        self.said.borrow_mut().push(run.all());
        assert!(self.tenants().len() <= self.plot.tenants, "{} tenants were made", self.tenants().len());
        self.sinks_hold_live_keys();
        run
    }

    fn args<'a>(&self, args: &[&'a str]) -> Vec<&'a str> {
        [args, &["--settings", "qlik-plan.settings.yaml"]].concat()
    }

    pub(super) fn apply(&self, args: &[&str]) -> Run {
        self.heard(self.cloud.apply(&self.args(&[&["--yes"], args].concat())))
    }

    /// A plan that looks into the sinks.
    pub(super) fn plan(&self) -> Run {
        self.heard(self.cloud.plan(&self.args(&["--detailed-exitcode", "--preflight", "full"])))
    }

    /// An apply that is killed as soon as the cloud holds a request of it; one that ends before is let end.
    pub(super) fn killed_when_held(&self) {
        let mut command = self.cloud.command(APPLY, &self.args(&["--yes"]));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if self.cloud.stage.holds_a_request_of(&mut child) {
            child.kill().unwrap();
        }
        self.heard(Run::of(&child.wait_with_output().unwrap()));
    }

    /// An apply at whose held request something is done, and which then goes on to its end.
    pub(super) fn ends_after(&self, args: &[&str], then: impl FnOnce()) -> Run {
        let mut command = self.cloud.command(APPLY, &self.args(&[&["--yes"], args].concat()));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if self.cloud.stage.holds_a_request_of(&mut child) {
            then();
        }
        self.heard(Run::of(&child.wait_with_output().unwrap()))
    }

    /// What was held goes on, or is dropped; then nothing is on its way.
    pub(super) fn release(&self, dropped: bool) {
        self.cloud.stage.control("POST", "/release", &json!({ "drop": dropped }));
        self.settles();
    }

    pub(super) fn settles(&self) {
        let arrived = self.cloud.stage.requests().len();
        self.cloud.stage.control("GET", &format!("/wait?requests={arrived}"), &Value::Null);
    }

    pub(super) fn heals(&self) {
        self.cloud.stage.control("DELETE", "/faults", &Value::Null);
    }

    /// What the vendor holds of ours.
    pub(super) fn tenants(&self) -> Vec<Value> {
        let state = self.cloud.stage.state();
        match self.plot.vendor {
            Vendor::Qlik => {
                list(&state["tenants"]).iter().filter(|one| one["source"] == json!(false)).cloned().collect()
            }
            Vendor::Imburse => {
                let accounts = list(&state["imburse"]["accounts"]).iter();
                accounts.flat_map(|account| list(&account["tenants"]).to_vec()).collect()
            }
        }
    }

    pub(super) fn live_keys(&self) -> BTreeSet<Live> {
        let tenants = self.tenants();
        let keys = tenants.iter().flat_map(|tenant| list(&tenant["keys"]));
        keys.filter_map(|key| {
            let (id, name) = match self.plot.vendor {
                Vendor::Qlik => ("id", "description"),
                Vendor::Imburse => ("publicKey", "name"),
            };
            let lives = self.plot.vendor == Vendor::Imburse || key["status"] == json!("active");
            let live = Live { id: text(&key[id]).to_owned(), text: text(&key[name]).to_owned() };
            (lives && live.text.contains("[qp1:")).then_some(live)
        })
        .collect()
    }

    fn secret(&self, tenant: usize, key: &str) -> PathBuf {
        self.cloud.stage.dir().join("secrets").join(self.plot.word()).join(format!("t{tenant}")).join(key)
    }

    /// The id of the key in a sink.
    fn held(&self, tenant: usize, key: &str) -> Option<String> {
        let payload = std::fs::read_to_string(self.secret(tenant, key)).ok()?;
        match self.plot.vendor {
            Vendor::Qlik => id_of(&token_in(&payload)?),
            Vendor::Imburse => Some(text(&serde_json::from_str::<Value>(&payload).ok()?["publicKey"]).to_owned()),
        }
    }

    fn all_held(&self) -> BTreeSet<String> {
        let places = (0..self.plot.tenants).flat_map(|tenant| KEYS.map(|key| (tenant, key)));
        places.filter_map(|(tenant, key)| self.held(tenant, key)).collect()
    }

    /// P2, at any moment: what stands in a sink is a live key.
    fn sinks_hold_live_keys(&self) {
        let live: BTreeSet<String> = self.live_keys().into_iter().map(|key| key.id).collect();
        for id in self.all_held() {
            assert!(live.contains(&id), "the sink's key {id} was revoked\n{}", self.story());
        }
    }

    /// Live keys of ours that are in no sink.
    pub(super) fn strays(&self) -> Vec<Live> {
        let held = self.all_held();
        self.live_keys().into_iter().filter(|key| !held.contains(&key.id)).collect()
    }

    pub(super) fn story(&self) -> String {
        self.said.borrow().join("\n----\n")
    }

    /// No live key of ours is neither in its sink nor named by this plan.
    pub(super) fn names_what_is_in_no_sink(&self, plan: &Run) {
        for stray in self.strays() {
            assert!(plan.out.contains(&stray.id), "a live key is in no sink and not named: {stray:?}\n{}", plan.out);
        }
    }

    /// P10: a run that failed names a step.
    pub(super) fn is_told_what_next(&self, run: &Run) {
        let said = run.all();
        let step = said.contains("  next: ") || said.contains("\nNext:\n") || said.contains("-> ");
        assert!(run.code == Some(1) && step, "it ended with {:?} and says no next step:\n{said}", run.code);
    }

    /// Applies until it says that all is well, and does on the way what it asks for.
    pub(super) fn recovers(&self) {
        for _ in 0..ROUNDS {
            let run = self.apply(&[]);
            if run.code == Some(0) {
                return;
            }
            self.is_told_what_next(&run);
            self.answers(&run.all());
        }
        panic!("{ROUNDS} rounds were not enough:\n{}", self.story());
    }

    /// The same while nothing is ever revoked: until nobody is asked anything more.
    pub(super) fn recovers_but_for_revocations(&self) {
        for _ in 0..ROUNDS {
            let run = self.apply(&[]);
            if run.code == Some(0) || !self.answers(&run.all()) {
                return;
            }
        }
        panic!("{ROUNDS} rounds were not enough:\n{}", self.story());
    }

    /// Does what it is asked; whether there was something.
    fn answers(&self, said: &str) -> bool {
        let mut answered = false;
        for n in 0..self.plot.tenants {
            let address = format!("{}/t{n}", self.plot.word());
            if said.contains(&format!("qlik-apply resolve {address} --adopt")) {
                self.resolves(&address, n);
                answered = true;
            }
        }
        // The key that nobody can see, and that the person sees is in no sink, or is the one there.
        let asked: BTreeSet<&str> =
            said.split("qlik-apply --reclaim ").skip(1).filter_map(|rest| rest.split_whitespace().next()).collect();
        for id in asked {
            answered = true;
            if !self.all_held().contains(id) {
                self.apply(&["--reclaim", id]);
            } else if let Some(address) =
                said.split("qlik-apply --remint ").nth(1).and_then(|rest| rest.split_whitespace().next())
            {
                self.apply(&["--remint", address]);
            }
        }
        answered
    }

    /// Looks at the vendor's console, and says what is there. New tenants are all alike, so any that no record has will do.
    fn resolves(&self, address: &str, n: usize) {
        let ledger: String = below(&self.cloud.stage.dir().join(".qlik-plan/ledger/tenants"))
            .iter()
            .map(|file| std::fs::read_to_string(file).unwrap())
            .collect();
        let found = self.tenants().into_iter().find_map(|tenant| match self.plot.vendor {
            Vendor::Qlik => {
                let host = text(&tenant["hostnames"][0]).to_owned();
                (!ledger.contains(&host)).then(|| host.split('.').next().unwrap_or_default().to_owned())
            }
            Vendor::Imburse => {
                (tenant["name"] == json!(format!("Tenant {n}"))).then(|| text(&tenant["tenantId"]).to_owned())
            }
        });
        let answer = match &found {
            Some(id) => vec!["--adopt", id],
            None => {
                // The hour in which the request may still arrive.
                self.cloud.stage.control("POST", "/clock", &json!({ "advance": "PT2H" }));
                vec!["--not-created"]
            }
        };
        let args = [vec!["resolve", address], answer].concat();
        self.heard(self.cloud.apply(&self.args(&args))).exits(0);
    }

    /// All promises, at the end of a story. Gives the live keys that are in no sink, each of them named.
    pub(super) fn finds_all_well(&self) -> Vec<Live> {
        let tenants = self.tenants();
        let names: BTreeSet<&str> = tenants.iter().map(|tenant| text(&tenant["name"])).collect();
        let declared: Vec<String> = (0..self.plot.tenants).map(|n| format!("Tenant {n}")).collect();
        assert_eq!(tenants.len(), self.plot.tenants, "tenants\n{}", self.story());
        assert_eq!(names, declared.iter().map(String::as_str).collect(), "{}", self.story());
        let places = self.plot.tenants * KEYS.len();
        assert_eq!(self.all_held().len(), places, "secrets in place\n{}", self.story());
        self.sinks_hold_live_keys();
        let left = self.strays();
        let plan = self.plan();
        self.names_what_is_in_no_sink(&plan);
        if self.plot.vendor == Vendor::Imburse && !left.is_empty() {
            // They never expire, so a person is asked, and sees that nobody uses them.
            plan.exits(2).says("QP0610");
            for key in &left {
                self.apply(&["--reclaim", &key.id]).exits(0);
            }
            self.plan().exits(0);
        } else {
            plan.exits(0);
        }
        let before = self.cloud.stage.changes().len();
        self.apply(&[]).exits(0).says("Nothing to do");
        let after: Vec<String> = self.cloud.stage.changes().split_off(before);
        let changed: Vec<&String> = after.iter().filter(|change| !change.ends_with("/identity/hmac")).collect();
        assert!(changed.is_empty(), "a second apply sent {changed:?}");
        left
    }
}

impl Live {
    pub(super) fn is_delivered(&self) -> bool {
        self.text.ends_with(":d]")
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
