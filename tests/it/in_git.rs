//! A folder of secrets in somebody's repository: what git takes in, and what is said of it.

use std::fs;

use serde_json::json;

use crate::stage::{APPLY, PLAN, Run, SANDBOX, Stage};

const DESIRED: &str = "version: 1
qlik:
  tenants:
    acme:
      account: us-oem
      api_key_limits: { max_expiry: P30D, max_keys_per_user: 10 }
      grants: { manage_api_keys: { everyone: {} } }
      api_keys:
        ci: { description: CI, owner: { client: {} }, expires_in: PT12H, renew_before: PT2H, deliver_to: files }
";

const SETTINGS: &str = "version: 1
accounts:
  us-oem:
    vendor: qlik
    region: us
    source_tenant: mycorp
    client: { id: { env: QLIK_CLIENT_ID }, secret: { env: QLIK_CLIENT_SECRET } }
    key_client: { id: { env: QLIK_KEY_CLIENT_ID }, secret: { env: QLIK_KEY_CLIENT_SECRET } }
sinks:
  files: { kind: file, directory: ./secrets, durable: true }
ledger: { kind: directory, path: .qlik-plan/ledger, durable: true }
";

struct Repository(Stage);

impl Repository {
    fn new() -> Self {
        let repository = Self(Stage::with_settings(DESIRED, SETTINGS));
        repository.run(APPLY, &["ledger", "init"]).exits(0);
        repository.run(APPLY, &["rehearse", "us-oem"]).exits(0);
        repository
    }

    fn run(&self, program: &str, args: &[&str]) -> Run {
        let run = Run::of(&self.0.command(SANDBOX).args(["exec", "--", program]).args(args).output().unwrap());
        assert!(!run.shows_a_token(), "{}", run.all());
        run
    }

    fn git(&self, arguments: &str) -> String {
        self.0.shell(&format!("git -c user.name=t -c user.email=t@example.org {arguments}")).exits(0).out
    }
}

/// `git init` and `git add -A` come after the first apply, as they do.
#[test]
fn secrets_are_not_taken_in_and_those_that_were_are_replaced() {
    let repository = Repository::new();
    repository.run(APPLY, &["--yes"]).exits(0);
    repository.git("init -q");
    repository.git("add -A");
    assert!(!repository.git("ls-files").contains("acme/ci"));

    // A folder that was there before has no such rule, and this is how its secret gets into the index.
    fs::remove_file(repository.0.dir().join("secrets/.gitignore")).unwrap();
    repository.git("add -A");
    repository.git("commit -qm everything");
    assert!(repository.git("ls-files").contains("secrets/qlik/acme/ci\n"));
    for preflight in ["read", "full"] {
        repository
            .run(PLAN, &["--preflight", preflight])
            .exits(1)
            .says("QP0314")
            .says("secrets/qlik/acme/ci is its secret and is tracked by git in ")
            .says("rm --cached --force -- secrets/qlik/acme/ci")
            .says("--replace qlik/acme/ci");
    }
    // A rule alone changes nothing, also when the key is due: no new secret is put where the next commit takes it.
    fs::write(repository.0.dir().join(".gitignore"), "secrets/\n").unwrap();
    repository.0.control("POST", "/clock", &json!({ "advance": "PT11H" }));
    repository.0.forget_requests();
    for args in [&["--yes"][..], &["--yes", "--replace", "qlik/acme/ci"]] {
        repository.run(APPLY, args).exits(1).says("QP0314");
    }
    assert_eq!(repository.0.changes(), Vec::<String>::new());

    // The way out that is said.
    repository.git("rm -q --cached --force -- secrets/qlik/acme/ci");
    repository.run(PLAN, &[]).exits(1).says("QP0314").says(".ci.meta.json is the metadata of its secret");
    repository.git("rm -q --cached --force -- secrets/qlik/acme/.ci.meta.json");
    repository.git("commit -qam removed");
    let leaked = fs::read(repository.0.dir().join("secrets/qlik/acme/ci")).unwrap();
    repository.run(APPLY, &["--yes", "--replace", "qlik/acme/ci"]).exits(0);
    assert_ne!(fs::read(repository.0.dir().join("secrets/qlik/acme/ci")).unwrap(), leaked);
    repository.run(PLAN, &["--detailed-exitcode"]).exits(0);
    assert!(!repository.git("status --short").contains("acme/ci"));
}
