//! What AWS may answer, each played by a server that says one thing to each action. Whole servers are played in the stories.
#![cfg(feature = "object-store")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

use crate::model::marker::{KeyUid, Letter, Marker, Nonce};
use crate::model::origin::Origin;
use crate::model::record::{LedgerId, Uid};
use crate::model::secret::Secret;
use crate::model::spec::Shape;
use crate::sink::Sink;
use crate::sink::payload::{Parts, render};

use super::*;

const SECRET: &str = "the-secret-access-key-of-this-test";
const SESSION: &str = "the-session-token-of-this-test";
const KEY: &str = "the-1st-api-key-that-is-delivered";
const IDENTITY: &str = r#"{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Account":"123456789012"}}}"#;
const NOTHING: (&str, u16, &str) = ("GetSecretValue", 400, r#"{"__type":"ResourceNotFoundException"}"#);
const NO_SECRET: (&str, u16, &str) = ("DescribeSecret", 400, r#"{"__type":"ResourceNotFoundException"}"#);

/// The settings of a server that answers each action; an answer with status 0 breaks the connection.
fn server(answers: &[(&'static str, u16, &str)]) -> (settings::AwsSink, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let answers: Vec<(&str, u16, String)> =
        answers.iter().map(|(action, status, body)| (*action, *status, (*body).to_owned())).collect();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&heard);
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
            let body = String::from_utf8(body).unwrap();
            let found = answers.iter().find(|(action, _, _)| head.contains(&format!("secretsmanager.{action}\r")));
            let (status, answer) = match found {
                Some((action, status, answer)) => {
                    list.lock().unwrap().push(format!("{action} {body}"));
                    (*status, answer.as_str())
                }
                None if body.contains("GetCallerIdentity") => (200, IDENTITY),
                None => panic!("no answer to {head}"),
            };
            if status != 0 {
                let mut stream = reader.into_inner();
                let length = answer.len();
                let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{answer}");
            }
        }
    });
    let settings = settings::AwsSink {
        region: "eu-central-1".to_owned(),
        account: "123456789012".to_owned(),
        name: settings::PathTemplate::parse("of/{key}/{tenant}/{vendor}", |_| true).unwrap(),
        kms_key_id: Some("alias/qlik".to_owned()),
        endpoint: Some(endpoint),
    };
    (settings, heard)
}

fn sink(settings: &settings::AwsSink) -> Sink {
    let login =
        [("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_SESSION_TOKEN", SESSION)];
    let login = login.map(|(name, value)| (name, Secret::new(value.to_owned()))).into_iter().collect();
    Sink::of(
        &settings::Sink::Aws(settings.clone()),
        Access { login, timeout: Duration::from_secs(20), ..Access::default() },
    )
}

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
            sink: SinkHash::of("aws", "x"),
            nonce: Nonce::parse("c0ffee00").unwrap(),
            over: None,
            letter: Letter::Undelivered,
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

/// The answer to a read of a version that holds this.
fn holding(version: &str, text: &str) -> String {
    serde_json::json!({ "VersionId": version, "SecretString": text, "VersionStages": ["AWSCURRENT"] }).to_string()
}

