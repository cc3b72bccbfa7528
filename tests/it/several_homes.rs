//! A key with several homes: delivered to all of them or not at all, replaced in all, and nobody's key taken away meanwhile.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::needs;

const DESIRED: &str = "version: 1
qlik:
  tenants:
    acme:
      account: us-oem
      api_key_limits: { max_expiry: P30D, max_keys_per_user: 10 }
      grants: { manage_api_keys: { everyone: {} } }
      api_keys:
        ci:
          description: CI
          owner: { client: {} }
          expires_in: P7D
          renew_before: P1D
          deliver_to: [files, store]
          deliver_as: { files: env, store: json }
";

/// A folder, and programs that keep a key as a folder would. They do as told by a file `trouble`, where there is one.
const STORE: &str = r#"set -eu
place=store/$QLIK_PLAN_TENANT
case $(cat trouble 2> /dev/null || true) in
    shut) cat > /dev/null; echo the store is shut >&2; exit 110 ;;
    kill) rm trouble; kill -9 "$PPID"; exit 1 ;;
esac
mkdir -p "$place"
cat > "$place/$QLIK_PLAN_KEY"
printf '%s' "$QLIK_PLAN_METADATA" > "$place/$QLIK_PLAN_KEY.json"
"#;
const LOOKS: &str = r#"place=store/$QLIK_PLAN_TENANT
[ -e "$place/$QLIK_PLAN_KEY" ] || { echo absent; exit; }
sha256=$(sha256sum < "$place/$QLIK_PLAN_KEY" | cut -c1-64)
printf '{"metadata": %s, "sha256": "%s"}' "$(cat "$place/$QLIK_PLAN_KEY.json")" "$sha256"
"#;

struct Shop(Cloud);

impl Shop {
    /// `looks`: whether the store can be asked what it holds. Without that it is always the last to be delivered to.
    fn new(looks: bool) -> Option<Self> {
        if !needs::programs(&["sha256sum"]) {
            return None;
        }
        let shop = Self(Cloud::new(DESIRED));
        shop.settings(looks);
        for (name, text) in [("put", STORE), ("look", LOOKS)] {
            std::fs::write(shop.0.stage.dir().join(name), text).unwrap();
        }
        for args in [["ledger", "init"], ["rehearse", "us-oem"]] {
            shop.0.apply(&[&args[..], &["--settings", "qlik-plan.settings.yaml"]].concat()).exits(0);
        }
        Some(shop)
    }

    fn settings(&self, looks: bool) {
        let check = if looks { ", check: [sh, ./look]" } else { "" };
        let store = format!("\n  store: {{ kind: command, deliver: [sh, ./put]{check} }}\nledger:");
        self.0.write_settings(&crate::stage::SETTINGS.replace("\nledger:", &store));
    }

    fn trouble(&self, word: Option<&str>) {
        let file = self.0.stage.dir().join("trouble");
        match word {
            Some(word) => std::fs::write(file, word).unwrap(),
            None => drop(std::fs::remove_file(file)),
        }
    }

    /// The key's id in the folder and in the store.
    fn held(&self) -> [Option<String>; 2] {
        let dir = self.0.stage.dir();
        [dir.join("secrets/qlik/acme/.ci.meta.json"), dir.join("store/acme/ci.json")].map(|file| {
            let read: Value = serde_json::from_str(&std::fs::read_to_string(file).ok()?).unwrap();
            let entry = read["entries"].get(0).unwrap_or(&read);
            Some(entry["key_id"].as_str().unwrap().to_owned())
        })
    }

