//! A key of one day for StackOne, without a person: the linked account gets each successor in place, as the vendor documents it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::Client;
use crate::service::{self, ROOT, bao};
use crate::stage::{APPLY, PLAN, Run, SANDBOX, Stage};

const API_KEY: &str = "v1.us1.a-key-of-the-project-4711";
const ACCOUNT: &str = "45355976281015164504";

const DESIRED: &str = "version: 1
qlik:
  tenants:
    acme:
      account: us-oem
      api_key_limits: { max_expiry: P30D, max_keys_per_user: 10 }
      grants: { manage_api_keys: { everyone: {} } }
      api_keys:
        stackone: { description: StackOne, owner: { client: {} }, expires_in: P1D, renew_before: PT13H, deliver_to: stackone, deliver_as: stackone }
";

/// StackOne's accounts, as `docs.stackone.com` and `@stackone/stackone-client-ts` 4.28.0 have them: `GET` and `PATCH /accounts/ID`
/// with the project's key as user. What is left out of a change stays. Credentials are not read back.
#[derive(Clone)]
struct StackOne {
    host: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    accounts: BTreeMap<String, LinkedAccount>,
    does: Does,
    /// Changes that were taken.
    changes: usize,
    /// What was sent and has not arrived.
    on_the_way: Vec<Value>,
}

struct LinkedAccount {
    provider: &'static str,
    status: &'static str,
    reason: &'static str,
    credentials: Value,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Does {
    #[default]
    Well,
    /// Takes a change and does not answer.
    Mute,
    /// Does not answer, and takes nothing.
    Deaf,
    /// 503.
    Down,
    /// The integration is disabled.
    Refuses,
}

impl StackOne {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let one = Self { host: listener.local_addr().unwrap().to_string(), state: Arc::default() };
        one.link(ACCOUNT, "qlik");
        let own = one.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let own = own.clone();
                std::thread::spawn(move || own.answer(stream));
            }
        });
        one
    }

    fn link(&self, id: &str, provider: &'static str) {
        let account = LinkedAccount { provider, status: "active", reason: "", credentials: json!({}) };
        self.state.lock().unwrap().accounts.insert(id.to_owned(), account);
    }

    fn does(&self, does: Does) {
        self.state.lock().unwrap().does = does;
    }

    fn is(&self, status: &'static str, reason: &'static str) {
        let mut state = self.state.lock().unwrap();
        let account = state.accounts.get_mut(ACCOUNT).unwrap();
        (account.status, account.reason) = (status, reason);
    }

    fn credentials(&self) -> Value {
        self.state.lock().unwrap().accounts[ACCOUNT].credentials.clone()
    }

    /// What was sent arrives after all.
    fn arrives(&self) {
        let mut state = self.state.lock().unwrap();
        let late = state.on_the_way.pop().unwrap();
        state.accounts.get_mut(ACCOUNT).unwrap().credentials = late;
    }

    fn changes(&self) -> usize {
        self.state.lock().unwrap().changes
    }

    fn answer(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let (mut first, mut length, mut basic, mut json) = (String::new(), 0, String::new(), false);
        if reader.read_line(&mut first).unwrap_or_default() == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "authorization" => value.trim().clone_into(&mut basic),
                "content-type" => json = value.trim() == "application/json",
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let mut words = first.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let known = basic == format!("Basic {}", STANDARD.encode(format!("{API_KEY}:")));
        let Some((status, answer)) = self.reply(method, path, known, json, &body) else { return };
        let answer = answer.to_string();
        let mut stream = reader.into_inner();
        let _ = write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        );
    }

    fn reply(&self, method: &str, path: &str, known: bool, is_json: bool, body: &[u8]) -> Option<(u16, Value)> {
        let error = |status: u16, message: &str| Some((status, json!({ "statusCode": status, "message": message })));
        let mut state = self.state.lock().unwrap();
        let does = state.does;
        if does == Does::Down {
            return error(503, "Service Unavailable");
        }
        if !known {
            return error(401, "Unauthorized");
        }
        let Some(id) = path.strip_prefix("/accounts/").map(str::to_owned) else { return error(404, "Not Found") };
        let Some(account) = state.accounts.get_mut(&id) else { return error(404, "No account found") };
        match method {
            "GET" => {}
            "PATCH" if does == Does::Deaf => {
                let change: Value = serde_json::from_slice(body).unwrap();
                state.on_the_way.push(change["credentials"].clone());
                return None;
            }
            "PATCH" if does == Does::Refuses => return error(412, "Integration is disabled"),
            "PATCH" => {
                let change: Value = serde_json::from_slice(body).unwrap_or_default();
                let fields =
                    change.as_object().filter(|fields| is_json && fields.keys().all(|name| name == "credentials"));
                let Some(credentials) = fields.and_then(|fields| fields["credentials"].as_object()) else {
                    return error(422, "Unprocessable Entity");
                };
                for (name, value) in credentials {
                    account.credentials[name] = value.clone();
                }
                (account.status, account.reason) = ("active", "");
                state.changes += 1;
                if does == Does::Mute {
                    return None;
                }
            }
            _ => return error(405, "Method Not Allowed"),
        }
        let account = &state.accounts[&id];
        let reasons = match account.reason {
            "" => json!([]),
            reason => json!([{ "code": "401", "description": reason, "timestamp": "2026-11-28T00:00:00.000Z" }]),
        };
        Some((
            200,
            json!({
                "id": id, "provider": account.provider, "status": account.status, "status_reasons": reasons, "label": null,
                "origin_owner_id": "acme", "origin_owner_name": "Acme", "type": "test",
                "created_at": "2026-11-01T00:00:00.000Z", "updated_at": "2026-11-28T00:00:00.000Z",
            }),
        ))
    }
}

