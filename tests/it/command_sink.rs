//! Keys stored by programs of the user's own: the example's, one that fails, one that outlives its run, one that cannot look.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::client::{Client, value};
use crate::needs;
use crate::stage::{APPLY, PLAN, Run, SANDBOX, Stage};

const DESIRED: &str = "version: 1
qlik:
  tenants:
    acme:
      account: us-oem
      api_key_limits: { max_expiry: P30D, max_keys_per_user: 10 }
      grants: { manage_api_keys: { everyone: {} } }
      api_keys:
        ci: { description: CI, owner: { client: {} }, expires_in: P7D, deliver_to: store, deliver_as: env }
";

const SETTINGS: &str = include_str!("../../examples/sinks/qlik-plan.settings.yaml");

/// Settings beside the programs, a ledger in a folder, and a cloud.
struct Shop(Stage);

impl Shop {
    /// With a ledger, rehearsed, and the tenant made; `None` where the example's own programs are missing.
    fn new(settings: &str) -> Option<Self> {
        if !needs::programs(&["flock", "sha256sum"]) {
            return None;
        }
        let shop = Self(Stage::with_settings(DESIRED, settings));
        for program in ["put-secret", "check-secret"] {
            let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sinks").join(program);
            std::fs::copy(example, shop.0.dir().join(program)).unwrap();
        }
        shop.run(APPLY, &["ledger", "init"]).exits(0);
        shop.run(APPLY, &["rehearse", "us-oem"]).exits(0);
        Some(shop)
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.0.command(SANDBOX);
        command.env("STORE", self.0.dir().join("store")).env("NOT_ALLOWED", "x");
        // The example keeps its ledger beside its settings, as a person would.
        command.args(["exec", "--", program, "--ledger-is-durable"]).args(args);
        if program == PLAN {
            command.arg("--preflight=full");
        }
        command
    }

    fn run(&self, program: &str, args: &[&str]) -> Run {
        let run = Run::of(&self.command(program, args).output().unwrap());
        assert!(!run.shows_a_token(), "{}", run.all());
        run
    }

    /// Replaces a program, whole: one that is open for writing cannot be started.
    fn program(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let draft = self.0.dir().join("draft");
        std::fs::write(&draft, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::rename(draft, self.0.dir().join(name)).unwrap();
    }

    fn restore(&self, name: &str) {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sinks").join(name);
        self.program(name, &std::fs::read_to_string(example).unwrap());
    }

    fn stored(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.dir().join("store/qlik/acme/ci").join(name)).unwrap()
    }

    /// One key lives, it is the one in the store, and it works.
    #[track_caller]
    fn is_whole(&self) {
        self.is_whole_beside(0);
    }

    /// The same, with as many older keys that are left to expire.
    #[track_caller]
    fn is_whole_beside(&self, older: usize) {
        let metadata: Value = serde_json::from_str(&self.stored("metadata.json")).unwrap();
        let live = self.0.live_keys();
        assert_eq!(live.len(), 1 + older, "{live:#?}");
        assert!(live.iter().any(|key| key["id"] == metadata["key_id"]));
        let payload = self.0.dir().join("store/qlik/acme/ci/payload");
        let server = value(&payload, "QLIK_SERVER");
        let host = server.strip_prefix("https://").unwrap();
        assert_eq!(Client::at(self.0.dir()).users_me(host, &value(&payload, "QLIK_API_KEY")).0, 200);
    }

    #[track_caller]
    fn settles(&self) {
        self.run(APPLY, &["--yes"]).exits(0);
        self.run(PLAN, &["--detailed-exitcode"]).exits(0);
        self.0.forget_requests();
        self.run(APPLY, &["--yes"]).exits(0);
        assert_eq!(self.0.changes(), Vec::<String>::new());
    }
}

#[test]
fn the_example_delivers_renews_and_says_what_is_there() {
    let Some(shop) = Shop::new(SETTINGS) else { return };
    shop.settles();
    shop.is_whole();
    shop.0.control("POST", "/clock", &json!({ "advance": "P6D" }));
    shop.settles();
    assert_eq!(shop.0.live_keys().len(), 2, "the old one is left to expire");
    // Somebody edits what is stored.
    std::fs::write(shop.0.dir().join("store/qlik/acme/ci/payload"), "x").unwrap();
    shop.run(PLAN, &[]).exits(1).says("did not write").says("move what is there away");
}

#[test]
fn the_example_keeps_no_earlier_payload() {
    let Some(shop) = Shop::new(SETTINGS) else { return };
    let payloads = || {
        let found = shop.0.shell("find store -type f -name payload | wc -l").exits(0);
        found.out.trim().to_owned()
    };
    shop.settles();
    for _ in 0..2 {
        shop.run(APPLY, &["--yes", "--replace", "qlik/acme/ci"]).exits(0);
        assert_eq!(payloads(), "1");
    }
    // A delivery that finds something else there than it was told, and one that was cut short before it switched.
    let put = r#"printf lost | env QLIK_PLAN_VENDOR=qlik QLIK_PLAN_TENANT=acme QLIK_PLAN_KEY=ci QLIK_PLAN_METADATA=x \
STORE="$PWD/store" QLIK_PLAN_EXPECTED=absent ./put-secret"#;
    assert_eq!(shop.0.shell(put).code, Some(111));
    assert_eq!(payloads(), "1");
    shop.0.shell("mkdir store/qlik/acme/.new.killed && echo lost > store/qlik/acme/.new.killed/payload").exits(0);
    shop.is_whole_beside(2);
    shop.run(APPLY, &["--yes", "--replace", "qlik/acme/ci"]).exits(0);
    assert_eq!(payloads(), "1");
    shop.is_whole_beside(3);
    shop.settles();
}

