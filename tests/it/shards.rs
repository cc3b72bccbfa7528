//! Several runs that share one estate: each does its part, the parts of a plan are one plan, and nothing is made twice.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::service::{Service, s3};
use crate::stage::{APPLY, PLAN, Run, SANDBOX, SETTINGS, Stage};

const CLIENT: &str = "    organization_client: { id: { env: QLIK_ORGANIZATION_CLIENT_ID }, secret: { env: QLIK_ORGANIZATION_CLIENT_SECRET } }\n";

/// So many tenants with two keys each, a tenant whose alias is taken among them.
fn estate(tenants: usize) -> String {
    let key = "owner: { client: {} }, expires_in: P7D, deliver_to: files";
    let keys = format!("{{ ci: {{ description: CI, {key} }}, bi: {{ description: BI, {key} }} }}");
    let rest = format!(
        "api_key_limits: {{ max_expiry: P30D }}, grants: {{ manage_api_keys: {{ everyone: {{}} }} }}, api_keys: {keys}"
    );
    let tenants = (0..tenants).map(|n| format!("    t-{n}: {{ account: us-oem, display_name: Tenant {n}, {rest} }}\n"));
    format!("version: 1\nqlik:\n  tenants:\n{}", tenants.collect::<String>())
}

/// A sandbox whose settings let a run make all of them.
fn stage(tenants: usize) -> Stage {
    Stage::with_settings(&estate(tenants), &format!("{SETTINGS}limits: {{ create_tenants: 50, mint_keys: 100 }}\n"))
}

fn part(stage: &Stage, number: u32, of: u32, more: &[&str]) -> String {
    let (shard, file) = (format!("{number}/{of}"), format!("part-{number}.plan"));
    let run = stage.plan(&[&["--shard", &shard, "--out", &file], more].concat()).exits(0);
    assert!(!run.err.contains("merge --sandbox"), "a command that cannot be pasted: {}", run.err);
    file
}

fn merge(stage: &Stage, args: &[&str]) -> Run {
    Run::of(&stage.command(PLAN).arg("merge").args(args).output().unwrap())
}

/// The hash that a plan's or a merge's message names.
fn hash(run: &Run) -> String {
    let found = run.err.lines().find_map(|line| line.strip_prefix("hash: "));
    found.unwrap_or_else(|| panic!("no hash:\n{}", run.err)).to_owned()
}

#[test]
fn the_parts_merged_are_the_plan_of_one_process_and_each_shard_applies_its_part_of_it() {
    let stage = stage(7);
    let at = ["--at", "2026-12-01T00:00:00Z"];
    let parts: Vec<String> = (1..=3).map(|number| part(&stage, number, 3, &at)).collect();
    let parts: Vec<&str> = parts.iter().rev().map(String::as_str).collect();
    let whole = stage.plan(&at).exits(0);
    let merged = merge(&stage, &[&parts[..], &["--out", "merged.plan"]].concat()).exits(0);
    assert_eq!(merged.out, whole.out);
    assert_eq!(hash(&merged), hash(&whole));
    for format in ["json", "markdown", "terraform-json", "gitlab", "github"] {
        let with = ["--format", format];
        let (merged, whole) = (merge(&stage, &[&parts[..], &with].concat()), stage.plan(&[&at[..], &with].concat()));
        let differ = merged.out.lines().zip(whole.out.lines()).find(|(one, other)| one != other);
        assert!(differ.is_none() && merged.out.len() == whole.out.len(), "{format}: {differ:.300?}");
    }

    let hash = hash(&merged);
    let refused = stage.apply(&["--shard", "1/2", "--approve", &hash]).exits(1);
    assert!(refused.err.contains("next: name the merged plan too"), "{}", refused.err);
    // Two do what three planned.
    let mut made = 0;
    for number in 1..=2 {
        let shard = format!("{number}/2");
        stage.apply(&["--plan", "merged.plan", "--approve", &hash, "--shard", &shard]).exits(0);
        let there = stage.tenants().len();
        assert!(there > made && (number == 2) == (there == 7), "shard {shard}: {there} tenants");
        made = there;
    }
    assert_eq!(stage.live_keys().len(), 14);
    stage.plan(&["--detailed-exitcode"]).exits(0);
    for number in 1..=3 {
        stage.plan(&["--detailed-exitcode", "--shard", &format!("{number}/3")]).exits(0);
    }
    // Whoever was late finds nothing left, and does nothing.
    stage.forget_requests();
    stage.apply(&["--plan", "merged.plan", "--shard", "1/2"]).exits(0).says("what was reviewed is done already");
    assert_eq!(stage.changes(), Vec::<String>::new());
}

