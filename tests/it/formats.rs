//! The plan in other people's formats: golden texts, and that they fit, agree with each other and cannot be broken out of.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use qlik_plan::plan::action::{Action, Drift, DriftField, Plan, Planned, WhyMint};
use qlik_plan::plan::review::{Moved, MovedFact};
use qlik_plan::render::markdown::{self, Commit, Files, Medium, Origin, Page, Web};
use qlik_plan::render::{Look, Verdict, github, gitlab, json as own, terraform, text};

use crate::plan::{KINDS, kind};
use crate::render::{assert_harmless, golden, nasty, samples};
use crate::stage::Stage;

/// Every action and every refusal, once with plain names and once with names that attack.
fn all() -> Plan {
    let mut plan = samples::newcomer();
    plan.actions.iter_mut().for_each(|planned| planned.address = renamed(&planned.address.to_string()));
    let estate = samples::estate();
    plan.notices = estate.notices;
    plan.unchecked = estate.unchecked;
    plan.actions.extend(estate.actions);
    plan.actions.extend(samples::others("Plain words"));
    plan.actions.extend(samples::refusals().actions);
    plan
}

#[test]
fn the_golden_plans_have_every_action() {
    for plan in [all(), hostile()] {
        let kinds: BTreeSet<&str> = plan.actions.iter().map(kind).collect();
        assert_eq!(kinds.len(), KINDS, "{kinds:?}");
    }
}

/// `qlik/acme` is another tenant in the sample that follows.
fn renamed(address: &str) -> qlik_plan::model::address::Address {
    address.replace("qlik/acme", "qlik/aaa").parse().unwrap()
}

fn hostile() -> Plan {
    samples::hostile(ATTACK)
}

/// What ends a fence, a tag, a cell or a line, calls a person, or commands a runner.
pub(crate) const ATTACK: &str = "a```\n```\n</details><script>alert(1)</script><img src=x onerror=alert(2)> @octocat | `x` \
     [l](javascript:alert(3)) <!-- qlik-plan: plan --> [//]: # (qlik-plan: plan) \u{202e}evil\u{1b}[2J\u{9b}31m\r::error::##[error]%0A,:漢字";

fn page(medium: Medium) -> Page {
    Page { medium, ..Page::default() }
}

/// A page as CI makes one: with links.
fn linked(medium: Medium) -> Page {
    let files = Files {
        repository: Web::parse("https://git.example/org/tenants").unwrap(),
        commit: Commit::parse(&"0a1b2c3d4e".repeat(4)).unwrap(),
        folder: "eu".to_owned(),
    };
    let run = Web::parse("https://git.example/org/tenants/actions/runs/42");
    Page { medium, origin: Origin { files: Some(files), run }, comment: "eu-prod".parse().ok(), saved: None }
}

#[test]
fn markdown_is_golden_for_each_platform() {
    golden("fixtures/render/markdown/all.md", &markdown::plan(&all(), &page(Medium::GithubComment)));
    golden("fixtures/render/markdown/all.bitbucket.md", &markdown::plan(&all(), &page(Medium::Bitbucket)));
    golden("fixtures/render/markdown/linked.md", &markdown::plan(&all(), &linked(Medium::GithubComment)));
    golden("fixtures/render/markdown/newcomer.md", &markdown::plan(&samples::newcomer(), &linked(Medium::Gitlab)));
    golden("fixtures/render/markdown/hostile.md", &markdown::plan(&hostile(), &page(Medium::GithubComment)));
    golden("fixtures/render/markdown/hostile.bitbucket.md", &markdown::plan(&hostile(), &page(Medium::Bitbucket)));
    let report = markdown::report(&samples::newcomer(), &samples::report(), &[], &page(Medium::GithubComment));
    golden("fixtures/render/markdown/report.md", &report);
    let report = markdown::report(&hostile(), &samples::hostile_report(ATTACK), &[], &page(Medium::GithubComment));
    golden("fixtures/render/markdown/hostile-report.md", &report);
    let fault =
        json!([{ "code": "QP0101", "message": ATTACK, "file": ATTACK, "line": 3, "column": 5, "help": ATTACK }]);
    let error = markdown::error(ATTACK, &[ATTACK.to_owned()], Some(&fault), &page(Medium::GithubComment));
    golden("fixtures/render/markdown/hostile-error.md", &error);
}

