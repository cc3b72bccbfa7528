//! From an empty folder to a plan by `init` and `doctor`.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::cloud::Cloud;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SETTINGS, clean};
use crate::terminal::at_a_terminal;

fn run(program: &str, dir: &Path, args: &[&str]) -> Run {
    Run::of(&clean(program, dir).args(args).output().unwrap())
}

const FLAGS: [&str; 7] = ["init", "--region", "eu", "--source-tenant", "mycorp", "--tenant", "globex"];

#[test]
fn what_init_writes_gives_a_plan_in_the_sandbox_at_once() {
    for pipeline in ["none", "github", "gitlab", "azure"] {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join(".gitignore"), "target").unwrap();
        let args = [&FLAGS[..], &["--display-name", "Globex \"Inc\": #1", "--pipeline", pipeline]].concat();
        let made = run(PLAN, dir.path(), &args).exits(0).says("tenants/globex.yaml").says(".gitignore");
        let made = made.says("next: qlik-plan --sandbox tenants");
        assert_eq!(
            fs::read_to_string(dir.path().join(".gitignore")).unwrap(),
            "target\n/secrets/\n/.qlik-plan/\n/.qlik-sandbox/\n"
        );
        run(PLAN, dir.path(), &["validate", "tenants", "--settings", "qlik-plan.settings.yaml"])
            .exits(0)
            .says("Valid: 2");
        run(PLAN, dir.path(), &["--sandbox", "tenants"]).exits(0).says("1 tenant and 1 key to create");
        if pipeline == "none" {
            run(APPLY, dir.path(), &["--sandbox", "--yes", "tenants"]).exits(0);
            run(PLAN, dir.path(), &["--sandbox", "--detailed-exitcode", "tenants"]).exits(0);
        } else {
            assert!(made.all().contains("ci/install"), "{}", made.all());
        }
        // Nothing is written over.
        fs::write(dir.path().join("tenants/globex.yaml"), "mine").unwrap();
        run(PLAN, dir.path(), &FLAGS).exits(1).says("tenants/globex.yaml").says("nothing was written");
        assert_eq!(fs::read_to_string(dir.path().join("tenants/globex.yaml")).unwrap(), "mine");
    }
}

#[test]
fn init_asks_at_a_terminal_and_names_all_that_is_missing_elsewhere() {
    let dir = TempDir::new().unwrap();
    run(PLAN, dir.path(), &["init"])
        .exits(1)
        .says("--region REGION, --source-tenant TENANT, --tenant NAME are missing");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    let mut command = clean(PLAN, dir.path());
    command.args(["init", "estate"]);
    let asked = at_a_terminal(command, "us\nmycorp.us.qlikcloud.com\nBad Name\nacme\n").exits(0);
    asked.says("Region of the account").says("a name consists of a-z").says("next: cd estate");
    let settings = fs::read_to_string(dir.path().join("estate/qlik-plan.settings.yaml")).unwrap();
    assert!(settings.contains("source_tenant: mycorp ") && settings.contains("  us-oem:"), "{settings}");
}

#[test]
fn doctor_tells_one_cause_once_and_looks_at_the_tokens_of_sinks_too() {
    let cloud = Cloud::new(ONE_TENANT);
    let vault = "  vault: { kind: vault, address: \"https://vault.example:8200\", mount: secret, token: { env: VAULT_TOKEN } }\n";
    cloud.write_settings(&SETTINGS.replace("sinks:\n", &format!("sinks:\n{vault}")));
    let run = cloud.plan(&["doctor"]).exits(1);
    assert_eq!(run.out.matches("VAULT_TOKEN").count(), 2, "the finding and its remedy: {}", run.all());
    assert!(run.out.contains("sinks.vault.token: the environment variable VAULT_TOKEN is not set"), "{}", run.out);
    assert!(run.out.contains("QP0403"), "vendors are asked all the same: {}", run.out);
    let bucket = "{ kind: object-store, url: \"s3://bucket/estate\", region: eu-central-1 }";
    cloud.write_settings(&SETTINGS.replace("{ kind: directory, path: .qlik-plan/ledger, durable: true }", bucket));
    let run = cloud.plan(&["doctor"]).exits(1).says("1 thing is in the way");
    assert_eq!(run.out.matches("there are no credentials for s3://bucket/estate").count(), 1, "{}", run.out);
}

#[test]
fn doctor_prints_the_least_rights_without_asking_anybody() {
    let cloud = Cloud::new(ONE_TENANT);
    let mut command = cloud.command(PLAN, &["doctor", "--scopes"]);
    command.env_remove("QLIK_CLIENT_SECRET");
    let run = cloud.ends(&mut command).exits(0);
    for said in [
        "accounts.us-oem.client: the region-level OAuth client\n  scope tenants:create\n      to create 1 tenant",
        "role TenantAdmin (scope admin_classic) in 1 tenant",
        "to mint, renew and revoke 2 keys",
        "write access to this folder",
    ] {
        assert!(run.out.contains(said), "{said}: {}", run.out);
    }
    assert!(!run.out.contains("impersonation"), "no key has a user for its owner: {}", run.out);
    let adopted = ONE_TENANT.replace("alias: acme-analytics", "adopt: { hostname: acme-analytics }");
    cloud.stage.write_desired(&adopted);
    let run = cloud.plan(&["doctor", "--scopes"]).exits(0);
    assert!(!run.out.contains("tenants:create"), "nothing is created: {}", run.out);
    assert_eq!(cloud.stage.requests().len(), 0);
}

#[test]
fn doctor_names_all_that_is_in_the_way_in_one_run_and_then_nothing() {
    let cloud = Cloud::new(ONE_TENANT);
    let mut command = cloud.command(PLAN, &["doctor"]);
    command.env_remove("QLIK_CLIENT_SECRET").env_remove("QLIK_KEY_CLIENT_ID");
    let run = cloud.ends(&mut command).exits(1);
    for said in [
        "QLIK_CLIENT_SECRET is not set",
        "QLIK_KEY_CLIENT_ID is not set",
        "there is no ledger at",
        "3 things are in the way",
    ] {
        assert!(run.out.contains(said), "{said}: {}", run.out);
    }
    assert_eq!(cloud.stage.requests().len(), 0, "nobody is asked without credentials");
    cloud.write_settings(&SETTINGS.replace(", durable: true", ""));
    let run = cloud.plan(&["doctor"]).exits(1);
    for said in
        ["there is no ledger at", "QP0215", "QP0403", "QP0307", "if there never was one: qlik-apply ledger init"]
    {
        assert!(run.out.contains(said), "{said}: {}", run.out);
    }
    assert!(!run.out.contains("QP0214"), "{}", run.out);
    cloud.write_settings(SETTINGS);
    cloud.apply(&["ledger", "init"]).exits(0);
    cloud.apply(&["rehearse", "us-oem"]).exits(0);
    let changes = cloud.stage.changes();
    cloud.plan(&["doctor"]).exits(0).says("Nothing is in the way.");
    assert_eq!(cloud.stage.changes(), changes, "a doctor changes nothing");
}
