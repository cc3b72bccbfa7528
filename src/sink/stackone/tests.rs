//! What StackOne may answer, each played by a server that says one thing to each method. A whole one is played in the stories.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

use crate::model::origin::Origin;
use crate::model::spec::Shape;
use crate::sink::payload::{Parts, render};

use super::*;

const API_KEY: &str = "the-api-key-of-the-project-4711";
const KEY: &str = "the-1st-api-key-that-is-delivered";
const ACTIVE_ACCOUNT: &str = r#"{"id":"1","provider":"qlik","status":"active"}"#;

/// A sink whose server answers like this; a status of 0 breaks the connection.
fn sink(get: (u16, &str), patch: (u16, &str)) -> (StackOneSink, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let (get, patch) = ((get.0, get.1.to_owned()), (patch.0, patch.1.to_owned()));
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
            let (status, answer) = if head.starts_with("PATCH ") { &patch } else { &get };
            if *status != 0 {
                let mut stream = reader.into_inner();
                let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            }
        }
    });
    let settings = settings::StackOneSink {
        endpoint,
        api_key: settings::Reference::Env("STACKONE_API_KEY".to_owned()),
        provider: "qlik".to_owned(),
        accounts: [("acme".parse().unwrap(), "45355976281015164504".to_owned())].into(),
        fields: settings::StackOneFields {
            tenant_name: "tenantName".to_owned(),
            region: "region".to_owned(),
            api_key: "apiKey".to_owned(),
        },
    };
    let token = Some(Ok(Secret::new(API_KEY.to_owned())));
    let access = Access { token, timeout: Duration::from_secs(20), ..Access::default() };
    (StackOneSink::of(&settings, SinkHash::of("stackone", "x"), access), asked)
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn address() -> Address {
    "qlik/acme/stackone".parse().unwrap()
}

fn payload(shape: Shape) -> Payload {
    let server = "https://x.us.qlikcloud.com";
    let parts = Parts { tenant: "x", region: "us", server, key_id: "k", description: "CI", expiry: None };
    render(shape, &parts, &Secret::new(KEY.to_owned()))
}

fn put(sink: &StackOneSink) -> Result<Option<Untrusted>, Put> {
    wait(sink.put(&address(), &Version::Unseen, &payload(Shape::Stackone)))
}

#[test]
fn an_account_gets_its_three_fields_and_nothing_else_once() {
    let (place, asked) = sink((200, ACTIVE_ACCOUNT), (200, "{}"));
    assert_eq!(put(&place), Ok(None));
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2, "{asked:?}");
    let (head, body) = asked[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("PATCH /accounts/45355976281015164504 HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/json"), "{head}");
    let basic = format!("Basic {}", STANDARD.encode(format!("{API_KEY}:")));
    assert!(head.contains(&basic), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let credentials = serde_json::json!({ "tenantName": "x", "region": "us", "apiKey": KEY });
    assert_eq!(body, serde_json::json!({ "credentials": credentials }));
    // Another shape has no such fields, and somebody else's address no account.
    let refused = wait(place.put(&address(), &Version::Unseen, &payload(Shape::Token)));
    assert!(matches!(refused, Err(Put::Refused(_))));
    let another: Address = "qlik/beta/stackone".parse().unwrap();
    let refused = wait(place.put(&another, &Version::Unseen, &payload(Shape::Stackone)));
    assert!(matches!(refused, Err(Put::Refused(_))));
}

#[test]
fn only_a_plain_refusal_is_taken_for_one() {
    for status in [301, 307, 400, 401, 403, 404, 409, 412, 422, 429] {
        let (place, asked) = sink((200, ACTIVE_ACCOUNT), (status, r#"{"message":"no"}"#));
        assert!(matches!(put(&place), Err(Put::Refused(_))), "{status}");
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
    for status in [0, 408, 500, 502, 503, 504] {
        let (place, asked) = sink((200, ACTIVE_ACCOUNT), (status, "{}"));
        assert!(matches!(put(&place), Err(Put::Unknown(_))), "{status}");
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
}

#[test]
fn what_stackone_says_of_an_account_is_told_and_undoes_no_delivery() {
    let error = r#"{"provider":"qlik","status":"error","status_reasons":[{"code":"401","description":"The key has expired","timestamp":"2026-11-28T00:00:00Z"}]}"#;
    let (place, _) = sink((200, error), (200, "{}"));
    let said = "StackOne says that the account 45355976281015164504 is error: The key has expired";
    assert_eq!(put(&place), Ok(Some(Untrusted::from(said))));
    assert_eq!(wait(place.trouble(&address())), Some(Untrusted::from(said)));
    let (place, _) = sink((404, "{}"), (200, "{}"));
    assert!(put(&place).unwrap().unwrap().raw().contains("does not tell how the account is"));
}

#[test]
fn an_account_of_another_connector_is_refused() {
    let (place, _) = sink((200, r#"{"provider":"bamboohr","status":"active"}"#), (200, "{}"));
    assert!(wait(place.preflight(&address())).unwrap_err().why.raw().contains("linked to bamboohr and not to qlik"));
    for (status, body) in [(401, "{}"), (404, "{}"), (200, "<html>"), (200, "{}"), (503, "{}")] {
        let (place, _) = sink((status, body), (200, "{}"));
        assert!(wait(place.preflight(&address())).is_err(), "{status}");
    }
    let (place, _) = sink((200, ACTIVE_ACCOUNT), (200, "{}"));
    assert!(wait(place.preflight(&address())).unwrap().starts_with("whether "));
}

#[test]
fn no_message_repeats_a_secret() {
    for secret in [API_KEY, KEY] {
        let body = format!(r#"{{"message":"no {secret}","provider_response":{{"message":"{secret}"}}}}"#);
        let account =
            format!(r#"{{"provider":"{secret}","status":"{secret}","status_reasons":[{{"description":"{secret}"}}]}}"#);
        for status in [200, 400, 401, 500] {
            let answer = if status == 200 { &account } else { &body };
            let (place, _) = sink((status, answer), (status, answer));
            let delivered = format!("{:?}", put(&place));
            assert!(!delivered.contains(secret), "{status}: {delivered}");
            // Later nobody knows what was delivered; a real one is known by its form.
            let later = format!("{:?} {:?}", wait(place.trouble(&address())), wait(place.preflight(&address())));
            assert!(secret == KEY || !later.contains(secret), "{status}: {later}");
        }
    }
}