#[test]
fn terraform_json_is_golden_in_one_line() {
    for (name, plan) in [("all", all()), ("hostile", hostile())] {
        let text = terraform::plan(&plan, None);
        assert_eq!(text.lines().count(), 1);
        golden(&format!("fixtures/render/terraform/{name}.json"), &text);
    }
    golden("fixtures/render/terraform/error.json", &terraform::error("settings name no account", &["say so".into()]));
}

#[test]
fn github_annotations_are_golden_before_and_after_they_are_escaped() {
    for (name, plan) in [("all", all()), ("hostile", hostile()), ("newcomer", samples::newcomer())] {
        golden(&format!("fixtures/render/github/{name}.txt"), &github::plan(&plan));
        let before = serde_json::to_string_pretty(&github::annotations(&plan)).unwrap() + "\n";
        golden(&format!("fixtures/render/github/{name}.json"), &before);
    }
}

#[test]
fn gitlabs_counts_are_those_of_its_own_filter_over_terraform_json() {
    for plan in [all(), hostile(), samples::newcomer(), samples::plan_of(Vec::new())] {
        let shown: Value = serde_json::from_str(&gitlab::plan(&plan)).unwrap();
        let terraform: Value = serde_json::from_str(&terraform::plan(&plan, None)).unwrap();
        let changes = terraform["resource_changes"].as_array().unwrap();
        let count = |verb: &str| {
            changes.iter().flat_map(|c| c["change"]["actions"].as_array().unwrap()).filter(|a| *a == verb).count()
        };
        let expected = json!({"create": count("create"), "update": count("update"), "delete": count("delete")});
        assert_eq!(shown, expected);
    }
    golden("fixtures/render/gitlab/all.json", &gitlab::plan(&all()));
}

#[test]
fn terraform_json_says_of_each_action_what_its_readers_ask_for() {
    let plan: Value = serde_json::from_str(&terraform::plan(&all(), None)).unwrap();
    let changes = plan["resource_changes"].as_array().unwrap();
    let of = |address: &str| changes.iter().rfind(|c| c["address"] == address).unwrap();
    let actions = |address: &str| of(address)["change"]["actions"][0].as_str().unwrap().to_owned();
    let key = |name: &str| format!("qlik_api_key.declared[\"{name}\"]");
    let tenant = |name: &str| format!("qlik_tenant.declared[\"{name}\"]");
    assert_eq!(actions(&tenant("aaa")), "create");
    assert_eq!(actions(&tenant("acme")), "update", "settling");
    assert_eq!(actions(&tenant("globex")), "no-op", "an adoption sends nothing");
    assert_eq!(of(&tenant("globex"))["change"]["importing"]["id"], "abc");
    assert_eq!(actions(&tenant("drifted")), "no-op", "drift is reported, not changed");
    assert_eq!(actions(&key("acme/kept")), "no-op");
    assert_eq!(actions(&key("acme/unmarked")), "update");
    assert_eq!(actions(&key("acme/due")), "create");
    assert_eq!(of(&key("acme/due"))["change"]["after"]["replaces"]["id"], "key-2");
    let deposed: Vec<&Value> = changes.iter().filter(|c| c.get("deposed").is_some()).collect();
    let types: Vec<&Value> = deposed.iter().map(|c| &c["type"]).collect();
    assert_eq!(types, ["qlik_api_key", "imburse_api_key", "imburse_api_key"]);
    assert_eq!((&deposed[0]["deposed"], &deposed[0]["change"]["actions"][0]), (&json!("key-4"), &json!("delete")));
    let drift = &plan["resource_drift"][0]["change"];
    assert_eq!(drift["before"], json!({"display_name": "Drifted", "api_key_limits": {"max_expiry": "P30D"}}));
    assert_eq!(drift["after"], json!({"display_name": "Drifted Inc.", "api_key_limits": {"max_expiry": "P1D"}}));
    let status = |status: &str| plan["checks"].as_array().unwrap().iter().filter(|c| c["status"] == status).count();
    assert_eq!((status("fail"), status("unknown")), (qlik_plan::plan::refusal::Code::ALL.len(), 1));
    assert_eq!((&plan["errored"], &plan["complete"], &plan["applyable"]), (&json!(true), &json!(false), &json!(true)));
    assert!(changes.iter().all(|c| c["address"] != tenant("t0")), "what was refused is no change");
}

