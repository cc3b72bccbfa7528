//! What people and programs are shown: golden texts, the published schema, and that nothing hostile gets through.

pub(crate) mod samples;
mod weight;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use qlik_plan::apply::event::{Event, Failure, Happened, Step};
use qlik_plan::model::live::LedgerFacts;
use qlik_plan::model::untrusted::escape;
use qlik_plan::plan::action::{Keep, Plan};
use qlik_plan::plan::refusal::Code;
use qlik_plan::render::{Detail, Look, Outcome, Verdict, events, json, summary, text, wrap};

const COLOURED: Look = Look { colour: true, ..Look::PLAIN };
const ALL: Look = Look { detail: Detail::All, ..Look::PLAIN };

/// Compares with a committed file; `UPDATE_FIXTURES=1` writes it instead.
#[expect(clippy::disallowed_methods, reason = "a test may be told to write its expectations")]
pub(crate) fn golden(file: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var("UPDATE_FIXTURES").is_ok() {
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{file} differs (UPDATE_FIXTURES=1 writes it):\n{}",
        similar::TextDiff::from_lines(&expected, actual).unified_diff()
    );
}

fn verdict(plan: &Plan) -> Verdict {
    Verdict::of_plan(plan, u8::from(plan.has_refusals()))
}

#[test]
fn a_newcomer_sees_a_tenant_and_two_keys() {
    let plan = samples::newcomer();
    golden("fixtures/render/newcomer.txt", &text::plan(&plan, &Look::PLAIN));
    golden("fixtures/render/newcomer.json", &json::plan(&plan, &verdict(&plan)));
}

#[test]
fn every_other_action_is_shown_with_its_reason() {
    let plan = samples::estate();
    golden("fixtures/render/estate.txt", &text::plan(&plan, &Look::PLAIN));
    golden("fixtures/render/estate.json", &json::plan(&plan, &verdict(&plan)));
}

#[test]
fn every_refusal_is_shown_with_its_way_out() {
    let shown = text::plan(&samples::refusals(), &Look::PLAIN);
    for (n, code) in Code::ALL.iter().enumerate() {
        assert!(shown.contains(&format!("refused, {code} ")), "{code}");
        assert!(shown.contains(&format!("next: qlik-apply resolve qlik/t{n}\n")), "{code}");
    }
    assert!(shown.ends_with(&format!("Plan: {} refused.\n", Code::ALL.len())), "{shown}");
}

#[test]
fn hostile_names_are_shown_as_what_they_are() {
    let plan = samples::hostile(samples::HOSTILE);
    golden("fixtures/render/hostile.txt", &text::plan(&plan, &ALL));
}

#[test]
fn what_was_made_what_was_not_and_what_to_run_next() {
    let report = samples::report();
    golden("fixtures/render/report.txt", &text::report(&report, &Look::PLAIN));
    let verdict = Verdict::of_report(&samples::newcomer(), &report, 1);
    golden("fixtures/render/report.json", &json::report(&samples::newcomer(), &report, &verdict));
}

#[test]
fn a_clean_report_says_what_was_made_and_nothing_of_next_steps() {
    let mut report = samples::report();
    report.lines.truncate(5);
    report.stopped = None;
    let shown = text::report(&report, &Look::PLAIN);
    assert!(!shown.contains("Not made:") && !shown.contains("Next:"), "{shown}");
    let last = "Applied: 1 tenant and 1 key created, 1 tenant set up, 1 permission granted, 1 key client trusted.\n";
    assert!(shown.ends_with(last), "{shown}");
    report.lines.clear();
    assert_eq!(text::report(&report, &Look::PLAIN), "Applied: nothing.\n");
}

