//! What Secret Manager and whoever gives tokens may answer, each played by a server that says one thing to each method. A whole one is played in
//! the stories.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::marker::{KeyUid, Letter, Marker, Nonce};
use crate::model::origin::Origin;
use crate::model::record::{LedgerId, Uid};
use crate::model::secret::Secret;
use crate::model::spec::Shape;
use crate::sink::access::GoogleLogin;
use crate::sink::payload::{Parts, render};

use super::*;

const REFRESH: &str = "1//the-refresh-token-of-a-user-4711";
const TOKEN: &str = "the-token-that-google-gives-0815";
const KEY: &str = "the-1st-api-key-that-is-delivered";

type Heard = Arc<Mutex<Vec<String>>>;

/// A server that answers whoever asks for a token, reads and writes like this, until nothing is left to say but the last; a status of 0
/// breaks the connection. And what it was asked.
fn server(tokens: &[(u16, &str)], reads: &[(u16, &str)], writes: &[(u16, &str)]) -> (Origin, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let mut left: Vec<Vec<(u16, String)>> = [tokens, reads, writes]
        .into_iter()
        .map(|all| all.iter().rev().map(|(status, body)| (*status, (*body).to_owned())).collect())
        .collect();
    let asked = Heard::default();
    let heard = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or_default() == 0 || line.trim().is_empty() {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            heard.lock().unwrap().push(format!("{head}\r\n{}", String::from_utf8(body).unwrap()));
            let first = head.lines().next().unwrap_or_default();
            let which = match first {
                _ if first.contains("/token ") => 0,
                _ if first.starts_with("GET ") => 1,
                _ => 2,
            };
            let of = &mut left[which];
            let (status, answer) = if of.len() > 1 { of.pop().unwrap() } else { of[0].clone() };
            if status != 0 {
                let mut stream = reader.into_inner();
                let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            }
        }
    });
    (origin, asked)
}

fn token(token: &str) -> String {
    serde_json::json!({ "token_type": "Bearer", "expires_in": 3_599, "access_token": token }).to_string()
}

fn of(origin: &Origin) -> GcpSink {
    let settings = settings::GcpSink {
        project: "p-1".to_owned(),
        location: None,
        name: settings::PathTemplate::underscored("prod_{vendor}_{tenant}_{key}", |_| true).unwrap(),
        attached_service_account: false,
        endpoint: Some(origin.clone()),
    };
    let login = GoogleLogin::User {
        client_id: "c-1".to_owned(),
        client_secret: Secret::new("of-gcloud-itself".to_owned()),
        refresh_token: Secret::new(REFRESH.to_owned()),
    };
    let access = Access { google: Some(Ok(login)), timeout: Duration::from_secs(20), ..Access::default() };
    GcpSink::of(&settings, SinkHash::of("gcp", "x"), access)
}

/// A sink whose login works.
fn sink(reads: &[(u16, &str)], writes: &[(u16, &str)]) -> (GcpSink, Heard) {
    let (origin, asked) = server(&[(200, &token(TOKEN))], reads, writes);
    (of(&origin), asked)
}

fn lines(asked: &Heard) -> Vec<String> {
    let asked = asked.lock().unwrap();
    asked.iter().map(|one| one.lines().next().unwrap().rsplit_once(' ').unwrap().0.to_owned()).collect()
}

const TOKENS: &str = "POST /token";
const READ: &str = "GET /v1/projects/p-1/secrets/prod_qlik_acme_ci";
const LATEST: &str = "GET /v1/projects/p-1/secrets/prod_qlik_acme_ci/versions/latest:access";
const CREATE: &str = "POST /v1/projects/p-1/secrets?secretId=prod_qlik_acme_ci";
const ADD: &str = "POST /v1/projects/p-1/secrets/prod_qlik_acme_ci:addVersion";
const PATCH: &str = "PATCH /v1/projects/p-1/secrets/prod_qlik_acme_ci?updateMask=annotations,versionAliases";

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn ci() -> Address {
    "qlik/acme/ci".parse().unwrap()
}

fn payload() -> Payload {
    let server = "https://x.us.qlikcloud.com";
    let parts = Parts { tenant: "x", region: "us", server, key_id: "k", description: "CI", expiry: None };
    render(Shape::Token, &parts, &Secret::new(KEY.to_owned()))
}

