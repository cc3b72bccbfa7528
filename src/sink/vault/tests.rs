//! What a vault may answer, each played by a server that says one thing. A real one is played in the stories.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::model::marker::{KeyUid, Letter, Marker, Nonce};
use crate::model::origin::Origin;
use crate::model::record::{LedgerId, Uid};
use crate::model::secret::Fingerprint;
use crate::model::spec::Shape;
use crate::sink::Sink;
use crate::sink::payload::{Parts, render};

use super::*;

const TOKEN: &str = "s.token-of-the-vault-itself";
const KEY: &str = "the-1st-api-key-that-is-delivered";

/// A server that says the same to everybody, and what it was asked. An empty answer breaks the connection.
struct Server {
    origin: Origin,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn saying(status: u16, headers: &str, body: &str) -> Self {
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len());
        Self::answering(answer)
    }

    fn answering(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
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
                    let lower = line.to_ascii_lowercase();
                    if let Some(value) = lower.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    head.push_str(&line);
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                heard.lock().unwrap().push(format!("{head}\r\n{}", String::from_utf8(body).unwrap()));
                let _ = reader.into_inner().write_all(answer.as_bytes());
            }
        });
        Self { origin, asked }
    }

    fn sink(&self) -> Sink {
        sink(self.origin.clone())
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn sink(address: Origin) -> Sink {
    let settings = settings::Sink::Vault(settings::VaultSink {
        address,
        namespace: Some("team/qlik".to_owned()),
        mount: "kv/prod".to_owned(),
        path: settings::PathTemplate::parse("of/{key}/{tenant}/{vendor}", |_| true).unwrap(),
        token: settings::Reference::Env("VAULT_TOKEN".to_owned()),
        ca_file: None,
    });
    let token = Some(Ok(Secret::new(TOKEN.to_owned())));
    Sink::of(&settings, Access { token, timeout: Duration::from_secs(20), ..Access::default() })
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
            sink: SinkHash::of("vault", "x"),
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
        made_as: None,
    }
}

fn put(server: &Server, version: &Version) -> Put {
    wait(server.sink().put(&ci(), version, &payload(), &entry()))
}

