//! `--only renewals`, as a job on a schedule runs it: delivered keys live on, and nothing is made that waits for a review.

use serde_json::{Value, json};

use crate::client::Client;
use crate::stage::{ONE_TENANT, SETTINGS, Stage};

/// Beside what was made: a key of the tenant that is there, and a tenant.
fn with_more() -> String {
    let more = "
        late: { description: Declared later, owner: { client: {} }, expires_in: P7D, deliver_to: files }
    globex: { account: us-oem, display_name: Globex }
";
    format!("{}{more}", ONE_TENANT.trim_end())
}

fn made() -> Stage {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    stage.write_desired(&with_more());
    stage.forget_requests();
    stage
}

fn posts(stage: &Stage, path: &str) -> usize {
    let is = |one: &&Value| one["method"] == json!("POST") && one["path"].as_str().unwrap().ends_with(path);
    stage.requests().iter().filter(is).count()
}

#[test]
fn what_is_due_is_renewed_and_what_is_declared_anew_waits_for_its_own_apply() {
    let stage = made();
    let run = stage.apply(&["--yes", "--only", "renewals"]).exits(0);
    assert_eq!(stage.changes(), Vec::<String>::new(), "nothing is due yet");
    assert!(run.all().contains("qlik/globex     left out by --only renewals: create the tenant"), "{}", run.all());

    stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
    stage.apply(&["--yes", "--only", "renewals"]).exits(0).says("2 keys renewed").says("qlik/acme/late");
    assert_eq!((stage.tenants().len(), posts(&stage, "/api/v1/tenants")), (1, 0));
    assert_eq!((stage.live_keys().len(), posts(&stage, "/api/v1/api-keys")), (4, 2));
    assert!(!stage.secret_file("acme", "late").exists());

    // Nobody renewed in time: what was delivered once is made good, and still nothing else.
    stage.control("POST", "/clock", &json!({ "advance": "P8D" }));
    stage.apply(&["--yes", "--only", "renewals"]).exits(0).says("2 keys created").says("qlik/acme/late");
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2));

    // The apply that follows a review makes the rest.
    stage.apply(&["--yes"]).exits(0).says("1 tenant and 1 key created");
}

#[test]
fn new_keys_over_the_limit_stop_no_renewal() {
    let stage = made();
    let settings = format!("{SETTINGS}limits: {{ create_tenants: 5, mint_keys: 2 }}\n");
    std::fs::write(stage.dir().join("settings.yaml"), settings).unwrap();
    stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
    let with = ["--settings", "settings.yaml", "--yes"];
    stage.apply(&with).exits(1).says("3 keys are to be minted and one run may mint at most 2");
    assert_eq!(posts(&stage, "/api/v1/api-keys"), 0);
    stage.apply(&[&with[..], &["--only", "renewals"]].concat()).exits(0).says("2 keys renewed").says("qlik/acme/late");
    // What is due itself is held to the limit all the same.
    stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
    let settings = format!("{SETTINGS}limits: {{ create_tenants: 5, mint_keys: 1 }}\n");
    std::fs::write(stage.dir().join("settings.yaml"), settings).unwrap();
    let run = stage.apply(&[&with[..], &["--only", "renewals"]].concat()).exits(1);
    run.says("2 keys are to be minted and one run may mint at most 1");
}

#[test]
fn the_delivered_key_works_at_every_hour_of_a_week() {
    let desired = ONE_TENANT.replace("expires_in: P7D, renew_before: P1D", "expires_in: PT12H, renew_before: PT5H");
    let stage = Stage::new(&desired);
    stage.settle();
    stage.write_desired(&format!("{}    globex: {{ account: us-oem, display_name: Globex }}\n", desired));
    let host = stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
    let client = Client::at(stage.dir());
    for hour in 1..=7 * 24 {
        stage.control("POST", "/clock", &json!({ "advance": "PT1H" }));
        if hour % 2 == 0 {
            stage.apply(&["--yes", "--only", "renewals"]).exits(0);
        }
        let token = std::fs::read_to_string(stage.secret_file("acme", "ci")).unwrap();
        assert_eq!(client.users_me(&host, &token).0, 200, "hour {hour}");
    }
    assert_eq!(stage.tenants().len(), 1);
}

#[test]
fn what_a_person_decides_does_not_go_with_it() {
    let stage = made();
    for more in [["--remint", "qlik/acme/ci"], ["--plan", "reviewed.plan"], ["--new", "qlik/globex"]] {
        let run = stage.apply(&[&["--yes", "--only", "renewals"][..], &more[..]].concat()).exits(1);
        run.says("--only").says(more[0]);
    }
    stage.apply(&["--yes", "--only", "renewal"]).exits(1).says("renewals");
    assert_eq!(stage.changes(), Vec::<String>::new());
}
