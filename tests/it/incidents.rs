//! What people and machines do to an estate behind the program's back: sinks emptied, markers edited, ledgers lost, runs paused
//! and killed. It is refused or waited for, with the words that a user needs; no good key is revoked, no second tenant made.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::client::{Client, value};
use crate::cloud::Cloud;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SETTINGS, Stage};

const TENANTS: &str = "/api/v1/tenants";
const KEYS: &str = "/api/v1/api-keys";

fn made() -> Stage {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    stage.forget_requests();
    stage
}

fn edit(stage: &Stage, edit: &Value) {
    stage.control("POST", "/edit", edit);
}

/// The live key whose description begins with this.
#[track_caller]
fn key(stage: &Stage, description: &str) -> (String, String) {
    let keys = stage.live_keys();
    let found = keys.iter().find(|key| key["description"].as_str().unwrap().starts_with(description)).unwrap();
    (found["id"].as_str().unwrap().to_owned(), found["description"].as_str().unwrap().to_owned())
}

fn ids(stage: &Stage) -> Vec<String> {
    let mut ids: Vec<String> = stage.live_keys().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn hostname(stage: &Stage) -> String {
    stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned()
}

fn journal(stage: &Stage, key: &str) -> PathBuf {
    stage.secret_file("acme", &format!(".{key}.meta.json"))
}

/// The status with which `users/me` answers a token.
fn answers(stage: &Stage, host: &str, token: &str) -> u16 {
    Client::at(stage.dir()).users_me(host, token).0
}

/// The token in a file that holds nothing else.
fn token_in(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

/// Nothing was minted, changed or removed, by a plan or an apply that refuses.
#[track_caller]
fn refused(stage: &Stage, words: &[&str]) {
    stage.forget_requests();
    let before = ids(stage);
    for run in [stage.plan(&[]), stage.apply(&["--yes"])] {
        drop(words.iter().fold(run.exits(1), |run, words| run.says(words)));
    }
    assert_eq!((stage.changes(), ids(stage)), (Vec::new(), before));
}

/// One tenant, and in it exactly the declared keys alive, each in its sink and working.
#[track_caller]
fn all_is_well(stage: &Stage) {
    stage.plan(&["--detailed-exitcode"]).exits(0);
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2));
    let ci = token_in(&stage.secret_file("acme", "ci"));
    let reporting = value(&stage.secret_file("acme", "reporting"), "QLIK_API_KEY");
    for token in [ci, reporting] {
        assert_eq!(answers(stage, &hostname(stage), &token), 200);
    }
}

// ---- sinks -------------------------------------------------------------------------------------------------------

#[test]
fn a_secret_that_was_removed_by_hand_is_missed_and_its_key_is_left_alone() {
    for with_journal in [false, true] {
        let stage = made();
        let (id, _) = key(&stage, "CI deploys");
        let held = std::fs::read(stage.secret_file("acme", "ci")).unwrap();
        std::fs::remove_file(stage.secret_file("acme", "ci")).unwrap();
        if with_journal {
            std::fs::remove_file(journal(&stage, "ci")).unwrap();
        }
        refused(
            &stage,
            &[
                "qlik/acme/ci         refused, QP0301",
                &format!("key {id} was delivered, lives, and is not in sink files any more"),
                "restore the secret to its sink, if somebody moved it",
                "qlik-apply --remint qlik/acme/ci --sandbox   (mints and delivers another; this one is left to expire)",
            ],
        );
        if !with_journal {
            // Putting it back is enough.
            std::fs::write(stage.secret_file("acme", "ci"), &held).unwrap();
            all_is_well(&stage);
            std::fs::remove_file(stage.secret_file("acme", "ci")).unwrap();
        }

        let token = String::from_utf8(held).unwrap();
        stage
            .apply(&["--yes", "--remint", "qlik/acme/ci"])
            .exits(0)
            .says(&format!("key {id} lives until "))
            .says(" and is left to expire: it was delivered; revoke it in the tenant if nobody uses it")
            .says("1 key created");
        stage.plan(&["--detailed-exitcode"]).exits(0);
        // Whoever holds the old one may go on: it was a good key.
        assert_eq!(stage.live_keys().len(), 3);
        assert_eq!(answers(&stage, &hostname(&stage), token.trim()), 200);
        let file = token_in(&stage.secret_file("acme", "ci"));
        assert_eq!(answers(&stage, &hostname(&stage), &file), 200);
        assert!(!std::fs::read_to_string(stage.secret_file("acme", "ci")).unwrap().contains(token.trim()));

        // What a person does next, if nobody uses it.
        edit(&stage, &json!({ "action": "revoke_key", "key": id }));
        all_is_well(&stage);
    }
}