#[test]
fn one_way_out_of_many_failures_is_said_once_and_a_stop_is_followed_by_another_run() {
    let shown = text::report(&samples::hostile_report("the same"), &Look::PLAIN);
    assert_eq!(
        shown.lines().filter(|line| *line == "  - the same").count(),
        2,
        "one reason to stop, one step:\n{shown}"
    );
    let mut stopped = samples::report();
    stopped.lines.retain(|line| !matches!(line.outcome, qlik_plan::apply::event::ReportOutcome::Failed(_)));
    assert!(text::report(&stopped, &Look::PLAIN).contains("Next:\n  - qlik-apply again"));
}

#[test]
fn a_small_estate_lists_what_is_kept_and_a_large_one_counts_it() {
    let kept = |n: u32| {
        samples::plan_of(
            (1..=n).map(|i| samples::planned(&format!("qlik/acme/k{i}"), i, samples::kept_key())).collect(),
        )
    };
    let listed = |plan: &Plan| text::plan(plan, &Look::PLAIN).matches("  = qlik/acme/k").count();
    assert_eq!((listed(&kept(20)), listed(&kept(21))), (20, 0));
    let mut large = kept(21);
    large.actions.extend(samples::estate().actions.into_iter().filter(|p| p.address.to_string() == "qlik/globex"));
    let shown = text::plan(&large, &Look::PLAIN);
    assert!(shown.contains("  = 21 objects are as declared and not listed.\n"), "{shown}");
    assert!(shown.contains("  ~ qlik/globex  adopt tenant"), "what apply records is shown all the same: {shown}");
}

#[test]
fn the_last_line_agrees_with_its_numbers() {
    let one = |action| samples::plan_of(vec![samples::planned("qlik/acme", 1, action)]);
    assert_eq!(summary::plan(&samples::plan_of(Vec::new())), "Nothing to do: nothing is declared.");
    assert_eq!(summary::plan(&one(samples::kept_key())), "Nothing to do. 1 object is as declared.");
    assert_eq!(summary::plan(&one(samples::create_tenant())), "Plan: 1 tenant to create.");
    assert_eq!(
        summary::plan(&samples::newcomer()),
        "Plan: 1 tenant and 2 keys to create, 1 tenant to set up, 1 permission to grant, 1 key client to trust."
    );
    assert_eq!(
        summary::plan(&samples::estate()),
        "Plan: 3 keys to create, 1 tenant to set up, 1 key to renew, 1 key to revoke, 1 key to mark, \
         1 adoption to record; 3 unchanged, 1 drifted, 1 waiting."
    );
}

#[test]
fn places_stand_in_one_column_and_long_lines_are_not_cut() {
    let shown = text::plan(&samples::newcomer(), &Look::PLAIN);
    let columns: Vec<usize> = shown.lines().filter_map(|line| line.find("desired.yaml:")).collect();
    assert_eq!(columns.len(), 6);
    assert!(columns.iter().all(|at| Some(at) == columns.first()), "{shown}");
    let narrow = text::plan(&samples::newcomer(), &Look { width: 10, ..Look::PLAIN });
    assert_eq!(narrow.matches("  desired.yaml:").count(), 6);
}

#[test]
fn colour_changes_nothing_but_colour() {
    for plan in [samples::newcomer(), samples::estate(), samples::refusals()] {
        let coloured = text::plan(&plan, &COLOURED);
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(without_styles(&coloured), text::plan(&plan, &Look::PLAIN));
    }
}

#[test]
fn the_hash_is_of_what_is_done_not_of_where_or_when() {
    let plan = samples::newcomer();
    let mut moved = plan.clone();
    moved.now = samples::time("2027-01-01T00:00:00Z");
    moved.actions.iter_mut().for_each(|planned| planned.at = samples::at(99));
    assert_eq!(json::hash(&plan), json::hash(&moved));
    let mut other = plan.clone();
    other.actions.truncate(5);
    assert_ne!(json::hash(&plan), json::hash(&other));
}

#[test]
fn the_schema_is_the_committed_one() {
    golden("schemas/plan.v1.json", &(serde_json::to_string_pretty(&json::schema()).unwrap() + "\n"));
}

