//! What GitLab may answer, each played by a server that says one thing to each path. A whole one is played in the stories.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

use crate::model::marker::{KeyUid, Letter, Marker, Nonce};
use crate::model::origin::Origin;
use crate::model::record::{LedgerId, Uid};
use crate::model::secret::Secret;
use crate::model::settings::{GitLabOwner, Shown, VariableName};
use crate::model::spec::Shape;
use crate::sink::payload::{Parts, render};

use super::*;

const TOKEN: &str = "glpat-the-token-of-the-project-4711";
const KEY: &str = "the-1st-api-key-that-is-delivered";

/// What is answered to reads of the value and of the metadata, and to writes of each; a status of 0 breaks the connection.
#[derive(Clone)]
struct Says {
    value: (u16, String),
    metadata: (u16, String),
    write: (u16, String),
    note: (u16, String),
}

impl Says {
    fn nothing_is_there() -> Self {
        let gone = (404, r#"{"message":"404 Variable Not Found"}"#.to_owned());
        let made = (201, "{}".to_owned());
        Self { value: gone.clone(), metadata: gone, write: made.clone(), note: made }
    }

    /// A payload with its metadata.
    fn holds(payload: &str, entries: &[SinkEntry]) -> Self {
        let journal = serde_json::json!({ "format": 1, "entries": entries }).to_string();
        let variable =
            |value: &str| (200, serde_json::json!({ "key": "X", "value": value, "hidden": false }).to_string());
        let done = (200, "{}".to_owned());
        Self { value: variable(payload), metadata: variable(&journal), write: done.clone(), note: done }
    }
}

fn settings(server: Origin, shown: Shown) -> settings::GitLabSink {
    settings::GitLabSink {
        server,
        of: GitLabOwner::Project("acme/deploy".to_owned()),
        name: VariableName::parse("PROD_{vendor}_{tenant}_{key}").unwrap(),
        token: settings::Reference::Env("GITLAB_TOKEN".to_owned()),
        environment_scope: "review/*".to_owned(),
        shown,
        protected: true,
        as_file: false,
    }
}

/// A sink at a server that says this, and what it was asked.
fn sink(says: &Says, shown: Shown) -> (GitLabSink, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (heard, says) = (Arc::clone(&asked), says.clone());
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
            let is_metadata = head.contains("_QLIK_PLAN?") || body.contains("_QLIK_PLAN\"");
            heard.lock().unwrap().push(format!("{head}\r\n{body}"));
            let (status, answer) = match (head.starts_with("GET "), is_metadata) {
                (true, false) if head.contains("/self") => &(200, r#"{"scopes":["api"]}"#.to_owned()),
                (true, false) if head.contains("/version") => &(200, r#"{"version":"17.8.1-ee"}"#.to_owned()),
                (true, false) => &says.value,
                (true, true) => &says.metadata,
                (false, false) => &says.write,
                (false, true) => &says.note,
            };
            if *status != 0 {
                let mut stream = reader.into_inner();
                let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            }
        }
    });
    let fresh_token: Option<super::super::access::Read> = Some(Arc::new(|| Ok(Secret::new(TOKEN.to_owned()))));
    let access = Access { fresh_token, timeout: Duration::from_secs(20), ..Access::default() };
    (GitLabSink::of(&settings(server, shown), SinkHash::of("gitlab", "x"), access), asked)
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn ci() -> Address {
    "qlik/acme-eu/ci".parse().unwrap()
}

fn payload(shape: Shape) -> Payload {
    let server = "https://x.us.qlikcloud.com";
    let parts = Parts { tenant: "x", region: "us", server, key_id: "k", description: "CI", expiry: None };
    render(shape, &parts, &Secret::new(KEY.to_owned()))
}

fn entry() -> SinkEntry {
    let (ledger, uid, key) = (LedgerId::new([1; 16]), Uid::new([3; 16]), ci().key().cloned().unwrap());
    SinkEntry {
        fingerprint: payload(Shape::Token).fingerprint(),
        marker: Marker {
            ledger: ledger.short().to_owned(),
            uid: KeyUid::of(&uid, &key),
            sink: SinkHash::of("gitlab", "x"),
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

/// The entry of another payload.
fn of(payload: &str) -> SinkEntry {
    SinkEntry { fingerprint: Fingerprint::of(payload.as_bytes()), key_id: format!("of-{payload}"), ..entry() }
}

fn put(sink: &GitLabSink, version: &Version) -> Result<(), Put> {
    wait(sink.put(&ci(), version, &payload(Shape::Token), &entry()))
}

fn seen(payload: &str) -> Version {
    Version::Payload(Fingerprint::of(payload.as_bytes()))
}

fn writes(asked: &Mutex<Vec<String>>) -> Vec<(String, serde_json::Value)> {
    let asked = asked.lock().unwrap();
    let parts = asked.iter().filter(|asked| !asked.starts_with("GET ")).map(|asked| {
        let (head, body) = asked.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap())
    });
    parts.collect()
}

#[test]
fn the_metadata_are_written_before_the_value_and_each_once() {
    let (place, asked) = sink(&Says::nothing_is_there(), Shown::Masked);
    assert_eq!(put(&place, &Version::Nothing), Ok(()));
    let sent = writes(&asked);
    assert_eq!(sent.len(), 2, "{sent:?}");
    for ((line, body), (name, masked)) in
        sent.iter().zip([("PROD_QLIK_ACME_EU_CI_QLIK_PLAN", false), ("PROD_QLIK_ACME_EU_CI", true)])
    {
        assert_eq!(line, "POST /api/v4/projects/acme%2Fdeploy/variables HTTP/1.1");
        assert_eq!((&body["key"], &body["masked"]), (&name.into(), &masked.into()));
        assert_eq!((&body["environment_scope"], &body["variable_type"]), (&"review/*".into(), &"env_var".into()));
        assert_eq!(
            (&body["protected"], &body["raw"], &body["masked_and_hidden"]),
            (&true.into(), &true.into(), &().into())
        );
        assert_eq!(body["description"], "Written by qlik-plan: qlik/acme-eu/ci");
    }
    let journal: serde_json::Value = serde_json::from_str(sent[0].1["value"].as_str().unwrap()).unwrap();
    assert_eq!(journal["entries"], serde_json::json!([entry()]));
    assert_eq!(sent[1].1["value"], KEY);
    assert!(asked.lock().unwrap().iter().all(|asked| asked.contains(&format!("private-token: {TOKEN}"))));

    // What stands there is replaced by name and scope, and what people wrote beside it stays.
    let (place, asked) = sink(&Says::holds("before", &[of("before")]), Shown::Masked);
    assert_eq!(put(&place, &seen("before")), Ok(()));
    let sent = writes(&asked);
    let path = "/api/v4/projects/acme%2Fdeploy/variables/PROD_QLIK_ACME_EU_CI";
    let scope = "?filter%5Benvironment_scope%5D=review%2F%2A HTTP/1.1";
    let lines: Vec<&str> = sent.iter().map(|(line, _)| line.as_str()).collect();
    assert_eq!(lines, [format!("PUT {path}_QLIK_PLAN{scope}"), format!("PUT {path}{scope}")]);
    for (_, body) in &sent {
        assert!(
            body.get("description").is_none() && body.get("environment_scope").is_none() && body.get("key").is_none()
        );
    }
    let journal: serde_json::Value = serde_json::from_str(sent[0].1["value"].as_str().unwrap()).unwrap();
    assert_eq!(journal["entries"], serde_json::json!([entry(), of("before")]));
}

#[test]
fn another_value_than_was_looked_at_is_not_replaced() {
    let there = Says::holds("before", &[of("before")]);
    for (says, version) in [
        (&there, seen("earlier")),
        (&there, Version::Nothing),
        (&Says::nothing_is_there(), seen("before")),
        (&Says::holds("a colleague's", &[of("before")]), seen("before")),
    ] {
        let (place, asked) = sink(says, Shown::Masked);
        assert_eq!(put(&place, &version), Err(Put::Conflict));
        assert_eq!(writes(&asked), []);
    }
    for version in [Version::Unknown, Version::Unseen, Version::Number(7), Version::Word(Untrusted::from("x"))] {
        let (place, asked) = sink(&there, Shown::Masked);
        assert!(matches!(put(&place, &version), Err(Put::Refused(_))));
        assert_eq!(writes(&asked), []);
    }
}

#[test]
fn only_a_plain_refusal_is_taken_for_one() {
    let taken = r#"{"message":{"key":["(PROD_QLIK_ACME_EU_CI) has already been taken"]}}"#;
    let nothing = Says::nothing_is_there();
    for (is_note, expected) in [(false, Put::Conflict), (true, Put::Conflict)] {
        let refused = (400, taken.to_owned());
        let says = if is_note {
            Says { note: refused, ..nothing.clone() }
        } else {
            Says { write: refused, ..nothing.clone() }
        };
        let (place, asked) = sink(&says, Shown::Masked);
        assert_eq!(put(&place, &Version::Nothing), Err(expected));
        assert_eq!(writes(&asked).len(), if is_note { 1 } else { 2 });
    }
    let there = Says::holds("before", &[of("before")]);
    let gone = Says { write: (404, r#"{"message":"404 Variable Not Found"}"#.to_owned()), ..there.clone() };
    assert_eq!(put(&sink(&gone, Shown::Masked).0, &seen("before")), Err(Put::Conflict));
    for code in [301, 307, 400, 401, 403, 404, 409, 413, 422, 429] {
        let (place, asked) = sink(&Says { write: (code, "{}".to_owned()), ..there.clone() }, Shown::Masked);
        let put = put(&place, &seen("before"));
        assert!(matches!(put, Err(Put::Refused(_))), "{code}: {put:?}");
        assert_eq!(writes(&asked).len(), 2);
    }
    for code in [0, 408, 500, 502, 503, 504] {
        let (place, asked) = sink(&Says { write: (code, "{}".to_owned()), ..there.clone() }, Shown::Masked);
        let put_value = put(&place, &seen("before"));
        assert!(matches!(put_value, Err(Put::Unknown(_))), "{code}: {put_value:?}");
        assert_eq!(writes(&asked).len(), 2);
        // The value has not left.
        let (place, asked) = sink(&Says { note: (code, "{}".to_owned()), ..there.clone() }, Shown::Masked);
        let noted = put(&place, &seen("before"));
        assert!(matches!(noted, Err(Put::Refused(_))), "{code}: {noted:?}");
        assert_eq!(writes(&asked).len(), 1);
    }
    // The answer to the metadata was lost, and they are there.
    let noted = Says { note: (0, String::new()), ..Says::holds("before", &[entry(), of("before")]) };
    assert_eq!(put(&sink(&noted, Shown::Masked).0, &seen("before")), Ok(()));
}

#[test]
fn what_is_read_is_ours_or_nothing_or_a_strangers() {
    let look = |says: &Says| wait(sink(says, Shown::Masked).0.look(&ci()));
    let found = look(&Says::holds(KEY, &[of("next"), entry(), of("before")]));
    assert_eq!((found.entry, found.version), (Some(Observed::Present(entry())), seen(KEY)));
    let nothing = look(&Says { metadata: Says::holds(KEY, &[entry()]).metadata, ..Says::nothing_is_there() });
    assert_eq!((nothing.entry, nothing.version), (Some(Observed::Absent), Version::Nothing));
    let ours = Says::holds(KEY, &[entry()]);
    let elsewhere = SinkEntry { key: "another".parse().unwrap(), ..entry() };
    let text = |value: &str| (200, serde_json::json!({ "value": value }).to_string());
    for says in [
        Says::holds("edited", &[entry()]),
        Says::holds(KEY, &[elsewhere]),
        Says { metadata: Says::nothing_is_there().metadata, ..ours.clone() },
        Says { metadata: text("a colleague's"), ..ours.clone() },
        Says { metadata: text(r#"{"format":2}"#), ..ours.clone() },
        Says { metadata: text(r#"{"format":1,"entries":[{}]}"#), ..ours.clone() },
        Says { value: (200, r#"{"value":null,"hidden":true}"#.to_owned()), ..ours.clone() },
        Says { value: (200, "<html>".to_owned()), ..ours.clone() },
        Says { value: (404, "<html>".to_owned()), ..ours.clone() },
        Says { value: (404, r#"{"message":"404 Project Not Found"}"#.to_owned()), ..ours.clone() },
        Says { value: (403, r#"{"message":"403 Forbidden"}"#.to_owned()), ..ours.clone() },
        Says { value: (401, r#"{"message":"401 Unauthorized"}"#.to_owned()), ..ours.clone() },
        Says { value: (302, String::new()), ..ours },
    ] {
        let look = look(&says);
        assert!(matches!(look.entry, Some(Observed::Unreadable(_))), "{:?}: {:?}", says.value, look.entry);
        assert_eq!(look.version, Version::Unknown);
    }
}

#[test]
fn a_hidden_variable_is_made_hidden_and_only_our_own_is_renewed() {
    let (place, asked) = sink(&Says::nothing_is_there(), Shown::Hidden);
    assert_eq!(put(&place, &Version::Nothing), Ok(()));
    let sent = writes(&asked);
    assert_eq!(sent.len(), 1, "nothing is kept beside it: {sent:?}");
    assert_eq!((&sent[0].1["masked"], &sent[0].1["masked_and_hidden"]), (&true.into(), &true.into()));
    let look = wait(place.look(&ci()));
    assert_eq!(
        (look.entry, look.version),
        (Some(Observed::Absent), Version::Nothing),
        "that nothing is there can be known"
    );
    assert_eq!(wait(place.read_back(&ci(), &entry())), ReadBack::Unseen);

    let there = |hidden: bool, description: &str| Says {
        value: (200, serde_json::json!({ "value": null, "hidden": hidden, "description": description }).to_string()),
        ..Says::nothing_is_there()
    };
    let ours = "Written by qlik-plan: qlik/acme-eu/ci";
    let (place, asked) = sink(&there(true, ours), Shown::Hidden);
    let look = wait(place.look(&ci()));
    assert_eq!((look.entry, look.version), (None, Version::Unseen));
    assert_eq!(put(&place, &Version::Nothing), Err(Put::Conflict));
    assert_eq!(writes(&asked), []);
    assert_eq!(put(&place, &Version::Unseen), Ok(()));
    assert!(writes(&asked)[0].0.starts_with("PUT "));
    for (says, why) in [
        (there(true, "of a colleague"), "did not write"),
        (there(true, "Written by qlik-plan: qlik/acme/eu-ci"), "did not write"),
        (there(false, ours), "is not hidden"),
    ] {
        let (place, asked) = sink(&says, Shown::Hidden);
        let Err(Put::Refused(refused)) = put(&place, &Version::Unseen) else { panic!("it was written") };
        assert!(refused.why.raw().contains(why), "{refused:?}");
        assert!(matches!(wait(place.preflight(&ci())), Writable::No(_)));
        assert_eq!(writes(&asked), []);
    }
}

#[test]
fn what_gitlab_would_not_mask_is_not_sent() {
    for value in ["seven77", "two words", "a\nb\nc\nd\n", "ends-so\n", "tabs\tthere", "\u{a0}not-seen"] {
        assert!(!form::is_maskable(value), "{value:?}");
    }
    for value in ["eight888", "$HOME-is-raw!", "eyJhbGciOiJFUzM4NCJ9.e30.x_-y"] {
        assert!(form::is_maskable(value), "{value:?}");
    }
    for shown in [Shown::Masked, Shown::Hidden] {
        let (place, asked) = sink(&Says::nothing_is_there(), shown);
        let refused = wait(place.put(&ci(), &Version::Nothing, &payload(Shape::Env), &entry()));
        assert!(matches!(refused, Err(Put::Refused(why)) if why.next.contains("deliver_as: token")));
        assert_eq!(*asked.lock().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn the_metadata_keep_what_may_still_be_on_its_way_and_no_more() {
    let others: Vec<SinkEntry> = ["a", "b", "c", "d", "holds"].map(of).to_vec();
    let text = form::journal(&entry(), Some(&of("holds").fingerprint), others).unwrap();
    let journal: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(journal["entries"], serde_json::json!([entry(), of("holds"), of("a"), of("b")]));
}

#[test]
fn no_message_repeats_a_secret_or_moves_a_cursor() {
    for echo in [TOKEN.to_owned(), KEY.to_owned(), format!("\u{1b}[2J{}", "x".repeat(100_000))] {
        for code in [400, 401, 403, 404, 409, 422, 500] {
            let (of_field, as_text) =
                (serde_json::json!({ "message": { &echo: [&echo] } }), serde_json::json!({ "message": &echo }));
            for body in [of_field.to_string(), as_text.to_string(), serde_json::json!({ "error": &echo }).to_string()] {
                let there = Says::holds("before", &[of("before")]);
                let says = Says { write: (code, body.clone()), ..there.clone() };
                let said = format!("{:?}", put(&sink(&says, Shown::Masked).0, &seen("before")));
                // To a read nobody gave the key. Nobody waits for what is asked three times.
                let quiet = body.replace(KEY, TOKEN);
                let read = (code != 500).then(|| {
                    let (place, _) = sink(&Says { value: (code, quiet), ..there }, Shown::Masked);
                    (wait(place.look(&ci())).entry, wait(place.preflight(&ci())))
                });
                let shown = format!("{said} {read:?}");
                for bad in [TOKEN, KEY, "\u{1b}"] {
                    assert!(!shown.contains(bad), "{code}: {shown}");
                }
                assert!(shown.len() < 10_000);
            }
        }
    }
}