fn put(answers: &[(&'static str, u16, &str)], version: &Version) -> (Put, Vec<String>) {
    let (settings, asked) = server(answers);
    let put = wait(sink(&settings).put(&ci(), version, &payload(), &entry()));
    let asked = asked.lock().unwrap().clone();
    (put, asked)
}

fn word(text: &str) -> Version {
    Version::Word(Untrusted::from(text))
}

#[test]
fn a_delivery_says_what_it_replaces_at_its_second_step_and_each_step_is_sent_once() {
    let (stored, asked) = put(&[("CreateSecret", 200, "{}")], &Version::Nothing);
    assert_eq!((stored, asked.len()), (Put::Stored, 1));
    let created: serde_json::Value = serde_json::from_str(asked[0].split_once(' ').unwrap().1).unwrap();
    assert_eq!((&created["Name"], &created["KmsKeyId"]), (&"of/ci/acme/qlik".into(), &"alias/qlik".into()));
    let ours: serde_json::Value = serde_json::from_str(created["SecretString"].as_str().unwrap()).unwrap();
    assert_eq!((&ours["value"], &ours["qlik_plan"]), (&KEY.into(), &serde_json::to_value(entry()).unwrap()));

    let theirs = r#"{"limits":{"a":[1.50,12345678901234567890]},"note":"Größe"}"#;
    let there = holding("v-7", theirs);
    let answers = [
        ("GetSecretValue", 200, there.as_str()),
        ("PutSecretValue", 200, r#"{"VersionStages":["qlik-plan"]}"#),
        ("UpdateSecretVersionStage", 200, "{}"),
    ];
    let (stored, asked) = put(&answers, &word("v-7"));
    assert_eq!((stored, asked.len()), (Put::Stored, 3), "{asked:?}");
    let body =
        |nth: usize| -> serde_json::Value { serde_json::from_str(asked[nth].split_once(' ').unwrap().1).unwrap() };
    let (put_body, promoted) = (body(1), body(2));
    assert_eq!(put_body["VersionStages"], serde_json::json!(["qlik-plan"]));
    assert!(put_body["SecretString"].as_str().unwrap().contains(theirs.trim_matches(['{', '}'])), "{put_body}");
    assert_eq!(promoted["MoveToVersionId"], put_body["ClientRequestToken"]);
    assert_eq!((&promoted["RemoveFromVersionId"], &promoted["VersionStage"]), (&"v-7".into(), &"AWSCURRENT".into()));
    // Another version than was looked at: nothing is written.
    let (conflict, asked) = put(&answers, &word("v-6"));
    assert_eq!((conflict, asked.len()), (Put::Conflict, 1));
    for version in [Version::Unknown, Version::Unseen, Version::Number(1)] {
        let (refused, asked) = put(&answers, &version);
        assert!(matches!(refused, Put::Refused(_)) && asked.is_empty());
    }
}

#[test]
fn only_a_plain_refusal_is_taken_for_one() {
    let create = |status, code: &str| {
        put(&[("CreateSecret", status, &format!(r#"{{"__type":"com.amazon#{code}"}}"#))], &Version::Nothing).0
    };
    assert_eq!(create(400, "ResourceExistsException"), Put::Conflict);
    for code in ["AccessDeniedException", "LimitExceededException", "ThrottlingException", "ExpiredTokenException", ""]
    {
        assert!(matches!(create(400, code), Put::Refused(_)), "{code}");
    }
    for status in [408, 500, 503, 0] {
        assert!(matches!(create(status, "InternalServiceError"), Put::Unknown(_)), "{status}");
    }
    // What is stored at the first step is nobody's until the second, so nothing of it is in doubt.
    let there = holding("v-7", "{}");
    for (status, answer) in [(400, r#"{"__type":"LimitExceededException"}"#), (500, "{}"), (503, "<html>")] {
        let (refused, _) = put(&[("GetSecretValue", 200, &there), ("PutSecretValue", status, answer)], &word("v-7"));
        assert!(matches!(refused, Put::Refused(_)), "{status}");
    }
    let second = |status, now: &str| {
        let stored = ("PutSecretValue", 200, r#"{"VersionStages":["qlik-plan"]}"#);
        let refused = ("UpdateSecretVersionStage", status, r#"{"__type":"InvalidParameterException"}"#);
        put(&[("GetSecretValue", 200, now), stored, refused], &word("v-7")).0
    };
    assert!(matches!(second(400, &there), Put::Refused(_)));
    for status in [408, 500, 0] {
        assert!(matches!(second(status, &there), Put::Unknown(_)), "{status}");
    }
    // A secret without a version: the first one is current at once, so there a lost request leaves a doubt.
    let empty = ("DescribeSecret", 200, r#"{"ARN":"arn:aws:secretsmanager:eu-central-1:123456789012:secret:x"}"#);
    for status in [500, 0] {
        let (put, _) = put(&[NOTHING, empty, ("PutSecretValue", status, "{}")], &word(NO_VERSION));
        assert!(matches!(put, Put::Unknown(_)), "{status}");
    }
    let current = ("PutSecretValue", 200, r#"{"VersionStages":["qlik-plan","AWSCURRENT"]}"#);
    assert_eq!(put(&[NOTHING, empty, current], &word(NO_VERSION)).0, Put::Stored);
}

#[test]
fn no_message_repeats_a_secret() {
    for message in [SECRET, SESSION, KEY] {
        for body in
            [format!(r#"{{"__type":"X","message":"no {message}"}}"#), format!("<Code>{message}</Code>{message}")]
        {
            for status in [400, 403, 500] {
                let answers = [
                    ("GetSecretValue", status, body.as_str()),
                    ("CreateSecret", status, &body),
                    ("DescribeSecret", status, &body),
                ];
                let (settings, _) = server(&answers);
                let sink = sink(&settings);
                let preflight = match wait(sink.preflight(&ci())) {
                    Writable::No(why) => format!("{} {}", why.why, why.next),
                    Writable::Yes | Writable::NotRefused(_) => panic!("{status}: it was let in"),
                };
                let look = wait(sink.look(&ci(), &[]));
                let put = wait(sink.put(&ci(), &Version::Nothing, &payload(), &entry()));
                let said = format!("{preflight} {look:?} {put:?}");
                assert!(!said.contains(message), "{status}: {said}");
            }
        }
    }
}

#[test]
fn what_is_read_is_ours_or_nothing_or_a_strangers() {
    let look = |answers: &[(&'static str, u16, &str)]| wait(sink(&server(answers).0).look(&ci(), &[]));
    let text = |value: &str, entry: &SinkEntry| serde_json::json!({ "value": value, "qlik_plan": entry }).to_string();
    let found = look(&[("GetSecretValue", 200, &holding("v-3", &text(KEY, &entry())))]);
    assert_eq!((found.entry, found.version), (Some(Observed::Present(entry())), word("v-3")));
    let nothing = look(&[NOTHING, NO_SECRET]);
    assert_eq!((nothing.entry, nothing.version), (Some(Observed::Absent), Version::Nothing));
    let empty = look(&[NOTHING, ("DescribeSecret", 200, "{}")]);
    assert_eq!((empty.entry, empty.version), (Some(Observed::Absent), word(NO_VERSION)));
    let elsewhere = SinkEntry { key: "another".parse().unwrap(), ..entry() };
    for answers in [
        [("GetSecretValue", 200, holding("v", &text("edited", &entry()))), ("DescribeSecret", 200, String::new())],
        [("GetSecretValue", 200, holding("v", &text(KEY, &elsewhere))), ("DescribeSecret", 200, String::new())],
        [("GetSecretValue", 200, holding("v", "a password")), ("DescribeSecret", 200, String::new())],
        [
            ("GetSecretValue", 200, r#"{"VersionId":"v","SecretBinary":"AA=="}"#.to_owned()),
            ("DescribeSecret", 200, String::new()),
        ],
        [("GetSecretValue", 200, "{}".to_owned()), ("DescribeSecret", 200, String::new())],
        [
            ("GetSecretValue", 400, r#"{"__type":"InvalidRequestException"}"#.to_owned()),
            ("DescribeSecret", 200, r#"{"DeletedDate":1796000000.5}"#.to_owned()),
        ],
    ] {
        let answers = answers.each_ref().map(|(action, status, body)| (*action, *status, body.as_str()));
        let look = look(&answers);
        assert!(matches!(look.entry, Some(Observed::Unreadable(_))), "{answers:?}: {look:?}");
        assert_eq!(look.version, Version::Unknown);
    }
}

#[test]
fn a_version_is_of_one_delivery() {
    let id = version_of(&entry());
    assert_eq!((id.len(), id.as_str()), (36, version_of(&entry()).as_str()));
    let mut other = entry();
    other.marker.nonce = Nonce::parse("c0ffee01").unwrap();
    assert_ne!(version_of(&other), id);
    assert_ne!(version_of(&SinkEntry { fingerprint: Fingerprint::of(b"x"), ..entry() }), id);
}

#[test]
fn the_account_is_read_in_both_forms() {
    let xml = "<GetCallerIdentityResult><Arn>arn:aws:sts::1:x</Arn><UserId>U</UserId><Account>123456789012</Account>";
    for answer in [xml, IDENTITY] {
        assert_eq!(form::account(answer.as_bytes()).as_deref(), Some("123456789012"));
    }
    assert_eq!(form::account(b"<Account>none</Account>"), None);
}
