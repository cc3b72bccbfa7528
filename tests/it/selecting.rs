//! A run that looks at a part of an estate: what is selected is planned and applied, and of the rest nothing is asked and nothing said.

use std::collections::BTreeSet;

use crate::stage::Stage;

const KEY: &str = "owner: { client: {} }, expires_in: P7D, deliver_to: files";

/// Three tenants with two keys each; one has a label.
fn three() -> String {
    let keys = format!("{{ ci: {{ description: CI, {KEY} }}, bi: {{ description: BI, {KEY} }} }}");
    let tenant = |name: &str, more: &str| {
        let limits = "{ max_expiry: P30D, max_keys_per_user: 10 }";
        let grants = "{ manage_api_keys: { everyone: {} } }";
        format!(
            "    {name}: {{ account: us-oem, display_name: \"{name}\", api_key_limits: {limits}, grants: {grants}, api_keys: {keys}{more} }}\n"
        )
    };
    let tenants = [tenant("acme", ""), tenant("acme-eu", ""), tenant("globex", ", labels: { tier: gold }")];
    format!("version: 1\nqlik:\n  tenants:\n{}", tenants.concat())
}

/// The hosts of tenants that were asked, the sandbox's own source tenant and register aside.
fn asked(stage: &Stage) -> BTreeSet<String> {
    let hosts = stage.requests().into_iter().map(|one| one["host"].as_str().unwrap().to_owned());
    hosts.filter(|host| !host.starts_with("register.") && !host.starts_with("mycorp.")).collect()
}

fn host_of(stage: &Stage, name: &str) -> String {
    let tenant = stage.tenants().into_iter().find(|tenant| tenant["name"] == name);
    tenant.unwrap_or_else(|| panic!("no tenant {name}"))["hostnames"][0].as_str().unwrap().to_owned()
}

#[test]
fn what_is_not_selected_is_neither_asked_for_nor_told_of() {
    let stage = Stage::new(&three());
    stage.settle();
    stage.forget_requests();
    let run = stage.plan(&["--only", "qlik/acme*", "--except", "qlik/acme-eu", "--detailed-exitcode"]).exits(0);
    let said = "--only qlik/acme* --except qlik/acme-eu: 1 of 3 declared tenants and 2 of 6 keys were looked at";
    assert!(run.out.contains(said) && !run.out.contains("globex"), "{}", run.out);
    assert_eq!(asked(&stage), BTreeSet::from([host_of(&stage, "acme")]));

    stage.forget_requests();
    stage.plan(&["--label", "tier=gold"]).exits(0).says("1 of 3 declared tenants");
    assert_eq!(asked(&stage), BTreeSet::from([host_of(&stage, "globex")]));

    // Its other key is declared, and only not looked at.
    let run = stage.plan(&["--only", "qlik/*/ci", "--detailed-exitcode"]).exits(0);
    assert!(
        run.out.contains("3 of 3 declared tenants and 3 of 6 keys") && !run.out.contains("no longer"),
        "{}",
        run.out
    );
}

#[test]
fn an_apply_makes_what_is_selected_and_the_next_the_rest() {
    let stage = Stage::new(&three());
    stage.apply(&["--yes", "--only", "qlik/globex/ci"]).exits(0).says("1 tenant and 1 key created");
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 1));
    stage.apply(&["--yes"]).exits(0).says("2 tenants and 5 keys created");
    stage.plan(&["--detailed-exitcode"]).exits(0);
}

#[test]
fn a_selection_that_means_nothing_is_a_slip() {
    let stage = Stage::new(&three());
    for (args, said) in [
        (["--only", "qlik/acmee"], "next: did you mean qlik/acme?"),
        (["--except", "qlik/initech-*"], "--except qlik/initech-*: nothing that is declared is meant by it"),
        (["--label", "tier=silver"], "--label tier=silver: nothing that is declared is meant by it"),
        (["--only", "acme"], "a pattern is written like an address, with a `/`"),
        (["--only", "renewal"], "as in --only renewals"),
        (["--label", "gold"], "as in --label tier=gold"),
    ] {
        stage.plan(&args).exits(1).says(said);
        stage.apply(&[args.as_slice(), &["--yes"]].concat()).exits(1).says(said);
    }
    let both = ["--label", "tier=gold", "--only", "qlik/acme"];
    stage.plan(&both).exits(1).says("--only qlik/acme --label tier=gold: nothing");
    stage.plan(&["--only", "qlik/acme", "--replace", "qlik/globex/ci"]).exits(1).says("--only qlik/acme leaves it out");
    assert_eq!(stage.changes(), Vec::<String>::new());
}

#[test]
fn a_saved_plan_is_applied_for_the_part_that_was_reviewed() {
    let stage = Stage::new(&three());
    stage.plan(&["--only", "qlik/acme", "--out", "part.plan"]).exits(0);
    let other = ["--plan", "part.plan", "--only", "qlik/globex"];
    stage
        .apply(&other)
        .exits(1)
        .says("the plan that was reviewed is of --only qlik/acme, and this is --only qlik/globex");
    assert_eq!(stage.changes(), Vec::<String>::new());
    stage.apply(&["--plan", "part.plan"]).exits(0).says("1 tenant and 2 keys created");
    let renewals = ["--only", "renewals", "--plan", "part.plan"];
    stage.apply(&renewals).exits(1).says("--only renewals and --plan cannot be used together");
}

#[test]
fn a_tenant_that_was_removed_is_missed_by_a_run_that_looks_at_everything() {
    let stage = Stage::new(&three());
    stage.settle();
    let left: String =
        three().lines().filter(|line| !line.contains(" globex:")).map(|line| format!("{line}\n")).collect();
    stage.write_desired(&left);
    let run = stage.plan(&["--only", "qlik/acme"]).exits(0);
    assert!(!run.out.contains("globex"), "{}", run.out);
    stage.plan(&[]).exits(0).says("qlik/globex  found, QP0601");
}

/// A name close to one that is declared, and only left aside, is no rename; one close to what is gone is, whatever is selected.
#[test]
fn a_rename_is_asked_about_whatever_is_selected() {
    let stage = Stage::new(&three());
    stage.settle();
    let more = "    acme-us: { account: us-oem, display_name: Acme US }\n    globex-inc: { account: us-oem, display_name: G }\n";
    let left: String =
        three().lines().filter(|line| !line.contains(" globex:")).map(|line| format!("{line}\n")).collect();
    stage.write_desired(&format!("{left}{more}"));
    stage.plan(&["--only", "qlik/acme-us"]).exits(0).says("1 tenant to create");
    let run = stage.apply(&["--yes", "--only", "qlik/globex-inc"]).exits(1);
    assert!(run.all().contains("QP0218") && run.all().contains("its name is close to qlik/globex"), "{}", run.all());
    assert_eq!(stage.tenants().len(), 3);
}