/// A cloud of Qlik, and StackOne.
struct Shop {
    stage: Stage,
    stackone: StackOne,
    api_key: &'static str,
}

impl Shop {
    fn new() -> Self {
        Self::with(DESIRED, "")
    }

    /// `sinks`: more of them, each a line of settings.
    fn with(desired: &str, sinks: &str) -> Self {
        let stackone = StackOne::start();
        let settings = crate::stage::SETTINGS.replace(
            "files: { kind: file, directory: ./secrets, durable: true }",
            &format!(
                "{sinks}stackone: {{ kind: stackone, api_key: {{ env: STACKONE_API_KEY }}, accounts: {{ acme: '{ACCOUNT}' }}, fields: {{ tenant_name: tenantName, region: region, api_key: apiKey }}, endpoint: 'http://{}' }}",
                stackone.host
            ),
        );
        let shop = Self { stage: Stage::with_settings(desired, &settings), stackone, api_key: API_KEY };
        shop.apply(&["ledger", "init"]).exits(0);
        shop.apply(&["rehearse", "us-oem"]).exits(0);
        shop
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.stage.command(SANDBOX);
        command.env("STACKONE_API_KEY", self.api_key).env("VAULT_TOKEN", ROOT).args(["exec", "--", program]).args(args);
        command
    }

    #[track_caller]
    fn plan(&self, args: &[&str]) -> Run {
        let args = [&["--preflight", "full", "--detailed-exitcode"], args].concat();
        self.checked(Run::of(&self.command(PLAN, &args).output().unwrap()))
    }

    #[track_caller]
    fn apply(&self, args: &[&str]) -> Run {
        self.checked(Run::of(&self.command(APPLY, args).output().unwrap()))
    }

    /// No secret of anybody's was printed, in whatever form.
    #[track_caller]
    fn checked(&self, run: Run) -> Run {
        let delivered = self.stackone.credentials()["apiKey"].as_str().map(str::to_owned);
        for secret in [self.api_key.to_owned()].into_iter().chain(delivered) {
            for form in crate::aws::disguises(&secret) {
                assert!(!run.all().contains(&form), "{form}\n{}", run.all());
            }
        }
        assert!(!run.shows_a_token(), "{}", run.all());
        run
    }

    fn later(&self, how_long: &str) {
        self.stage.control("POST", "/clock", &json!({ "advance": how_long }));
    }