#[test]
fn a_keys_token_is_null_and_flagged_wherever_a_key_is() {
    let plan: Value = serde_json::from_str(&terraform::plan(&all(), None)).unwrap();
    let mut keys = 0;
    for change in plan["resource_changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["type"].as_str().unwrap().ends_with("_api_key"))
    {
        let (change, minted) = (&change["change"], change["change"]["actions"][0] == "create");
        for side in ["before", "after"] {
            if change[side].is_object() {
                assert_eq!(change[side].get("token"), Some(&Value::Null), "{change}");
                assert_eq!(change[format!("{side}_sensitive")]["token"], true, "{change}");
                keys += 1;
            }
        }
        assert_eq!(change["after_unknown"].get("token") == Some(&json!(true)), minted, "{change}");
    }
    assert!(keys > 8);
    let resources = plan["planned_values"]["root_module"]["resources"].as_array().unwrap();
    for key in resources.iter().filter(|r| r["type"].as_str().unwrap().ends_with("_api_key")) {
        assert_eq!((key["values"].get("token"), &key["sensitive_values"]["token"]), (Some(&Value::Null), &json!(true)));
    }
}

#[test]
fn annotations_stay_within_what_github_shows_and_the_last_counts_the_rest() {
    let shown = github::annotations(&samples::refusals());
    let errors: Vec<_> = shown.iter().filter(|a| a.level == github::Level::Error).collect();
    assert_eq!(errors.len(), github::PER_LEVEL);
    let rest = qlik_plan::plan::refusal::Code::ALL.len() - (github::PER_LEVEL - 1);
    assert_eq!(errors.last().unwrap().title, format!("qlik-plan: {rest} more"));
    assert!(errors[0].at.is_some() && errors[0].message.contains("next: qlik-apply resolve"), "{:?}", errors[0]);
}

/// A plan of many keys, each with its lines.
pub(crate) fn many(number: u32) -> Plan {
    let key = |n| {
        let name = format!("qlik/tenant-{:03}/key-{n}", n / 50);
        let made = qlik_plan::plan::action::Parent::MadeBefore(format!("qlik/tenant-{:03}", n / 50).parse().unwrap());
        let key = samples::create_key(&format!("Key number {n} \u{6f22}\u{5b57}"), made, WhyMint::Missing);
        samples::planned(&name, n + 1, Action::CreateKey(key))
    };
    samples::plan_of((0..number).map(key).collect())
}

#[test]
fn five_thousand_actions_fit_everywhere_and_their_number_is_told() {
    let mut plan = many(4_000);
    let refused = samples::refusals().actions;
    plan.actions.extend(samples::estate().actions.into_iter().cycle().take(1_000 - refused.len()));
    plan.actions.extend(refused.clone());
    assert_eq!(plan.actions.len(), 5_000);
    for medium in Medium::ALL {
        for page in [page(medium), linked(medium)] {
            let text = markdown::plan(&plan, &page);
            assert!(text.len() <= medium.limit(), "{medium:?}: {}", text.len());
            let drifted = plan.actions.iter().filter(|planned| matches!(planned.action, Action::Drift(_))).count();
            let waiting = plan.actions.iter().filter(|planned| matches!(planned.action, Action::Wait(_))).count();
            // 80 tenants of a generated name, and those of the sample.
            for told in [
                format!("Refused: {}", refused.len()),
                format!("Differs, reported and not changed: {drifted}"),
                format!("Waits for another run: {waiting}"),
                "To do, by tenant: 82".to_owned(),
            ] {
                assert!(text.contains(&told), "{medium:?}: {told}\n{}", text.get(..3_000).unwrap_or(&text));
            }
            assert!(text.contains(&own::hash(&plan)) && text.contains(&qlik_plan::render::summary::plan(&plan)));
            assert_eq!(listed(&text), counted(&text), "{medium:?}: what is listed and what is counted as not listed");
            assert!(text.len() > medium.limit() / 2 || medium.limit() > 500_000, "the room is used: {}", text.len());
        }
    }
    assert_eq!(gitlab::plan(&many(5_000)), "{\"create\":5000,\"update\":0,\"delete\":0}\n");
}

/// The numbers in the groups' titles, in all.
fn counted(text: &str) -> usize {
    text.lines()
        .filter_map(|line| line.strip_prefix("**").or(line.split_once("<summary><b>").map(|(_, rest)| rest)))
        .filter_map(|title| title.split_once("</b>").or(title.split_once("**")))
        .filter_map(|(title, _)| title.rsplit_once(": ")?.1.parse::<usize>().ok())
        .sum()
}

/// Items that are listed, and the numbers of those that there was no room for.
fn listed(text: &str) -> usize {
    let mut inside = false;
    let mut number = 0;
    // The title's line and what stands before the first group is no item.
    for line in text.lines().skip_while(|line| !line.contains("Refused: ")) {
        if line.starts_with("```") {
            inside = !inside;
        } else if !inside && (line.starts_with("- ") || is_tenant(line)) {
            number += 1;
        } else if let Some((left, _)) = line.split_once(" more not listed").or(line.split_once(" not listed here")) {
            number += left.parse::<usize>().unwrap();
        }
    }
    number
}

/// A tenant whose details stand below it.
fn is_tenant(line: &str) -> bool {
    let marks = ["**qlik/", "**imburse/", "[**qlik/", "[**imburse/"];
    marks.iter().any(|mark| line.starts_with(mark))
        || line.starts_with("<details><summary><b>qlik/")
        || line.starts_with("<details><summary><b>imburse/")
        || line.starts_with("<details><summary><a ")
}

#[test]
fn what_matters_most_is_shortened_last() {
    let mut plan = many(5_000);
    plan.actions.extend(samples::refusals().actions);
    let text = markdown::plan(&plan, &page(Medium::Bitbucket));
    for refused in samples::refusals().actions {
        assert!(text.contains(&format!("- **{}** (`desired.yaml:", refused.address)), "{}", refused.address);
    }
    assert!(text.contains("  - next: `qlik-apply resolve qlik/t0`\n") && text.contains(" without details."), "{text}");
}

/// Of 190 tenants, those with something to act on are told whole and before the rest, whatever room there is.
#[test]
fn the_one_drift_and_the_one_warning_among_190_tenants_are_not_what_is_left_out() {
    let mut plan = many(190 * 50);
    let drift = samples::estate().actions.into_iter().find(|planned| matches!(planned.action, Action::Drift(_)));
    plan.actions.extend(drift.clone());
    plan.actions.extend(samples::refusals().actions.into_iter().take(3));
    plan.notices = samples::estate().notices;
    for medium in Medium::ALL {
        let text = markdown::plan(&plan, &linked(medium));
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{medium:?}: {what} is missing:\n{text}"));
        let routine = at("To do, by tenant: 190");
        let drifted = drift.as_ref().unwrap().address.to_string();
        for what in ["[**qlik/t0**]", "next: `qlik-apply resolve qlik/t2`", &drifted, "Notices: ", "key key-0 is left"]
        {
            assert!(at(what) < routine, "{medium:?}: {what}");
        }
    }
}

#[test]
fn a_small_plan_is_read_without_a_click_and_every_object_leads_to_its_line() {
    let text = markdown::plan(&samples::newcomer(), &linked(Medium::GithubComment));
    assert!(text.starts_with("<!-- qlik-plan: eu-prod -->\n\nqlik-plan: eu-prod\n---\n\n**Plan: 1 tenant"), "{text}");
    assert!(!text.contains("<details>") && text.contains("<details open>"), "{text}");
    let lines: BTreeSet<&str> =
        text.split("/eu/desired.yaml#L").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    let declared: BTreeSet<String> =
        samples::newcomer().actions.iter().map(|planned| planned.at.line.to_string()).collect();
    assert_eq!(lines, declared.iter().map(String::as_str).collect(), "{text}");
    let hash = own::hash(&samples::newcomer());
    for said in [
        format!("**Next:** after the merge, `qlik-apply --approve {hash}` makes this, and nothing else."),
        format!("[this run](https://git.example/org/tenants/actions/runs/42) · plan `{hash}`"),
        "Commit [`0a1b2c3`](https://git.example/org/tenants/commit/0a1b2c3d4e".to_owned(),
    ] {
        assert!(text.contains(&said), "{said}\n{text}");
    }
    let saved = Page { saved: Some("reviewed.plan".to_owned()), ..page(Medium::Gitlab) };
    assert!(markdown::plan(&samples::newcomer(), &saved).contains("`qlik-apply --plan reviewed.plan` makes this"));
    let refused = markdown::plan(&samples::refusals(), &page(Medium::Gitlab));
    assert!(refused.contains("**Next:** nothing can be made until what is refused is resolved"), "{refused}");
    let nothing = markdown::plan(&samples::plan_of(Vec::new()), &page(Medium::Gitlab));
    assert!(nothing.contains("**Next:** nothing is to be made."), "{nothing}");
}

#[test]
fn one_endless_name_crowds_nothing_out() {
    let mut plan = samples::hostile(&"`".repeat(200_000));
    plan.actions.extend(samples::refusals().actions);
    for medium in Medium::ALL {
        let text = markdown::plan(&plan, &page(medium));
        assert!(text.len() <= medium.limit());
        assert!(text.contains("- **qlik/t0** (`desired.yaml:1`) `refused, QP0201`"), "{medium:?}");
    }
}

#[test]
fn long_texts_that_differ_are_shown_whole_and_where_they_differ() {
    let shown = |declared: &str, live: &str| {
        let field = DriftField { field: "description".into(), declared: declared.into(), live: live.into() };
        let plan = samples::plan_of(vec![samples::planned("qlik/acme/ci", 1, Action::Drift(Drift::of(vec![field])))]);
        text::plan(&plan, &Look::PLAIN)
    };
    let declared = "Nightly reload of the sales dashboards for the retail division, run by the platform team in Leeds";
    let live = declared.replace("the retail", "every \"new\"");
    let said = shown(declared, &live);
    assert!(said.contains(&format!("declared \"{declared}\"\n")), "{said}");
    assert!(
        said.contains("live     \"Nightly reload of the sales dashboards for every \\\"new\\\" division"),
        "{said}"
    );
    let change = "change   ... \"ales dashboards for \" -\"the\" +\"every\" \" \" -\"retail\" +\"\\\"new\\\"\" \" division, run by th\" ...\n";
    assert!(said.contains(change), "{said}");
    let endless = "x".repeat(5_000);
    assert!(shown(&endless, &format!("{}y", &endless[..4_999])).contains("change   from character 5000 on\n"));
    assert!(shown("Acme", "Acme Inc.").contains("description: declared \"Acme\", live \"Acme Inc.\"\n"));
}

#[test]
fn the_marker_is_hidden_and_named() {
    let named = Page { comment: "prod-eu".parse().ok(), ..page(Medium::Gitlab) };
    let begins = |page: &Page, marker: &str| {
        markdown::plan(&all(), page).starts_with(&format!("{marker}\n\nqlik-plan: prod-eu\n---\n\n**Plan: "))
    };
    assert!(begins(&named, "<!-- qlik-plan: prod-eu -->"));
    let named = Page { medium: Medium::Bitbucket, ..named };
    assert!(begins(&named, "[//]: # (qlik-plan: prod-eu)"));
    for medium in Medium::ALL {
        let text = markdown::plan(&hostile(), &page(medium));
        assert_eq!(text.matches(&page(medium).marker()).count(), 1, "nobody else writes a marker: {text}");
    }
}

proptest! {
    // Each case renders dozens of pages.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn nothing_from_outside_leaves_its_code_its_line_or_its_limit(bad in nasty()) {
        // Nothing at all is left out where there may be nothing.
        prop_assume!(!bad.is_empty());
        let plan = samples::hostile(&bad);
        let report = samples::hostile_report(&bad);
        let moved = samples_moved(&bad);
        let tame = samples::hostile("x");
        // A file outside of the repository is linked to by nobody.
        let lies_within = bad != "-" && !bad.starts_with('/') && bad != "./" && bad.split('/').all(|part| part != "..");
        let linked = lies_within.then(|| linked(Medium::GithubComment));
        for page in Medium::ALL.map(page).into_iter().chain(linked) {
            let medium = page.medium;
            for (text, like) in [
                (markdown::plan(&plan, &page), markdown::plan(&tame, &page)),
                (
                    markdown::report(&plan, &report, &moved, &page),
                    markdown::report(&tame, &samples::hostile_report("x"), &samples_moved("x"), &page),
                ),
                (
                    markdown::error(&bad, std::slice::from_ref(&bad), None, &page),
                    markdown::error("x", &["x".into()], None, &page),
                ),
            ] {
                assert_harmless(&text);
                prop_assert!(text.len() <= medium.limit());
                let (shown, meant) = (outside(&text), outside(&like));
                let differs = shown.iter().zip(&meant).find(|(shown, meant)| shown != meant);
                prop_assert!(differs.is_none() && shown.len() == meant.len(), "what stands outside of code is ours: {:?}", differs);
            }
        }
        for text in [github::plan(&plan), github::report(&plan, &report), github::error(&bad, std::slice::from_ref(&bad), None)] {
            assert_commands(&text);
        }
        prop_assert_eq!(github::plan(&plan).lines().count(), github::plan(&tame).lines().count(), "a command was forged");
        for text in [
            terraform::plan(&plan, None),
            terraform::error(&bad, std::slice::from_ref(&bad)),
            gitlab::plan(&plan),
            gitlab::error(&bad),
        ] {
            assert_harmless(&text);
            prop_assert_eq!(text.lines().count(), 1);
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
        }
    }
}

