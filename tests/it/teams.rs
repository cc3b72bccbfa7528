//! Several teams on one ledger: each group's runs speak of its own tenants, and a tenant goes to another group in a step that is reviewed.

use std::fs;

use crate::stage::{Run, Stage};

/// One team's file, with a tenant and a key for each name.
fn file(group: &str, more: &str, tenants: &[&str]) -> String {
    let key = "{ ci: { description: CI, owner: { client: {} }, expires_in: P7D, deliver_to: files } }";
    let limits = "{ max_expiry: P30D, max_keys_per_user: 10 }";
    let grants = "{ manage_api_keys: { everyone: {} } }";
    let one = |name: &&str| {
        format!("    {name}: {{ account: us-oem, api_key_limits: {limits}, grants: {grants}, api_keys: {key} }}\n")
    };
    let group = if group.is_empty() { String::new() } else { format!("group: {group}\n") };
    let tenants: String = tenants.iter().map(one).collect();
    let qlik = if tenants.is_empty() { String::new() } else { format!("qlik:\n  tenants:\n{tenants}") };
    format!("version: 1\n{group}{more}{qlik}")
}

fn write(stage: &Stage, name: &str, text: &str) {
    fs::write(stage.dir().join(name), text).unwrap();
}

/// What a plan of the whole estate says of tenants that are no longer declared.
fn missed(run: &Run) -> Vec<&str> {
    run.out
        .lines()
        .filter(|line| line.contains("found, QP0601"))
        .map(|line| line.split_whitespace().nth(1).unwrap())
        .collect()
}

const TEAMS: [(&str, &[&str]); 4] = [
    ("retail", &["acme", "initech"]),
    ("wholesale", &["globex"]),
    ("labs", &["hooli", "umbrella"]),
    ("", &["soylent"]),
];

/// Four teams' tenants, made by an apply of each.
fn four_teams() -> Stage {
    let stage = Stage::new("version: 1\n");
    fs::remove_file(stage.dir().join("desired.yaml")).unwrap();
    for (group, tenants) in TEAMS {
        let name = format!("team-{group}.yaml");
        write(&stage, &name, &file(group, "", tenants));
        stage.apply(&["--yes", &name]).exits(0);
    }
    stage
}

#[test]
fn each_teams_plan_speaks_of_its_own_tenants() {
    let stage = four_teams();
    for (group, _) in TEAMS {
        let run = stage.plan(&["--detailed-exitcode", &format!("team-{group}.yaml")]).exits(0);
        assert_eq!(missed(&run), Vec::<&str>::new(), "{group}: {}", run.out);
    }
    write(&stage, "team-retail.yaml", &file("retail", "", &["acme"]));
    write(&stage, "team-labs.yaml", &file("labs", "", &[]));
    for (group, gone) in [
        ("retail", vec!["qlik/initech"]),
        ("wholesale", vec![]),
        ("labs", vec!["qlik/hooli", "qlik/umbrella"]),
        ("", vec![]),
    ] {
        let run = stage.plan(&[&format!("team-{group}.yaml")]).exits(0);
        assert_eq!(missed(&run), gone, "{group}: {}", run.out);
    }
    let all: Vec<String> = TEAMS.iter().map(|(group, _)| format!("team-{group}.yaml")).collect();
    let run = stage.plan(&all.iter().map(String::as_str).collect::<Vec<_>>()).exits(0);
    assert_eq!(missed(&run), ["qlik/hooli", "qlik/initech", "qlik/umbrella"], "{}", run.out);
}

#[test]
fn a_tenant_goes_to_another_group_in_a_step_that_is_reviewed() {
    let stage = four_teams();
    let before = (stage.tenants().len(), stage.live_keys().len());
    // Somebody declares another team's tenant.
    write(&stage, "team-wholesale.yaml", &file("wholesale", "", &["globex", "acme"]));
    stage.forget_requests();
    let run = stage.apply(&["--yes", "team-wholesale.yaml"]).exits(1);
    let refused = "the ledger has it as a tenant of group retail, and here group wholesale declares it";
    assert!(run.all().contains("QP0222") && run.all().contains(refused), "{}", run.all());
    assert_eq!(stage.changes(), Vec::<String>::new());

    write(&stage, "team-wholesale.yaml", &file("wholesale", "takes_from: [retail]\n", &["globex", "acme"]));
    write(&stage, "team-retail.yaml", &file("retail", "", &["initech"]));
    let run = stage.plan(&["--detailed-exitcode", "team-wholesale.yaml"]).exits(2);
    assert!(run.out.contains("~ qlik/acme  record as group wholesale's"), "{}", run.out);
    stage.apply(&["--yes", "team-wholesale.yaml"]).exits(0).says("1 tenant recorded as another group's");
    assert_eq!(stage.changes(), Vec::<String>::new(), "nothing is sent for it");
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), before);
    for team in ["team-wholesale.yaml", "team-retail.yaml"] {
        let run = stage.plan(&["--detailed-exitcode", team]).exits(0);
        assert_eq!(missed(&run), Vec::<&str>::new(), "{}", run.out);
    }
    stage.plan(&["--detailed-exitcode", "team-wholesale.yaml"]).exits(0);
    // The team that it came from cannot have it back by chance.
    write(&stage, "team-retail.yaml", &file("retail", "", &["initech", "acme"]));
    stage.plan(&["team-retail.yaml"]).exits(1).says("QP0222");
}

/// A ledger from before there were groups: all of it is of the group `default`, and a team takes its tenants from there.
#[test]
fn tenants_from_before_there_were_groups_are_taken_by_their_teams() {
    let stage = Stage::new(&file("", "", &["acme", "globex"]));
    stage.settle();
    let records = || {
        let record = |name: &str| fs::read_to_string(stage.ledger().join(format!("tenants/qlik.{name}.json"))).unwrap();
        ["acme", "globex"].map(record)
    };
    assert!(records().iter().all(|text| !text.contains("group")), "{:?}", records());
    write(&stage, "desired.yaml", &file("retail", "", &["acme"]));
    stage.plan(&[]).exits(1).says("tenant of group default, and here group retail declares it");
    write(&stage, "desired.yaml", &file("retail", "takes_from: [default]\n", &["acme"]));
    write(&stage, "others.yaml", &file("", "", &["globex"]));
    stage.apply(&["--yes", "desired.yaml"]).exits(0).says("1 tenant recorded as another group's");
    let [acme, globex] = records();
    assert!(acme.contains("\"group\"") && acme.contains("\"retail\"") && !globex.contains("group"), "{acme}{globex}");
    stage.plan(&["--detailed-exitcode"]).exits(0).says("Nothing to do.");
    stage
        .apply(&["ledger", "list"])
        .exits(0)
        .says("ADDRESS      GROUP")
        .says("qlik/acme    retail")
        .says("qlik/globex  default");
}

#[test]
fn a_file_that_takes_from_its_own_group_is_at_fault() {
    let stage = Stage::new(&file("retail", "takes_from: [retail]\n", &["acme"]));
    stage.plan(&[]).exits(1).says("`takes_from` names `retail`, which is this file's own group");
    stage.write_desired(&file("Retail Team", "", &["acme"]));
    stage.plan(&[]).exits(1).says("`retail-team` would do");
    assert_eq!(stage.changes(), Vec::<String>::new());
}
