//! What GitHub may answer, each played by a server that says one thing to each path. A whole one is played in the stories, which need the box.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

use crate::model::origin::Origin;
use crate::model::secret::Secret;
use crate::model::settings::VariableName;
use crate::model::spec::Shape;
use crate::sink::payload::{Parts, render};

use super::*;

const TOKEN: &str = "github_pat_the-token-of-the-deploys-4711";
const KEY: &str = "the-1st-api-key-that-is-delivered";
const THERE: &str = r#"{"name":"X","created_at":"2026-11-01T08:00:00Z","updated_at":"2026-11-28T08:00:00Z"}"#;

/// What is answered to reads of public keys, one after the other and the last for ever, to reads of the secret, and to writes; a status of
/// 0 breaks the connection.
#[derive(Clone)]
struct Says {
    keys: Vec<(u16, String)>,
    secret: (u16, String),
    write: (u16, String),
}

impl Says {
    fn well() -> Self {
        Self { keys: vec![(200, public_key("1"))], secret: (200, THERE.to_owned()), write: (204, String::new()) }
    }

    fn nothing_is_there() -> Self {
        Self { secret: (404, r#"{"message":"Not Found"}"#.to_owned()), write: (201, "{}".to_owned()), ..Self::well() }
    }
}

/// The base point of the curve, which is a public key as good as any.
fn public_key(id: &str) -> String {
    format!(r#"{{"key_id":"{id}","key":"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}"#)
}

fn sink_of(says: &Says, of: GitHubOwner) -> (GitHubSink, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (heard, mut says) = (Arc::clone(&asked), says.clone());
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
            let (status, answer) = if head.contains("/public-key ") {
                if says.keys.len() > 1 { says.keys.remove(0) } else { says.keys[0].clone() }
            } else if head.starts_with("GET ") {
                says.secret.clone()
            } else {
                says.write.clone()
            };
            if status != 0 {
                let mut stream = reader.into_inner();
                let length =
                    if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", answer.len()) };
                let _ = write!(stream, "HTTP/1.1 {status} X\r\n{length}\r\n{answer}");
            }
        }
    });
    let settings = settings::GitHubSink {
        server,
        of,
        name: VariableName::parse("PROD_{vendor}_{tenant}_{key}").unwrap(),
        token: settings::Reference::Env("GH_SECRETS_TOKEN".to_owned()),
    };
    let fresh_token: Option<super::super::access::Read> = Some(Arc::new(|| Ok(Secret::new(TOKEN.to_owned()))));
    let access = Access { fresh_token, timeout: Duration::from_secs(20), ..Access::default() };
    (GitHubSink::of(&settings, SinkHash::of("github", "x"), access), asked)
}