/// Everything of a hostile plan, moved, with a hostile fact.
fn samples_moved(bad: &str) -> Vec<Moved> {
    let moved = |planned: Planned| Moved {
        address: planned.address,
        at: planned.at,
        reviewed: vec![planned.action.clone()],
        now: vec![planned.action],
        facts: vec![MovedFact { name: bad.into(), reviewed: Some(bad.into()), now: Some(bad.into()) }],
    };
    samples::hostile(bad).actions.into_iter().map(moved).collect()
}

/// What a reader of Markdown makes of a page, but for what stands in code, and for the addresses of links to a commit's files.
fn outside(text: &str) -> Vec<String> {
    use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};
    let mut events = Vec::new();
    let mut in_block = false;
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Code(_) => events.push("code".to_owned()),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => {
                in_block = true;
                events.push("block".to_owned());
            }
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_block = false,
            Event::Text(_) if in_block => {}
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(dest_url.starts_with("https://git.example/org/tenants/"), "{dest_url}");
                events.push("link".to_owned());
            }
            Event::Html(html) | Event::InlineHtml(html) => events.push(without_addresses(&html)),
            Event::Text(_)
            | Event::Start(_)
            | Event::End(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => events.push(format!("{event:?}")),
        }
    }
    events
}

/// HTML without the addresses of its links, each of which is one attribute and leads to the repository.
fn without_addresses(html: &str) -> String {
    let mut parts = html.split("href=\"");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (address, rest) = part.split_once('"').unwrap();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/%?=&;#".contains(c);
        assert!(address.starts_with("https://git.example/org/tenants/") && address.chars().all(plain), "{address}");
        out.push_str(rest);
    }
    out
}