    fn live(&self) -> BTreeSet<String> {
        self.0.stage.live_keys().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Both homes hold one live key, and nothing is left to do. Gives its id.
    #[track_caller]
    fn is_whole(&self) -> String {
        let [Some(folder), Some(store)] = self.held() else { panic!("{:?}", self.held()) };
        assert_eq!(folder, store);
        assert!(self.live().contains(&folder));
        self.0.plan(&["--detailed-exitcode", "--preflight", "full"]).exits(0);
        self.0.stage.forget_requests();
        self.0.apply(&["--yes"]).exits(0).says("Nothing to do");
        assert_eq!(self.0.stage.changes(), Vec::<String>::new());
        folder
    }
}

#[test]
fn each_home_gets_its_shape_and_a_renewal_comes_to_both() {
    let Some(shop) = Shop::new(true) else { return };
    let run = shop.0.apply(&["--yes"]).exits(0).says("files as env, store as json");
    // In which order is settled by where they are.
    assert!(run.all().contains("secrets/qlik/acme/ci") && run.all().contains(" and "), "{}", run.all());
    let first = shop.is_whole();
    let dir = shop.0.stage.dir();
    let (env, json) = ("secrets/qlik/acme/ci", "store/acme/ci");
    assert!(std::fs::read_to_string(dir.join(env)).unwrap().contains("QLIK_API_KEY=eyJ"));
    let stored: Value = serde_json::from_str(&std::fs::read_to_string(dir.join(json)).unwrap()).unwrap();
    assert!(stored["api_key"].as_str().unwrap().starts_with("eyJ"));
    shop.0.stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
    shop.0.apply(&["--yes"]).exits(0);
    let second = shop.is_whole();
    assert_ne!(first, second);
    assert_eq!(shop.live(), BTreeSet::from([first, second]), "the old one is left to expire");
}

#[test]
fn a_run_that_dies_between_two_homes_costs_one_key_and_takes_none_away() {
    let Some(shop) = Shop::new(false) else { return };
    shop.trouble(Some("kill"));
    assert_eq!(shop.0.apply(&["--yes"]).code, None);
    let [Some(half), None] = shop.held() else { panic!("{:?}", shop.held()) };
    shop.0.plan(&["--preflight", "full"]).exits(0).says("some of its sinks have it and others do not");
    shop.0.apply(&["--yes"]).exits(0);
    let whole = shop.is_whole();
    assert_eq!(shop.live(), BTreeSet::from([half.clone(), whole]), "whoever read the first one goes on");
    let plan = shop.0.plan(&["--preflight", "full"]).exits(0);
    plan.says(&format!("key {half} lives until")).says("another key replaced it there");
}

#[test]
fn a_home_that_takes_nothing_gets_two_keys_and_then_a_person() {
    let Some(shop) = Shop::new(false) else { return };
    shop.trouble(Some("shut"));
    let run = shop.0.apply(&["--yes"]).exits(1).says("the store is shut").says("works, and only ");
    run.says("another key is delivered to all its sinks");
    shop.0.apply(&["--yes"]).exits(1).says("the store is shut");
    let live = shop.live();
    assert_eq!(live.len(), 2);
    for _ in 0..2 {
        shop.0.apply(&["--yes"]).exits(1).says("QP0331").says("one more may fare no better");
    }
    assert_eq!(shop.live(), live, "no run makes another");
    shop.trouble(None);
    shop.0.apply(&["--yes", "--remint", "qlik/acme/ci"]).exits(0);
    let whole = shop.is_whole();
    assert!(!live.contains(&whole));
    assert_eq!(shop.live().len(), 3, "none of them was taken away");
}

#[test]
fn a_home_that_was_emptied_is_named_and_filled_when_a_person_says_so() {
    let Some(shop) = Shop::new(true) else { return };
    shop.0.apply(&["--yes"]).exits(0);
    shop.is_whole();
    std::fs::remove_dir_all(shop.0.stage.dir().join("store")).unwrap();
    let run = shop.0.plan(&["--preflight", "full"]).exits(1).says("QP0301").says("is not in sink store any more");
    run.says("--remint qlik/acme/ci");
    shop.0.apply(&["--yes", "--remint", "qlik/acme/ci"]).exits(0);
    shop.is_whole();
}

#[test]
fn a_home_that_is_added_gets_a_new_key_and_one_that_is_taken_away_keeps_what_it_has() {
    let Some(shop) = Shop::new(true) else { return };
    let desired = shop.0.stage.dir().join("desired.yaml");
    let one = DESIRED.replace("[files, store]", "files").replace("{ files: env, store: json }", "env");
    std::fs::write(&desired, &one).unwrap();
    shop.0.apply(&["--yes"]).exits(0);
    let [Some(before), None] = shop.held() else { panic!("{:?}", shop.held()) };
    std::fs::write(&desired, DESIRED).unwrap();
    shop.0.plan(&["--detailed-exitcode", "--preflight", "full"]).exits(2).says("1 key to create");
    shop.0.apply(&["--yes"]).exits(0);
    let both = shop.is_whole();
    assert_ne!(before, both);
    std::fs::write(&desired, one).unwrap();
    shop.0.plan(&["--detailed-exitcode", "--preflight", "full"]).exits(0);
    assert_eq!(shop.held(), [Some(both.clone()), Some(both)]);
}