#[test]
fn a_key_that_leaked_is_replaced_without_a_gap() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let file = stage.secret_file("acme", "ci");
    let old = std::fs::read_to_string(&file).unwrap();
    stage.apply(&["--yes", "--replace", "qlik/acme/ci"]).exits(0).says("Applied: 1 key created.");
    assert_ne!(std::fs::read_to_string(&file).unwrap(), old);
    // Both work: whoever has the old one has until it expires to fetch the new one, or a person revokes it.
    assert_eq!(stage.live_keys().len(), 3);
    stage.settle();
    assert_eq!(stage.live_keys().len(), 3);
    stage.plan(&["--replace", "qlik/acme"]).exits(1).says("no such key is declared").says("qlik/acme/ci");
    let taken_over = ONE_TENANT.replace(
        "owner: { client: {} }, expires_in: P7D, renew_before: P1D, deliver_to: files, deliver_as: env",
        "adopt: { key_id: 0d5f4e3c-2b1a-4098-8765-43210fedcba9 }",
    );
    stage.write_desired(&taken_over);
    stage.plan(&["--replace", "qlik/acme/reporting"]).exits(1).says("declared with adopt:");
}

#[test]
fn remint_is_for_declared_keys_and_says_nothing_new_of_a_key_in_its_place() {
    let stage = made();
    stage.plan(&["--remint", "qlik/acme/nightly"]).exits(1).says("no such key is declared").says("qlik/acme/ci");
    let before = ids(&stage);
    stage.apply(&["--yes", "--remint", "qlik/acme/ci"]).exits(0).says("Nothing to do");
    assert_eq!(ids(&stage), before);
}

#[test]
fn a_strangers_file_in_a_secrets_place_is_neither_read_nor_overwritten() {
    let stage = made();
    let (id, _) = key(&stage, "CI deploys");
    let file = stage.secret_file("acme", "ci");
    std::fs::write(&file, "somebody's notes").unwrap();
    refused(
        &stage,
        &[
            "qlik/acme/ci         refused, QP0211",
            "a file that qlik-plan did not write, or that was changed since, stands at",
            "away, then run this again",
        ],
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "somebody's notes");
    // As told: and then the key is missed.
    std::fs::rename(&file, stage.dir().join("notes")).unwrap();
    refused(&stage, &["refused, QP0301", &id]);
    stage.apply(&["--yes", "--remint", "qlik/acme/ci"]).exits(0);
    edit(&stage, &json!({ "action": "revoke_key", "key": id }));
    all_is_well(&stage);
}

// ---- markers -----------------------------------------------------------------------------------------------------

#[test]
fn a_marker_set_back_to_undelivered_is_set_right_and_its_key_kept() {
    let stage = made();
    let (id, description) = key(&stage, "CI deploys");
    let (before, undone) = (ids(&stage), description.replace(":d]", ":u]"));
    assert_ne!(undone, description);
    edit(&stage, &json!({ "action": "patch_key", "key": id, "description": undone }));
    stage.plan(&["--detailed-exitcode"]).exits(2).says("mark key as delivered");
    stage.apply(&["--yes"]).exits(0).says("marked the key as delivered");
    assert_eq!((key(&stage, "CI deploys").1, ids(&stage)), (description, before));
    all_is_well(&stage);
}

#[test]
fn a_key_whose_marker_was_taken_off_is_known_by_its_sink() {
    let stage = made();
    let (id, description) = key(&stage, "CI deploys");
    edit(&stage, &json!({ "action": "patch_key", "key": id, "description": "CI deploys" }));
    stage.apply(&["--yes"]).exits(0).says("Nothing to do");
    all_is_well(&stage);

    // Without the sink nothing says any more that it is ours.
    std::fs::remove_file(stage.secret_file("acme", "ci")).unwrap();
    refused(
        &stage,
        &[
            "qlik/acme/ci         refused, QP0302",
            &format!("key {id} has the same description, lives, and carries no marker of this ledger"),
            &format!("if it is the one that is meant, declare it so: adopt: {{ key_id: {id} }}"),
            "if it is another: give this key another description, or revoke that one",
        ],
    );
    edit(&stage, &json!({ "action": "patch_key", "key": id, "description": description }));
    refused(&stage, &["refused, QP0301"]);
}