fn entry() -> SinkEntry {
    let (ledger, uid, key) = (LedgerId::new([1; 16]), Uid::new([3; 16]), ci().key().cloned().unwrap());
    SinkEntry {
        fingerprint: payload().fingerprint(),
        marker: Marker {
            ledger: ledger.short().to_owned(),
            uid: KeyUid::of(&uid, &key),
            sink: SinkHash::of("gcp", "x"),
            nonce: Nonce::parse("c0ffee00").unwrap(),
            over: None,
            letter: Letter::Delivered,
        },
        ledger,
        uid,
        key,
        key_id: "key-1".to_owned(),
        tenant_id: Untrusted::from("T"),
        owner: Untrusted::from("U"),
        expiry: None,
        delivered: "2027-01-15T08:00:00Z".parse().unwrap(),
        over: Vec::new(),
        replaced: Vec::new(),
        made_as: None,
    }
}

/// The secret in this state, whose alias names version 7.
fn secret(etag: &str, entry: &SinkEntry) -> String {
    serde_json::json!({
        "name": "projects/1/secrets/prod_qlik_acme_ci", "etag": etag, "labels": { "team": "data" },
        "annotations": { "qlik-plan": serde_json::to_string(entry).unwrap(), "note": "1.50" },
        "versionAliases": { "qlik-plan": "7", "first": "1" },
    })
    .to_string()
}

fn payload_of(number: u32, text: &str) -> String {
    let name = format!("projects/1/secrets/prod_qlik_acme_ci/versions/{number}");
    serde_json::json!({ "name": name, "payload": { "data": STANDARD.encode(text) } }).to_string()
}

fn version_of(number: u32, state: &str) -> String {
    let name = format!("projects/1/secrets/prod_qlik_acme_ci/versions/{number}");
    serde_json::json!({ "name": name, "state": state }).to_string()
}

fn error(code: u16, status: &str, message: &str) -> String {
    serde_json::json!({ "error": { "code": code, "status": status, "message": message } }).to_string()
}

fn gone() -> String {
    error(404, "NOT_FOUND", "Secret [x] not found.")
}

fn put(sink: &GcpSink, version: &Version) -> Result<Option<Timestamp>, Put> {
    wait(sink.put(&ci(), version, &payload(), &entry()))
}

fn word(etag: &str) -> Version {
    Version::Word(Untrusted::from(etag))
}