    /// What the account holds works at Qlik, where StackOne would use it.
    fn works(&self, client: &Client) -> bool {
        let credentials = self.stackone.credentials();
        let field = |name: &str| credentials[name].as_str().unwrap().to_owned();
        let host = format!("{}.{}.qlikcloud.com", field("tenantName"), field("region"));
        client.users_me(&host, &field("apiKey")).0 == 200
    }
}

#[test]
fn a_key_of_one_day_is_renewed_into_its_account_for_a_month_and_works_at_every_hour() {
    let shop = Shop::new();
    shop.plan(&[])
        .exits(2)
        .says("Not checked")
        .says("whether StackOne's API key may change the account 45355976281015164504");
    shop.apply(&["--yes"]).exits(0).says("cannot be read back: that the key is there is the word of the sink");
    let client = Client::at(shop.stage.dir());
    let mut ids = std::collections::BTreeSet::new();
    for hour in 0..31 * 24 {
        if hour % 12 == 0 {
            shop.apply(&["--yes"]).exits(0);
        }
        assert!(shop.works(&client), "hour {hour}");
        ids.insert(shop.stackone.credentials()["apiKey"].as_str().unwrap().to_owned());
        shop.later("PT1H");
    }
    // One a half-day at most, and no more changes than keys.
    assert!((31..=62).contains(&ids.len()), "{}", ids.len());
    assert_eq!(shop.stackone.changes(), ids.len());
    assert!(shop.stage.live_keys().len() <= 2, "{:#?}", shop.stage.live_keys());
}

/// The account gets the key after the vault has it, and a refusal there costs nobody a key that works.
#[test]
fn a_vault_and_an_account_hold_one_key_at_every_hour_though_the_account_is_shut_for_a_while() {
    let Some(vault) = service::openbao() else { return };
    let desired = DESIRED.replace(
        "deliver_to: stackone, deliver_as: stackone",
        "deliver_to: [stackone, vault], deliver_as: { vault: json, stackone: stackone }",
    );
    let sink = format!(
        "vault: {{ kind: vault, address: 'http://{}', mount: secret, path: '{{vendor}}/{{tenant}}/{{key}}', token: {{ env: VAULT_TOKEN }} }}\n  ",
        vault.host
    );
    let shop = Shop::with(&desired, &sink);
    let client = Client::at(shop.stage.dir());
    let in_vault = || {
        let (status, found) = bao(&vault, "GET", "secret/data/qlik/acme/stackone", &Value::Null);
        assert_eq!(status, 200, "{found}");
        let payload: Value = serde_json::from_str(found["data"]["data"]["value"].as_str().unwrap()).unwrap();
        let field = |name: &str| payload[name].as_str().unwrap().to_owned();
        (field("server").trim_start_matches("https://").to_owned(), field("api_key"))
    };
    shop.apply(&["--yes"]).exits(0);
    for hour in 0..4 * 24 {
        let shut = (36..60).contains(&hour);
        shop.stackone.does(if shut { Does::Refuses } else { Does::Well });
        if hour % 12 == 0 {
            let run = shop.apply(&["--yes"]).exits(i32::from(shut));
            if hour == 36 {
                run.says("answers 412").says("works, and only ").says("has it");
            } else if shut {
                // The account's former key lives for a day, and renewals come every half.
                run.says("answers 412");
            }
        }
        let (host, token) = in_vault();
        assert_eq!(client.users_me(&host, &token).0, 200, "hour {hour}: the vault's");
        assert!(shop.works(&client) || shut, "hour {hour}: the account's");
        if !shut && hour % 12 == 0 {
            assert_eq!(shop.stackone.credentials()["apiKey"], json!(token), "hour {hour}");
        }
        shop.later("PT1H");
    }
}

#[test]
fn what_stackone_says_of_an_account_is_in_every_plan_and_an_account_of_another_is_refused() {
    let shop = Shop::new();
    shop.apply(&["--yes"]).exits(0);
    shop.plan(&[]).exits(0);
    shop.stackone.is("error", "The provider refused the credentials");
    shop.plan(&[])
        .exits(0)
        .says("StackOne says that the account 45355976281015164504 is error: The provider refused the credentials");
    // A person who took the key out of the account has it made anew.
    shop.apply(&["--yes", "--replace", "qlik/acme/stackone"]).exits(0);
    let run = shop.plan(&[]).exits(0);
    assert!(!run.all().contains("StackOne says"), "{}", run.all());

    shop.stackone.link(ACCOUNT, "bamboohr");
    shop.later("PT23H");
    shop.stage.forget_requests();
    shop.plan(&[]).exits(1).says("is linked to bamboohr and not to qlik");
    shop.apply(&["--yes"]).exits(1).says("a key of Qlik's would go to somebody else's connector");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
}

