//! What a large estate costs: a plan of 500 tenants against its bound, and 300 keys minted under the vendor's rate limit.
//! Real programs, a real sandbox. Ends with an error where a ratio or a count is over its limit.
//!
//! `cargo bench --bench estate`
#![expect(clippy::print_stdout, reason = "a table is what a bench is for")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made ends here, and says where")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

#[expect(dead_code, reason = "the stories' harness has more than a bench needs")]
#[path = "../tests/it/stage.rs"]
mod stage;

use stage::{PLAN, Stage};

const TENANTS: usize = 500;
/// As the programs' default.
const SIDE_BY_SIDE: usize = 32;
const LATENCY: Duration = Duration::from_millis(20);
const RUNS: usize = 5;
const PLAN_LIMIT: f64 = 1.5;

const KEYS: u32 = 300;
const MINT_LIMIT: f64 = 1.2;
/// How much faster than the machine's the sandbox's clock runs while keys are minted. `Retry-After` is whole real
/// seconds, so a window must still be long against one.
const SPEED: u32 = 6;
const WINDOW_SECONDS: u32 = 60;

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
ledger: { kind: directory, path: .qlik-plan/ledger }
limits: { create_tenants: 1000, mint_keys: 2000 }
";

/// What tenants declare besides their keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Declared {
    Keys,
    Limits,
    LimitsAndGrants,
}