#[test]
fn every_document_is_valid_against_the_schema() {
    let schema = json::schema();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let mut documents = vec![
        json::report(
            &samples::newcomer(),
            &samples::report(),
            &Verdict { exit: 1, outcome: Outcome::Error, summary: "s".into() },
        ),
        json::error("settings name no account", &["qlik-plan validate".into()], 1, Outcome::Error, None),
        json::error("2 faults", &[], 1, Outcome::Error, Some(&serde_json::json!([{"code": "QP0101"}]))),
    ];
    for plan in [samples::newcomer(), samples::estate(), samples::refusals(), samples::hostile(samples::HOSTILE)] {
        documents.push(json::plan(&plan, &verdict(&plan)));
    }
    for document in &documents {
        assert!(document.ends_with("}\n"));
        let value: Value = serde_json::from_str(document).unwrap();
        let faults: Vec<String> = validator.iter_errors(&value).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}\n{document}");
    }
    let mut wrong: Value = serde_json::from_str(documents.last().unwrap()).unwrap();
    *wrong.pointer_mut("/actions/0/kind").unwrap() = "destroy".into();
    assert!(!validator.is_valid(&wrong));
    *wrong.pointer_mut("/actions/0/kind").unwrap() = "create".into();
    assert!(validator.is_valid(&wrong));
    *wrong.pointer_mut("/format").unwrap() = "qlik-plan/other".into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn json_says_every_kind_and_keeps_hostile_text_readable() {
    let plan = samples::hostile(samples::HOSTILE);
    let value: Value = serde_json::from_str(&json::plan(&plan, &verdict(&plan))).unwrap();
    assert_eq!(value.pointer("/notices/0/text").unwrap(), samples::HOSTILE);
    assert_eq!(value.pointer("/actions/13/why").unwrap(), samples::HOSTILE);
    assert_eq!(value.pointer("/actions/13/code").unwrap(), "QP0211");
    assert_eq!(value.pointer("/actions/1/details/settle/display_name").unwrap(), samples::HOSTILE);
}

#[test]
fn progress_is_one_line_an_event() {
    let tell = |step, happened| {
        events::event(&Event { address: "qlik/acme/ci".parse().unwrap(), step, happened }, &Look::PLAIN)
    };
    assert_eq!(tell(Step::CreateKey, Happened::Began).unwrap(), "qlik/acme/ci: creating the key ...");
    assert_eq!(tell(Step::Mint, Happened::Began), None);
    assert_eq!(
        tell(Step::Deliver, Happened::Succeeded { detail: "files".into() }).unwrap(),
        "qlik/acme/ci: delivered the key: files"
    );
    assert_eq!(
        tell(Step::Mint, Happened::Failed(Failure::new("429\r\nforged", "wait"))).unwrap(),
        "qlik/acme/ci: could not mint the key: 429\\r\\nforged"
    );
    assert_eq!(
        tell(Step::Mark, Happened::Skipped { because: "the delivery failed".into() }).unwrap(),
        "qlik/acme/ci: did not mark the key as delivered: the delivery failed"
    );
}

#[test]
fn the_ledger_is_listed_in_columns() {
    let facts: LedgerFacts = serde_json::from_str(include_str!("render/ledger.json")).unwrap();
    golden("fixtures/render/ledger.txt", &text::ledger(&facts, &Look::PLAIN));
}

/// The text without the escape sequences that this room writes itself: `ESC [ digits ; … m`.
fn without_styles(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (style, rest) = part.split_once('m').unwrap();
        assert!(style.starts_with('[') && style.chars().skip(1).all(|c| c.is_ascii_digit() || c == ';'), "{style:?}");
        plain.push_str(rest);
    }
    plain
}

/// Fails on anything that a terminal would obey, or that hides or reorders, but for line ends.
pub(crate) fn assert_harmless(text: &str) {
    let bad = text.chars().find(|&c| c != '\n' && escape(&c.to_string()) != c.to_string());
    assert_eq!(bad, None, "in {text:?}");
    // Nor a CI runner: `##[…]` and `##vso[…]` anywhere, `::…::` at a line's beginning.
    assert!(!text.contains("##"), "{text:?}");
    assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{text:?}");
}

