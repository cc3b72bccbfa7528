//! Where a story is played: `--sandbox` on a ledger of its own, or runners on a ledger that they share in an object store.

use std::ops::Deref;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::service::{ROOT, Service, bao, http};
use crate::stage::{SETTINGS, Stage};

use super::gate::Gate;
use super::judge;
use super::rules;
use super::second::{STRIKES, STRIKES_AFTER};

/// The store of the tests believes whoever names a key.
const SIGNED: (&str, &str) = (
    "Authorization",
    "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
);

/// Programs that keep a key where the sink `file` would.
pub(super) const PUT: &str = r#"mkdir -p "$place"
cat > "$place/$QLIK_PLAN_KEY.new"
printf '%s' "$QLIK_PLAN_METADATA" > "$place/.$QLIK_PLAN_KEY.new"
mv "$place/.$QLIK_PLAN_KEY.new" "$place/.$QLIK_PLAN_KEY.json"
mv "$place/$QLIK_PLAN_KEY.new" "$place/$QLIK_PLAN_KEY"
"#;
pub(super) const CHECK: &str = r#"[ -e "$place/$QLIK_PLAN_KEY" ] || { echo absent; exit; }
sha256=$(sha256sum < "$place/$QLIK_PLAN_KEY" | cut -c1-64)
printf '{"metadata": %s, "sha256": "%s"}' "$(cat "$place/.$QLIK_PLAN_KEY.json")" "$sha256"
"#;

/// Stories share a store, and have a prefix each.
static STORIES: AtomicUsize = AtomicUsize::new(0);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    First,
    Second,
}

pub(super) enum Place {
    Sandbox(Stage),
    Shared(Box<Shared>),
}

pub(super) struct Shared {
    cloud: Cloud,
    store: Arc<Service>,
    /// Where keys go, if not into a folder that all runners see.
    vault: Option<Arc<Service>>,
    prefix: String,
    first: Gate,
    second: Gate,
}

impl Deref for Place {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        match self {
            Self::Sandbox(stage) => stage,
            Self::Shared(shared) => &shared.cloud.stage,
        }
    }
}

impl Place {
    /// Two runners with a ledger in the store, and a folder for secrets that both see.
    pub(super) fn shared(desired: &str, store: &Arc<Service>, programs: bool, two_homes: bool) -> Self {
        let shared = Shared::new(desired, store, None);
        let folder = shared.cloud.stage.dir().join("settings");
        for (name, text) in [("put", PUT), ("check", CHECK)] {
            std::fs::write(folder.join(name), format!("set -eu\nplace=../secrets/qlik/$QLIK_PLAN_TENANT\n{text}"))
                .unwrap();
        }
        let script = format!("set -eu\nplace=../secrets/second/qlik/$QLIK_PLAN_TENANT\n{STRIKES}{PUT}{STRIKES_AFTER}");
        std::fs::write(folder.join("put-second"), script).unwrap();
        for who in [Runner::First, Runner::Second] {
            let settings = shared
                .with_ledger(SETTINGS, who)
                .replace("./secrets, durable: true", "../secrets, durable: true, shared: true");
            assert!(settings.contains("shared: true"));
            let folder = "{ kind: file, directory: ../secrets, durable: true, shared: true }";
            assert!(settings.contains(folder));
            let settings = match programs {
                true => settings
                    .replace(folder, "{ kind: command, deliver: [sh, ./put], check: [sh, ./check], shared: true }"),
                false => settings,
            };
            let settings = match two_homes {
                true => settings.replace(
                    "\nledger:",
                    "\n  second: { kind: command, deliver: [sh, ./put-second], shared: true }\nledger:",
                ),
                false => settings,
            };
            shared.write_settings(&settings, who);
        }
        let place = Self::Shared(Box::new(shared));
        for args in [["ledger", "init"], ["rehearse", "us-oem"]] {
            let output = place.program(crate::stage::APPLY, &args, Runner::First).output().unwrap();
            drop(crate::stage::Run::of(&output).exits(0));
        }
        place
    }