#[test]
fn a_description_that_a_person_wrote_is_drift_and_stays() {
    let stage = made();
    let (id, _) = key(&stage, "CI deploys");
    edit(&stage, &json!({ "action": "patch_key", "key": id, "description": "Anna's key" }));
    stage.plan(&["--detailed-exitcode"]).exits(2).says("Anna's key").says("1 drifted");
    stage.apply(&["--yes"]).exits(0);
    assert_eq!((stage.changes(), key(&stage, "Anna's key").0), (Vec::new(), id));
}

#[test]
fn a_marker_copied_onto_a_strangers_key_does_not_make_it_ours() {
    let stage = made();
    let (_, description) = key(&stage, "CI deploys");
    let label = hostname(&stage).split('.').next().unwrap().to_owned();
    let account = json!({ "region": "us", "source_tenant": "mycorp", "owners": [{ "name": "eve", "tenant": label }] });
    stage.control("POST", "/seed", &json!({ "accounts": [account] }));
    let (eve, _) = key(&stage, "eve's own key");
    for copied in [description.clone(), description.replace(":d]", ":u]")] {
        edit(&stage, &json!({ "action": "patch_key", "key": eve, "description": copied }));
        stage.forget_requests();
        stage.apply(&["--yes"]).exits(0).says("Nothing to do");
        assert_eq!((stage.changes(), stage.live_keys().len()), (Vec::new(), 3));
    }
    // Not even when ours is gone: hers is neither taken for it nor revoked for it.
    std::fs::remove_file(stage.secret_file("acme", "ci")).unwrap();
    stage.apply(&["--yes", "--remint", "qlik/acme/ci"]).exits(0);
    assert!(ids(&stage).contains(&eve));
    stage.plan(&["--detailed-exitcode"]).exits(0);
}

// ---- the ledger --------------------------------------------------------------------------------------------------

#[test]
fn a_lost_ledger_is_missed_and_no_new_one_is_made_over_it() {
    let cloud = Cloud::new(ONE_TENANT);
    let stage = &cloud.stage;
    cloud.apply(&["ledger", "init"]).exits(0);
    cloud.apply(&["--yes", "--unrehearsed"]).exits(0);
    let (ledger, away) = (stage.dir().join(".qlik-plan/ledger"), stage.dir().join("away"));
    std::fs::rename(&ledger, &away).unwrap();
    stage.forget_requests();

    let settings = cloud.settings_file();
    let in_ci = ["--settings", settings.to_str().unwrap(), "--ledger-is-durable"];
    let restore = "from its backup";
    cloud
        .plan(&["--preflight=full"])
        .exits(1)
        .says("QP0201")
        .says("and a sink holds keys of ledger ")
        .says("restore the ledger to");
    // A plan in CI looks into no sink, and does not need to.
    let run =
        cloud.in_ci(PLAN, &in_ci).exits(1).says("QP0201").says("an unattended run does not take that for a new estate");
    drop(run.says("restore the ledger to").says(restore));
    for run in [cloud.apply(&["--yes"]), cloud.in_ci(APPLY, &[&in_ci[..], &["--yes"]].concat())] {
        run.exits(1).says("there is no ledger at").says("restore it from its backup");
    }
    for run in [cloud.apply(&["ledger", "init"]), cloud.in_ci(APPLY, &[&in_ci[..], &["ledger", "init"]].concat())] {
        run.exits(1)
            .says("sink files holds a key of qlik/acme/ci that ledger ")
            .says("a new ledger would forget that estate")
            .says("next: restore that ledger to")
            .says(restore);
    }
    assert!(!ledger.exists());
    assert_eq!((stage.changes(), stage.tenants().len()), (Vec::new(), 1));

    // Another ledger is not this one either.
    let other = Cloud::new("version: 1\nqlik: { tenants: {} }\n");
    other.apply(&["ledger", "init"]).exits(0);
    copy(&other.stage.dir().join(".qlik-plan/ledger"), &ledger);
    for run in [cloud.plan(&["--preflight=full"]), cloud.apply(&["--yes"])] {
        run.exits(1).says("QP0202").says("its sink holds a key that ledger ").says("restore ledger ");
    }
    assert_eq!((stage.changes(), stage.tenants().len()), (Vec::new(), 1));

    std::fs::remove_dir_all(&ledger).unwrap();
    std::fs::rename(&away, &ledger).unwrap();
    cloud.plan(&["--detailed-exitcode"]).exits(0);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

// ---- runs that are paused, killed, asked to stop -----------------------------------------------------------------------

/// An apply that is held at a request.
struct Held<'a> {
    stage: &'a Stage,
    child: Child,
    err: BufReader<std::process::ChildStderr>,
    said: String,
}