#[test]
fn a_change_that_is_refused_leaves_the_former_key_and_revokes_its_own() {
    let mut shop = Shop::new();
    shop.apply(&["--yes"]).exits(0);
    let before = shop.stackone.credentials();
    let live = shop.stage.live_keys().len();
    shop.later("PT12H");
    shop.stackone.does(Does::Refuses);
    shop.apply(&["--yes"]).exits(1).says("answers 412: Integration is disabled").says("was revoked");
    assert_eq!((shop.stackone.credentials(), shop.stage.live_keys().len()), (before.clone(), live));
    // Nothing is minted for an account that nobody can ask for.
    shop.stage.forget_requests();
    for (does, key, says) in [
        (Does::Down, API_KEY, "answers 503"),
        (
            Does::Well,
            "v1.us1.a-dead-key-of-the-project-0815",
            "give STACKONE_API_KEY an API key of StackOne that lives",
        ),
    ] {
        shop.stackone.does(does);
        shop.api_key = key;
        shop.plan(&[]).exits(1).says(says);
        shop.apply(&["--yes"]).exits(1).says(says);
    }
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    assert_eq!(shop.stackone.credentials(), before);
    shop.api_key = API_KEY;
    shop.apply(&["--yes"]).exits(0);
    assert!(shop.works(&Client::at(shop.stage.dir())));
}

/// Nobody can read what the account holds, and it takes what comes late: the key of a lost request is never revoked, since it may be
/// the one that StackOne uses.
#[test]
fn whatever_becomes_of_a_request_without_an_answer_the_account_holds_a_key_that_lives() {
    for does in [Does::Mute, Does::Deaf] {
        let shop = Shop::new();
        shop.apply(&["--yes"]).exits(0);
        shop.later("PT12H");
        shop.stackone.does(does);
        shop.apply(&["--yes"]).exits(1).says("whether the key is there is not known").says("left as undelivered");
        let client = Client::at(shop.stage.dir());
        assert!(shop.works(&client), "whichever of the two it holds lives");
        assert_eq!(shop.stage.live_keys().len(), 2);
        // A successor is delivered, and the key in doubt is named and left.
        shop.stackone.does(Does::Well);
        shop.apply(&["--yes"]).exits(0).says("takes whatever arrives, however late");
        assert!(shop.works(&client));
        assert_eq!(shop.stage.live_keys().len(), 3);
        if does == Does::Deaf {
            shop.stackone.arrives();
            assert!(shop.works(&client), "what came late was revoked");
        }
        // It ends by itself within its day, before which the successor is renewed.
        shop.later("PT12H");
        shop.apply(&["--yes"]).exits(0);
        shop.later("PT13H");
        assert!(shop.works(&client));
        assert_eq!(shop.stage.live_keys().len(), 1, "{:#?}", shop.stage.live_keys());
    }
}

#[test]
fn settings_that_do_not_fit_desired_state_are_faults_with_a_place() {
    let shop = Shop::new();
    let with = |from: &str, to: &str| {
        shop.stage.write_desired(&DESIRED.replace(from, to));
        shop.plan(&[]).exits(1)
    };
    with(", deliver_as: stackone", "").says("QP0141").says("say `deliver_as: stackone`");
    with("    acme:", "    beta:").says("QP0141").says("add `beta: \"ID\"` to sinks.stackone.accounts");
    let second = "\n        other: { description: Other, owner: { client: {} }, expires_in: P1D, deliver_to: stackone, deliver_as: stackone }\n";
    shop.stage.write_desired(&format!("{}{second}", DESIRED.trim_end()));
    shop.plan(&[]).exits(1).says("two keys of the tenant `acme` go to its one account");
}