#[test]
fn a_part_that_is_missing_there_twice_or_of_another_plan_is_refused() {
    let stage = Stage::new(&estate(4));
    for number in 1..=3 {
        part(&stage, number, 3, &[]);
    }
    let refused = |parts: &[&str], said: &str| {
        let run = merge(&stage, &[parts, &["--out", "merged.plan"]].concat()).exits(1).says(said);
        assert!(run.err.contains("next: ") && !stage.dir().join("merged.plan").exists(), "{}", run.err);
    };
    refused(&["part-1.plan", "part-3.plan"], "the part of shard 2/3 is missing");
    refused(&["part-1.plan", "part-2.plan", "part-3.plan", "part-2.plan"], "is of shard 2/3, as part-2.plan is");
    stage.plan(&["--out", "whole.plan"]).exits(0);
    refused(&["part-1.plan", "whole.plan"], "whole.plan: is a whole plan, and no shard's part of one");
    stage.plan(&["--shard", "3/4", "--out", "fourth.plan"]).exits(0);
    refused(&["part-1.plan", "part-2.plan", "fourth.plan"], "is of shard 3/4, and part-1.plan of shard 1/3");
    stage.plan(&["--shard", "3/3", "--unrehearsed", "--out", "bold.plan"]).exits(0);
    refused(
        &["part-1.plan", "part-2.plan", "bold.plan"],
        "planned from another desired state, other settings or another ledger",
    );
    stage.write_desired(&estate(5));
    part(&stage, 3, 3, &[]);
    refused(&["part-1.plan", "part-2.plan", "part-3.plan"], "planned from another desired state");
    refused(&["desired.yaml"], "desired.yaml");
    refused(&["nowhere.plan"], "nowhere.plan");
}

/// `limits:` is for a run, however many shards it has.
#[test]
fn limits_hold_over_all_shards_together() {
    let settings = format!("{SETTINGS}limits: {{ create_tenants: 5, mint_keys: 100 }}\n");
    let stage = Stage::with_settings(&estate(6), &settings);
    let parts: Vec<String> = (1..=3).map(|number| part(&stage, number, 3, &[])).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let merged = merge(&stage, &parts).exits(1).says("6 tenants are missing and one run may create at most 5");
    assert_eq!(merged.out, stage.plan(&[]).exits(1).out);
    // Without a plan that was merged, each has its share: 2, 2 and 1.
    for number in 1..=3 {
        let run = stage.apply(&["--yes", "--shard", &format!("{number}/3")]);
        assert!(run.code == Some(0) || run.out.contains("QP0401"), "{}", run.all());
    }
    assert!(stage.tenants().len() <= 5, "{}", stage.tenants().len());
}

#[test]
fn each_shard_says_what_became_of_its_own_tenants() {
    let stage = stage(6);
    stage.settle();
    stage.write_desired(&estate(3));
    let gone = |run: &Run| run.out.lines().filter(|line| line.contains("found, QP0601")).count();
    assert_eq!(gone(&stage.plan(&[]).exits(0)), 3);
    let parts: Vec<String> = (1..=4).map(|number| part(&stage, number, 4, &[])).collect();
    let found: Vec<usize> =
        (1..=4).map(|number| gone(&stage.plan(&["--shard", &format!("{number}/4")]).exits(0))).collect();
    assert_eq!(found.iter().sum::<usize>(), 3, "{found:?}");
    assert_eq!(gone(&merge(&stage, &parts.iter().map(String::as_str).collect::<Vec<_>>()).exits(0)), 3);
}

