//! From nothing to a plan by what is printed: all that is in the way is named at once, and every command can be pasted as it stands.

use std::fs;
use std::path::Path;

use crate::cloud::Cloud;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SETTINGS};

/// Settings in one folder, desired state in another, nothing in the working directory.
fn apart(settings: &str) -> Cloud {
    let cloud = Cloud::new(ONE_TENANT);
    cloud.write_settings(settings);
    let dir = cloud.stage.dir();
    for (file, folder) in [("desired.yaml", "tenants"), ("qlik-plan.settings.yaml", "prod dir")] {
        fs::create_dir(dir.join(folder)).unwrap();
        fs::rename(dir.join(file), dir.join(folder).join(file)).unwrap();
    }
    cloud
}

const GIVEN: [&str; 3] = ["--settings", "prod dir/qlik-plan.settings.yaml", "tenants"];

fn in_ci(cloud: &Cloud, program: &str, args: &[&str]) -> Run {
    cloud.ends(cloud.command(program, args).env("CI", "true").env_remove("QLIK_PLAN_SETTINGS"))
}

/// The command behind these words, up to where a person would stop reading it, as a shell runs it.
fn pasted(cloud: &Cloud, run: &Run, begins: &str) -> Run {
    let text = run.all();
    let at = text.find(begins).unwrap_or_else(|| panic!("{begins:?} is not in\n{text}"));
    let line = text[at..].lines().next().unwrap();
    let programs = Path::new(APPLY).parent().unwrap().display();
    let line = format!("PATH={programs}:$PATH; {}", line.split("   (").next().unwrap());
    let mut command = cloud.command("/bin/sh", &["-c", &line]);
    cloud.ends(command.env("CI", "true").env_remove("QLIK_PLAN_SETTINGS"))
}

#[test]
fn what_is_in_the_way_is_named_at_once() {
    let cloud = apart(&SETTINGS.replace(", durable: true", ""));
    let run = in_ci(&cloud, PLAN, &GIVEN).exits(1);
    for code in ["QP0201", "QP0215", "QP0403", "QP0307"] {
        assert!(run.out.contains(code), "{code} is not in\n{}", run.out);
    }
    assert_eq!(run.out.matches("QP0307").count(), 1, "both keys are named in one line\n{}", run.out);
    assert_eq!(cloud.stage.changes(), Vec::<String>::new());
    // What is not in the way is not named.
    let cloud = apart(SETTINGS);
    let run = in_ci(&cloud, PLAN, &[&GIVEN[..], &["--ledger-is-durable"]].concat()).exits(1);
    assert!(run.out.contains("QP0201") && run.out.contains("QP0403"), "{}", run.out);
    assert!(!run.out.contains("QP0215") && !run.out.contains("QP0307"), "{}", run.out);
}

#[test]
fn what_is_printed_can_be_pasted_until_there_is_a_plan() {
    let cloud = apart(SETTINGS);
    let first = in_ci(&cloud, PLAN, &GIVEN).exits(1);
    pasted(&cloud, &first, "qlik-apply ledger init").exits(0).says("Made ledger");
    pasted(&cloud, &first, "qlik-apply rehearse us-oem")
        .exits(0)
        .says("Rehearsed account us-oem: the key client on mycorp");
    in_ci(&cloud, PLAN, &GIVEN).exits(0).says("1 tenant and 2 keys to create");
}

#[test]
fn what_needs_no_desired_state_asks_for_none() {
    let cloud = apart(SETTINGS);
    let settings = &GIVEN[..2];
    let apply = |args: &[&str]| in_ci(&cloud, APPLY, &[args, settings].concat());
    apply(&["ledger", "init"]).exits(0).says("Made ledger").says("no sink was asked");
    apply(&["rehearse", "us-oem"]).exits(0).says("the key client on mycorp").says("plan.settings.yaml' PATH");
    apply(&["resolve", "qlik/acme"]).says("qlik/acme");
    // A faulty file beside it is no reason to leave it unread.
    fs::write(cloud.stage.dir().join("broken.yaml"), "version: 1\nqlik: [").unwrap();
    apply(&["rehearse", "us-oem"]).exits(1).says("broken.yaml");
}
