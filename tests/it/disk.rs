//! Disks that are nearly full, or fill up in the middle of a run, each a small one of its own.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::stage::{APPLY, PLAN, Run, SANDBOX, SETTINGS, Stage};

/// Tenants that are made side by side.
const TENANTS: usize = 3;

/// A stage whose ledger or sink is to lie on a disk of its own.
struct Place {
    stage: Stage,
    disk: PathBuf,
}

/// Whether this machine lets a test have a disk; where it does not, that is recorded.
fn may_mount() -> bool {
    let tried = Command::new("unshare").args(["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    tried.is_ok_and(|tried| tried.status.success())
        || crate::needs::not_run("the right to mount a disk of its own (unshare -Urm mount -t tmpfs)")
}

impl Place {
    fn new(settings: impl Fn(&str) -> String) -> Option<Self> {
        if !may_mount() {
            return None;
        }
        let names = ["alpha", "beta", "gamma"];
        let tenant = |name: &str| {
            format!(
                "    {name}:
      account: us-oem
      display_name: Tenant {name}
      api_key_limits: {{ max_expiry: P30D, max_keys_per_user: 10 }}
      grants: {{ manage_api_keys: {{ everyone: {{}} }} }}
      api_keys:
        ci: {{ description: CI, owner: {{ client: {{}} }}, expires_in: P7D, renew_before: P1D, deliver_to: files }}
"
            )
        };
        let tenants: String = names.iter().take(TENANTS).map(|name| tenant(name)).collect();
        let stage = Stage::with_settings(&format!("version: 1\nqlik:\n  tenants:\n{tenants}"), SETTINGS);
        let disk = stage.dir().join("disk");
        std::fs::create_dir(&disk).unwrap();
        std::fs::write(stage.dir().join("qlik-plan.settings.yaml"), settings(SETTINGS)).unwrap();
        Some(Self { stage, disk })
    }

    /// A script with a disk of `size` at `./disk`, which ends with the script.
    fn script(&self, size: &str, script: &str) -> Child {
        let script = format!("mount -t tmpfs -o {size} none {}\n{script}", self.disk.display());
        let mut command = self.stage.command(SANDBOX);
        command
            .args(["exec", "--", "unshare", "-Urm", "sh", "-uc", &script])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    fn run(&self, size: &str, script: &str) -> Run {
        Run::of(&self.script(size, script).wait_with_output().unwrap())
    }
}

/// Nothing more fits on the disk after this, and no file more can be made on it.
const FILL: &str = "cat /dev/zero > disk/.filler || n=0; while (: > disk/.file$n); do n=$((n+1)); done 2>&-";

fn ledger_on_it(settings: &str) -> String {
    settings.replace("path: .qlik-plan/ledger", "path: ./disk/ledger")
}

/// The request is sent, the disk fills up, and the answer comes: what was made is recorded all the same.
#[test]
fn a_disk_that_fills_up_in_the_middle_leaves_no_tenant_in_doubt() {
    let Some(place) = Place::new(ledger_on_it) else { return };
    place.stage.fault(&json!({ "match": { "method": "POST", "path": "/api/v1/tenants" }, "action": "pause" }));
    let (fill, filled) = (place.stage.dir().join("fill"), place.stage.dir().join("filled"));
    assert!(Command::new("mkfifo").args([&fill, &filled]).status().unwrap().success());
    let script = format!(
        "{APPLY} ledger init; {APPLY} rehearse us-oem
{APPLY} --yes & run=$!
read go < fill
{FILL}
echo full > filled
wait $run; echo first run $?
rm disk/.filler disk/.file*
{APPLY} --yes; echo second run $?
{PLAN} --detailed-exitcode; echo plan $?"
    );
    let running = place.script("size=2m,nr_inodes=300", &script);
    place.stage.control("GET", &format!("/wait?held={TENANTS}"), &Value::Null);
    OpenOptions::new().write(true).open(&fill).unwrap().write_all(b"go\n").unwrap();
    assert_eq!(std::fs::read_to_string(&filled).unwrap(), "full\n");
    place.stage.control("DELETE", "/faults", &Value::Null);
    place.stage.control("POST", "/release", &json!({}));
    let run = Run::of(&running.wait_with_output().unwrap());
    assert!(!run.all().contains("QP0203") && !run.all().contains("in doubt"), "{}", run.all());
    // Each answer that is recorded gives space back, which is enough for the rest.
    run.says("first run 0").says("second run 0").says("plan 0");
    assert_eq!((place.stage.tenants().len(), place.stage.live_keys().len()), (TENANTS, TENANTS));
}

/// Space and places for files are counted apart.
#[test]
fn a_ledger_on_a_nearly_full_disk_is_refused_by_the_plan() {
    let Some(place) = Place::new(ledger_on_it) else { return };
    for filling in
        ["head -c 1900k /dev/zero > disk/.filler", "n=0; while [ $n -lt 260 ]; do : > disk/.file$n; n=$((n+1)); done"]
    {
        place.stage.forget_requests();
        let script = format!(
            "{APPLY} ledger init; {APPLY} rehearse us-oem; {filling}; {PLAN}; echo plan $?; {APPLY} --yes; echo apply $?"
        );
        let run = place.run("size=2m,nr_inodes=300", &script);
        run.says("QP0220")
            .says("is nearly full")
            .says("free some space, or some inodes")
            .says("plan 1")
            .says("apply 1");
        assert_eq!(place.stage.tenants(), Vec::<Value>::new());
    }
}

/// A key whose secret could not be stored is not minted.
#[test]
fn a_sink_on_a_nearly_full_disk_is_refused_before_a_key_is_minted() {
    let Some(place) = Place::new(|settings| settings.replace("directory: ./secrets", "directory: ./disk/secrets"))
    else {
        return;
    };
    place.stage.shell(&format!("{APPLY} ledger init; {APPLY} rehearse us-oem")).exits(0);
    for filling in
        ["head -c 1900k /dev/zero > disk/.filler", "n=0; while [ $n -lt 260 ]; do : > disk/.file$n; n=$((n+1)); done"]
    {
        let run = place
            .run("size=2m,nr_inodes=300", &format!("{filling}; {PLAN} --preflight full; echo plan $?; {APPLY} --yes"));
        run.says("QP0307").says("nearly full").says("free some space").says("plan 1");
        assert_eq!(place.stage.live_keys(), Vec::<Value>::new());
    }
}

/// The system refuses to start what lies there, in the words of a missing right.
#[test]
fn a_program_on_a_disk_that_starts_nothing_is_told_so() {
    let sink = "files: { kind: command, deliver: [./disk/put], check: [./disk/check] }";
    let Some(place) =
        Place::new(|settings| settings.replace("files: { kind: file, directory: ./secrets, durable: true }", sink))
    else {
        return;
    };
    place.stage.shell(&format!("{APPLY} ledger init; {APPLY} rehearse us-oem")).exits(0);
    let script = format!(
        "printf '#!/bin/sh\\necho absent\\n' > disk/check; chmod 700 disk/check; cp disk/check disk/put; {PLAN} --preflight full"
    );
    place.run("size=2m,noexec", &script).exits(1).says("./disk/put is on a disk that is mounted noexec");
}