/// Machines that share a ledger in a bucket, and secrets.
struct Shared {
    stage: Stage,
    store: Service,
    secrets: TempDir,
}

impl Shared {
    fn new(tenants: usize) -> Option<Self> {
        let shared = Self { stage: Stage::new(&estate(tenants)), store: s3()?, secrets: TempDir::new().unwrap() };
        let sink =
            format!("{{ kind: file, directory: {}, durable: true, shared: true }}", shared.secrets.path().display());
        let settings = SETTINGS
            .replace("sinks:", &format!("{CLIENT}sinks:"))
            .replace("{ kind: file, directory: ./secrets, durable: true }", &sink)
            .lines()
            .filter(|line| !line.starts_with("ledger:"))
            .map(|line| format!("{line}\n"))
            .collect::<String>();
        let ledger = format!(
            "ledger: {{ kind: object-store, url: s3://estate/qlik, endpoint: 'http://{}' }}\n",
            shared.store.host
        );
        let limits = "limits: { create_tenants: 1000, mint_keys: 2000 }\n";
        std::fs::write(shared.stage.dir().join("settings.yaml"), format!("{settings}{ledger}{limits}")).unwrap();
        Some(shared)
    }

    /// With a ledger, and rehearsed. `None`: there is no store here.
    fn ready(tenants: usize) -> Option<Self> {
        let shared = Self::new(tenants)?;
        shared.run(APPLY, &["ledger", "init"]).exits(0);
        shared.run(APPLY, &["rehearse", "us-oem"]).exits(0);
        shared.stage.forget_requests();
        Some(shared)
    }

    /// Waits until the cloud holds a request back.
    fn wait_held(&self) {
        while self.stage.control("GET", "/wait", &Value::Null)["held"] == json!(0) {}
    }

