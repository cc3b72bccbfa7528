//! Which files of a folder are read: desired state that lies there and is not read is said.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{ONE_TENANT, PLAN, Run, Stage, clean};

fn write(dir: &Path, name: &str, tenant: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("version: 1\nqlik:\n  tenants:\n    {tenant}: {{ account: us }}\n")).unwrap();
}

fn validate(dir: &Path, args: &[&str]) -> Run {
    Run::of(&clean(PLAN, dir).arg("validate").args(args).output().unwrap())
}

#[test]
fn desired_state_one_folder_down_or_spelled_otherwise_is_named() {
    let dir = TempDir::new().unwrap();
    write(dir.path(), "t/top.yaml", "top");
    let run = validate(dir.path(), &["t"]).exits(0).says("Valid: 1 object");
    assert!(!run.all().contains("not read"), "{}", run.all());

    write(dir.path(), "t/eu/acme.yaml", "acme");
    validate(dir.path(), &["t"]).exits(0).says("1 file that looks like desired state was not read: t/eu/acme.yaml");
    for name in ["t/eu/west/deep.yml", "t/loud.YAML", "t/Loud.Yml", "t/.hidden.yaml", "t/us/x.YML"] {
        write(dir.path(), name, "acme");
    }
    let run = validate(dir.path(), &["t"]).exits(0);
    for said in [
        "6 files that look like desired state were not read:",
        "t/.hidden.yaml, t/Loud.Yml, t/eu/acme.yaml, t/eu/west/deep.yml, t/loud.YAML, 1 more",
        "--recursive",
    ] {
        assert!(run.err.contains(said), "{said}: {}", run.err);
    }
    // What is named too is read.
    let run = validate(dir.path(), &["t", "t/eu", "t/loud.YAML"]);
    assert!(!run.err.contains("t/eu/acme.yaml,"), "{}", run.err);
    // Files that are no desired state of anybody's, copies that editors keep, and other folders' are not.
    let dir = TempDir::new().unwrap();
    write(dir.path(), "top.yaml", "top");
    for (name, text) in [
        ("k8s/deployment.yaml", "apiVersion: v1\nkind: Secret\n"),
        (".github/workflows/apply.yml", "on: push\njobs:\n  qlik:\n    steps: []\n"),
        (".yamllint.yaml", "extends: default\nignore: |\n  a\n"),
        ("notes/readme.md", "qlik:\n  tenants: {}\n"),
        ("old/top.yaml~", "qlik:\n  tenants: {}\n"),
        ("old/top.yaml.bak", "qlik:\n  tenants: {}\n"),
        (".git/x.yaml", "qlik:\n  tenants: {}\n"),
        ("eu/qlik-plan.settings.yaml", "version: 1\nqlik: {}\n"),
    ] {
        fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
        fs::write(dir.path().join(name), text).unwrap();
    }
    symlink("/dev/zero", dir.path().join("eu/zero.yaml")).unwrap();
    let run = validate(dir.path(), &[]).exits(0);
    assert!(!run.all().contains("not read"), "{}", run.all());
}

#[test]
fn with_recursive_the_folders_below_are_read_and_links_stay_in() {
    let dir = TempDir::new().unwrap();
    write(dir.path(), "t/top.yaml", "top");
    write(dir.path(), "t/eu/acme.yaml", "acme");
    write(dir.path(), "t/eu/west/globex.yml", "globex");
    write(dir.path(), "t/.old/x.yaml", "old");
    write(dir.path(), "t/eu/loud.YAML", "loud");
    let run = validate(dir.path(), &["--recursive", "t"]).exits(0).says("Valid: 3 objects");
    assert!(run.err.contains("1 file that looks like desired state was not read: t/eu/loud.YAML"), "{}", run.err);
    // A folder that holds folders only is read too; without the option, what to do is said.
    validate(dir.path(), &["t/eu/west"]).exits(0);
    fs::remove_file(dir.path().join("t/top.yaml")).unwrap();
    validate(dir.path(), &["--recursive", "t"]).exits(0).says("Valid: 2 objects");
    validate(dir.path(), &["t"]).exits(1).says("the directory holds no desired state").says("--recursive");
    // A folder linked into itself is read once, where it lies.
    symlink("../../t", dir.path().join("t/eu/again")).unwrap();
    validate(dir.path(), &["--recursive", "t"]).exits(0).says("Valid: 2 objects");

    let secret = dir.path().join("secret");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("a.yaml"), "cAnArY\n").unwrap();
    for (to, at) in [(secret.join("a.yaml"), "t/eu/west/zz.yaml"), (secret.clone(), "t/eu/folder")] {
        symlink(to, dir.path().join(at)).unwrap();
        let run = validate(dir.path(), &["--recursive", "t"]).exits(1);
        assert!(run.err.contains(&format!("{at}: is a link that leads to no file inside t")), "{}", run.err);
        assert!(!run.all().contains("cAnArY"), "{}", run.all());
        fs::remove_file(dir.path().join(at)).unwrap();
    }
}

#[test]
fn a_tenants_file_that_was_moved_one_folder_down_is_a_finding_and_the_plan_is_not_clean() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let below = stage.dir().join("eu");
    fs::create_dir(&below).unwrap();
    fs::write(below.join("more.yaml"), "version: 1\nqlik: { tenants: { globex: { account: us-oem } } }\n").unwrap();
    let named = "1 file that looks like desired state was not read: eu/more.yaml";
    stage.plan(&[]).exits(0).says("QP0620").says(named).says("--recursive");
    stage.plan(&["--detailed-exitcode"]).exits(2);
    stage.plan(&["--exit-codes", "fine"]).exits(8);
    stage.apply(&["--yes", "--exit-codes", "fine"]).exits(8).says(named);
    let json: Value = serde_json::from_str(&stage.plan(&["--format", "json"]).exits(0).out).unwrap();
    assert_eq!(
        (&json["findings"][0]["code"], &json["verdict"]["outcome"]),
        (&json!("QP0620"), &json!("drift")),
        "{json}"
    );
    for format in ["markdown", "github", "terraform-json"] {
        stage.plan(&["--format", format]).says("eu/more.yaml");
    }
    // Read, it is planned.
    stage.plan(&["--recursive", "--detailed-exitcode"]).exits(2).says("qlik/globex").says("1 tenant");
    fs::rename(below.join("more.yaml"), below.join("more.yaml.off")).unwrap();
    stage.plan(&["--detailed-exitcode"]).exits(0);
}
