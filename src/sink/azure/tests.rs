//! What a vault and whoever gives tokens may answer, each played by a server that says one thing to each method. A whole vault is played in
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
use crate::sink::access::{Application, AzureLogin};
use crate::sink::payload::{Parts, render};

use super::*;

const SECRET: &str = "the-secret-of-the-application-4711";
const TOKEN: &str = "the-token-that-entra-gives-0815";
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
                _ if first.contains("token") => 0,
                _ if first.starts_with("PUT ") => 2,
                _ => 1,
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

fn of(origin: &Origin, login: AzureLogin) -> AzureSink {
    let settings = settings::AzureSink {
        vault: origin.clone(),
        name: settings::PathTemplate::dashed("prod--{vendor}--{tenant}--{key}", |_| true).unwrap(),
        authority: origin.clone(),
        managed_identity: false,
    };
    let access = Access { azure: Some(Ok(login)), timeout: Duration::from_secs(20), ..Access::default() };
    AzureSink::of(&settings, SinkHash::of("azure", "x"), access)
}

fn application() -> AzureLogin {
    let application = Application { tenant: "t-1".to_owned(), client: "c-1".to_owned() };
    AzureLogin::Secret(application, Secret::new(SECRET.to_owned()))
}

/// A sink whose login works.
fn sink(read: (u16, &str), write: (u16, &str)) -> (AzureSink, Heard) {
    let (origin, asked) = server(&[(200, &token(TOKEN))], &[read], &[write]);
    (of(&origin, application()), asked)
}

fn lines(asked: &Heard) -> Vec<String> {
    let asked = asked.lock().unwrap();
    asked.iter().map(|one| one.lines().next().unwrap().rsplit_once(' ').unwrap().0.to_owned()).collect()
}

const TOKENS: &str = "POST /t-1/oauth2/v2.0/token";
const READ: &str = "GET /secrets/prod--qlik--acme--ci?api-version=7.4";
const DELETED: &str = "GET /deletedsecrets/prod--qlik--acme--ci?api-version=7.4";
const WRITE: &str = "PUT /secrets/prod--qlik--acme--ci?api-version=7.4";

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
            sink: SinkHash::of("azure", "x"),
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

/// A version of the secret, with these fields besides.
fn bundle(version: &str, payload: &str, entry: &SinkEntry, more: &str) -> String {
    let body = form::version(payload.as_bytes(), entry, &Beside::default(), None).unwrap();
    let mut body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    body["id"] = serde_json::json!(format!("https://v.vault.azure.net/secrets/prod--qlik--acme--ci/{version}"));
    body["tags"]["team"] = serde_json::json!("data");
    let text = body.to_string();
    format!("{}{more}}}", text.strip_suffix('}').unwrap())
}

fn error(code: &str, inner: &str, message: &str) -> String {
    serde_json::json!({ "error": { "code": code, "message": message, "innererror": { "code": inner } } }).to_string()
}

fn gone() -> String {
    error("SecretNotFound", "", "A secret with (name/id) x was not found in this key vault.")
}

fn put(sink: &AzureSink, version: &Version) -> Result<(), Put> {
    wait(sink.put(&ci(), version, &payload(), &entry()))
}

fn word(version: &str) -> Version {
    Version::Word(Untrusted::from(version))
}

