//! What a vault may answer, each played by a server that says one thing. A real one is played in the stories.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::model::marker::{KeyUid, Letter, Marker, Nonce};
use crate::model::origin::Origin;
use crate::model::record::{LedgerId, Uid};
use std::time::Duration;

use crate::model::secret::{Fingerprint, Secret};
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
        Self::by(move |_| answer.clone())
    }

    /// It is told the first line of what it is asked.
    fn by(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
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
                let answer = answer(head.lines().next().unwrap_or_default());
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

fn settings_of(address: Origin) -> settings::Sink {
    settings::Sink::Vault(settings::VaultSink {
        address,
        namespace: Some("team/qlik".to_owned()),
        mount: "kv/prod".to_owned(),
        path: settings::PathTemplate::parse("of/{key}/{tenant}/{vendor}", |_| true).unwrap(),
        auth: settings::VaultAuth::Token(settings::Reference::Env("VAULT_TOKEN".to_owned())),
        ca_file: None,
    })
}

fn sink(address: Origin) -> Sink {
    let settings = settings_of(address);
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
        replaced: Vec::new(),
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

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

const PROOF: &str = "the-proof-that-logs-in-and-is-seen-by-nobody";

/// The same vault, logged in to.
fn logged_in(server: &Server) -> Sink {
    let settings::Sink::Vault(settings) = settings_of(server.origin.clone()) else { unreachable!() };
    let method = settings::LoginMethod::Jwt {
        role: "qlik".to_owned(),
        token: settings::IdToken::Stored(settings::Reference::Env("ID_TOKEN".to_owned())),
    };
    let login = settings::VaultLogin { mount: "ci/jwt".to_owned(), method };
    let settings = settings::Sink::Vault(settings::VaultSink { auth: settings::VaultAuth::Login(login), ..settings });
    let proof = crate::sink::access::Proof::Read(Arc::new(|| Ok(Secret::new(PROOF.to_owned()))));
    Sink::of(&settings, Access { proof: Some(Ok(proof)), timeout: Duration::from_secs(20), ..Access::default() })
}

fn logins(server: &Server) -> usize {
    server.asked().iter().filter(|asked| asked.starts_with("POST /v1/auth/ci/jwt/login ")).count()
}

const LOGGED_IN: &str = r#"{"auth":{"client_token":"s.given-by-the-login","lease_duration":3600,"renewable":true}}"#;
const NO_TOKEN: &str = r#"{"errors":["permission denied"]}"#;

#[test]
fn nobody_logs_in_twice_in_a_row() {
    // It gives tokens and knows none of them; whoever asked for many is given no more, so that this ends.
    let given = AtomicUsize::new(0);
    let server = Server::by(move |asked| match asked.contains("/login ") {
        true if given.fetch_add(1, Ordering::SeqCst) < 20 => answer(200, LOGGED_IN),
        true => answer(400, r#"{"errors":["enough"]}"#),
        false => answer(403, NO_TOKEN),
    });
    let sink = logged_in(&server);
    for _ in 0..3 {
        let look = wait(sink.look(&ci(), &[]));
        let Some(Observed::Unreadable(why)) = look.entry else { panic!("it was read") };
        assert!(why.why.raw().contains("the token of role qlik at auth/ci/jwt is not alive"), "{}", why.why.raw());
        assert!(matches!(wait(sink.put(&ci(), &Version::Nothing, &payload(), &entry())), Put::Refused(_)));
    }
    assert_eq!(logins(&server), 2);
    let head = server.asked()[0].to_ascii_lowercase();
    assert!(head.contains("x-vault-namespace: team/qlik") && !head.contains("x-vault-token"), "{head}");
    assert!(server.asked()[0].ends_with(&format!(r#"{{"role":"qlik","jwt":"{PROOF}"}}"#)));
}

#[test]
fn a_write_whose_answer_is_lost_is_not_sent_again_by_another_login() {
    for lost in ["", "HTTP/1.1 403 X\r\nContent-Length: 50\r\n\r\n{"] {
        let server = Server::by(move |asked| match asked.contains("/login ") {
            true => answer(200, LOGGED_IN),
            false => lost.to_owned(),
        });
        let put = wait(logged_in(&server).put(&ci(), &Version::Nothing, &payload(), &entry()));
        assert!(matches!(put, Put::Unknown(_)), "{put:?}");
        let written = server.asked().iter().filter(|asked| asked.starts_with("POST /v1/kv/prod/data/")).count();
        assert_eq!((logins(&server), written), (1, 1));
    }
}

#[test]
fn a_login_that_is_refused_is_not_tried_again_and_shows_nothing_of_what_it_sent() {
    let elsewhere = Server::saying(200, "", LOGGED_IN);
    let location = format!("Location: {}/v1/auth/ci/jwt/login\r\n", elsewhere.origin);
    let echo = format!(r#"{{"errors":["cannot use {PROOF}"]}}"#);
    for (answer, says) in [
        (answer(400, &echo), "is refused (400)"),
        (answer(403, NO_TOKEN), "no such method is mounted there"),
        (
            format!("HTTP/1.1 307 X\r\nContent-Length: 0\r\n{location}\r\n"),
            "is sent elsewhere (307), and no proof follows",
        ),
        (answer(200, "{}"), "holds no token"),
    ] {
        let server = Server::answering(answer);
        let sink = logged_in(&server);
        for _ in 0..3 {
            let Some(Observed::Unreadable(why)) = wait(sink.look(&ci(), &[])).entry else { panic!("it was read") };
            let said = format!("{} {}", why.why.raw(), why.next);
            assert!(why.credentials && said.contains(says) && !said.contains(PROOF), "{said}");
            assert!(said.contains("the login by jwt as role qlik at auth/ci/jwt of http://127.0.0.1:"), "{said}");
            assert!(said.contains("in namespace team/qlik"), "{said}");
        }
        assert_eq!(server.asked().len(), 1);
    }
    assert_eq!(elsewhere.asked(), Vec::<String>::new());
    // Once it is sealed, and asked for every key: the first waits, the others are told.
    let server = Server::saying(503, "", r#"{"errors":["Vault is sealed"]}"#);
    let sink = logged_in(&server);
    for _ in 0..3 {
        let Some(Observed::Unreadable(why)) = wait(sink.look(&ci(), &[])).entry else { panic!("it was read") };
        assert!(why.why.raw().contains("answers 503 (Vault is sealed)"), "{}", why.why.raw());
    }
    assert_eq!(logins(&server), 3);
}

#[test]
fn what_a_run_was_given_is_revoked_once() {
    let server = Server::by(|asked| answer(200, if asked.contains("/login ") { LOGGED_IN } else { "{}" }));
    let sink = logged_in(&server);
    wait(sink.end());
    assert_eq!(server.asked(), Vec::<String>::new());
    wait(sink.look(&ci(), &[]));
    wait(sink.end());
    wait(sink.end());
    let asked = server.asked();
    let revoked: Vec<&String> = asked.iter().filter(|asked| asked.contains("/revoke-self ")).collect();
    assert_eq!((revoked.len(), asked.len()), (1, 3));
    assert!(revoked[0].contains("x-vault-token: s.given-by-the-login"), "{}", revoked[0]);
}