    /// A runner with a ledger in the store, and the keys in a vault. Settings name its sink `files`, as a folder.
    pub(super) fn with_vault(desired: &str, settings: &str, store: &Arc<Service>, vault: &Arc<Service>) -> Self {
        let shared = Shared::new(desired, store, Some(Arc::clone(vault)));
        let sink = format!(
            "files: {{ kind: vault, address: 'http://{}', mount: secret, path: '{}/{{vendor}}/{{tenant}}/{{key}}', \
             token: {{ env: VAULT_TOKEN }} }}",
            vault.host, shared.prefix
        );
        let settings = settings.replace("files: { kind: file, directory: ./secrets, durable: true }", &sink);
        assert!(settings.contains(&sink));
        let (account, declared) = (shared.cloud.variable("IMBURSE_ACCOUNT_ID"), "account_id: ");
        let at = settings.find(declared).unwrap() + declared.len();
        let settings = format!("{}{account}{}", &settings[..at], &settings[at + account.len()..]);
        shared.write_settings(&shared.with_ledger(&settings, Runner::First), Runner::First);
        let place = Self::Shared(Box::new(shared));
        let output = place.program(crate::stage::APPLY, &["ledger", "init"], Runner::First).output().unwrap();
        drop(crate::stage::Run::of(&output).exits(0));
        place
    }

    /// What the vault holds for a key, and nothing where there is no vault or no secret.
    pub(super) fn in_vault(&self, vendor: &str, tenant: &str, key: &str) -> Option<String> {
        let Self::Shared(shared) = self else { return None };
        let vault = shared.vault.as_ref()?;
        let path = format!("secret/data/{}/{vendor}/{tenant}/{key}", shared.prefix);
        let (status, found) = bao(vault, "GET", &path, &Value::Null);
        (status == 200).then(|| found["data"]["data"]["value"].as_str().unwrap().to_owned())
    }

    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    /// From now on the programs are those that leave out this rule.
    pub(super) fn leave_out(&mut self, rule: &'static str) {
        match self {
            Self::Sandbox(stage) => stage.leave_out(rule, rules::programs()),
            Self::Shared(shared) => shared.cloud.stage.leave_out(rule, rules::programs()),
        }
    }

    /// `qlik-plan` or `qlik-apply`, as this runner calls it.
    pub(super) fn program(&self, program: &str, args: &[&str], who: Runner) -> Command {
        match self {
            Self::Sandbox(stage) => {
                let mut command = stage.command(program);
                command.arg("--sandbox").args(args);
                command
            }
            Self::Shared(shared) => {
                let mut command = shared.cloud.command(program, args);
                command
                    .env("CI", "true")
                    .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
                    .env("AWS_SECRET_ACCESS_KEY", "of-the-store")
                    .env("VAULT_TOKEN", ROOT);
                command.arg("--settings").arg(shared.settings(who));
                command
            }
        }
    }

    /// This runner's way to the store, where there is one.
    pub(super) fn gate(&self, who: Runner) -> Option<&Gate> {
        match self {
            Self::Sandbox(_) => None,
            Self::Shared(shared) => Some(shared.gate(who)),
        }
    }

    pub(super) fn sinks(&self) -> PathBuf {
        match self {
            Self::Sandbox(stage) => stage.dir().join(".qlik-sandbox/sinks"),
            Self::Shared(shared) => shared.cloud.stage.dir().join("secrets"),
        }
    }

    pub(super) fn secret(&self, key: &str) -> PathBuf {
        match self {
            Self::Sandbox(stage) => stage.secret_file("acme", key),
            Self::Shared(shared) => shared.cloud.secret_file("acme", key),
        }
    }

    /// Where a key's secret is, home by home.
    pub(super) fn homes(&self, key: &str, two: bool) -> Vec<PathBuf> {
        let second = self.sinks().join("second/qlik/acme").join(key);
        std::iter::once(self.secret(key)).chain(two.then_some(second)).collect()
    }