fn sink(says: &Says) -> (GitHubSink, Arc<Mutex<Vec<String>>>) {
    sink_of(says, GitHubOwner::Repository("acme/deploy".to_owned()))
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn ci() -> Address {
    "qlik/acme-eu/ci".parse().unwrap()
}

fn payload_of(key: &str) -> Payload {
    let server = "https://x.us.qlikcloud.com";
    let parts = Parts { tenant: "x", region: "us", server, key_id: "k", description: "CI", expiry: None };
    render(Shape::Token, &parts, &Secret::new(key.to_owned()))
}

fn put(sink: &GitHubSink, version: &Version) -> Result<Option<Untrusted>, Put> {
    wait(sink.put(&ci(), version, &payload_of(KEY)))
}

fn seen() -> Version {
    Version::Word(Untrusted::from("2026-11-28T08:00:00Z"))
}

fn writes(asked: &Mutex<Vec<String>>) -> Vec<String> {
    asked.lock().unwrap().iter().filter(|asked| !asked.starts_with("GET ")).cloned().collect()
}

#[test]
fn absence_is_known_only_to_whoever_may_see_the_others_and_what_is_there_never() {
    let look = |says: &Says| wait(sink(says).0.look(&ci()));
    let there = look(&Says::well());
    assert_eq!((there.entry, there.version), (None, seen()));
    let nothing = look(&Says::nothing_is_there());
    assert_eq!((nothing.entry, nothing.version), (Some(Observed::Absent), Version::Nothing));
    for says in [
        Says { keys: vec![(404, "{}".to_owned())], ..Says::nothing_is_there() },
        Says { keys: vec![(403, "{}".to_owned())], ..Says::nothing_is_there() },
        Says { keys: vec![(200, r#"{"key_id":"1","key":"AAAA"}"#.to_owned())], ..Says::nothing_is_there() },
        Says { secret: (403, "{}".to_owned()), ..Says::well() },
        Says { secret: (302, String::new()), ..Says::well() },
        Says { secret: (200, "<html>".to_owned()), ..Says::well() },
        Says { secret: (200, r#"{"name":"X","updated_at":"now and \u001b[2Jthen"}"#.to_owned()), ..Says::well() },
    ] {
        let look = look(&says);
        assert_eq!((look.entry, look.version), (None, Version::Unknown), "{:?} {:?}", says.secret, says.keys);
        assert!(wait(sink(&says).0.preflight(&ci())).is_err(), "{:?} {:?}", says.secret, says.keys);
    }
}

#[test]
fn whoever_changed_it_since_the_look_is_not_replaced() {
    let elsewhen = Version::Word(Untrusted::from("2026-11-28T07:59:59Z"));
    for (says, version) in
        [(&Says::well(), Version::Nothing), (&Says::well(), elsewhen), (&Says::nothing_is_there(), seen())]
    {
        let (place, asked) = sink(says);
        assert_eq!(put(&place, &version), Err(Put::Conflict));
        assert_eq!(writes(&asked), Vec::<String>::new());
    }
    for version in [Version::Unknown, Version::Unseen, Version::Number(7)] {
        let (place, asked) = sink(&Says::well());
        assert!(matches!(put(&place, &version), Err(Put::Refused(_))));
        assert_eq!(*asked.lock().unwrap(), Vec::<String>::new());
    }
    let (place, asked) = sink(&Says::well());
    let large = wait(place.put(&ci(), &seen(), &payload_of(&"x".repeat(48 * 1024 + 1))));
    assert!(matches!(large, Err(Put::Refused(why)) if why.why.raw().contains("48 KiB")));
    assert_eq!(*asked.lock().unwrap(), Vec::<String>::new());
}

#[cfg(not(feature = "github-actions"))]
#[test]
fn a_program_that_cannot_seal_says_so_before_anything_is_asked_for() {
    let (place, asked) = sink(&Says::well());
    let refused = wait(place.preflight(&ci())).unwrap_err();
    assert!(refused.why.raw().contains("built without `github-actions`"), "{refused:?}");
    assert_eq!(*asked.lock().unwrap(), Vec::<String>::new());
    let Err(Put::Refused(refused)) = put(&place, &seen()) else { panic!("it was written") };
    assert!(refused.next.contains("--features github-actions"), "{refused:?}");
    assert_eq!(writes(&asked), Vec::<String>::new());
}

#[cfg(feature = "github-actions")]
mod sealed {
    use crate::model::settings::Visibility;

    use super::*;

    fn after(body: &str) -> serde_json::Value {
        serde_json::from_str(body.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    #[test]
    fn a_secret_is_sent_once_in_a_box_of_its_own_with_the_pinned_version_of_the_api() {
        let (place, asked) = sink(&Says::well());
        assert_eq!((put(&place, &seen()), put(&place, &seen())), (Ok(None), Ok(None)));
        let sent = writes(&asked);
        assert_eq!(sent.len(), 2);
        for sent in &sent {
            assert!(
                sent.starts_with("PUT /api/v3/repos/acme/deploy/actions/secrets/PROD_QLIK_ACME_EU_CI HTTP/1.1\r\n"),
                "{sent}"
            );
            for header in ["x-github-api-version: 2022-11-28", &format!("authorization: Bearer {TOKEN}")] {
                assert!(sent.contains(header), "{header}: {sent}");
            }
            assert_eq!(after(sent)["key_id"], "1");
        }
        // Its own key and a tag beside the payload; and no two alike.
        let boxes = [&sent[0], &sent[1]].map(|sent| after(sent)["encrypted_value"].as_str().unwrap().to_owned());
        assert_eq!(boxes[0].len(), (KEY.len() + 48).div_ceil(3) * 4);
        assert_ne!(boxes[0], boxes[1]);

        let environment =
            GitHubOwner::Environment { repository: "acme/deploy".to_owned(), environment: "eu / prod".to_owned() };
        let (place, asked) = sink_of(&Says::well(), environment);
        assert_eq!(put(&place, &seen()), Ok(None));
        let path = "/api/v3/repos/acme/deploy/environments/eu%20%2F%20prod/secrets/PROD_QLIK_ACME_EU_CI ";
        assert!(writes(&asked)[0].starts_with(&format!("PUT {path}")), "{:?}", writes(&asked));

        let selected = Visibility::Selected(vec![7, 8]);
        let (place, asked) =
            sink_of(&Says::well(), GitHubOwner::Organization { name: "acme".to_owned(), visibility: selected });
        assert_eq!(put(&place, &seen()), Ok(None));
        let sent = &writes(&asked)[0];
        assert!(sent.starts_with("PUT /api/v3/orgs/acme/actions/secrets/PROD_QLIK_ACME_EU_CI "), "{sent}");
        assert_eq!(after(sent)["selected_repository_ids"], serde_json::json!([7, 8]));
    }

    #[test]
    fn only_a_plain_refusal_is_taken_for_one() {
        for code in [301, 307, 400, 401, 403, 404, 409, 413, 422, 429] {
            let (place, asked) = sink(&Says { write: (code, "{}".to_owned()), ..Says::well() });
            let put = put(&place, &seen());
            assert!(matches!(put, Err(Put::Refused(_))), "{code}: {put:?}");
            assert_eq!(writes(&asked).len(), 1, "{code}");
        }
        for code in [0, 408, 500, 502, 503, 504] {
            let (place, asked) = sink(&Says { write: (code, "{}".to_owned()), ..Says::well() });
            let Err(Put::Unknown(why)) = put(&place, &seen()) else { panic!("{code} is taken for something") };
            assert!(why.why.raw().ends_with("; GitHub shows no change of it so far"), "{why:?}");
            assert_eq!(writes(&asked).len(), 1, "{code}");
        }
    }

    #[test]
    fn a_key_that_was_replaced_is_asked_for_once_more_and_no_write_is_repeated_for_another_reason() {
        for code in [400, 409, 422] {
            // It is looked at before the write, and again after the refusal.
            let keys = vec![(200, public_key("1")), (200, public_key("2")), (200, public_key("3"))];
            let (place, asked) = sink(&Says { keys, write: (code, "{}".to_owned()), ..Says::well() });
            assert!(matches!(put(&place, &seen()), Err(Put::Refused(_))));
            let ids: Vec<serde_json::Value> = writes(&asked).iter().map(|sent| after(sent)["key_id"].clone()).collect();
            assert_eq!(ids, ["1", "2"], "{code}");
        }
    }

    #[test]
    fn no_message_repeats_a_secret_or_moves_a_cursor() {
        for echo in [TOKEN.to_owned(), KEY.to_owned(), format!("\u{1b}[2J{}", "x".repeat(100_000))] {
            for code in [400, 401, 403, 404, 409, 422, 500] {
                let body = serde_json::json!({ "message": &echo }).to_string();
                let said =
                    format!("{:?}", put(&sink(&Says { write: (code, body.clone()), ..Says::well() }).0, &seen()));
                // To a read nobody gave the key. Nobody waits for what is asked three times.
                let quiet = body.replace(KEY, TOKEN);
                let read = (code != 500).then(|| {
                    let (place, _) =
                        sink(&Says { secret: (code, quiet.clone()), keys: vec![(code, quiet)], ..Says::well() });
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
