//! `qlik-plan import`: an estate that other clients made becomes desired state that plans to nothing.

use std::fs;

use serde_json::{Value, json};

use crate::stage::{ONE_TENANT, SETTINGS, Stage};

const CLIENT: &str = "    organization_client: { id: { env: QLIK_ORGANIZATION_CLIENT_ID }, secret: { env: QLIK_ORGANIZATION_CLIENT_SECRET } }\n";

const PAYMENTS: &str = "  payments:
    vendor: imburse
    base_url: https://sandbox-api.imbursepayments.com
    account_id: 53ca62f5-b124-447d-b593-2f7ea4fecdcc
    account_key: { public: { env: IMBURSE_PUBLIC_KEY }, private: { env: IMBURSE_PRIVATE_KEY } }
";

const SHOP: &str = "imburse:
  tenants:
    shop:
      account: payments
      display_name: Shop
      address: { street_address: 1 High Street, locality: London, post_code: N1 1AA, country: GB }
      api_keys:
        reader: { name: Reader, roles: [tenant-app-read], deliver_to: files }
";

fn settings() -> String {
    SETTINGS.replace("sinks:\n", &format!("{CLIENT}{PAYMENTS}sinks:\n"))
}

fn edit(stage: &Stage, what: Value) -> Value {
    stage.control("POST", "/edit", &what)
}

/// Tenants and keys at both vendors, which no ledger knows of and nothing declares.
fn estate() -> Stage {
    let stage = Stage::with_settings(&format!("{ONE_TENANT}{SHOP}"), &settings());
    stage.settle();
    for (index, key) in stage.live_keys().iter().enumerate() {
        let text = ["by: hand # one", "key"][index];
        edit(&stage, json!({ "action": "patch_key", "key": key["id"], "description": text }));
    }
    for name in ["Globex \"Inc\": 1", "Globex (Inc) 1", "株式会社", "##[x] qlik-plan doctor \u{202e}"] {
        edit(&stage, json!({ "action": "create_tenant", "region": "us", "name": name }));
    }
    fs::rename(stage.ledger(), stage.dir().join("ledger-of-before")).unwrap();
    stage.write_desired("version: 1\n");
    stage.forget_requests();
    stage
}

#[test]
fn what_was_made_by_hand_becomes_desired_state_that_plans_to_nothing() {
    let stage = estate();
    let run = stage.plan(&["import", "--account", "us-oem"]).exits(0).says("Imported: 5 tenants, 2 keys.");
    for said in [
        "    acme-corp:\n      account: us-oem\n",
        "    globex-inc-1:\n",
        "    globex-inc-1-2:\n",
        "    tenant:\n",
        "    x-qlik-plan-doctor:\n",
        "      # its name is not declared, since a declared one would be refused: #",
        "      display_name: \"Globex \\\"Inc\\\": 1\"\n",
        "      api_key_limits: { max_expiry: P30D, max_keys_per_user: 10 }\n",
        "        by-hand-one: { adopt: { key_id: ",
        // The word is reserved.
        "        key-2: { adopt: { key_id: ",
    ] {
        assert!(run.out.contains(said), "{said}: {}", run.out);
    }
    assert_eq!(run.out, stage.plan(&["import", "--account", "us-oem"]).out, "the same estate, the same text");
    stage.write_desired(&run.out);
    stage.plan(&["--detailed-exitcode"]).exits(2).says("5 adoptions to record; 2 unchanged.");
    stage.apply(&["--yes"]).exits(0);
    stage.plan(&["--detailed-exitcode"]).exits(0).says("Nothing to do. 7 objects are as declared.");
    assert_eq!(stage.changes(), Vec::<String>::new(), "neither import nor apply changed anything at the vendor");
    stage.plan(&["import", "--account", "us-oem"]).exits(0).says("Nothing to import");
    // A key that somebody deletes is never minted anew unasked.
    let key = stage.live_keys()[0]["id"].clone();
    edit(&stage, json!({ "action": "delete_key", "key": key }));
    stage.apply(&["--yes"]);
    assert_eq!(stage.changes(), Vec::<String>::new());
}

#[test]
fn what_another_ledger_manages_is_left_out_by_name_unless_a_person_takes_it_over() {
    let stage = estate();
    // The shop's key still carries the marker of the ledger that made it.
    let run = stage.plan(&["import", "--account", "payments"]).exits(1);
    run.says("is left out: its key \"Reader\" was made with another ledger").says("Nothing was imported.");
    let run = stage.plan(&["import", "--account", "payments", "--take-over"]).exits(0);
    assert!(run.out.contains("    shop:\n      account: payments\n      adopt: { tenant_id: "), "{}", run.out);
    assert!(run.out.contains("        reader: { adopt: { public_key: "), "{}", run.out);
    stage.write_desired(&run.out);
    stage.apply(&["--yes"]).exits(0);
    stage.plan(&["--detailed-exitcode"]).exits(0);
    let changes = stage.changes().into_iter().filter(|change| !change.ends_with("/v2/identity/hmac"));
    assert_eq!(changes.count(), 0);
}

