//! The planner from files to text: a folder in `fixtures/plan` is a test. And what holds for every plan.

mod base;
mod fixtures;
mod patch;
mod payments;
mod properties;
mod referee;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use qlik_plan::config::{self, Source};
use qlik_plan::model::address::{Address, Vendor};
use qlik_plan::model::desired::Desired;
use qlik_plan::model::live::Live;
use qlik_plan::plan::action::{Action, Plan, Planned};
use qlik_plan::plan::refusal::Code;
use qlik_plan::plan::{Wishes, plan};
use qlik_plan::render::Outcome;

/// What a person asked of the run, in `wishes.json`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    remint: BTreeSet<Address>,
    replace: BTreeSet<Address>,
    reclaim: BTreeSet<String>,
    new: BTreeSet<Address>,
    unrehearsed: bool,
    unmanaged: bool,
    at: Option<Timestamp>,
}

#[derive(Clone)]
struct Case {
    folder: PathBuf,
    desired: Desired,
    live: Live,
    wishes: Wishes,
    now: Timestamp,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/plan")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn cases() -> Vec<Case> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders.into_iter().map(case).collect()
}

/// When a case is planned, unless its wishes say when.
fn noon() -> Timestamp {
    "2026-07-01T12:00:00Z".parse().unwrap()
}

fn case(folder: PathBuf) -> Case {
    let source =
        |file: &Path| Source { name: file.file_name().unwrap().to_string_lossy().into_owned(), text: read(file) };
    let own = folder.join("settings.yaml");
    let settings = source(&if own.exists() { own } else { root().join("settings.yaml") });
    let settings = config::settings(&settings, Path::new("/estate"))
        .unwrap_or_else(|report| panic!("{}: {report}", folder.display()));
    let desired = config::desired(&[source(&folder.join("desired.yaml"))], &settings)
        .unwrap_or_else(|report| panic!("{}: {report}", folder.display()));
    let live = patch::live(&folder, &desired);
    let asked = folder.join("wishes.json");
    let Asked { remint, replace, reclaim, new, unrehearsed, unmanaged, at } =
        if asked.exists() { serde_json::from_str(&read(&asked)).unwrap() } else { Asked::default() };
    let wishes = Wishes { remint, replace, reclaim, new, unrehearsed, unmanaged, ..Wishes::default() };
    let now = at.unwrap_or_else(noon);
    Case { folder, desired, live, wishes, now }
}

impl Case {
    fn name(&self) -> String {
        self.folder.file_name().unwrap().to_string_lossy().into_owned()
    }

    fn plan(&self) -> Plan {
        plan(&self.desired, &self.live, &self.wishes, self.now)
    }
}

#[test]
fn every_refusal_and_every_action_occurs_in_some_folder() {
    let mut codes = BTreeSet::new();
    let mut actions = BTreeSet::new();
    for case in cases() {
        let name = case.name();
        let mut own = BTreeSet::new();
        let plan = case.plan();
        for finding in &plan.findings {
            assert!(!finding.next.is_empty(), "{name}");
            assert_eq!(Outcome::of_plan(&Plan { actions: Vec::new(), ..plan.clone() }), Outcome::Drift, "{name}");
            own.insert(finding.code);
        }
        for planned in plan.actions {
            actions.insert(kind(&planned));
            if let Action::Refuse(refusal) = planned.action {
                assert!(!refusal.next.is_empty(), "{name}");
                own.insert(refusal.code);
            }
        }
        if let Some((code, _)) = name.split_once('-').filter(|(code, _)| code.starts_with("QP")) {
            assert!(own.iter().any(|found| found.as_str() == code), "{name} shows {own:?}");
        }
        codes.extend(own);
    }
    // These compare a plan with a reviewed one; the planner itself never says them.
    codes.extend([Code::Moved, Code::NotReviewed]);
    // Found where the files are read.
    codes.insert(Code::NotRead);
    let missing: Vec<&Code> = Code::ALL.iter().filter(|code| !codes.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(actions.len(), KINDS, "{actions:?}");
}

/// How many kinds `kind` tells apart.
pub(crate) const KINDS: usize = 19;

/// Every kind of action that there is, at each vendor that has it: the list of DESIGN's fourth promise, what is kept, and what
/// is not done.
pub(crate) fn kind(planned: &Planned) -> &'static str {
    let by_vendor = |at_qlik, at_imburse| match planned.address.vendor {
        Vendor::Qlik => at_qlik,
        Vendor::Imburse => at_imburse,
    };
    match &planned.action {
        Action::CreateTenant(_) => by_vendor("create tenant", "imburse: create tenant"),
        Action::MoveGroup(_) => "move to another group",
        Action::Settle(_) => "settle",
        Action::Trust(_) => "trust",
        Action::CreateObject(_) => "create user",
        Action::Grant(_) => "grant",
        Action::Mark(_) => by_vendor("mark", "imburse: mark"),
        Action::CreateKey(_) => by_vendor("create key", "imburse: create key"),
        Action::Renew(_) => "renew",
        Action::Reclaim(_) => by_vendor("reclaim", "imburse: reclaim"),
        Action::Keep(_) => by_vendor("keep", "imburse: keep"),
        Action::Drift(_) => "drift",
        Action::Wait(_) => "wait",
        Action::Refuse(_) => "refuse",
    }
}