#[test]
fn a_version_has_payload_and_metadata_and_what_others_keep_and_is_written_once() {
    let there = bundle("a1", "before", &entry(), r#","contentType":"theirs/x""#).replacen(
        r#""contentType":"text/plain","#,
        "",
        1,
    );
    let (place, asked) = sink((200, &there), (200, "{}"));
    assert_eq!(put(&place, &word("a1")), Ok(()));
    assert_eq!(lines(&asked), [TOKENS, READ, WRITE]);
    let heard = asked.lock().unwrap().clone();
    assert!(heard[0].contains(&format!("client_secret={}", SECRET.replace('-', "%2D"))), "{}", heard[0]);
    let (head, body) = heard[2].split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Bearer {TOKEN}")), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["value"], &body["contentType"]), (&KEY.into(), &"theirs/x".into()));
    assert_eq!((&body["tags"]["team"], &body["attributes"]), (&"data".into(), &serde_json::json!({ "enabled": true })));
    let tags = body["tags"].as_object().unwrap();
    assert!(tags.len() <= 15 && tags.values().all(|tag| tag.as_str().unwrap().len() <= 256), "{tags:?}");
    // It is read again as it was written.
    let written = serde_json::json!({ "id": "https://v/secrets/n/a2", "value": KEY, "tags": tags }).to_string();
    assert_eq!(wait(sink((200, &written), (200, "{}")).0.look(&ci())).entry, Some(Observed::Present(entry())));

    let (place, asked) = sink((404, &gone()), (200, "{}"));
    let until = SinkEntry { expiry: Some("2027-02-15T08:00:00Z".parse().unwrap()), ..entry() };
    assert_eq!(wait(place.put(&ci(), &Version::Nothing, &payload(), &until)), Ok(()));
    assert_eq!(lines(&asked), [TOKENS, READ, DELETED, WRITE]);
    assert!(asked.lock().unwrap()[3].contains(r#""attributes":{"enabled":true,"exp":1802678400}"#));

    // Another version than was looked at, or none any more: nothing is written.
    for (read, seen) in [((200, there.as_str()), "a2"), ((404, &gone()), "a1")] {
        let (place, asked) = sink(read, (200, "{}"));
        assert_eq!(put(&place, &word(seen)), Err(Put::Conflict));
        assert!(!lines(&asked).contains(&WRITE.to_owned()));
    }
    let (place, asked) = sink((200, &there), (200, "{}"));
    assert_eq!(put(&place, &Version::Nothing), Err(Put::Conflict));
    assert!(!lines(&asked).contains(&WRITE.to_owned()));
    for version in [Version::Unknown, Version::Unseen, Version::Number(7), Version::Payload(entry().fingerprint)] {
        let (place, asked) = sink((200, &there), (200, "{}"));
        assert!(matches!(put(&place, &version), Err(Put::Refused(_))));
        assert_eq!(lines(&asked), Vec::<String>::new());
    }
}

#[test]
fn only_a_plain_refusal_is_taken_for_one() {
    let there = bundle("a1", "before", &entry(), "");
    for code in [301, 307, 400, 403, 404, 405, 409, 413, 429] {
        let (place, asked) = sink((200, &there), (code, "{}"));
        let put = put(&place, &word("a1"));
        assert!(matches!(put, Err(Put::Refused(_))), "{code}: {put:?}");
        assert_eq!(lines(&asked), [TOKENS, READ, WRITE]);
    }
    for code in [0, 408, 500, 502, 503, 504] {
        let (place, asked) = sink((200, &there), (code, &error("InternalError", "", "")));
        let put = put(&place, &word("a1"));
        assert!(matches!(put, Err(Put::Unknown(_))), "{code}: {put:?}");
        assert_eq!(lines(&asked), [TOKENS, READ, WRITE]);
    }
}

#[test]
fn a_write_goes_out_again_with_another_token_and_never_a_third_time() {
    let there = bundle("a1", "before", &entry(), "");
    let dead = error("Unauthorized", "", "AKV10000");
    let tokens = [token("first-token-4711"), token("second-token-4711")];
    let tokens = [(200, tokens[0].as_str()), (200, &tokens[1])];
    let (origin, asked) = server(&tokens, &[(200, &there)], &[(401, &dead), (200, "{}")]);
    assert_eq!(put(&of(&origin, application()), &word("a1")), Ok(()));
    assert_eq!(lines(&asked), [TOKENS, READ, WRITE, TOKENS, WRITE]);
    let heard = asked.lock().unwrap().clone();
    assert!(heard[2].contains("first-token") && heard[4].contains("second-token"));
    assert_eq!(heard[2].split_once("\r\n\r\n").unwrap().1, heard[4].split_once("\r\n\r\n").unwrap().1);

    let (origin, asked) = server(&tokens, &[(200, &there)], &[(401, &dead)]);
    let Err(Put::Refused(why)) = put(&of(&origin, application()), &word("a1")) else { panic!("it was written") };
    assert!(why.credentials && why.why.raw().contains("does not take the token of the application c-1"), "{why:?}");
    assert_eq!(lines(&asked), [TOKENS, READ, WRITE, TOKENS, WRITE]);

    // Whoever knows none of its own tokens is not asked for ever.
    let (origin, asked) = server(&tokens, &[(401, &dead)], &[(401, &dead)]);
    let place = of(&origin, application());
    for _ in 0..3 {
        assert!(matches!(wait(place.look(&ci())).entry, Some(Observed::Unreadable(_))));
    }
    assert_eq!(lines(&asked).iter().filter(|line| *line == TOKENS).count(), 2);
}

#[test]
fn what_is_read_is_ours_or_nothing_or_a_strangers() {
    let look = |code, body: &str| wait(sink((code, body), (200, "{}")).0.look(&ci()));
    let found = look(200, &bundle("a7", KEY, &entry(), ""));
    assert_eq!((found.entry, found.version), (Some(Observed::Present(entry())), word("a7")));
    let nothing = look(404, &gone());
    assert_eq!((nothing.entry, nothing.version), (Some(Observed::Absent), Version::Nothing));
    let elsewhere = SinkEntry { key: "another".parse().unwrap(), ..entry() };
    let ours = bundle("a7", KEY, &entry(), "");
    for (code, body) in [
        (200, bundle("a7", "edited", &entry(), "")),
        (200, bundle("a7", KEY, &elsewhere, "")),
        (200, ours.replace("qlik-plan-1", "qlik-plan-9")),
        (200, ours.replace("qlik-plan-", "other-")),
        (200, ours.replace(r#""value":"#, r#""valued":"#)),
        (200, bundle("", KEY, &entry(), "")),
        (200, bundle("../a", KEY, &entry(), "").replace("../a", "a b")),
        (200, "<html>".to_owned()),
        (404, "<html>".to_owned()),
        (404, error("NotFound", "", "no such host")),
        (403, error("Forbidden", "ForbiddenByRbac", "no")),
        (403, error("Forbidden", "SecretDisabled", "no")),
        (401, error("Unauthorized", "", "no")),
        (302, String::new()),
    ] {
        let look = look(code, &body);
        assert!(matches!(look.entry, Some(Observed::Unreadable(_))), "{code} {body}: {:?}", look.entry);
        assert_eq!(look.version, Version::Unknown);
    }
}

#[test]
fn what_is_in_the_way_is_said_with_the_way_out() {
    let says = |read: (u16, &str), next: &str| {
        let (place, asked) = sink(read, (200, "{}"));
        let Writable::No(why) = wait(place.preflight(&ci())) else { panic!("it was let pass: {read:?}") };
        assert!(why.next.contains(next), "{why:?}");
        assert!(!lines(&asked).contains(&WRITE.to_owned()));
    };
    for (inner, next) in [
        ("ForbiddenByRbac", "getSecret and setSecret"),
        ("AccessDenied", "getSecret and setSecret"),
        ("ForbiddenByFirewall", "az keyvault network-rule add"),
        (
            "SecretDisabled",
            "az keyvault secret set-attributes --vault-name VAULT --name prod--qlik--acme--ci --enabled true",
        ),
    ] {
        says((403, &error("Forbidden", inner, "no")), next);
    }
    says((200, &bundle("a1", KEY, &entry(), r#","managed":true"#)), "another `name`");
    // Both questions are answered alike by this server.
    let (origin, _) =
        server(&[(200, &token(TOKEN))], &[(404, &gone()), (200, r#"{"scheduledPurgeDate":1802678400}"#)], &[(200, "")]);
    let Writable::No(why) = wait(of(&origin, application()).preflight(&ci())) else { panic!("it was let pass") };
    assert!(why.why.raw().contains("can be recovered until 2027-02-15T08:00:00Z"), "{why:?}");
    assert!(why.next.contains("az keyvault secret recover --vault-name VAULT --name prod--qlik--acme--ci"), "{why:?}");
    let deleted = error("Conflict", "ObjectIsDeletedButRecoverable", "x");
    let Err(Put::Refused(why)) = put(&sink((404, &gone()), (409, &deleted)).0, &Version::Nothing) else { panic!() };
    assert!(why.next.contains("az keyvault secret recover"), "{why:?}");

    let Writable::NotRefused(untold) = wait(sink((404, &gone()), (200, "")).0.preflight(&ci())) else { panic!() };
    assert!(
        untold.starts_with("whether the identity may write the secret prod--qlik--acme--ci in http://"),
        "{untold}"
    );
    // Others keep as many tags as there may be.
    let mut full: serde_json::Value = serde_json::from_str(&bundle("a1", KEY, &entry(), "")).unwrap();
    for number in 0..14 {
        full["tags"][format!("theirs-{number}")] = "x".into();
    }
    let (place, asked) = sink((200, &full.to_string()), (200, "{}"));
    let Err(Put::Refused(why)) = put(&place, &word("a1")) else { panic!("it was written") };
    assert!(why.why.raw().contains("more than 15 tags"));
    assert!(!lines(&asked).contains(&WRITE.to_owned()));
}

#[test]
fn who_gives_no_token_is_asked_once_and_says_what_to_do() {
    for (codes, next) in [
        (vec![7_000_215], "AZURE_CLIENT_SECRET"),
        (vec![700_016], "the application c-1 belongs in the tenant t-1"),
        (vec![90_002], "check AZURE_TENANT_ID"),
    ] {
        let words = format!("AADSTS{}: no. Trace ID: 1-2", codes[0]);
        let body = serde_json::json!({ "error": "invalid_client", "error_description": words, "error_codes": codes });
        let (origin, asked) = server(&[(401, &body.to_string())], &[(200, "")], &[(200, "")]);
        let place = of(&origin, application());
        for _ in 0..2 {
            let Some(Observed::Unreadable(why)) = wait(place.look(&ci())).entry else { panic!("it was read") };
            assert!(why.credentials && why.next.contains(next) && !why.why.raw().contains("Trace"), "{why:?}");
        }
        assert_eq!(lines(&asked), [TOKENS]);
    }
    // The platform's and the machine's own.
    let near = |login: fn(Origin) -> AzureLogin, asks: &str, header: &str| {
        let answer = r#"{"access_token":"near-4711","expires_on":"1","resource":"https://vault.azure.net"}"#;
        let (origin, asked) = server(&[(200, answer)], &[(404, &gone())], &[(200, "")]);
        assert_eq!(wait(of(&origin, login(origin.clone())).look(&ci())).entry, Some(Observed::Absent));
        let heard = asked.lock().unwrap()[0].clone();
        assert!(heard.starts_with(asks) && heard.to_ascii_lowercase().contains(header), "{heard}");
    };
    near(
        |endpoint| AzureLogin::Platform {
            endpoint,
            path: "/msi/token".to_owned(),
            header: Secret::new("of-the-platform-4711".to_owned()),
            client: None,
        },
        "GET /msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault%2Eazure%2Enet HTTP",
        "x-identity-header: of-the-platform-4711",
    );
    near(
        |endpoint| AzureLogin::Machine { endpoint, client: Some("c-2".to_owned()) },
        "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault%2Eazure%2Enet&client_id=c%2D2 HTTP",
        "metadata: true",
    );
}

#[test]
fn no_message_repeats_a_secret_or_moves_a_cursor() {
    let forms = [TOKEN, KEY, SECRET].map(|secret| [secret.to_owned(), STANDARD.encode(secret)]).concat();
    for echo in forms.iter().cloned().chain([format!("\u{1b}[2J{}", "x".repeat(100_000))]) {
        for code in [400, 401, 403, 404, 409, 500] {
            let body = error(&echo, &echo, &format!("denied: {echo}"));
            // To a read nobody gave the key, and the vault was never given the application's secret.
            let quiet = error("Forbidden", "", &format!("denied: {TOKEN}"));
            let there = bundle("a1", "before", &entry(), "");
            let said = format!("{:?}", put(&sink((200, &there), (code, &body)).0, &word("a1")));
            let (place, _) = sink((code, &quiet), (code, &body));
            let (origin, _) = server(
                &[(code, &serde_json::json!({ "error": echo, "error_description": SECRET }).to_string())],
                &[(200, "")],
                &[(200, "")],
            );
            // Nobody waits for what is asked three times.
            let read = (code != 500)
                .then(|| (wait(place.look(&ci())).entry, wait(of(&origin, application()).look(&ci())).entry));
            let shown = format!("{said} {read:?}");
            for bad in forms.iter().map(String::as_str).chain(["\u{1b}"]) {
                assert!(!shown.contains(bad), "{code}: {shown}");
            }
            assert!(shown.len() < 10_000);
        }
    }
}