/// Strings of anything, with what attacks terminals and logs well represented.
pub(crate) fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        proptest::sample::select(vec![
            "\u{1b}[31m",
            "\u{1b}]8;;x\u{7}",
            "\u{9b}",
            "\u{90}",
            "\r",
            "\n",
            "\t",
            "\u{8}",
            "\u{7f}",
            "\u{0}",
            "\u{202e}",
            "\u{2066}",
            "\u{200b}",
            "\u{feff}",
            "\u{e0041}",
            "\u{2028}",
            "\"",
            "\\",
            "m",
            "漢字",
            "::error::",
            "##[error]",
            "##vso[x]",
            "#",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_from_outside_reaches_a_terminal_raw(bad in nasty()) {
        let plan = samples::hostile(&bad);
        let report = samples::hostile_report(&bad);
        // As long, since long texts that differ take more lines.
        let tame = "x".repeat(bad.chars().count());
        let lines = text::plan(&samples::hostile(&tame), &Look::PLAIN).lines().count();
        let plain = text::plan(&plan, &Look::PLAIN);
        assert_harmless(&plain);
        prop_assert_eq!(plain.lines().count(), lines, "a line was forged");
        prop_assert_eq!(without_styles(&text::plan(&plan, &COLOURED)), plain);
        let all = text::plan(&plan, &ALL);
        assert_harmless(&all);
        prop_assert_eq!(all.lines().count(), text::plan(&samples::hostile(&tame), &ALL).lines().count(), "a line was forged");
        assert_harmless(&wrap(&all, &Look { width: 60, wraps: true, ..ALL }));
        assert_harmless(&text::report(&report, &Look::PLAIN));
        assert_harmless(&without_styles(&text::report(&report, &COLOURED)));
        assert_harmless(&json::plan(&plan, &verdict(&plan)));
        assert_harmless(&json::report(&plan, &report, &Verdict { exit: 1, outcome: Outcome::Error, summary: bad.clone() }));
        assert_harmless(&json::error(&bad, std::slice::from_ref(&bad), 1, Outcome::Error, None));
        for happened in [
            Happened::Succeeded { detail: bad.as_str().into() },
            Happened::Failed(Failure::new(bad.as_str(), bad.as_str())),
            Happened::Skipped { because: bad.clone() },
            Happened::Noted { text: bad.as_str().into() },
        ] {
            let event = Event { address: "qlik/acme".parse().unwrap(), step: Step::Mint, happened };
            let line = events::event(&event, &Look::PLAIN).unwrap();
            assert_harmless(&line);
            prop_assert!(!line.contains('\n'));
        }
        let mut facts: LedgerFacts = serde_json::from_str(include_str!("render/ledger.json")).unwrap();
        facts.place = bad.clone();
        assert_harmless(&text::ledger(&facts, &Look::PLAIN));
    }

    #[test]
    fn the_same_plan_is_the_same_bytes(bad in nasty()) {
        let (one, two) = (samples::hostile(&bad), samples::hostile(&bad));
        prop_assert_eq!(json::plan(&one, &verdict(&one)), json::plan(&two, &verdict(&two)));
    }
}

#[test]
fn an_adopted_keys_secret_is_never_said_to_be_in_a_sink() {
    let plan = samples::plan_of(vec![samples::planned(
        "qlik/acme/own",
        1,
        qlik_plan::plan::action::Action::Keep(Keep::AdoptedKey { key_id: "k".into(), expires: None }),
    )]);
    let value: Value = serde_json::from_str(&json::plan(&plan, &verdict(&plan))).unwrap();
    assert_eq!(value.pointer("/actions/0/details/keep_key").unwrap(), &serde_json::json!({"key_id": "k"}));
}
