//! A kind that only tests have, from a file to a plan and its documents: it shows what a new kind costs.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::config::{self, Source};
use crate::model::address::Address;
use crate::model::desired::Desired;
use crate::model::live::{Live, Observed};
use crate::model::object::ObjectKind;
use crate::model::selection::Selection;
use crate::render::{self, Look, Verdict};
use crate::saved::{read_plan, write_plan};

use super::action::{Action, Keep, Plan};
use super::{Wishes, plan};

const SETTINGS: &str = "version: 1
accounts:
  us-oem:
    vendor: qlik
    region: us
    source_tenant: mycorp
    client: { id: { env: QLIK_CLIENT_ID }, secret: { env: QLIK_CLIENT_SECRET } }
sinks:
  files: { kind: file, directory: ./secrets }
ledger: { kind: directory, path: .qlik-plan/ledger }
";

const DESIRED: &str = "version: 1
qlik:
  tenants:
    acme:
      account: us-oem
      display_name: Acme
      spaces:
        finance: { name: Finance, type: shared }
";

const SPACE: &str = "qlik/acme/space/finance";

fn desired(text: &str) -> Result<Desired, config::Report> {
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    let settings = config::settings(&source("settings.yaml", SETTINGS), Path::new("/estate")).unwrap();
    config::desired(&[source("acme.yaml", text)], &settings)
}

/// The tenant is recorded and there, with these spaces.
fn live(spaces: Option<Observed<&[&str]>>) -> Live {
    let binding = json!({
        "tenant_id": "t-1", "hostname": "abc.us.qlikcloud.com", "account": "us-oem", "how": "created", "at": "2026-06-01T12:00:00Z",
    });
    let record = json!({ "uid": "0".repeat(32), "address": "qlik/acme", "seq": 4, "state": { "settled": binding } });
    let tenant = json!({ "id": "t-1", "name": "Acme", "hostnames": ["abc.us.qlikcloud.com"], "status": "active" });
    serde_json::from_value(json!({
        "ledger": { "present": {
            "id": "0".repeat(32), "place": "/ledger", "records": { "qlik/acme": record }, "runs": {}, "other_runs": "proven",
        } },
        "tenants": { "qlik/acme": { "tenant": { "present": tenant }, "keys": { "present": {} }, "spaces": spaces } },
    }))
    .unwrap()
}

fn planned(live: &Live) -> (Desired, Plan) {
    let desired = desired(DESIRED).unwrap();
    let plan = plan(&desired, live, &Wishes::default(), now());
    (desired, plan)
}

fn now() -> Timestamp {
    "2026-07-01T12:00:00Z".parse().unwrap()
}

fn of_space(plan: &Plan) -> &Action {
    let address: Address = SPACE.parse().unwrap();
    let mut own = plan.actions.iter().filter(|planned| planned.address == address).map(|planned| &planned.action);
    let action = own.next().unwrap_or_else(|| panic!("nothing is planned for {SPACE}: {plan:?}"));
    assert!(own.next().is_none());
    action
}

#[test]
fn a_missing_object_is_made_and_every_document_says_so() {
    let (desired, plan) = planned(&live(Some(Observed::Present(&["Marketing"]))));
    assert!(matches!(of_space(&plan), Action::CreateObject(create) if create.object.kind() == ObjectKind::Space));
    assert_eq!(render::summary::plan(&plan), "Plan: 1 space to create; 1 unchanged.");
    let text = render::text::plan(&plan, &Look::PLAIN);
    for part in [SPACE, "create space", "name", "\"Finance\"", "type", "\"shared\"", "acme.yaml:8"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let verdict = Verdict::of_plan(&plan, 2);
    let document: Value = serde_json::from_str(&render::json::plan(&plan, &verdict)).unwrap();
    assert_eq!(document["counts"]["spaces_to_create"], 1);
    let action = document["actions"].as_array().unwrap().iter().find(|one| one["address"] == SPACE).unwrap();
    assert_eq!((&action["kind"], &action["object"]), (&json!("create"), &json!("space")));
    assert_eq!(action["details"]["create_space"]["type"], "shared");
    let terraform: Value = serde_json::from_str(&render::terraform::plan(&plan, Some(&desired))).unwrap();
    let changes = terraform["resource_changes"].as_array().unwrap();
    let change = changes.iter().find(|one| one["type"] == "qlik_space").unwrap();
    assert_eq!(change["change"]["actions"], json!(["create"]));
    assert_eq!(change["change"]["after"]["name"], "Finance");
    let saved = write_plan(&plan, &Wishes::default(), &Selection::default(), None).unwrap();
    assert_eq!(read_plan("plan.json", &saved).unwrap().plan, plan);
}

#[test]
fn an_object_that_is_there_is_kept_and_an_unread_list_makes_nothing() {
    let (_, plan) = planned(&live(Some(Observed::Present(&["Finance"]))));
    assert!(matches!(of_space(&plan), Action::Keep(Keep::Object(_))), "{plan:?}");
    assert_eq!(render::summary::plan(&plan), "Nothing to do. 2 objects are as declared.");
    let (_, plan) = planned(&live(None));
    assert!(matches!(of_space(&plan), Action::Refuse(_)), "{plan:?}");
}

#[test]
fn a_fault_of_the_new_kind_names_its_place() {
    let report = desired(&DESIRED.replace("type: shared", "type: shred")).unwrap_err().to_string();
    assert!(report.contains("acme.yaml:8") && report.contains("shred"), "{report}");
}