#[test]
fn a_write_says_what_it_replaces_and_is_sent_once() {
    // An answer for the read and for the write: somebody keeps fields of their own in the same secret.
    let theirs = r#"{"limits":{"a":[1.50,12345678901234567890]},"note":"Größe"}"#;
    let there = format!(r#"{{"data":{{"data":{theirs},"metadata":{{"version":7}},"version":8}}}}"#);
    for (version, cas) in [(Version::Nothing, 0), (Version::Number(7), 7)] {
        let server = Server::saying(200, "", &there);
        assert_eq!(put(&server, &version), Put::Stored);
        let mut asked = server.asked();
        let asked = asked.pop().unwrap();
        assert_eq!(server.asked().len(), if cas == 0 { 1 } else { 2 });
        let (head, body) = asked.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /v1/kv/prod/data/of/ci/acme/qlik HTTP/1.1\r\n"), "{head}");
        let head = head.to_ascii_lowercase();
        assert!(head.contains(&format!("x-vault-token: {TOKEN}")) && head.contains("x-vault-namespace: team/qlik"));
        // What others keep there is written again as it was read, to the digit.
        let kept = body.contains(theirs.trim_matches(['{', '}']));
        assert_eq!(kept, cas == 7, "{body}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["options"], serde_json::json!({ "cas": cas }));
        assert_eq!(body["data"]["value"], KEY);
        assert_eq!(body["data"]["qlik_plan"], serde_json::to_value(entry()).unwrap());
    }
    // Another version than was looked at: nothing is written.
    let server = Server::saying(200, "", &there);
    assert_eq!(put(&server, &Version::Number(6)), Put::Conflict);
    assert!(server.asked().iter().all(|asked| asked.starts_with("GET ")));
    // The engine deletes it by itself.
    let until = r#"{"data":{"version":1,"deletion_time":"2026-11-27T23:51:21.49413928Z"}}"#;
    let until = put(&Server::saying(200, "", until), &Version::Nothing);
    assert_eq!(until, Put::StoredUntil("2026-11-27T23:51:21.49413928Z".parse().unwrap()));
    // What was not looked at is not replaced.
    for version in [Version::Unknown, Version::Unseen, Version::Payload(entry().fingerprint)] {
        let server = Server::saying(200, "", "{}");
        assert!(matches!(put(&server, &version), Put::Refused(_)));
        assert_eq!(server.asked(), Vec::<String>::new());
    }
}

#[test]
fn only_a_plain_refusal_is_taken_for_one() {
    let conflict = r#"{"errors":["check-and-set parameter did not match the current version"]}"#;
    assert_eq!(put(&Server::saying(400, "", conflict), &Version::Nothing), Put::Conflict);
    for status in [400, 403, 404, 405, 412, 413, 429, 307, 301] {
        let put = put(&Server::saying(status, "", r#"{"errors":["no"]}"#), &Version::Nothing);
        assert!(matches!(put, Put::Refused(_)), "{status}: {put:?}");
    }
    for status in [408, 500, 502, 503, 504, 599] {
        let put = put(&Server::saying(status, "", r#"{"errors":["Vault is sealed"]}"#), &Version::Nothing);
        assert!(matches!(put, Put::Unknown(_)), "{status}: {put:?}");
    }
    for broken in ["", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", "nonsense\r\n\r\n"] {
        let put = put(&Server::answering(broken.to_owned()), &Version::Nothing);
        assert!(matches!(put, Put::Unknown(_)), "{broken}: {put:?}");
    }
    // Nobody listens: it never left.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = sink(Origin::parse(&format!("http://{port}")).unwrap());
    assert!(matches!(wait(nobody.put(&ci(), &Version::Nothing, &payload(), &entry())), Put::Refused(_)));
}

#[test]
fn a_redirect_takes_no_secret_elsewhere() {
    let elsewhere = Server::saying(200, "", "{}");
    let location = format!("Location: {}/v1/x\r\n", elsewhere.origin);
    assert!(matches!(put(&Server::saying(307, &location, ""), &Version::Nothing), Put::Refused(_)));
    let looked = wait(Server::saying(302, &location, "").sink().look(&ci(), &[]));
    assert!(matches!(looked.entry, Some(Observed::Unreadable(_))));
    assert_eq!(elsewhere.asked(), Vec::<String>::new());
}

#[test]
fn no_message_repeats_a_secret_or_moves_a_cursor() {
    for body in [
        format!(r#"{{"errors":["bad token {TOKEN}"]}}"#),
        format!(r#"{{"errors":["cannot store {KEY}"]}}"#),
        format!("<html>{TOKEN} {KEY}</html>"),
        format!(r#"{{"errors":["\u001b[2J{}"]}}"#, "x".repeat(100_000)),
    ] {
        for status in [200, 400, 403, 404, 500] {
            let server = Server::saying(status, "", &body);
            let said = format!("{:?} {:?}", put(&server, &Version::Nothing), wait(server.sink().look(&ci(), &[])));
            let shown = match wait(server.sink().preflight(&ci())) {
                crate::model::live::Writable::No(why) => format!("{said} {} {}", why.why, why.next),
                crate::model::live::Writable::Yes | crate::model::live::Writable::NotRefused(_) => said,
            };
            for bad in [TOKEN, KEY] {
                assert!(!shown.contains(bad), "{status}: {shown}");
            }
            assert!(shown.len() < 10_000);
        }
    }
}

#[test]
fn what_is_read_is_ours_or_nothing_or_a_strangers() {
    let look = |status, body: &str| wait(Server::saying(status, "", body).sink().look(&ci(), &[]));
    let holds = |value: &str, entry: &SinkEntry| {
        let data = serde_json::json!({ "value": value, "qlik_plan": entry });
        serde_json::json!({ "data": { "data": data, "metadata": { "version": 3 } } }).to_string()
    };
    let found = look(200, &holds(KEY, &entry()));
    assert_eq!((found.entry, found.version), (Some(Observed::Present(entry())), Version::Number(3)));
    let nothing = look(404, r#"{"errors":[]}"#);
    assert_eq!((nothing.entry, nothing.version), (Some(Observed::Absent), Version::Nothing));
    let deleted = look(404, r#"{"data":{"data":null,"metadata":{"version":4,"deletion_time":"x"}}}"#);
    assert_eq!((deleted.entry, deleted.version), (Some(Observed::Absent), Version::Number(4)));
    let gone = |version, at: Option<&str>, undo: Option<&str>| {
        Some(Deleted { version, at: at.map(|at| at.parse().unwrap()), undo: undo.map(ToOwned::to_owned) })
    };
    // As OpenBao 2.7.2 answers. What is destroyed keeps a time at which it would have been deleted.
    let metadata = |rest: &str| format!(r#"{{"data":{{"data":null,"metadata":{{"version":4,{rest}}}}}}}"#);
    let undo = Some("bao kv undelete -mount=kv/prod -versions=4 of/ci/acme/qlik");
    let at = "2026-11-27T15:51:21.568270178Z";
    for (rest, expected) in [
        (format!(r#""deletion_time":"{at}","destroyed":false"#), gone(4, Some(at), undo)),
        (format!(r#""deletion_time":"{at}","destroyed":true"#), gone(4, None, None)),
        (r#""deletion_time":"","destroyed":false"#.to_owned(), gone(4, None, undo)),
    ] {
        assert_eq!(look(404, &metadata(&rest)).deleted, expected);
    }
    // As releases before this one delivered a token: with a line end.
    let old = SinkEntry { fingerprint: Fingerprint::of(format!("{KEY}\n").as_bytes()), ..entry() };
    assert_eq!(look(200, &holds(&format!("{KEY}\n"), &old)).entry, Some(Observed::Present(old)));
    let elsewhere = SinkEntry { key: "another".parse().unwrap(), ..entry() };
    for (status, body) in [
        (200, holds("edited", &entry())),
        (200, holds(KEY, &elsewhere)),
        (200, r#"{"data":{"data":{"value":"x"},"metadata":{"version":1}}}"#.to_owned()),
        (200, r#"{"data":{"data":{"value":{"a":1},"qlik_plan":7},"metadata":{"version":1}}}"#.to_owned()),
        (200, "{}".to_owned()),
        (200, "<html>".to_owned()),
        (404, r#"{"errors":["no handler for route"]}"#.to_owned()),
        (403, r#"{"errors":["permission denied"]}"#.to_owned()),
        (204, String::new()),
    ] {
        let look = look(status, &body);
        assert!(matches!(look.entry, Some(Observed::Unreadable(_))), "{status} {body}: {look:?}");
        assert_eq!(look.version, Version::Unknown);
    }
}