/// Each line is one command and nothing in it is another.
fn assert_commands(text: &str) {
    for line in text.lines() {
        let rest =
            ["error", "warning", "notice"].iter().find_map(|level| line.strip_prefix(&format!("::{level} title=")));
        let (properties, message) = rest.unwrap_or_else(|| panic!("no command: {line:?}")).split_once("::").unwrap();
        assert!(!properties.contains(':') && !message.contains('\r'), "{line:?}");
        // What the runner writes to its log in the end: one line for each line end in the message.
        let said = message.replace("%0A", "\n").replace("%25", "%");
        assert_harmless(&said);
    }
}

#[test]
fn json_and_terraform_json_agree_on_what_is_refused() {
    let plan = all();
    let mine: Value = serde_json::from_str(&own::plan(&plan, &Verdict::of_plan(&plan, 1))).unwrap();
    let refused = mine["actions"].as_array().unwrap().iter().filter(|a| a["kind"] == "refuse").count();
    let terraform: Value = serde_json::from_str(&terraform::plan(&plan, None)).unwrap();
    assert_eq!(terraform["checks"].as_array().unwrap().iter().filter(|c| c["status"] == "fail").count(), refused);
}

/// Every object of a plan in Terraform's form, with what it will be.
fn planned(stage: &Stage) -> (Value, BTreeMap<String, Value>) {
    let run = stage.plan(&["--format", "terraform-json"]).exits(0);
    let plan: Value = serde_json::from_str(&run.out).unwrap();
    let resources = plan["planned_values"]["root_module"]["resources"].as_array().unwrap().clone();
    let of = |resource: &Value| (resource["address"].as_str().unwrap().to_owned(), resource["values"].clone());
    (plan, resources.iter().map(of).collect())
}