    /// Every file of the ledger: its name, and what is in it.
    pub(super) fn ledger_files(&self) -> Vec<(String, String)> {
        match self {
            Self::Sandbox(stage) => judge::below(&stage.ledger())
                .into_iter()
                .map(|file| {
                    let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
                    (file.display().to_string(), text)
                })
                .collect(),
            Self::Shared(shared) => {
                shared.names("").into_iter().map(|name| (name.clone(), shared.object(&name))).collect()
            }
        }
    }

    /// Runs that did not say they ended are over by the store's clock. A folder's lock needs no clock.
    pub(super) fn runs_are_over(&self) {
        let Self::Shared(shared) = self else { return };
        for name in shared.names("runs/") {
            let mut record: Value = serde_json::from_str(&shared.object(&name)).unwrap();
            if record["run"]["ended"].is_null() {
                record["run"]["started"] = json!("2020-01-01T00:00:00Z");
                shared.call("PUT", &format!("/{}/{name}", shared.prefix), &record.to_string());
            }
        }
    }

    /// Writes of records that the store refused, over the story.
    pub(super) fn conflicts(&self) -> usize {
        match self {
            Self::Sandbox(_) => 0,
            Self::Shared(shared) => shared.first.conflicts() + shared.second.conflicts(),
        }
    }
}

impl Shared {
    fn new(desired: &str, store: &Arc<Service>, vault: Option<Arc<Service>>) -> Self {
        let prefix = format!("story-{}", STORIES.fetch_add(1, Ordering::SeqCst));
        let cloud = Cloud::new(desired);
        std::fs::create_dir(cloud.stage.dir().join("settings")).unwrap();
        let (first, second) = (Gate::before(&store.host), Gate::before(&store.host));
        Self { cloud, store: Arc::clone(store), vault, prefix, first, second }
    }

    /// The settings with this runner's way to the store.
    fn with_ledger(&self, settings: &str, who: Runner) -> String {
        let ledger = format!(
            "ledger: {{ kind: object-store, url: s3://estate/{}, endpoint: 'http://{}' }}",
            self.prefix,
            self.gate(who).host
        );
        let settings = settings.replace("ledger: { kind: directory, path: .qlik-plan/ledger, durable: true }", &ledger);
        assert!(settings.contains(&ledger));
        settings
    }

    fn write_settings(&self, settings: &str, who: Runner) {
        self.cloud.write_settings(settings);
        std::fs::rename(self.cloud.settings_file(), self.settings(who)).unwrap();
    }

    fn gate(&self, who: Runner) -> &Gate {
        match who {
            Runner::First => &self.first,
            Runner::Second => &self.second,
        }
    }

    fn settings(&self, who: Runner) -> PathBuf {
        // Beside the desired state they would be taken for it.
        self.cloud.stage.dir().join("settings").join(match who {
            Runner::First => "first.yaml",
            Runner::Second => "second.yaml",
        })
    }

    fn call(&self, method: &str, path: &str, body: &str) -> String {
        let ask = || http(&self.store.host, method, &format!("/estate{path}"), &[SIGNED], body);
        // moto fails to list a bucket in which something is written at that moment, as other stories do; asked again, it lists it.
        let again = (1..5).map(|_| ask());
        let (status, body) = std::iter::once(ask()).chain(again).find(|(status, _)| *status != 500).unwrap();
        assert_eq!(status, 200, "{method} {path}: {body}");
        body
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let body = self.call("GET", &format!("?prefix={}/{folder}", self.prefix), "");
        let keys = body.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap());
        keys.map(|key| key.strip_prefix(&format!("{}/", self.prefix)).unwrap().to_owned()).collect()
    }

    fn object(&self, name: &str) -> String {
        self.call("GET", &format!("/{}/{name}", self.prefix), "")
    }
}
