//! A program without `github-actions`: it cannot seal a secret for GitHub, and says so before it makes a key.

use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, SETTINGS, Stage};

#[test]
fn a_program_that_cannot_seal_says_so_and_makes_nothing() {
    // What it would do with the feature has stories of its own.
    crate::needs::not_run("stories of secrets for GitHub Actions: cargo test --features github-actions");
    let settings = SETTINGS.replace(
        "files: { kind: file, directory: ./secrets, durable: true }",
        "forge: { kind: github-actions, server: 'http://127.0.0.1:9', repository: acme/deploy, token: { env: QLIK_CLIENT_ID } }",
    );
    let stage = Stage::with_settings(&ONE_TENANT.replace("deliver_to: files", "deliver_to: forge"), &settings);
    let run = |program: &str, args: &[&str]| {
        Run::of(&stage.command(SANDBOX).args(["exec", "--", program]).args(args).output().unwrap())
    };
    let says = "this qlik-plan was built without `github-actions`";
    run(APPLY, &["ledger", "init"]).exits(0);
    run(APPLY, &["rehearse", "us-oem"]).exits(0);
    stage.forget_requests();
    run(PLAN, &["--preflight", "full"]).exits(1).says(says).says("--features github-actions");
    run(APPLY, &["--yes"]).exits(1).says(says);
    assert_eq!(stage.changes(), Vec::<String>::new());
    run(PLAN, &["validate"]).exits(0);
    // The sandbox plays every sink as a folder.
    stage.apply(&["--yes"]).exits(0);
}