#[test]
fn without_an_organization_client_tenants_are_named_or_taken_from_a_file() {
    let stage = estate();
    fs::write(stage.dir().join("plain.yaml"), SETTINGS).unwrap();
    let import = |more: &[&str]| stage.plan(&[&["import", "--settings", "plain.yaml"][..], more].concat());
    import(&[]).exits(1).says("account us-oem has no organization_client").says("--tenant HOSTNAME");
    let hosts: Vec<String> =
        stage.tenants().iter().map(|one| one["hostnames"][0].as_str().unwrap().to_owned()).collect();
    let run = import(&["--tenant", &hosts[0], "--tenant", &hosts[0]]).exits(0).says("Imported: 1 tenant");
    assert!(run.out.contains(&format!("adopt: {{ hostname: \"{}\" }}", hosts[0].split('.').next().unwrap())));
    let contexts =
        format!("contexts:\n  a:\n    server: https://{}\n  b:\n    server: https://{}/\n", hosts[0], hosts[1]);
    fs::write(stage.dir().join("contexts.yml"), contexts).unwrap();
    import(&["--from", "contexts.yml"]).exits(0).says("Imported: 2 tenants");
    for (more, said) in [
        (["--tenant", "acme.example.com"], "acme.example.com is no host of an account's region: *.us.qlikcloud.com"),
        (["--from", "plain.yaml"], "no host of an account's region is in it"),
        (["--from", "nowhere"], "--from nowhere: it cannot be read"),
        (["--account", "other"], "--account other: settings have no such account"),
        (["--tenant", "nobody-there.us.qlikcloud.com"], "nobody-there is left out"),
    ] {
        import(&more).exits(1).says(said);
    }
    assert_eq!(stage.changes(), Vec::<String>::new());
    stage.apply(&["import"]).exits(1).says("next: qlik-plan import");
}

/// Comments, odd indentation, a line without an end: all of it stays, and what is new is added.
#[test]
fn what_is_imported_is_added_to_a_file_of_which_every_other_byte_stays() {
    let stage = estate();
    let old = "# Ours, since 2019\nversion: 1\n\nimburse: {}   # later\nqlik:   # OEM\n   tenants:  # by hand\n      # the first one\n      pilot:   { account: us-oem,\n                 display_name:   Pilot }\n";
    stage.write_desired(old);
    let into = ["import", "--account", "us-oem", "--into", "desired.yaml"];
    let only = [&into[..], &["--only", "qlik/acme*"]].concat();
    let dry = stage.plan(&[&only[..], &["--dry-run"]].concat()).exits(0).says("Imported: 1 tenant, 2 keys.");
    assert_eq!(fs::read_to_string(stage.dir().join("desired.yaml")).unwrap(), old, "--dry-run writes nothing");
    let changed = |sign| {
        dry.out
            .lines()
            .filter(move |line| line.starts_with(sign) && !line.starts_with("---") && !line.starts_with("+++"))
    };
    assert!(changed('+').count() > 5 && changed('-').count() == 0, "{}", dry.out);

    stage.plan(&only).exits(0).says("git diff desired.yaml");
    let new = fs::read_to_string(stage.dir().join("desired.yaml")).unwrap();
    let added: Vec<&str> =
        dry.out.lines().filter_map(|line| line.strip_prefix('+')).filter(|line| !line.starts_with("++")).collect();
    let (before, after) = new.split_once(&added.join("\n")).unwrap_or_else(|| panic!("{new}"));
    assert_eq!(format!("{before}{}", after.strip_prefix('\n').unwrap()), old);
    stage.plan(&[]).says("1 adoption to record").says("qlik/pilot");
    // The next finds the rest, and not once more what is there.
    stage.plan(&into).exits(0).says("Imported: 4 tenants, 0 keys.");
    stage.plan(&into).exits(0).says("Nothing to import");
    assert_eq!(stage.changes(), Vec::<String>::new());
}

#[test]
fn tenants_are_chosen_by_the_name_that_people_see() {
    let stage = estate();
    let import = |more: &[&str]| stage.plan(&[&["import", "--account", "us-oem"][..], more].concat());
    let all = import(&[]).exits(0).out;
    let names: Vec<String> = stage
        .tenants()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .filter(|name| all.contains(name))
        .collect();
    let begins: String = names[0].chars().take(3).collect();
    let wanted = names.iter().filter(|name| name.starts_with(&begins)).count();
    assert!(wanted > 0 && wanted < names.len(), "{names:?}");
    let run = import(&["--name-pattern", &format!("{}*", begins.to_uppercase())]).exits(0);
    assert!(names.iter().all(|name| run.out.contains(name.as_str()) == name.starts_with(&begins)), "{}", run.out);
    import(&["--name-pattern", "nobody is called so"]).exits(0).says("Nothing to import");
    import(&["--name-pattern", "a*", "--from", "hosts"]).exits(1).says("--name-pattern").says("--from");
    import(&["--name-pattern", "[a"]).exits(1).says("--name-pattern");
}

#[test]
fn a_file_that_lines_cannot_be_added_to_is_left_as_it_is() {
    let stage = estate();
    for old in ["version: 1\nqlik: { tenants: {} }\n", "{ version: 1 }\n"] {
        stage.write_desired(old);
        let run = stage.plan(&["import", "--account", "us-oem", "--into", "desired.yaml"]).exits(1);
        assert!(run.err.contains("written in a form that lines cannot be added to"), "{}", run.err);
        assert_eq!(fs::read_to_string(stage.dir().join("desired.yaml")).unwrap(), old);
    }
    let new = ["import", "--account", "us-oem", "--into", "tenants.yaml"];
    fs::remove_file(stage.dir().join("desired.yaml")).unwrap();
    stage.plan(&new).exits(0);
    stage.plan(&["tenants.yaml"]).exits(0).says("5 adoptions to record");
    stage.plan(&["import", "--dry-run"]).exits(1).says("--into");
}