fn main() -> ExitCode {
    let mut held = plans();
    for a_minute in [100, 50] {
        held &= minting(a_minute);
    }
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plans of 500 tenants with two keys each, all in place.
fn plans() -> bool {
    let stage = Stage::with_settings(&estate(Declared::LimitsAndGrants), SETTINGS);
    stage.apply(&["rehearse", "us-oem"]).exits(0);
    stage.settle();
    stage.control("POST", "/latency", &json!({ "ms": u64::try_from(LATENCY.as_millis()).unwrap() }));
    let waves = TENANTS.div_ceil(SIDE_BY_SIDE);
    let latency = LATENCY * u32::try_from(waves * 3).unwrap();
    let handshakes = median((0..RUNS).map(|_| handshakes(&stage)).collect());
    let bound = latency.max(handshakes);
    println!(
        "{TENANTS} tenants with 2 keys each, in place; {SIDE_BY_SIDE} side by side, {} ms latency, {RUNS} runs each, medians
bound: {} = the larger of {waves} x 3 x {} ms = {}, and the handshakes alone, {}
{:<34} {:>10} {:>12} {:>9} {:>7}",
        LATENCY.as_millis(),
        seconds(bound),
        LATENCY.as_millis(),
        seconds(latency),
        seconds(handshakes),
        "plan of",
        "a tenant",
        "revocations",
        "time",
        "ratio",
    );
    let mut held = true;
    for (name, declared, most) in [
        ("keys", Declared::Keys, 3),
        ("keys, limits", Declared::Limits, 4),
        ("keys, limits, grants", Declared::LimitsAndGrants, 5),
    ] {
        stage.write_desired(&estate(declared));
        let times = (0..RUNS).map(|_| {
            stage.forget_requests();
            let began = Instant::now();
            let output = stage.command(PLAN).args(["--sandbox", "--detailed-exitcode"]).output().unwrap();
            let took = began.elapsed();
            stage::Run::of(&output).exits(0).says("Nothing to do.");
            took
        });
        let time = median(times.collect());
        let requests = stage.requests();
        let revocations = requests.iter().filter(|one| one["path"] == json!("/oauth/revoke")).count();
        let others = requests.len() - revocations;
        let ratio = time.as_secs_f64() / bound.as_secs_f64();
        println!(
            "{name:<34} {:>10.2} {:>12.2} {:>9} {ratio:>7.2}",
            per_tenant(others),
            per_tenant(revocations),
            seconds(time)
        );
        held &= others <= TENANTS * most && (declared != Declared::Keys || ratio <= PLAN_LIMIT);
    }
    println!();
    held
}

/// One tenant with 300 keys to mint under a limit of so many requests a minute and user.
fn minting(a_minute: u32) -> bool {
    let stage = Stage::with_settings(&one_tenant(KEYS), SETTINGS);
    stage.apply(&["rehearse", "us-oem"]).exits(0);
    stage.write_desired(&one_tenant(0));
    stage.settle();
    stage.write_desired(&one_tenant(KEYS));
    stage.control("POST", "/switches", &json!({ "rate_tier_2": a_minute, "rate_window_seconds": WINDOW_SECONDS }));
    stage.control("POST", "/clock", &json!({ "speed": SPEED }));
    stage.forget_requests();
    let began = Instant::now();
    stage.apply(&["--yes"]).exits(0);
    let took = began.elapsed() * SPEED;
    let requests = stage.requests();
    let count = |wanted: &dyn Fn(&&Value) -> bool| requests.iter().filter(wanted).count();
    let refused = count(&|one| one["status"] == json!(429));
    let minted = count(&|one| one["status"] == json!(201) && one["path"] == json!("/api/v1/api-keys"));
    // The busiest user of the tier decides how many windows there must be. Tokens are nobody's requests yet.
    let mut users: BTreeMap<String, u32> = BTreeMap::new();
    let of_the_tier = |one: &&Value| {
        let token = one["path"].as_str().unwrap().starts_with("/oauth/");
        one["method"] != json!("GET") && one["status"] != json!(429) && !token
    };
    for one in requests.iter().filter(of_the_tier) {
        *users.entry(format!("{} {}", one["host"], one["who"])).or_default() += 1;
    }
    let busiest = users.values().copied().max().unwrap();
    let windows = (busiest - 1) / (a_minute * WINDOW_SECONDS / 60);
    let floor = Duration::from_secs(u64::from(windows * WINDOW_SECONDS));
    let ratio = took.as_secs_f64() / floor.as_secs_f64();
    let live = stage.live_keys().len();
    println!(
        "{KEYS} keys at {a_minute} a minute: {busiest} requests of the tier, {windows} windows to wait for, {refused} times 429, {minted} minted, {live} live; \
         {} of the vendor's time, floor {}, ratio {ratio:.2}",
        seconds(took),
        seconds(floor),
    );
    let keys = usize::try_from(KEYS).unwrap();
    refused <= usize::try_from(windows).unwrap() && minted == keys && live == keys && ratio <= MINT_LIMIT
}

/// How long it takes to shake hands with every tenant's host and nothing else.
fn handshakes(stage: &Stage) -> Duration {
    let hosts: Vec<String> =
        stage.tenants().iter().map(|tenant| tenant["hostnames"][0].as_str().unwrap().to_owned()).collect();
    assert_eq!(hosts.len(), TENANTS);
    let directory = stage.dir().join(".qlik-sandbox");
    let server: Value = serde_json::from_slice(&std::fs::read(directory.join("server.json")).unwrap()).unwrap();
    let proxy = server["proxy"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(directory.join("ca.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let began = Instant::now();
    runtime.block_on(async {
        stream::iter(hosts).map(|host| handshake(&connector, &proxy, host)).buffer_unordered(SIDE_BY_SIDE).count().await
    });
    began.elapsed()
}

async fn handshake(connector: &TlsConnector, proxy: &str, host: String) {
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n").as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 200"));
    connector.connect(ServerName::try_from(host).unwrap(), stream).await.unwrap();
}

fn estate(declared: Declared) -> String {
    let mut text = "version: 1\nqlik:\n  tenants:\n".to_owned();
    for number in 0..TENANTS {
        write!(text, "    t{number:03}:\n      account: us-oem\n").unwrap();
        if declared != Declared::Keys {
            text.push_str("      api_key_limits: { max_expiry: P30D }\n");
        }
        if declared == Declared::LimitsAndGrants {
            text.push_str("      grants: { manage_api_keys: { everyone: {} } }\n");
        }
        text.push_str("      api_keys:\n");
        key(&mut text, "ci");
        key(&mut text, "reporting");
    }
    text
}

fn one_tenant(keys: u32) -> String {
    let mut text = "version: 1\nqlik:\n  tenants:\n    acme:\n      account: us-oem
      api_key_limits: { max_expiry: P30D, max_keys_per_user: 1000 }
      grants: { manage_api_keys: { everyone: {} } }\n"
        .to_owned();
    if keys > 0 {
        text.push_str("      api_keys:\n");
    }
    for number in 0..keys {
        key(&mut text, &format!("k{number:03}"));
    }
    text
}

fn key(text: &mut String, name: &str) {
    writeln!(
        text,
        "        {name}: {{ description: {name}, owner: {{ client: {{}} }}, expires_in: P30D, renew_before: P1D, deliver_to: files }}"
    )
    .unwrap();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap()
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "a figure of two digits")]
fn per_tenant(count: usize) -> f64 {
    count as f64 / TENANTS as f64
}
