//! `qlik-plan explain`: how one object's plan comes about, and a page for every code.

use serde_json::{Value, json};

use qlik_plan::plan::refusal::Code;

use crate::stage::{ONE_TENANT, PLAN, Run, Stage, clean};

#[test]
fn every_code_has_a_page_that_needs_nothing_else() {
    let empty = tempfile::tempdir().unwrap();
    for code in Code::ALL {
        let run = Run::of(&clean(PLAN, empty.path()).args(["explain", code.as_str()]).output().unwrap()).exits(0);
        let (title, body) = run.out.split_once("\n\n").unwrap();
        assert!(title.starts_with(&format!("{code}: ")), "{}", run.out);
        assert!(body.trim().len() > 30 && !body.contains("###"), "{}", run.out);
        let other = Code::ALL.iter().filter(|other| *other != code).find(|other| title.contains(other.as_str()));
        assert_eq!(other, None);
    }
    Run::of(&clean(PLAN, empty.path()).args(["explain", "QP9999"]).output().unwrap())
        .exits(1)
        .says("no refusal has the code");
    Run::of(&clean(PLAN, empty.path()).arg("explain").output().unwrap()).exits(1).says("explain needs the address");
    let run =
        Run::of(&clean(PLAN, empty.path()).args(["explain", "QP0203", "--format", "json"]).output().unwrap()).exits(0);
    let page: Value = serde_json::from_str(&run.out).unwrap();
    assert!(page["answer"]["page"]["text"].as_str().unwrap().contains("qlik-apply resolve"), "{}", run.out);
}

#[test]
fn a_kept_key_is_explained_by_its_sink_its_key_and_its_term() {
    let stage = Stage::new(ONE_TENANT);
    stage.plan(&["explain", "qlik/acme"]).exits(0).says("record").says("create tenant");
    stage.plan(&["explain", "qlik/acme/ci"]).exits(0).says("still to be made");
    stage.settle();
    stage.forget_requests();
    let key = stage.live_keys().into_iter().find(|key| key["description"].as_str().unwrap().starts_with("CI")).unwrap();
    let id = key["id"].as_str().unwrap();
    let run = stage.plan(&["explain", "qlik/acme/ci"]).exits(0);
    for said in [
        format!("files holds key {id}, delivered "),
        format!("{id} lives, until "),
        "marked as delivered, by run ".to_owned(),
        format!("1. key {id} is in the sink and lives: it is the one"),
        "(P1D before); now is ".to_owned(),
        "no key is to be minted".to_owned(),
        "= key in files, ".to_owned(),
    ] {
        assert!(run.out.contains(&said), "{said:?} was not said:\n{}", run.out);
    }
    assert!(!run.out.contains("qlik/acme/reporting"), "{}", run.out);
    assert_eq!(stage.changes(), Vec::<String>::new());
    stage.plan(&["explain", "qlik/acme"]).exits(0).says("it is set up: from now on a difference is drift");
}

#[test]
fn a_refusal_is_explained_by_the_facts_that_it_rests_on() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    std::fs::remove_file(stage.secret_file("acme", "ci")).unwrap();
    let run = stage.plan(&["explain", "qlik/acme/ci", "--format", "json"]).exits(0);
    let document: Value = serde_json::from_str(&run.out).unwrap();
    let explained = &document["answer"]["explained"];
    assert_eq!(explained["actions"][0]["code"], json!("QP0301"), "{}", run.out);
    let path = explained["path"].to_string();
    assert!(path.contains("the decision table ends in QP0301"), "{path}");
    let schema: Value = serde_json::from_str(include_str!("../../schemas/plan.v1.json")).unwrap();
    assert!(jsonschema::is_valid(&schema, &document), "{}", run.out);

    stage.plan(&["explain", "qlik/nobody"]).exits(1).says("qlik/nobody is not declared").says("qlik/acme");
}