#[test]
fn a_version_is_added_and_then_named_over_the_state_that_was_looked_at() {
    let (there, added) = (secret("\"e1\"", &entry()), version_of(8, "ENABLED"));
    let (place, asked) = sink(&[(200, &there)], &[(200, &added), (200, "{}")]);
    assert_eq!(put(&place, &word("\"e1\"")), Ok(None));
    assert_eq!(lines(&asked), [TOKENS, READ, ADD, PATCH]);
    let heard = asked.lock().unwrap().clone();
    assert!(heard[0].contains("grant_type=refresh%5Ftoken"), "{}", heard[0]);
    let body = |number: usize| -> serde_json::Value {
        serde_json::from_str(heard[number].split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    assert!(heard[2].contains(&format!("Bearer {TOKEN}")));
    assert_eq!(body(2), serde_json::json!({ "payload": { "data": STANDARD.encode(KEY) } }));
    let named = body(3);
    assert_eq!(named["etag"], "\"e1\"");
    assert_eq!(named["versionAliases"], serde_json::json!({ "qlik-plan": "8", "first": "1" }));
    assert_eq!(named["annotations"]["note"], "1.50");
    let text = named["annotations"]["qlik-plan"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<SinkEntry>(text).unwrap(), entry());
    assert_eq!(named.as_object().unwrap().len(), 3, "nothing else is written again");

    // One that Google deletes is told with its time.
    let until = there.replace("\"etag\"", "\"expireTime\":\"2027-01-15T08:00:00.123Z\",\"etag\"");
    let (place, _) = sink(&[(200, &until)], &[(200, &added), (200, "{}")]);
    assert_eq!(put(&place, &word("\"e1\"")), Ok(Some("2027-01-15T08:00:00.123Z".parse().unwrap())));

    let made = r#"{"name":"projects/1/secrets/prod_qlik_acme_ci","etag":"\"e0\""}"#;
    let (place, asked) = sink(&[(404, &gone())], &[(200, made), (200, &version_of(1, "ENABLED")), (200, "{}")]);
    assert_eq!(put(&place, &Version::Nothing), Ok(None));
    assert_eq!(lines(&asked), [TOKENS, CREATE, ADD, PATCH]);
    assert!(asked.lock().unwrap()[3].contains(r#""etag":"\"e0\"""#));

    // Another state than was looked at, or none any more: nothing is written.
    for (read, seen) in [((200, there.as_str()), "\"e2\""), ((404, &gone()), "\"e1\"")] {
        let (place, asked) = sink(&[read], &[(200, "{}")]);
        assert_eq!(put(&place, &word(seen)), Err(Put::Conflict));
        assert_eq!(lines(&asked), [TOKENS, READ]);
    }
    for version in [Version::Unknown, Version::Unseen, Version::Number(7), Version::Payload(entry().fingerprint)] {
        let (place, asked) = sink(&[(200, &there)], &[(200, "{}")]);
        assert!(matches!(put(&place, &version), Err(Put::Refused(_))));
        assert_eq!(lines(&asked), Vec::<String>::new());
    }
}

#[test]
fn each_step_of_a_write_says_what_became_of_it() {
    let (there, added) = (secret("e1", &entry()), version_of(8, "ENABLED"));
    let stale = error(400, "FAILED_PRECONDITION", "etag");
    // The version was not stored, or it is nobody's: definite, whatever the answer is.
    for code in [301, 400, 403, 404, 408, 409, 429, 500, 503] {
        let reads = [(200, there.as_str()), (200, &payload_of(7, "before"))];
        let (place, asked) = sink(&reads, &[(code, "{}")]);
        let put = put(&place, &word("e1"));
        assert!(matches!(put, Err(Put::Refused(_))), "{code}: {put:?}");
        assert!(!lines(&asked).contains(&PATCH.to_owned()), "{code}");
    }
    // An answer that was lost is looked up.
    for lost in [(0, ""), (500, "{}"), (200, "<html>")] {
        let reads = [(200, there.as_str()), (200, &payload_of(9, KEY))];
        let (place, asked) = sink(&reads, &[lost, (200, "{}")]);
        assert_eq!(put(&place, &word("e1")), Ok(None));
        assert_eq!(lines(&asked), [TOKENS, READ, ADD, LATEST, PATCH]);
        assert!(asked.lock().unwrap()[4].contains(r#""qlik-plan":"9""#));
    }
    let named = |answer: (u16, &str)| {
        let (place, asked) = sink(&[(200, &there)], &[(200, &added), answer]);
        let put = put(&place, &word("e1"));
        assert_eq!(lines(&asked), [TOKENS, READ, ADD, PATCH], "it is sent once");
        put
    };
    for answer in [(400, stale.as_str()), (409, &error(409, "ABORTED", "")), (404, &gone())] {
        assert_eq!(named(answer), Err(Put::Conflict), "{answer:?}");
    }
    for code in [301, 400, 403, 404, 429] {
        assert!(matches!(named((code, "{}")), Err(Put::Refused(_))), "{code}");
    }
    for code in [0, 408, 500, 502, 503] {
        assert!(matches!(named((code, "{}")), Err(Put::Unknown(_))), "{code}");
    }
    // A secret that is made holds no payload.
    for (code, body) in [(0, String::new()), (403, error(403, "PERMISSION_DENIED", "")), (500, String::new())] {
        let (place, asked) = sink(&[(404, &gone())], &[(code, &body)]);
        assert!(matches!(put(&place, &Version::Nothing), Err(Put::Refused(_))), "{code}");
        assert_eq!(lines(&asked), [TOKENS, CREATE]);
    }
    let (place, _) = sink(&[(404, &gone())], &[(409, &error(409, "ALREADY_EXISTS", ""))]);
    assert_eq!(put(&place, &Version::Nothing), Err(Put::Conflict));
}

#[test]
fn a_write_goes_out_again_with_another_token() {
    let there = secret("e1", &entry());
    let tokens = [token("first-token-4711"), token("second-token-4711")];
    let tokens = [(200, tokens[0].as_str()), (200, &tokens[1])];
    let dead = error(401, "UNAUTHENTICATED", "no");
    let writes = [(401, dead.as_str()), (200, &version_of(8, "ENABLED")), (200, "{}")];
    let (origin, asked) = server(&tokens, &[(200, &there)], &writes);
    assert_eq!(put(&of(&origin), &word("e1")), Ok(None));
    assert_eq!(lines(&asked), [TOKENS, READ, ADD, TOKENS, ADD, PATCH]);
    let (origin, asked) = server(&tokens, &[(200, &there)], &[(401, &dead)]);
    let Err(Put::Refused(why)) = put(&of(&origin), &word("e1")) else { panic!("it was written") };
    assert!(why.credentials && why.why.raw().contains("does not take the token of the user"), "{why:?}");
    assert_eq!(lines(&asked), [TOKENS, READ, ADD, TOKENS, ADD]);
}

#[test]
fn what_is_read_is_ours_or_nothing_or_a_strangers() {
    let look = |reads: &[(u16, &str)]| wait(sink(reads, &[(200, "{}")]).0.look(&ci()));
    let there = secret("e7", &entry());
    let found = look(&[(200, &there), (200, &payload_of(7, KEY))]);
    assert_eq!((found.entry, found.version), (Some(Observed::Present(entry())), word("e7")));
    let nothing = look(&[(404, &gone())]);
    assert_eq!((nothing.entry, nothing.version), (Some(Observed::Absent), Version::Nothing));
    let empty = r#"{"name":"x","etag":"e7","labels":{"a":"b"}}"#;
    let none = look(&[(200, empty), (404, &gone())]);
    assert_eq!((none.entry, none.version), (Some(Observed::Absent), word("e7")));
    let no_payload = error(400, "FAILED_PRECONDITION", "is in DESTROYED state");
    let destroyed = look(&[(200, &there), (400, &no_payload), (200, &version_of(7, "DESTROYED"))]);
    assert_eq!((destroyed.entry, destroyed.version), (Some(Observed::Absent), word("e7")));

    let elsewhere = SinkEntry { key: "another".parse().unwrap(), ..entry() };
    let (edited, whole, latest) = (payload_of(7, "edited"), payload_of(7, KEY), version_of(7, "ENABLED"));
    let disabled = version_of(7, "DISABLED");
    let other = secret("e7", &elsewhere);
    let no_alias = there.replace("\"qlik-plan\":\"7\",", "").replace(",\"qlik-plan\":\"7\"", "");
    let odd = there.replace("\"7\"", "\"../7\"");
    let broken = there.replace("fingerprint", "finger");
    let forbidden = error(403, "PERMISSION_DENIED", "no");
    for reads in [
        &[(200, there.as_str()), (200, &edited)][..],
        &[(200, &other), (200, &whole)],
        &[(200, &no_alias), (200, &whole)],
        &[(200, &broken), (200, &whole)],
        &[(200, empty), (200, &latest)],
        &[(200, &there), (400, &no_payload), (200, &disabled)],
        &[(200, &odd)],
        &[(200, "<html>")],
        &[(404, "<html>")],
        &[(200, r#"{"name":"x"}"#)],
        &[(403, &forbidden)],
        &[(302, "")],
    ] {
        let look = look(reads);
        assert!(matches!(look.entry, Some(Observed::Unreadable(_))), "{reads:?}: {:?}", look.entry);
        assert_eq!(look.version, Version::Unknown);
    }
}

#[test]
fn what_latest_is_beside_the_alias_is_told() {
    let trouble =
        |latest: &str| wait(sink(&[(200, &secret("e7", &entry())), (200, latest)], &[(200, "")]).0.trouble(&ci()));
    assert_eq!(trouble(&version_of(7, "ENABLED")), None);
    let told = trouble(&version_of(9, "DISABLED")).unwrap();
    assert!(told.raw().contains("names version 7, and `latest` is version 9"), "{told:?}");
}

#[test]
fn no_message_repeats_a_secret_or_moves_a_cursor() {
    let forms = [TOKEN, KEY, REFRESH].map(|secret| [secret.to_owned(), STANDARD.encode(secret)]).concat();
    for echo in forms.iter().cloned().chain([format!("\u{1b}[2J{}", "x".repeat(100_000))]) {
        for code in [400, 401, 403, 404, 500] {
            let body = error(code, &echo, &format!("denied: {echo}"));
            // To a read nobody gave the key, and the service was never given the user's token.
            let quiet = error(code, "PERMISSION_DENIED", &format!("denied: {TOKEN}"));
            let there = secret("e1", &entry());
            let said = format!("{:?}", put(&sink(&[(200, &there)], &[(code, &body)]).0, &word("e1")));
            let refusal = serde_json::json!({ "error": echo, "error_description": REFRESH }).to_string();
            let (origin, _) = server(&[(code, &refusal)], &[(200, "")], &[(200, "")]);
            // Nobody waits for what is asked three times.
            let read = (code != 500).then(|| {
                (
                    wait(sink(&[(code, &quiet)], &[(code, &body)]).0.look(&ci())).entry,
                    wait(of(&origin).look(&ci())).entry,
                )
            });
            let shown = format!("{said} {read:?}");
            for bad in forms.iter().map(String::as_str).chain(["\u{1b}"]) {
                assert!(!shown.contains(bad), "{code}: {shown}");
            }
            assert!(shown.len() < 10_000);
        }
    }
}
