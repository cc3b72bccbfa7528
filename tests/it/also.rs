//! Stories of `--format` and `--also`: several formats in one run, files whole or not at all, a result on every exit.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::stage::{ONE_TENANT, Stage};

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn one_run_writes_every_format_and_all_tell_the_same_plan() {
    let stage = Stage::new(ONE_TENANT);
    let at = |name: &str| stage.dir().join(name);
    fs::write(at("plan.json"), "of an earlier run").unwrap();
    let run = stage
        .plan(&[
            "--also=json=plan.json",
            "--also=markdown=comment.md",
            "--also=terraform-json=tfplan.json",
            "--also=gitlab=report.json",
            "--also=github=annotations.txt",
            "--comment=prod",
        ])
        .exits(0);
    let sum = run.out.lines().last().unwrap();
    let plan = json_of(&at("plan.json"));
    assert_eq!(plan["verdict"]["summary"], sum);
    let comment = fs::read_to_string(at("comment.md")).unwrap();
    assert!(
        comment.starts_with(&format!("<!-- qlik-plan: prod -->\n\nqlik-plan: prod\n---\n\n**{sum}**\n")),
        "{comment}"
    );
    assert!(comment.contains(plan["hash"].as_str().unwrap()));
    assert_eq!(json_of(&at("report.json")), json!({"create": 3, "update": 0, "delete": 0}));
    assert_eq!(json_of(&at("tfplan.json"))["format_version"], "1.2");
    let annotations = fs::read_to_string(at("annotations.txt")).unwrap();
    assert!(annotations.contains("::notice title=qlik/acme/ci%3A create key,file=desired.yaml,line=11,col=9::"));
    let left: Vec<_> = fs::read_dir(stage.dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains(".qlik-plan-")), "{left:?}");
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_after_the_plan_was_printed() {
    let stage = Stage::new(ONE_TENANT);
    let run = stage.plan(&["--format=json", "--also=markdown=no/such/place.md", "--also=json=plan.json"]).exits(1);
    let printed: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&printed["format"], &printed["verdict"]["exit"]), (&json!("qlik-plan/plan"), &json!(1)));
    assert_eq!(json_of(&stage.dir().join("plan.json")), printed, "the file that could be written tells the same exit");
    assert!(run.err.contains("error: --also could not be written: no/such/place.md: entity not found"), "{}", run.err);
    assert!(run.err.contains("next: name a file in a directory that is there"), "{}", run.err);
}

#[test]
fn a_fault_of_the_yaml_is_told_in_every_format_on_its_line() {
    let stage = Stage::new(ONE_TENANT);
    stage.write_desired(&ONE_TENANT.replace("deliver_to: files }", "deliver_to: nowhere }"));
    let run = stage
        .plan(&[
            "--format=github",
            "--also=markdown=comment.md",
            "--also=json=plan.json",
            "--also=text=plan.txt",
            "--also=terraform-json=tf.json",
            "--also=gitlab=report.json",
        ])
        .exits(1);
    assert!(
        run.out.starts_with("::error title=QP") && run.out.contains(",file=desired.yaml,line=11,col="),
        "{}",
        run.out
    );
    let read = |name: &str| fs::read_to_string(stage.dir().join(name)).unwrap();
    assert!(read("comment.md").contains("**No plan could be made.**"), "{}", read("comment.md"));
    assert!(read("comment.md").contains("\n- `desired.yaml:11:"), "{}", read("comment.md"));
    assert!(read("plan.txt").contains("  desired.yaml:11:"), "{}", read("plan.txt"));
    assert_eq!(json_of(&stage.dir().join("plan.json"))["format"], "qlik-plan/error");
    let terraform = json_of(&stage.dir().join("tf.json"));
    assert_eq!((&terraform["errored"], &terraform["applyable"]), (&json!(true), &json!(false)));
    assert!(json_of(&stage.dir().join("report.json")).get("create").is_none(), "a failure is no plan without changes");
    let validated = stage.plan(&["validate", "--format=github"]).exits(1);
    assert!(validated.out.contains(",file=desired.yaml,line=11,col="), "{}", validated.out);
}