/// Terraform gives a no-op all its attributes, before and after. A policy that passes when a key is made would otherwise
/// fail on every later plan (checkov 3.3.30: "attribute does not exist"; terraform-compliance 1.16.0: "does not have
/// expires_in_seconds property").
#[test]
fn what_is_kept_has_every_value_that_it_was_made_with() {
    let desired = include_str!("../../examples/two-vendors/desired.yaml").replace(
        "display_name: Acme Corp\n      grants",
        "display_name: Acme Corp\n      alias: acme-analytics\n      api_key_limits: { max_expiry: P30D, max_keys_per_user: 10 }\n      grants",
    );
    assert!(desired.contains("acme-analytics"));
    let settings = include_str!("../../examples/two-vendors/qlik-plan.settings.yaml");
    let stage = Stage::with_settings(&desired, settings);
    let (first, made) = planned(&stage);
    assert!(first["resource_changes"].as_array().unwrap().iter().all(|c| c["change"]["actions"] == json!(["create"])));
    stage.apply(&["--yes"]).exits(0);
    let (second, kept) = planned(&stage);
    assert_eq!(made.len(), 4);
    for (address, values) in &made {
        for (name, value) in values.as_object().unwrap() {
            // How it is made, and what only the making can tell.
            if value.is_null() || ["trusts_key_client", "waits_for_approval"].contains(&name.as_str()) {
                continue;
            }
            let mut value = value.clone();
            if let Some(role) = value.get_mut("role_is") {
                *role = json!("there");
            }
            assert_eq!(kept[address][name], value, "{address}: {name}");
        }
    }
    for change in second["resource_changes"].as_array().unwrap() {
        assert_eq!(change["change"]["actions"], json!(["no-op"]));
        assert_eq!(change["change"]["before"], change["change"]["after"]);
        assert_eq!(change["change"]["after"], kept[change["address"].as_str().unwrap()]);
        let vendor = change["type"].as_str().unwrap().split('_').next().unwrap();
        assert_eq!(change["provider_name"], json!(format!("qlik-plan/{vendor}")));
    }
    // What differs is shown as it is live, and the rest of the same member as it is declared.
    let tenant = stage.tenants().into_iter().find(|tenant| tenant["name"] == "Acme Corp").unwrap();
    stage.control("POST", "/edit", &json!({"action": "rename_tenant", "tenant": tenant["id"], "name": "Renamed"}));
    let (_, drifted) = planned(&stage);
    let values = &drifted["qlik_tenant.declared[\"acme\"]"];
    assert_eq!((&values["display_name"], &values["region"]), (&json!("Renamed"), &json!("us")));
}

#[test]
fn one_cause_is_one_notice_with_the_objects_that_have_it() {
    let mut plan = samples::estate();
    let one = samples::estate().notices.into_iter().next().unwrap();
    let of = |n: usize| qlik_plan::plan::action::Notice {
        address: Some(format!("qlik/t{n}").parse().unwrap()),
        ..one.clone()
    };
    plan.notices = (0..190).map(of).collect();
    let text = markdown::plan(&plan, &page(Medium::GithubComment));
    assert!(text.contains("<b>Notices: 1</b>") && text.contains("**qlik/t0**"), "{text}");
    assert!(text.contains("184 more `") && !text.contains("**qlik/t6**"), "{text}");
}
