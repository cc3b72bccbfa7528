//! What an API server may answer, each played by a server that says one thing to each method. A whole one is played in the stories.

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
use crate::sink::payload::{Parts, render};

use super::*;

const TOKEN: &str = "the-token-of-the-service-account-4711";
const KEY: &str = "the-1st-api-key-that-is-delivered";

/// A sink whose server answers like this; a status of 0 breaks the connection. And what it was asked.
fn sink(read: (u16, &str), write: (u16, &str)) -> (KubernetesSink, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let (read, write) = ((read.0, read.1.to_owned()), (write.0, write.1.to_owned()));
    let asked = Arc::new(Mutex::new(Vec::new()));
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
            let (status, answer) = if head.starts_with("GET ") || head.contains("reviews") { &read } else { &write };
            if *status != 0 {
                let mut stream = reader.into_inner();
                let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            }
        }
    });
    let settings = settings::KubernetesSink {
        server: Some(server),
        namespace: "qlik".to_owned(),
        name: settings::PathTemplate::dotted("prod.{vendor}.{tenant}.{key}", |_| true).unwrap(),
        data_key: "value".to_owned(),
        token: settings::Reference::Env("KUBE_TOKEN".to_owned()),
        ca_file: None,
    };
    let fresh_token: Option<super::super::access::Read> = Some(Arc::new(|| Ok(Secret::new(TOKEN.to_owned()))));
    let access = Access { fresh_token, timeout: Duration::from_secs(20), ..Access::default() };
    (KubernetesSink::of(&settings, SinkHash::of("kubernetes", "x"), access), asked)
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
            sink: SinkHash::of("kubernetes", "x"),
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

/// A Secret of this version, with these fields besides.
fn secret(version: &str, payload: &str, entry: &SinkEntry, more: &str) -> String {
    let text = serde_json::to_string(&serde_json::to_string(entry).unwrap()).unwrap();
    let payload = STANDARD.encode(payload);
    format!(
        r#"{{"kind":"Secret","apiVersion":"v1","metadata":{{"name":"prod.qlik.acme.ci","resourceVersion":"{version}","annotations":{{"qlik-plan/entry":{text},"note":"1.50\u00fc"}}}},"data":{{"value":"{payload}","theirs":"AAEC/w=="}},"type":"Opaque"{more}}}"#
    )
}

fn status(code: u16, reason: &str, kind: &str, message: &str) -> String {
    serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
        "message": message, "details": { "kind": kind },
    })
    .to_string()
}

fn put(sink: &KubernetesSink, version: &Version) -> Result<(), Put> {
    wait(sink.put(&ci(), version, &payload(), &entry()))
}

fn word(version: &str) -> Version {
    Version::Word(Untrusted::from(version))
}