impl<'a> Held<'a> {
    /// `action` is `pause` (held before anything is done) or `hang` (done, and the answer is held).
    fn at(stage: &'a Stage, method: &str, path: &str, nth: u64, action: &str) -> Self {
        stage.fault(&json!({ "match": { "method": method, "path": path }, "nth": nth, "action": action }));
        let mut command = stage.command(APPLY);
        command.args(["--sandbox", "--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        stage.control("GET", "/wait", &Value::Null);
        Self { stage, child, err, said: String::new() }
    }

    fn signal(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Reads what it says until it says this.
    fn until(&mut self, words: &str) {
        while !self.said.contains(words) {
            let read = self.err.read_line(&mut self.said).unwrap();
            assert_ne!(read, 0, "it ended without saying {words:?}: {}", self.said);
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Lets the request go on, and waits for the end.
    fn goes_on(mut self) -> Run {
        self.stage.control("POST", "/release", &Value::Null);
        self.err.read_to_string(&mut self.said).unwrap();
        let output = self.child.wait_with_output().unwrap();
        Run { err: self.said, ..Run::of(&output) }
    }
}

#[test]
fn a_second_run_waits_while_one_creates_a_tenant() {
    let stage = Stage::new(ONE_TENANT);
    let held = Held::at(&stage, "POST", TENANTS, 1, "pause");
    stage
        .apply(&["--yes"])
        .exits(1)
        .says("holds the ledger at")
        .says(&format!("process {} on ", held.child.id()))
        .says("next: wait until run ");
    for word in ["--not-created", "--adopt=mycorp"] {
        stage.apply(&["resolve", "qlik/acme", word]).exits(1).says("holds the ledger at").says("next: wait until run ");
    }
    stage.apply(&["resolve", "qlik/acme"]).exits(0).says("is at work on qlik/acme and has not ended; wait for it");
    stage.plan(&["--detailed-exitcode"]).exits(0).says("another run is creating this tenant").says("3 waiting");
    held.goes_on().exits(0);
    all_is_well(&stage);
}

#[test]
fn a_second_run_waits_while_one_settles_a_tenant() {
    let stage = Stage::new(ONE_TENANT);
    let held = Held::at(&stage, "PATCH", "/api/v1/tenants/*", 1, "pause");
    stage.plan(&["--detailed-exitcode"]).exits(0).says("another run is setting up this tenant");
    stage.apply(&["--yes"]).exits(1).says("holds the ledger at");
    held.goes_on().exits(0);
    all_is_well(&stage);
}

#[test]
fn a_second_run_waits_while_one_mints_a_key() {
    let stage = Stage::new(ONE_TENANT);
    // The first is the rehearsal's.
    let held = Held::at(&stage, "POST", KEYS, 2, "hang");
    stage.plan(&[]).exits(0).says("another run minted a key for it and may still deliver it").says("1 waiting");
    stage.apply(&["--yes"]).exits(1).says("holds the ledger at");
    held.goes_on().exits(0);
    all_is_well(&stage);
}

#[test]
fn a_run_killed_while_it_creates_a_tenant_leaves_a_doubt_that_a_person_ends() {
    for (action, arrived) in [("pause", true), ("pause", false), ("hang", true)] {
        let stage = Stage::new(ONE_TENANT);
        // The source tenant is older than what is made today.
        stage.control("POST", "/clock", &json!({ "advance": "PT1H" }));
        Held::at(&stage, "POST", TENANTS, 1, action).kill();
        refused_in_doubt(&stage);
        // Its request may arrive only now.
        let how = if arrived { Value::Null } else { json!({ "drop": true }) };
        stage.control("POST", "/release", &how);
        while stage.tenants().len() < usize::from(arrived) {
            std::thread::yield_now();
        }
        refused_in_doubt(&stage);
        assert_eq!(stage.tenants().len(), usize::from(arrived));
        stage.apply(&["resolve", "qlik/acme", "--not-created"]).exits(1).says("may still be on its way");
        if arrived {
            stage
                .apply(&["resolve", "qlik/acme", "--adopt", "mycorp"])
                .exits(1)
                .says("it is not the one in doubt")
                .says("look for a tenant that was created at the time of the attempt");
            stage.apply(&["resolve", "qlik/acme", "--adopt", &hostname(&stage)]).exits(0);
        } else {
            stage.control("POST", "/clock", &json!({ "advance": "PT61M" }));
            stage.apply(&["resolve", "qlik/acme", "--not-created"]).exits(0).says("is free again");
        }
        stage.apply(&["--yes"]).exits(0);
        all_is_well(&stage);
    }
}

#[track_caller]
fn refused_in_doubt(stage: &Stage) {
    let words = ["refused, QP0203", "there may be one already", "--adopt HOSTNAME", "--not-created"];
    refused_without_tenants(stage, &words);
}

#[track_caller]
fn refused_without_tenants(stage: &Stage, words: &[&str]) {
    for run in [stage.plan(&[]), stage.apply(&["--yes"])] {
        drop(words.iter().fold(run.exits(1), |run, words| run.says(words)));
    }
    let posts =
        stage.requests().iter().filter(|one| one["method"] == json!("POST") && one["path"] == json!(TENANTS)).count();
    assert_eq!(posts, 1);
}

#[test]
fn a_run_killed_while_it_settles_is_finished_by_the_next() {
    for action in ["pause", "hang"] {
        for nth in 1..=2 {
            let stage = Stage::new(ONE_TENANT);
            Held::at(&stage, "PATCH", "/api/v1/tenants/*", nth, action).kill();
            stage.apply(&["--yes"]).exits(0);
            stage.control("POST", "/release", &Value::Null);
            all_is_well(&stage);
        }
    }
}

#[test]
fn a_run_killed_while_it_mints_leaves_a_key_that_the_next_supersedes_and_revokes() {
    let stage = Stage::new(ONE_TENANT);
    Held::at(&stage, "POST", KEYS, 2, "hang").kill();
    let (lost, _) = key(&stage, "CI deploys");
    stage
        .plan(&["--detailed-exitcode"])
        .exits(2)
        .says(&format!("key {lost} was minted and never delivered; a successor comes first"))
        .says("1 key to revoke");
    stage.apply(&["--yes"]).exits(0).says("1 leftover key revoked");
    assert!(!ids(&stage).contains(&lost));
    all_is_well(&stage);
}

#[test]
fn a_key_that_arrives_after_its_run_was_killed_and_succeeded_is_cleared_away() {
    let stage = Stage::new(ONE_TENANT);
    Held::at(&stage, "POST", KEYS, 2, "pause").kill();
    stage.apply(&["--yes"]).exits(0);
    all_is_well(&stage);
    stage.control("POST", "/release", &Value::Null);
    // It is carried out in its own time.
    while stage.live_keys().len() < 3 {
        std::thread::yield_now();
    }
    let (good, held) = (ids(&stage), std::fs::read_to_string(stage.secret_file("acme", "ci")).unwrap());
    stage.plan(&["--detailed-exitcode"]).exits(2).says("1 key to revoke");
    stage.apply(&["--yes"]).exits(0).says("Applied: 1 leftover key revoked.");
    stage.plan(&["--detailed-exitcode"]).exits(0);
    // The late one is gone, and no key is made over the one that was delivered meanwhile.
    assert_eq!(stage.live_keys().len(), 2);
    assert_eq!(ids(&stage).iter().filter(|id| good.contains(id)).count(), 2);
    assert_eq!(answers(&stage, &hostname(&stage), held.trim()), 200);
}

#[test]
fn a_first_signal_starts_nothing_new_and_finishes_what_is_in_flight() {
    for (signal, method, path, nth, tenants, keys) in [
        (Signal::INT, "POST", KEYS, 2, 1, 1),
        (Signal::TERM, "POST", KEYS, 3, 1, 2),
        (Signal::INT, "POST", TENANTS, 1, 1, 0),
        (Signal::TERM, "PATCH", "/api/v1/tenants/*", 1, 1, 0),
        // A terminal that is closed, and its other key.
        (Signal::HUP, "POST", TENANTS, 1, 1, 0),
        (Signal::HUP, "POST", KEYS, 2, 1, 1),
        (Signal::QUIT, "POST", TENANTS, 1, 1, 0),
    ] {
        let stage = Stage::new(ONE_TENANT);
        let mut held = Held::at(&stage, method, path, nth, "pause");
        held.signal(signal);
        held.until("stopping: nothing new is started; what is in flight is finished first");
        let run = held.goes_on().exits(1).says("Stopped early").says("a signal asked to stop");
        assert_eq!((stage.tenants().len(), stage.live_keys().len()), (tenants, keys), "{}", run.all());
        if keys < 2 {
            run.says("qlik-apply again: it goes on where this run stopped");
        }
        stage.apply(&["--yes"]).exits(0);
        all_is_well(&stage);
    }
}

#[test]
fn a_second_signal_says_which_secret_is_not_saved_and_the_run_saves_it() {
    let stage = Stage::new(ONE_TENANT);
    // The key is there, its secret in the program alone; it is being tried. The rehearsal tried one before.
    let mut held = Held::at(&stage, "GET", "/api/v1/users/me", 3, "hang");
    let (id, _) = key(&stage, "CI deploys");
    held.signal(Signal::INT);
    held.until("stopping: nothing new is started; what is in flight is finished first");
    held.signal(Signal::INT);
    held.until(&format!(
        "the secret of qlik/acme/ci (key {id}) is not in its sink yet, and is lost if this process is killed"
    ));
    held.goes_on().exits(1).says("Stopped early");
    assert!(std::fs::read_to_string(stage.secret_file("acme", "ci")).unwrap().starts_with("eyJ"));
    stage.apply(&["--yes"]).exits(0);
    all_is_well(&stage);

    let stage = Stage::new(ONE_TENANT);
    let mut held = Held::at(&stage, "POST", TENANTS, 1, "pause");
    held.signal(Signal::TERM);
    held.until("stopping:");
    held.signal(Signal::TERM);
    held.until("still finishing a request that is in flight; no secret is at stake");
    held.goes_on().exits(1);
    stage.apply(&["--yes"]).exits(0);
    all_is_well(&stage);
}

// ---- tenants -----------------------------------------------------------------------------------------------------

#[test]
fn a_name_that_a_person_changed_is_drift_and_stays() {
    let stage = made();
    let tenant = hostname(&stage);
    edit(&stage, &json!({ "action": "rename_tenant", "tenant": tenant, "name": "Acme Holding" }));
    edit(&stage, &json!({ "action": "set_alias", "tenant": tenant, "alias": "acme-holding.us.qlikcloud.com" }));
    edit(&stage, &json!({ "action": "set_limits", "tenant": tenant, "max_keys_per_user": 7 }));
    for run in [stage.plan(&["--detailed-exitcode"]).exits(2), stage.apply(&["--yes"]).exits(0)] {
        run.says("Acme Holding").says("acme-holding").says("1 drifted").says("differs; reported, not changed");
    }
    assert_eq!((stage.changes(), stage.tenants()[0]["name"].clone()), (Vec::new(), json!("Acme Holding")));
}

#[test]
fn a_tenant_that_was_purged_is_missed_and_never_made_anew() {
    let stage = made();
    edit(&stage, &json!({ "action": "purge_tenant", "tenant": hostname(&stage) }));
    for run in [stage.plan(&[]), stage.apply(&["--yes"])] {
        run.exits(1)
            .says("qlik/acme            refused, QP0205")
            .says("the credentials that work elsewhere are refused there")
            .says("look in My Qlik whether the tenant still exists")
            .says("it is never created anew by itself");
    }
    assert_eq!((stage.changes(), stage.tenants().len()), (Vec::new(), 0));
}

#[test]
fn an_alias_that_is_taken_stops_neither_the_tenant_nor_its_keys() {
    let stage = Stage::new(ONE_TENANT);
    stage.control("POST", "/switches", &json!({ "alias_taken": ["acme-analytics"] }));
    stage
        .apply(&["--yes"])
        .exits(1)
        .says("the alias was refused")
        .says("Hostname is already in use")
        .says("choose another alias; the tenant and its keys do not need one")
        .says("1 tenant and 2 keys created");
    stage.forget_requests();
    stage.plan(&["--detailed-exitcode"]).exits(2).says("alias").says("1 drifted");
    // It is asked for once; from then on it is a person's affair.
    stage.control("POST", "/switches", &json!({ "alias_taken": [] }));
    stage.apply(&["--yes"]).exits(0);
    assert_eq!(stage.changes(), Vec::<String>::new());
    edit(
        &stage,
        &json!({ "action": "set_alias", "tenant": hostname(&stage), "alias": "acme-analytics.us.qlikcloud.com" }),
    );
    all_is_well(&stage);
}

#[test]
fn one_live_tenant_has_one_address() {
    let stage = made();
    let label = hostname(&stage).split('.').next().unwrap().to_owned();
    let twin = |label: &str| format!("{ONE_TENANT}    twin: {{ account: us-oem, adopt: {{ hostname: {label} }} }}\n");
    stage.write_desired(&twin(&label));
    refused(
        &stage,
        &["qlik/twin            refused, QP0210", "qlik/acme and qlik/twin lead to one tenant, ", "remove all but one"],
    );
    // Also by its alias.
    stage.write_desired(&twin("acme-analytics"));
    refused(&stage, &["QP0210"]);
    stage.write_desired(ONE_TENANT);
    all_is_well(&stage);
}

#[test]
fn an_adoption_of_what_is_not_there_is_refused_and_nothing_is_made_for_it() {
    let stage = Stage::new(
        "version: 1\nqlik: { tenants: { globex: { account: us-oem, adopt: { hostname: xzoau8xi93gyfo0 } } } }\n",
    );
    for run in [stage.plan(&[]), stage.apply(&["--yes"])] {
        run.exits(1)
            .says("refused, QP0208")
            .says("`adopt:` names xzoau8xi93gyfo0.us.qlikcloud.com")
            .says("correct the hostname (the first label of the tenant's own address)");
    }
    assert_eq!((stage.changes(), stage.tenants().len()), (Vec::new(), 0));
}

#[test]
fn a_tenant_that_exists_is_adopted_with_keys_and_left_as_it_is() {
    // Made by hand, as the vendor documents it.
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let label = hostname(&stage).split('.').next().unwrap().to_owned();
    std::fs::remove_dir_all(stage.ledger()).unwrap();
    std::fs::remove_dir_all(stage.dir().join(".qlik-sandbox/sinks")).unwrap();
    let before = ids(&stage);
    stage.write_desired(&format!(
        "version: 1
qlik:
  tenants:
    globex:
      account: us-oem
      adopt: {{ hostname: {label} }}
      display_name: Globex
      api_keys:
        etl: {{ description: ETL, owner: {{ client: {{}} }}, expires_in: P7D, renew_before: P1D, deliver_to: files }}
"
    ));
    stage.forget_requests();
    stage.plan(&["--detailed-exitcode"]).exits(2).says("adopt tenant").says("differs").says("1 key to create");
    stage.apply(&["--yes"]).exits(0).says("recorded the adoption").says("1 key created");
    assert!(stage.changes().iter().all(|change| change.contains(KEYS)), "{:?}", stage.changes());
    assert!(before.iter().all(|id| ids(&stage).contains(id)), "keys of others are not ours to touch");
    assert_eq!(stage.live_keys().len(), 3);
    let file = token_in(&stage.secret_file("globex", "etl"));
    assert_eq!(answers(&stage, &hostname(&stage), &file), 200);
    // The name is the owner's affair: said, and left.
    stage.plan(&["--detailed-exitcode"]).exits(2).says("Plan: 1 unchanged, 1 drifted.");
    assert_eq!(stage.tenants()[0]["name"], json!("Acme Corp"));
}

#[test]
fn an_owner_mints_with_a_key_of_its_own() {
    let cloud = Cloud::new(
        "version: 1
qlik:
  tenants:
    corp:
      account: us-oem
      adopt: { hostname: mycorp }
      api_keys:
        release:
          description: Releases
          owner: { configured: release-bot }
          expires_in: PT12H
          renew_before: PT2H
          deliver_to: files
",
    );
    let owners = "    owners: { release-bot: { tenant: mycorp, api_key: { env: RELEASE_BOT_QLIK_KEY } } }\nsinks:";
    cloud.write_settings(&SETTINGS.replace("sinks:", owners));
    let account =
        json!({ "region": "us", "source_tenant": "mycorp", "owners": [{ "name": "release-bot", "tenant": "mycorp" }] });
    let seeded = cloud.stage.control("POST", "/seed", &json!({ "accounts": [account] }));
    let owner = &seeded["accounts"][0]["owners"][0];
    let (user, token) = (owner["user_id"].as_str().unwrap(), owner["token"].as_str().unwrap());
    let run = |program, args: &[&str]| cloud.ends(cloud.command(program, args).env("RELEASE_BOT_QLIK_KEY", token));

    run(APPLY, &["ledger", "init"]).exits(0);
    run(APPLY, &["rehearse", "us-oem"]).exits(0).says("owner release-bot on mycorp");
    run(APPLY, &["--yes"]).exits(0).says("recorded the adoption").says("1 key created");
    run(PLAN, &["--detailed-exitcode"]).exits(0);
    let minted = |cloud: &Cloud| -> Vec<Value> {
        let state = cloud.stage.state();
        let keys = state["tenants"][0]["keys"].as_array().unwrap().iter();
        keys.filter(|key| key["description"].as_str().unwrap().starts_with("Releases")).cloned().collect()
    };
    assert_eq!(minted(&cloud).len(), 1);
    assert_eq!(minted(&cloud)[0]["createdByUser"], json!(user));
    // The owner's key goes to the host that settings give it, under whatever name the tenant was read.
    for one in cloud.stage.requests().iter().filter(|one| one["path"].as_str().unwrap().starts_with(KEYS)) {
        if one["method"] != json!("GET") {
            assert_eq!(one["host"], json!("mycorp.us.qlikcloud.com"));
        }
    }

    cloud.stage.control("POST", "/clock", &json!({ "advance": "PT11H" }));
    run(PLAN, &["--detailed-exitcode"]).exits(2).says("1 key to renew");
    run(APPLY, &["--yes"]).exits(0).says("1 key renewed");
    run(PLAN, &["--detailed-exitcode"]).exits(0);
    assert_eq!(minted(&cloud).len(), 2);
    let file = token_in(&cloud.secret_file("corp", "release"));
    assert_eq!(answers(&cloud.stage, "mycorp.us.qlikcloud.com", &file), 200);

    // A key that was taken from its owner is named by its place.
    let wrong = cloud.ends(cloud.command(PLAN, &[]).env("RELEASE_BOT_QLIK_KEY", "not-a-key-31ba"));
    assert!(!wrong.all().contains("not-a-key-31ba"));
    cloud.stage.control("POST", "/clock", &json!({ "advance": "PT11H" }));
    cloud
        .ends(cloud.command(APPLY, &["--yes"]).env("RELEASE_BOT_QLIK_KEY", "not-a-key-31ba"))
        .exits(1)
        .says("qlik/corp/release  refused, QP0219")
        .says("was answered with 401")
        .says("settings: accounts.us-oem.owners.release-bot");
    run(APPLY, &["--yes"]).exits(0).says("1 key renewed");
}

// ---- time --------------------------------------------------------------------------------------------------------

#[test]
fn over_ten_days_each_key_gets_one_successor_and_the_delivered_token_always_works() {
    let stage = made();
    let (host, ci) = (hostname(&stage), || token_in(&stage.secret_file("acme", "ci")));
    let first = ids(&stage);
    let mut held = std::fs::read_to_string(stage.secret_file("acme", "ci")).unwrap();
    let mut renewed = 0;
    for _ in 0..20 {
        stage.control("POST", "/clock", &json!({ "advance": "PT12H" }));
        assert_eq!(answers(&stage, &host, &ci()), 200, "before the apply");
        let run = stage.apply(&["--yes"]).exits(0);
        if run.all().contains("2 keys renewed") {
            renewed += 1;
            // Whoever read the old one a moment ago has time to read the new one.
            assert_eq!(answers(&stage, &host, held.trim()), 200, "the predecessor, just after");
            assert_eq!(stage.live_keys().len(), 4);
        }
        assert_eq!(answers(&stage, &host, &ci()), 200, "after the apply");
        held = std::fs::read_to_string(stage.secret_file("acme", "ci")).unwrap();
        stage.plan(&["--detailed-exitcode"]).exits(0);
    }
    assert_eq!(renewed, 1);
    let posts = stage.changes().into_iter().filter(|change| change.starts_with("POST")).count();
    assert_eq!((posts, stage.live_keys().len()), (2, 2));
    assert!(first.iter().all(|id| !ids(&stage).contains(id)), "the first two have expired");
    assert!(stage.changes().iter().all(|change| !change.starts_with("DELETE")), "and were not revoked");
}