#[test]
fn an_apply_tells_what_it_could_not_make_where_it_is_declared() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let another = "        late: { description: Late, owner: { client: {} }, expires_in: P7D, renew_before: P1D, deliver_to: files }\n";
    stage.write_desired(&format!("{ONE_TENANT}{another}"));
    stage.fault(&json!({
        "match": { "method": "POST", "path": "/api/v1/api-keys" },
        "action": { "status_before": { "status": 403 } },
    }));
    let run =
        stage.apply(&["--yes", "--format=github", "--also=markdown=comment.md", "--also=json=report.json"]).exits(1);
    assert!(
        run.out.contains("::error title=qlik/acme/late%3A could not create the key,file=desired.yaml,line=13,col=9::"),
        "{}",
        run.out
    );
    let comment = fs::read_to_string(stage.dir().join("comment.md")).unwrap();
    assert!(
        comment.contains("<b>Not made: ")
            && comment.contains("- **qlik/acme/late** (`desired.yaml:13`) could not create the key\n  - why: "),
        "{comment}"
    );
    assert_eq!(json_of(&stage.dir().join("report.json"))["format"], "qlik-plan/report");
}

#[test]
fn drift_is_shown_field_by_field_in_every_format() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    stage.write_desired(&ONE_TENANT.replace("Acme Corp", "Acme Corporation"));
    let run = stage.plan(&["--also=terraform-json=tf.json", "--also=github=a.txt", "--also=markdown=c.md"]).exits(0);
    assert!(run.out.contains("display_name: declared \"Acme Corporation\", live \"Acme Corp\""), "{}", run.out);
    let drift = &json_of(&stage.dir().join("tf.json"))["resource_drift"][0]["change"];
    assert_eq!(drift["before"], json!({"display_name": "Acme Corporation"}));
    assert_eq!(drift["after"], json!({"display_name": "Acme Corp"}));
    let read = |name: &str| fs::read_to_string(stage.dir().join(name)).unwrap();
    assert!(
        read("a.txt")
            .contains("::warning title=qlik/acme%3A differs from its declaration,file=desired.yaml,line=4,col=5::")
    );
    assert!(read("c.md").contains("<summary><b>Differs, reported and not changed: 1</b></summary>"));
}

#[test]
fn formats_of_plans_are_refused_where_there_is_no_plan_before_anything_is_done() {
    let stage = Stage::new(ONE_TENANT);
    let run = stage.apply(&["ledger", "init", "--format=gitlab"]).exits(1);
    assert!(run.err.contains("this command makes no plan"), "{}", run.err);
    assert!(!stage.ledger().exists());
    stage.plan(&["validate", "--also=json=x.json"]).exits(1).says("--also is not for validate");
    stage.plan(&["--also=json=x", "--also=text=x"]).exits(1).says("--also names x twice");
    assert!(!stage.dir().join("x").exists());
    stage.plan(&["--also=json=desired.yaml"]).exits(1).says("would be written over declarations");
    assert_eq!(fs::read_to_string(stage.dir().join("desired.yaml")).unwrap(), ONE_TENANT);
    stage
        .plan(&["--also=yaml=x"])
        .exits(1)
        .says("the formats are text, json, markdown, terraform-json, gitlab, github");
    stage.plan(&["--also=plan.json"]).exits(1).says("--also FORMAT=FILE");
    let run = stage.plan(&["--format=json", "--also=yaml=x"]).exits(1);
    assert_eq!(serde_json::from_str::<Value>(&run.out).unwrap()["format"], "qlik-plan/error");
}

#[test]
fn no_format_holds_the_secret_of_a_key() {
    let stage = Stage::new(ONE_TENANT);
    let formats = ["json", "markdown", "terraform-json", "gitlab", "github", "text"];
    let also: Vec<String> = formats.iter().map(|format| format!("--also={format}=out.{format}")).collect();
    let mut args = vec!["--yes"];
    args.extend(also.iter().map(String::as_str));
    let run = stage.apply(&args).exits(0);
    let secret = fs::read_to_string(stage.secret_file("acme", "ci")).unwrap();
    let secret = secret.trim();
    assert!(secret.len() > 100 && !run.all().contains(secret));
    for format in formats {
        let text = fs::read_to_string(stage.dir().join(format!("out.{format}"))).unwrap();
        assert!(
            !text.is_empty() && !text.contains(secret) && !text.contains(secret.split('.').nth(1).unwrap()),
            "{format}"
        );
    }
}