#[test]
fn a_write_says_what_it_replaces_and_is_sent_once() {
    let there = secret("abc", "before", &entry(), "");
    let (place, asked) = sink((200, &there), (200, "{}"));
    assert_eq!(put(&place, &word("abc")), Ok(()));
    let heard = asked.lock().unwrap().clone();
    assert_eq!(heard.len(), 2, "{heard:?}");
    let (head, body) = heard[1].split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("PUT /api/v1/namespaces/qlik/secrets/prod.qlik.acme.ci?fieldManager=qlik-plan HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains(&format!("Bearer {TOKEN}")), "{head}");
    // What others keep there is written again as it was read, to the letter.
    for theirs in [r#""note":"1.50\u00fc""#, r#""theirs":"AAEC/w==""#, r#""type":"Opaque""#] {
        assert!(body.contains(theirs), "{theirs}: {body}");
    }
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["metadata"]["resourceVersion"], "abc");
    assert_eq!(body["data"]["value"], STANDARD.encode(KEY));
    let text = body["metadata"]["annotations"]["qlik-plan/entry"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<SinkEntry>(text).unwrap(), entry());

    let (place, asked) = sink((404, ""), (201, "{}"));
    assert_eq!(put(&place, &Version::Nothing), Ok(()));
    let heard = asked.lock().unwrap().clone();
    assert_eq!(heard.len(), 1);
    assert!(heard[0].starts_with("POST /api/v1/namespaces/qlik/secrets?fieldManager=qlik-plan HTTP/1.1\r\n"));
    assert!(!heard[0].contains("resourceVersion"));

    // Another version than was looked at, or none any more: nothing is written. No order is made of them.
    let gone = status(404, "NotFound", "secrets", "");
    for (read, seen) in [((200, there.as_str()), "abb"), ((200, &there), "abcd"), ((404, &gone), "abc")] {
        let (place, asked) = sink(read, (200, "{}"));
        assert_eq!(put(&place, &word(seen)), Err(Put::Conflict));
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
    for version in [Version::Unknown, Version::Unseen, Version::Number(7), Version::Payload(entry().fingerprint)] {
        let (place, asked) = sink((200, &there), (200, "{}"));
        assert!(matches!(put(&place, &version), Err(Put::Refused(_))));
        assert_eq!(*asked.lock().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn only_a_plain_refusal_is_taken_for_one() {
    let there = secret("abc", "before", &entry(), "");
    for (code, reason, kind) in
        [(409, "AlreadyExists", "secrets"), (409, "Conflict", "secrets"), (404, "NotFound", "secrets")]
    {
        let (place, _) = sink((200, &there), (code, &status(code, reason, kind, "")));
        assert_eq!(put(&place, &word("abc")), Err(Put::Conflict), "{reason}");
    }
    for code in [301, 307, 400, 401, 403, 404, 405, 409, 413, 422, 429] {
        let (place, asked) = sink((200, &there), (code, "{}"));
        let put = put(&place, &word("abc"));
        assert!(matches!(put, Err(Put::Refused(_))), "{code}: {put:?}");
        assert_eq!(asked.lock().unwrap().iter().filter(|asked| asked.starts_with("PUT ")).count(), 1);
    }
    for code in [0, 408, 500, 502, 503, 504] {
        let (place, asked) = sink((200, &there), (code, &status(code, "InternalError", "", "")));
        let put = put(&place, &word("abc"));
        assert!(matches!(put, Err(Put::Unknown(_))), "{code}: {put:?}");
        assert_eq!(asked.lock().unwrap().len(), 2);
    }
}

#[test]
fn what_nobody_may_change_is_refused_before_anything_is_sent() {
    for more in [r#","immutable":true"#.to_owned(), String::new()] {
        let mut there = secret("abc", "before", &entry(), &more);
        if more.is_empty() {
            there = there.replace(r#""name":"#, r#""deletionTimestamp":"2026-11-28T00:00:00Z","name":"#);
        }
        let (place, asked) = sink((200, &there), (200, "{}"));
        assert!(matches!(put(&place, &word("abc")), Err(Put::Refused(_))), "{more}");
        assert_eq!(asked.lock().unwrap().len(), 1);
        assert!(matches!(wait(place.preflight(&ci())), Writable::No(_)));
    }
    // Others keep nearly all that fits.
    let theirs = STANDARD.encode(vec![0; 1024 * 1024]);
    let full = secret("abc", "before", &entry(), "").replace("AAEC/w==", &theirs);
    let (place, asked) = sink((200, &full), (200, "{}"));
    let Err(Put::Refused(why)) = put(&place, &word("abc")) else { panic!("it was written") };
    assert!(why.why.raw().contains("1 MiB"));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[test]
fn what_is_read_is_ours_or_nothing_or_a_strangers() {
    let look = |code, body: &str| wait(sink((code, body), (200, "{}")).0.look(&ci()));
    let found = look(200, &secret("7", KEY, &entry(), ""));
    assert_eq!((found.entry, found.version), (Some(Observed::Present(entry())), word("7")));
    let nothing = look(404, &status(404, "NotFound", "secrets", ""));
    assert_eq!((nothing.entry, nothing.version), (Some(Observed::Absent), Version::Nothing));
    for data in [r#""data":{}"#, r#""data":null"#, r#""type":"Opaque""#] {
        let empty = look(200, &format!(r#"{{"kind":"Secret","metadata":{{"resourceVersion":"7"}},{data}}}"#));
        assert_eq!((empty.entry, empty.version), (Some(Observed::Absent), word("7")), "{data}");
    }
    let elsewhere = SinkEntry { key: "another".parse().unwrap(), ..entry() };
    for (code, body) in [
        (200, secret("7", "edited", &entry(), "")),
        (200, secret("7", KEY, &elsewhere, "")),
        (200, secret("7", KEY, &entry(), "").replace("\"value\"", "\"moved\"")),
        (200, r#"{"kind":"Secret","metadata":{"resourceVersion":"7"},"data":{"value":"AA=="}}"#.to_owned()),
        (200, r#"{"kind":"Secret","metadata":{"resourceVersion":"7"},"data":{"value":"no base64"}}"#.to_owned()),
        (200, secret("", KEY, &entry(), "")),
        (200, secret("7", KEY, &entry(), "").replace("\"Secret\"", "\"ConfigMap\"")),
        (200, "<html>".to_owned()),
        (404, "<html>".to_owned()),
        (404, status(404, "NotFound", "", "the server could not find the requested resource")),
        (403, status(403, "Forbidden", "secrets", "no")),
        (401, status(401, "Unauthorized", "", "Unauthorized")),
        (302, String::new()),
    ] {
        let look = look(code, &body);
        assert!(matches!(look.entry, Some(Observed::Unreadable(_))), "{code} {body}: {:?}", look.entry);
        assert_eq!(look.version, Version::Unknown);
    }
}

#[test]
fn no_message_repeats_a_secret_or_moves_a_cursor() {
    for echo in [TOKEN.to_owned(), KEY.to_owned(), STANDARD.encode(KEY), format!("\u{1b}[2J{}", "x".repeat(100_000))] {
        for code in [400, 401, 403, 404, 409, 422, 500] {
            let body = status(code, &echo, &echo, &format!("denied: {echo}"));
            // To a read nobody gave the key.
            let quiet = status(code, "Forbidden", "secrets", &format!("denied: {TOKEN}"));
            let there = secret("abc", "before", &entry(), "");
            let said = format!("{:?}", put(&sink((200, &there), (code, &body)).0, &word("abc")));
            let (place, _) = sink((code, &quiet), (code, &body));
            // Nobody waits for what is asked three times.
            let read = (code != 500).then(|| (wait(place.look(&ci())).entry, wait(place.preflight(&ci()))));
            let shown = format!("{said} {read:?}");
            for bad in [TOKEN, KEY, &STANDARD.encode(KEY), "\u{1b}"] {
                assert!(!shown.contains(bad), "{code}: {shown}");
            }
            assert!(shown.len() < 10_000);
        }
    }
}

#[test]
fn what_the_server_does_not_tell_before_a_write_is_said() {
    let gone = status(404, "NotFound", "secrets", "");
    let (place, asked) = sink((404, &gone), (200, "{}"));
    let Writable::NotRefused(untold) = wait(place.preflight(&ci())) else { panic!("it was told") };
    assert!(untold.starts_with("whether the token may write the Secret qlik/prod.qlik.acme.ci"), "{untold}");
    let asked = asked.lock().unwrap().clone();
    assert!(asked.iter().all(|asked| asked.starts_with("GET ") || asked.contains("reviews")), "{asked:?}");
}
