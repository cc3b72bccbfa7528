//! What a large account at Imburse costs: a plan of 500 tenants against its bound. Real programs, a real sandbox. Ends with an
//! error where a ratio or a count is over its limit.
//!
//! `cargo bench --bench payments`
#![expect(clippy::print_stdout, reason = "a table is what a bench is for")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made ends here, and says where")]

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[expect(dead_code, reason = "the stories' harness has more than a bench needs")]
#[path = "../tests/it/stage.rs"]
mod stage;

use stage::{PLAN, Run, Stage};

const TENANTS: usize = 500;
/// As the programs' default.
const SIDE_BY_SIDE: usize = 32;
const LATENCY: Duration = Duration::from_millis(20);
const RUNS: usize = 5;
/// What a program costs before its first request weighs more here than where a tenant takes three.
const LIMIT: f64 = 1.6;
/// A tenant and its keys.
const REQUESTS: usize = 2;

const SETTINGS: &str = "version: 1
accounts:
  payments:
    vendor: imburse
    base_url: https://sandbox-api.imbursepayments.com
    account_id: 53ca62f5-b124-447d-b593-2f7ea4fecdcc
    account_key: { public: { env: IMBURSE_PUBLIC_KEY }, private: { env: IMBURSE_PRIVATE_KEY } }
sinks:
  files: { kind: file, directory: ./secrets, durable: true }
ledger: { kind: directory, path: .qlik-plan/ledger }
limits: { create_tenants: 1000, mint_keys: 2000 }
";

fn main() -> ExitCode {
    let stage = Stage::with_settings(&account(), SETTINGS);
    // The account is there from the first run on.
    stage.plan(&[]);
    let room = json!({ "action": "imburse_set_account", "account": "53ca62f5-b124-447d-b593-2f7ea4fecdcc", "max_tenants": 1000 });
    stage.control("POST", "/edit", &room);
    stage.settle();
    stage.control("POST", "/latency", &json!({ "ms": u64::try_from(LATENCY.as_millis()).unwrap() }));
    let times = (0..RUNS).map(|_| {
        stage.forget_requests();
        let began = Instant::now();
        let output = stage.command(PLAN).args(["--sandbox", "--detailed-exitcode"]).output().unwrap();
        let took = began.elapsed();
        Run::of(&output).exits(0).says("Nothing to do.");
        took
    });
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    let time = times.get(RUNS / 2).copied().unwrap();
    let requests = stage.requests();
    let tokens = requests.iter().filter(|one| is_token(one)).count();
    let others = requests.len() - tokens;
    let waves = TENANTS.div_ceil(SIDE_BY_SIDE);
    // All wait for the one token.
    let bound = LATENCY * u32::try_from(1 + waves * REQUESTS).unwrap();
    let ratio = time.as_secs_f64() / bound.as_secs_f64();
    println!(
        "{TENANTS} tenants at Imburse with 2 keys each, in place; {SIDE_BY_SIDE} side by side, {} ms latency, {RUNS} runs, median
bound: {:.2} s = (1 + {waves} x {REQUESTS}) x {} ms
plan: {others} requests and {tokens} for tokens, {:.2} s, ratio {ratio:.2}",
        LATENCY.as_millis(),
        bound.as_secs_f64(),
        LATENCY.as_millis(),
        time.as_secs_f64(),
    );
    let held = others == TENANTS * REQUESTS && tokens == 1 && ratio <= LIMIT;
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn is_token(request: &Value) -> bool {
    request["path"].as_str().is_some_and(|path| path.ends_with("/identity/hmac"))
}

fn account() -> String {
    let mut text = "version: 1
imburse:
  profiles:
    all:
      account: payments
      address: { street_address: 1 High Street, locality: London, post_code: SW1A 1AA, country: GB }
      api_keys:
        admin: { name: Admin Key, roles: [tenant-admin], deliver_to: files }
        reader: { name: Reader, roles: [tenant-app-read], deliver_to: files, deliver_as: env }
  tenants:
"
    .to_owned();
    for number in 0..TENANTS {
        writeln!(text, "    t{number:03}: {{ profile: all, display_name: Tenant {number:03} }}").unwrap();
    }
    text
}
