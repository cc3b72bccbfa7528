//! Clean means clean: what is not as it should be is found, counted by exit code, and told in every format.

use serde_json::{Value, json};

use crate::stage::{ONE_TENANT, Stage};

/// What a run wrote into a file beside its text.
fn written(stage: &Stage, name: &str) -> String {
    std::fs::read_to_string(stage.dir().join(name)).unwrap()
}

/// Moves what is declared into a folder that is not read, as `git mv` does; another tenant stays.
fn moved_one_folder_down() -> Stage {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let below = stage.dir().join("eu");
    std::fs::create_dir(&below).unwrap();
    std::fs::rename(stage.dir().join("desired.yaml"), below.join("acme.yaml")).unwrap();
    stage.write_desired("version: 1\nqlik: { tenants: {} }\n");
    stage
}

#[test]
fn a_tenant_whose_file_moved_out_of_sight_is_found_and_no_plan_is_clean_until_it_is_declared_again() {
    let stage = moved_one_folder_down();
    stage.plan(&["--detailed-exitcode"]).exits(2);
    let also = ["json", "markdown", "github", "gitlab", "terraform-json"];
    let also: Vec<String> =
        also.iter().flat_map(|format| ["--also".into(), format!("{format}=out.{format}")]).collect();
    let mut args = vec!["--exit-codes", "fine", "--warn-within", "P14D"];
    args.extend(also.iter().map(String::as_str));
    let run = stage.plan(&args).exits(8).says("Plan: 1 finding.").says("qlik/acme  found, QP0601");
    assert!(!run.out.contains("Nothing to do"), "{}", run.out);
    let step = |text: &str| run.out.find(text).unwrap_or_else(|| panic!("{text:?} is not in {}", run.out));
    assert!(step("declare qlik/acme again") < step("ledger forget"), "{}", run.out);

    let document: Value = serde_json::from_str(&written(&stage, "out.json")).unwrap();
    assert_eq!(document["verdict"]["outcome"], "drift");
    assert_eq!((&document["findings"][0]["code"], &document["counts"]["findings"]), (&json!("QP0601"), &json!(1)));
    let said = [
        ("markdown", "Findings: 1"),
        ("github", "::warning title=qlik/acme%3A found%2C QP0601::"),
        ("gitlab", "\"findings\":1"),
    ];
    for (format, words) in said {
        let text = written(&stage, &format!("out.{format}"));
        assert!(text.contains(words), "{format}: {text}");
    }
    let terraform: Value = serde_json::from_str(&written(&stage, "out.terraform-json")).unwrap();
    assert_eq!((&terraform["checks"][0]["status"], &terraform["errored"]), (&json!("fail"), &json!(false)));

    // The folder named too: all is well again.
    stage
        .plan(&["--exit-codes", "fine", "desired.yaml", "eu"])
        .exits(0)
        .says("Nothing to do. 3 objects are as declared.");
}

#[test]
fn a_finding_is_in_a_saved_plan_and_an_apply_is_not_called_clean_either() {
    let stage = moved_one_folder_down();
    stage.plan(&["--out", "reviewed.plan"]).exits(0);
    assert!(written(&stage, "reviewed.plan").contains("QP0601"));
    stage.apply(&["--plan", "reviewed.plan"]).exits(0).says("QP0601");
    stage.apply(&["--yes", "--exit-codes", "fine"]).exits(8);
    stage.apply(&["--yes", "--detailed-exitcode"]).exits(2);
}
