//! A plan as text at size: what needs a person first, then routine in short, and all of it for who asks.

use qlik_plan::plan::action::{Action, Drift, Notice, Plan, Planned, WhyMint};
use qlik_plan::plan::refusal::{Code, Refusal};
use qlik_plan::render::{Detail, Look, json, text, wrap};

use super::samples;

/// New tenants with two keys each; in the middle of the alphabet three are refused, one differs, and one is warned of.
fn many(tenants: usize) -> Plan {
    let estate = samples::estate();
    let drift = estate.actions.iter().find(|planned| matches!(planned.action, Action::Drift(_))).unwrap();
    let mut actions = Vec::new();
    for n in 0..tenants {
        let address = format!("qlik/t{n:03}");
        match n {
            90..93 => {
                let refusal = Refusal::new(Code::ALL[0], "another was found", format!("qlik-apply resolve {address}"));
                actions.push(samples::planned(&address, 1, Action::Refuse(refusal)));
            }
            100 => actions.push(Planned { address: address.parse().unwrap(), ..drift.clone() }),
            _ => actions.extend(samples::newcomer().actions.into_iter().map(|planned| {
                let address = planned.address.to_string().replace("qlik/acme", &address).parse().unwrap();
                Planned { address, ..planned }
            })),
        }
    }
    let warning =
        Notice { address: "qlik/t095".parse().ok(), at: None, text: "its licence ends soon".to_owned().into() };
    Plan { notices: vec![warning], ..samples::plan_of(actions) }
}

fn shown(plan: &Plan, detail: Detail) -> String {
    text::plan(plan, &Look { detail, ..Look::PLAIN })
}

#[test]
fn what_needs_a_person_is_on_the_first_screen_of_a_large_plan() {
    let plan = many(190);
    let shown = shown(&plan, Detail::Fitting);
    let first: Vec<&str> = shown.lines().take(40).collect();
    let at =
        |what: &str| first.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {first:#?}"));
    assert!(at("x qlik/t090  refused") < at("x qlik/t092  refused"));
    assert!(at("x qlik/t092  refused") < at("! qlik/t100  differs"));
    assert!(at("! qlik/t100  differs") < at("its licence ends soon"));
    assert!(at("its licence ends soon") < at("+ qlik/t000"));
    let short = "  + qlik/t000  create tenant in us, set up tenant, trust the account's key client, grant a permission, \
                 create key ci, robot  desired.yaml:4\n";
    assert!(shown.contains(short), "{shown}");
    assert!(shown.lines().count() < 240, "{}", shown.lines().count());
    assert!(shown.contains("1116 steps of 186 tenants, one line a tenant; --details shows each step.\n"), "{shown}");
    assert!(shown.ends_with("3 refused.\n"), "{shown}");
}

#[test]
fn all_of_a_plan_and_its_trouble_alone_are_to_be_had() {
    let plan = many(190);
    let (all, trouble) = (shown(&plan, Detail::All), shown(&plan, Detail::Trouble));
    assert_eq!(all.matches("      region:   us.qlikcloud.com\n").count(), 186);
    assert!(!all.contains("--details"));
    assert!(trouble.lines().count() < 40, "{trouble}");
    assert!(trouble.contains("x qlik/t091  refused") && !trouble.contains("qlik/t000"), "{trouble}");
    assert!(trouble.contains("1116 steps of 186 tenants not listed; --details lists each.\n"), "{trouble}");
    assert_eq!(json::hash(&plan), json::hash(&many(190)));
}

#[test]
fn one_cause_of_many_refusals_is_told_once() {
    let mut plan = many(190);
    plan.actions.dedup_by(|one, other| one.address == other.address);
    let over = || Refusal::new(Code::OverLimit, "190 tenants are missing", "raise limits.create_tenants");
    for planned in &mut plan.actions {
        let tenant = planned.address.parent();
        planned.action = Action::Refuse(match planned.address.is_tenant() {
            true => over(),
            false => Refusal::new(
                Code::Depends,
                format!("it depends on {tenant}, which is refused"),
                format!("resolve {tenant} first"),
            ),
        });
    }
    let fitting = shown(&plan, Detail::Fitting);
    assert!(fitting.lines().count() < 40, "{fitting}");
    assert_eq!(fitting.matches("190 tenants are missing").count(), 1, "{fitting}");
    assert!(fitting.contains("likewise: qlik/t001, qlik/t002, qlik/t003, qlik/t004, qlik/t005 and "), "{fitting}");
    assert!(fitting.contains(" more; --details lists each"), "{fitting}");
    let all = shown(&plan, Detail::All);
    assert!(all.contains("x qlik/t189 ") && !all.contains("likewise"), "{all}");
}

#[test]
fn a_small_plan_is_in_full_and_what_is_revoked_or_replaced_is_wherever_it_is() {
    assert_eq!(shown(&many(3), Detail::Fitting), shown(&many(3), Detail::All));
    let mut plan = many(90);
    let revoked = samples::estate().actions.into_iter().filter(|planned| {
        let remints = |action: &Action| matches!(action, Action::CreateKey(create) if create.why == WhyMint::Asked);
        matches!(planned.action, Action::Reclaim(_)) || remints(&planned.action)
    });
    plan.actions.extend(revoked);
    for detail in [Detail::Fitting, Detail::Trouble] {
        let shown = shown(&plan, detail);
        assert!(shown.contains("      when:    after this plan has delivered its successor\n"), "{shown}");
        assert!(shown.contains("      why:         asked for with --remint\n"), "{shown}");
    }
}

#[test]
fn nothing_routine_is_wider_than_a_terminal() {
    let mut plan = many(190);
    plan.actions.push(samples::planned(
        "qlik/z",
        1,
        Action::Drift(Drift { fields: vec![], next: vec!["word ".repeat(60)], kept: None }),
    ));
    for width in [60, 80, 200] {
        let look = Look { width, wraps: true, ..Look::PLAIN };
        let whole = text::plan(&plan, &look);
        let wrapped = wrap(&whole, &look);
        let long: Vec<&str> = wrapped.lines().filter(|line| line.chars().count() > width).collect();
        assert_eq!(long, Vec::<&str>::new());
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&wrapped), words(&whole), "no word is lost or cut");
    }
}