    /// Waits until a shard has asked for the list of tenants.
    fn wait_for_a_list(&self) {
        let is_list = |one: &Value| one["path"].as_str().unwrap().starts_with("/api/core/tenants");
        while !self.stage.requests().iter().any(is_list) {}
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.stage.command(SANDBOX);
        command
            .env("CI", "true")
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-store")
            .args(["exec", "--", program])
            .args(args)
            .args(["--settings", "settings.yaml"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, program: &str, args: &[&str]) -> Run {
        Run::of(&self.command(program, args).output().unwrap())
    }
}

/// A shard finds tenants in the organization's list that another made after it had read the ledger: they are accounted for, and
/// refuse nothing.
#[test]
fn tenants_that_another_shard_made_meanwhile_are_no_strangers() {
    let Some(shared) = Shared::ready(8) else { return };
    let list = json!({ "method": "GET", "path": "/api/core/tenants" });
    shared.stage.fault(&json!({ "match": list, "nth": 1, "action": "pause" }));
    let first = shared.command(APPLY, &["--yes", "desired.yaml", "--shard", "1/2"]).spawn().unwrap();
    shared.wait_held();
    shared.run(APPLY, &["--yes", "desired.yaml", "--shard", "2/2"]).exits(0);
    let before = shared.stage.tenants().len();
    assert!(before > 0);
    shared.stage.control("POST", "/release", &json!({}));
    Run::of(&first.wait_with_output().unwrap()).exits(0);
    assert_eq!((shared.stage.tenants().len(), shared.stage.live_keys().len()), (8, 16));
    shared.run(PLAN, &["--detailed-exitcode", "desired.yaml"]).exits(0);
}

/// One that is being made while the list is read is waited for: its run wrote down that it asks for one.
#[test]
fn a_tenant_that_another_shard_is_making_is_waited_for() {
    let Some(shared) = Shared::ready(8) else { return };
    let make = json!({ "method": "POST", "path": "/api/v1/tenants" });
    shared.stage.fault(&json!({ "match": make, "nth": 1, "action": "hang" }));
    let one = ["--yes", "desired.yaml", "--shard", "1/2", "--parallelism", "1"];
    let first = shared.command(APPLY, &one).spawn().unwrap();
    shared.wait_held();
    assert_eq!(shared.stage.tenants().len(), 1, "it is there, and nobody was told");
    shared.stage.forget_requests();
    let second = shared.command(APPLY, &["--yes", "desired.yaml", "--shard", "2/2"]).spawn().unwrap();
    shared.wait_for_a_list();
    shared.stage.control("POST", "/release", &json!({}));
    for child in [first, second] {
        Run::of(&child.wait_with_output().unwrap()).exits(0);
    }
    assert_eq!((shared.stage.tenants().len(), shared.stage.live_keys().len()), (8, 16));
}

/// A tenant that nobody recorded is a reason to refuse, whoever runs beside.
#[test]
fn a_stranger_is_still_one_among_shards() {
    let Some(shared) = Shared::ready(4) else { return };
    shared.stage.control("POST", "/edit", &json!({ "action": "create_tenant", "region": "us", "name": "by hand" }));
    for number in 1..=2 {
        let shard = format!("{number}/2");
        let run = shared.run(APPLY, &["--yes", "desired.yaml", "--shard", &shard]);
        assert!(run.code == Some(1) && run.all().contains("QP0217"), "{}", run.all());
    }
    assert_eq!(shared.stage.tenants().len(), 1);
}

#[test]
fn shards_that_start_at_once_make_each_tenant_once_and_refuse_nothing() {
    let Some(shared) = Shared::ready(16) else { return };
    let shards: Vec<String> = (1..=4).map(|number| format!("{number}/4")).collect();
    let children: Vec<_> = shards
        .iter()
        .map(|shard| shared.command(APPLY, &["--yes", "desired.yaml", "--shard", shard]).spawn().unwrap())
        .collect();
    for (child, shard) in children.into_iter().zip(&shards) {
        let run = Run::of(&child.wait_with_output().unwrap());
        assert!(run.code == Some(0) && !run.all().contains("refused"), "shard {shard}:\n{}", run.all());
    }
    let mut names: Vec<String> =
        shared.stage.tenants().iter().map(|tenant| tenant["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), shared.stage.tenants().len()), (16, 16), "each once: {names:?}");
    assert_eq!(shared.stage.live_keys().len(), 32);
    shared.run(PLAN, &["--detailed-exitcode", "desired.yaml"]).exits(0);
}

/// A tenant that another shard's record binds is refused to whoever adopts it, though a shard reads its own records only.
#[test]
fn a_tenant_of_another_shard_is_not_adopted() {
    let stage = stage(6);
    stage.settle();
    let host = stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
    let label = host.split('.').next().unwrap();
    stage.write_desired(&format!("{}    copy: {{ account: us-oem, adopt: {{ hostname: {label} }} }}\n", estate(6)));
    let whole = stage.plan(&[]).exits(1).says("lead to one tenant").all();
    // Of two shards, one has the adopter, and of some number of shards not the tenant's own address.
    let shards = [2, 3, 5, 7].into_iter().flat_map(|of| (1..=of).map(move |k| format!("{k}/{of}")));
    let runs = shards.map(|shard| stage.plan(&["--shard", &shard])).filter(|run| run.out.contains("qlik/copy"));
    let apart: Vec<Run> = runs.filter(|run| !run.out.contains("lead to one tenant")).collect();
    assert!(!apart.is_empty(), "they are never apart:\n{whole}");
    for run in apart {
        run.exits(1).says(&format!("`adopt:` names {host}")).says("bound to qlik/t-");
    }
}