#[test]
fn a_program_that_refuses_leaves_no_key_behind() {
    let Some(shop) = Shop::new(SETTINGS) else { return };
    shop.program("put-secret", "cat > /dev/null; echo the safe is shut >&2; exit 110");
    shop.run(APPLY, &["--yes"]).exits(1).says("the safe is shut").says("was revoked");
    shop.program("put-secret", "exit 111");
    shop.run(APPLY, &["--yes"]).exits(1).says("changed while the key was minted").says("was revoked");
    assert_eq!(shop.0.live_keys().len(), 0);
    shop.program("check-secret", "echo nonsense; exit 0");
    shop.0.forget_requests();
    shop.run(APPLY, &["--yes"]).exits(1).says("printed neither");
    assert_eq!(shop.0.changes(), Vec::<String>::new());
    shop.restore("put-secret");
    shop.restore("check-secret");
    shop.settles();
    shop.is_whole();
}

#[test]
fn an_end_that_says_nothing_is_read_back() {
    let Some(shop) = Shop::new(SETTINGS) else { return };
    let put = std::fs::read_to_string(shop.0.dir().join("put-secret")).unwrap();
    // Stored, and then it stumbles.
    shop.program("put-secret", &format!("{put}\nexit 7"));
    shop.settles();
    shop.is_whole();
    shop.0.control("POST", "/clock", &json!({ "advance": "P6D" }));
    // It stumbles, and nothing is stored: a leftover, which the next run supersedes and revokes.
    shop.program("put-secret", "cat >&2; exit 7");
    shop.run(APPLY, &["--yes"])
        .exits(1)
        .says("exit code 7: (not shown: it holds a secret)")
        .says("left as undelivered");
    assert_eq!(shop.0.live_keys().len(), 2);
    shop.restore("put-secret");
    shop.settles();
    assert_eq!(shop.0.live_keys().len(), 2, "the old one is left to expire, the lost one is revoked");
}

#[test]
fn a_delivery_that_outlives_its_run_is_seen_and_waited_for() {
    let Some(shop) = Shop::new(SETTINGS) else { return };
    let put = std::fs::read_to_string(shop.0.dir().join("put-secret")).unwrap();
    shop.program(
        "put-secret",
        &format!("cd \"$(dirname \"$0\")\"; : > began; while [ ! -e go ]; do sleep 0.02; done\n{put}"),
    );
    let mut running = shop.command(APPLY, &["--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !shop.0.dir().join("began").exists() {
        assert!(running.try_wait().unwrap().is_none(), "it ended before it delivered");
    }
    running.kill().unwrap();
    running.wait().unwrap();
    // Its program has the ledger's lock.
    shop.run(PLAN, &["--detailed-exitcode"]).exits(0).says("another run");
    shop.0.forget_requests();
    shop.run(APPLY, &["--yes"]).exits(1);
    assert_eq!(shop.0.changes(), Vec::<String>::new());
    std::fs::write(shop.0.dir().join("go"), "").unwrap();
    while !shop.0.dir().join("store/qlik/acme/ci").exists() {}
    shop.restore("put-secret");
    // The program takes a moment to end after that.
    while shop.run(APPLY, &["--yes"]).code != Some(0) {}
    shop.is_whole();
    shop.settles();
}

#[test]
fn where_nothing_can_be_read_back_the_programs_word_counts_and_that_is_said() {
    let Some(shop) = Shop::new(&SETTINGS.replace(", check: [./check-secret]", "")) else { return };
    shop.run(APPLY, &["--yes"]).exits(0).says("cannot be read back");
    shop.is_whole();
    shop.run(PLAN, &["--detailed-exitcode"]).exits(0).says("whether sink store holds key");
    shop.settles();
    // Its word is missing: the next run mints and delivers another, and revokes that one.
    shop.0.control("POST", "/clock", &json!({ "advance": "P6D" }));
    shop.program("put-secret", "exit 1");
    shop.run(APPLY, &["--yes"]).exits(1).says("whether the key is there is not known");
    shop.restore("put-secret");
    shop.run(APPLY, &["--yes"]).exits(0).says("revoked");
    shop.settles();
    assert_eq!(shop.0.live_keys().len(), 2, "the one of six days ago is left to expire");
}

/// The example as it is after a checkout on Windows.
#[test]
fn a_program_with_windows_line_ends_is_told_so_before_a_key_is_minted() {
    let Some(shop) = Shop::new(SETTINGS) else { return };
    let path = shop.0.dir().join("check-secret");
    let unix = std::fs::read_to_string(&path).unwrap();
    let windows = unix.replace('\n', "\r\n");
    assert!(windows.starts_with("#!"));
    std::fs::write(&path, windows).unwrap();
    let why = "./check-secret has Windows line ends: the system looks for";
    shop.run(PLAN, &[]).exits(1).says(why).says("sed -i");
    shop.run(APPLY, &["--yes"]).exits(1).says(why);
    assert_eq!(shop.0.live_keys(), Vec::<Value>::new());
    std::fs::write(&path, unix).unwrap();
    shop.run(APPLY, &["--yes"]).exits(0);
}
