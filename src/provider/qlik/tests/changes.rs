//! Changes: how often each is sent, and what is made of every way in which a reply can fail.

use super::local::{Local, Play, SECRETS, account, host, qlik_at, token};
use crate::model::duration::Duration;
use crate::model::secret::Secret;
use crate::model::spec::{KeyLimits, Owner};
use crate::provider::http::{Outcome, RejectionKind, Trouble};
use crate::provider::qlik::{CreatedTenant, MintedKey, QlikWriter};

const TOKEN: &str = "POST /oauth/token";
const CREATE: &str = "POST /api/v1/tenants";
const MINT: &str = "POST /api/v1/api-keys";
const CREATED: &str = include_str!("../../../../fixtures/wire/qlik/tenant-created.json");
const MINTED: &str = include_str!("../../../../fixtures/wire/qlik/key-created.json");

/// What a server says to a question, which may be how often it was asked before.
type Answer<T> = dyn Fn(T) -> Play + Send + Sync;

async fn serve(play: impl Fn(usize) -> Play + Send + Sync + 'static) -> Local {
    Local::start(move |seen, nth| if seen.line == TOKEN { token(nth) } else { play(nth) }).await
}

async fn create(local: &Local) -> Outcome<CreatedTenant> {
    QlikWriter::over(&mut local.qlik()).create_tenant(&account(), &Secret::new(SECRETS[4].into())).await
}

async fn mint(local: &Local) -> Outcome<MintedKey> {
    let day = Duration::from_seconds(86_400);
    QlikWriter::over(&mut local.qlik()).mint(&account(), &host("abc"), &Owner::Client, "CI [qp1:x]", day).await
}

fn class<T>(outcome: &Outcome<T>) -> &'static str {
    match outcome {
        Outcome::NotSent(_) => "not sent",
        Outcome::Rejected(_) => "rejected",
        Outcome::Committed(_) => "committed",
        Outcome::CommittedUnreadable(_) => "committed, unreadable",
        Outcome::Unknown(_) => "unknown",
    }
}

fn words<T>(outcome: Outcome<T>) -> String {
    let Trouble { why, next } = match outcome {
        Outcome::NotSent(trouble) | Outcome::CommittedUnreadable(trouble) | Outcome::Unknown(trouble) => trouble,
        Outcome::Rejected(rejection) => rejection.trouble(),
        Outcome::Committed(_) => panic!("it was committed"),
    };
    let words = format!("{why}; {next}");
    for secret in SECRETS {
        assert!(!words.contains(secret), "{words}");
    }
    words
}

fn cut(status: u16, body: &str) -> Play {
    Play::Raw(format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{body}"))
}

fn html(status: u16) -> Play {
    Play::Raw(format!("HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"))
}

#[tokio::test]
async fn a_tenant_is_asked_for_once_whatever_happens() {
    let quota = include_str!("../../../../fixtures/wire/qlik/error-tenants-22.json");
    let elsewhere =
        CREATED.replace("ire7t7hg58avbmx.us.qlikcloud.com", "ire7t7hg58avbmx.us.qlikcloud.com.evil.example");
    let twice = CREATED.replacen("\"id\"", "\"id\": \"another\", \"id\"", 1);
    let cases: Vec<(Box<Answer<()>>, &str, &str)> = vec![
        (Box::new(|()| Play::Json(201, CREATED.into())), "committed", ""),
        (Box::new(|()| Play::Close), "unknown", "closed before a reply"),
        (Box::new(|()| Play::Silence), "unknown", "no reply within"),
        (Box::new(|()| cut(201, "{\"id\":")), "committed, unreadable", "cut off"),
        (Box::new(|()| Play::Json(201, "{\"id\":".into())), "committed, unreadable", "not a tenant"),
        (Box::new(|()| Play::Json(201, String::new())), "committed, unreadable", "empty"),
        (
            Box::new(move |()| Play::Json(201, elsewhere.clone())),
            "committed, unreadable",
            "TZXk9rFMoKgp7sgAwvczdAlKSSWuaa3e was made",
        ),
        (Box::new(move |()| Play::Json(201, twice.clone())), "committed, unreadable", "not a tenant"),
        (Box::new(|()| html(200)), "unknown", "in the vendor's place"),
        (Box::new(move |()| Play::Json(403, quota.into())), "rejected", "TENANTS-22"),
        (Box::new(|()| html(403)), "unknown", "no error of the vendor's"),
        (
            Box::new(|()| Play::Json(429, r#"{"errors":[{"code":"HTTP-429","title":"slow down"}]}"#.into())),
            "rejected",
            "HTTP-429",
        ),
        (Box::new(|()| html(429)), "unknown", "429"),
        (
            Box::new(|()| {
                Play::Json(
                    500,
                    r#"{"errors":[{"code":"TENANTS-24","title":"Internal server error"}],"traceId":"abc"}"#.into(),
                )
            }),
            "unknown",
            "traceId abc",
        ),
        (Box::new(|()| Play::Json(408, r#"{"errors":[{"code":"X","title":"late"}]}"#.into())), "unknown", "408"),
        (
            Box::new(|()| {
                Play::Raw(
                    "HTTP/1.1 307 X\r\nLocation: https://x.evil.example/api/v1/tenants\r\nContent-Length: 0\r\n\r\n"
                        .into(),
                )
            }),
            "unknown",
            "redirect",
        ),
    ];
    for (play, expected, said) in cases {
        let local = serve(move |_| play(())).await;
        let outcome = create(&local).await;
        assert_eq!((class(&outcome), local.count(CREATE)), (expected, 1), "{said}");
        assert!(local.seen().iter().all(|seen| seen.host == "register.us.qlikcloud.com"));
        if expected != "committed" {
            let words = words(outcome);
            assert!(words.contains(said), "{words}");
            assert!(words.starts_with("POST /api/v1/tenants at register.us.qlikcloud.com"), "{words}");
        }
    }
}

#[tokio::test]
async fn a_created_tenant_has_its_id_host_and_time_and_only_the_licence_key_was_sent() {
    let local = serve(|_| Play::Json(201, CREATED.into())).await;
    let Outcome::Committed(tenant) = create(&local).await else { panic!() };
    assert_eq!(tenant.hostname, host("ire7t7hg58avbmx"));
    assert_eq!(tenant.id.raw(), "TZXk9rFMoKgp7sgAwvczdAlKSSWuaa3e");
    assert_eq!(tenant.created.unwrap().to_string(), "2022-06-02T13:51:58.503Z");
    assert_eq!(local.seen().pop().unwrap().body, format!(r#"{{"licenseKey":"{}"}}"#, SECRETS[4]));
}

#[tokio::test]
async fn nothing_is_sent_where_there_is_no_connection_or_no_token() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let outcome =
        QlikWriter::over(&mut qlik_at(port, None)).create_tenant(&account(), &Secret::new(SECRETS[4].into())).await;
    assert!(matches!(outcome, Outcome::NotSent(_)));
    assert!(words(outcome).contains("refused"));

    let refused = include_str!("../../../../fixtures/wire/qlik/error-oauth-5.json");
    let local = Local::start(|_, _| Play::Json(401, refused.into())).await;
    let outcome = create(&local).await;
    assert!(matches!(outcome, Outcome::NotSent(_)));
    assert!(words(outcome).contains("OAUTH-5"));
    assert_eq!(local.count(CREATE), 0);
}

#[tokio::test]
async fn a_creation_whose_intent_stands_waits_for_nothing() {
    let limit = include_str!("../../../../fixtures/wire/qlik/error-429.json");
    let refused = format!(
        "HTTP/1.1 429 X\r\nRetry-After: 100\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{limit}",
        limit.len()
    );
    let local =
        serve(move |nth| if nth == 0 { Play::Raw(refused.clone()) } else { Play::Json(201, CREATED.into()) }).await;
    let mut reader = local.qlik();
    let writer = QlikWriter::over(&mut reader);
    let (account, licence_key) = (account(), Secret::new(SECRETS[4].into()));
    // Two have taken their turns, and the first is told to wait.
    for _ in 0..2 {
        writer.turn_to_create(&account).await.unwrap();
    }
    assert_eq!(class(&writer.create_tenant(&account, &licence_key).await), "rejected");
    let second = writer.create_tenant(&account, &licence_key);
    let outcome = tokio::time::timeout(std::time::Duration::from_secs(50), second).await.unwrap();
    assert_eq!((class(&outcome), local.count(CREATE)), ("committed", 2));
    // The next waits before there is anything of it.
    let third = tokio::time::timeout(std::time::Duration::from_millis(300), writer.turn_to_create(&account)).await;
    assert!(third.is_err());
}

#[tokio::test]
async fn a_quota_is_told_from_other_refusals() {
    let quota = include_str!("../../../../fixtures/wire/qlik/error-tenants-22.json");
    let local = serve(move |_| Play::Json(403, quota.into())).await;
    let Outcome::Rejected(rejection) = create(&local).await else { panic!() };
    assert_eq!((rejection.kind, rejection.has_envelope), (RejectionKind::Quota, true));
    assert!(rejection.next.contains("deactivate one"));
}

#[tokio::test]
async fn a_key_is_minted_again_only_after_a_429() {
    let other = MINTED.replacen("6f2b4f6e", "00000000", 1);
    let cases: Vec<(Box<Answer<usize>>, &str, usize)> = vec![
        (Box::new(|_| Play::Json(201, MINTED.into())), "committed", 1),
        (Box::new(|nth| if nth == 0 { html(429) } else { Play::Json(201, MINTED.into()) }), "committed", 2),
        (
            Box::new(|_| Play::Raw("HTTP/1.1 429 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n".into())),
            "rejected",
            3,
        ),
        (Box::new(|_| Play::Close), "unknown", 1),
        (Box::new(|_| Play::Silence), "unknown", 1),
        (Box::new(|_| html(502)), "unknown", 1),
        (Box::new(|_| cut(201, MINTED)), "committed, unreadable", 1),
        (Box::new(move |_| Play::Json(201, other.clone())), "committed, unreadable", 1),
        (
            Box::new(|_| {
                Play::Json(403, r#"{"errors":[{"code":"APIKEYS-1","title":"Requestor not allowed"}]}"#.into())
            }),
            "rejected",
            1,
        ),
        (Box::new(|_| Play::Json(401, r#"{"errors":[{"code":"X","title":"no"}]}"#.into())), "rejected", 1),
    ];
    for (n, (play, expected, times)) in cases.into_iter().enumerate() {
        let local = serve(play).await;
        let outcome = mint(&local).await;
        assert_eq!((class(&outcome), local.count(MINT)), (expected, times), "case {n}");
        if expected != "committed" {
            assert!(!words(outcome).contains("eyJ"), "case {n}");
        }
    }
}

#[tokio::test]
async fn a_minted_key_carries_its_token_and_was_asked_for_as_its_owner() {
    let local = serve(|_| Play::Json(201, MINTED.into())).await;
    let Outcome::Committed(key) = mint(&local).await else { panic!() };
    assert_eq!(key.id, "6f2b4f6e-8b1f-4b6e-9f5d-0c9a4f0e3a11");
    assert!(key.token.expose().starts_with("eyJ") && key.expiry.is_some() && key.created.is_some());
    let seen = local.seen();
    assert!(seen[0].body.contains("key-client-id") && seen[0].body.contains(SECRETS[1]));
    assert_eq!(seen[1].body, r#"{"description":"CI [qp1:x]","expiry":"P1D"}"#);
}

#[tokio::test]
async fn patches_say_exactly_what_is_declared() {
    let local = Local::start(
        |seen, nth| if seen.line == TOKEN { token(nth) } else { Play::Raw("HTTP/1.1 204 X\r\n\r\n".into()) },
    )
    .await;
    let mut reader = local.qlik();
    let qlik = QlikWriter::over(&mut reader);
    let (account, host) = (account(), host("abc"));
    let limits = KeyLimits { max_expiry: Some(Duration::from_seconds(2_592_000)), max_keys_per_user: Some(10) };
    assert!(matches!(qlik.rename(&account, &host, "t1", "Acme \"Corp\"").await, Outcome::Committed(())));
    assert!(matches!(qlik.set_alias(&account, &host, "t1", "acme.us.qlikcloud.com").await, Outcome::Committed(())));
    assert!(matches!(qlik.set_limits(&account, &host, "t1", &limits).await, Outcome::Committed(())));
    assert!(matches!(qlik.set_limits(&account, &host, "t1", &KeyLimits::default()).await, Outcome::Committed(())));
    assert!(matches!(qlik.trust(&account, &host).await, Outcome::Committed(())));
    assert!(matches!(qlik.permit(&account, &host, "r1").await, Outcome::Committed(())));
    assert!(matches!(qlik.describe(&account, &host, &Owner::Client, "k1", "d").await, Outcome::Committed(())));
    let sent: Vec<String> =
        local.seen().iter().filter(|s| s.line != TOKEN).map(|s| format!("{} {}", s.line, s.body)).collect();
    assert_eq!(
        sent,
        [
            r#"PATCH /api/v1/tenants/t1 [{"op":"replace","path":"/name","value":"Acme \"Corp\""}]"#,
            r#"PATCH /api/v1/tenants/t1 [{"op":"replace","path":"/hostnames/1","value":"acme.us.qlikcloud.com"}]"#,
            r#"PATCH /api/v1/api-keys/configs/t1 [{"op":"replace","path":"/max_api_key_expiry","value":"P30D"},{"op":"replace","path":"/max_keys_per_user","value":10}]"#,
            r#"PATCH /api/v1/oauth-clients/key-client-id/connection-configs/me [{"op":"replace","path":"/consentMethod","value":"trusted"}]"#,
            r#"PATCH /api/v1/roles/r1 [{"op":"add","path":"/assignedScopes/-","value":"api-keys"}]"#,
            r#"PATCH /api/v1/api-keys/k1 [{"op":"replace","path":"/description","value":"d"}]"#,
        ]
    );
}

#[tokio::test]
async fn what_is_not_there_is_revoked_if_the_vendor_says_so() {
    for (reply, expected) in [(r#"{"errors":[{"code":"X","title":"Not found"}]}"#, "committed"), ("{}", "unknown")] {
        let local = serve(move |_| Play::Json(404, reply.into())).await;
        let revoked = QlikWriter::over(&mut local.qlik()).revoke(&account(), &host("abc"), &Owner::Client, "k1").await;
        assert_eq!((class(&revoked), local.count("DELETE /api/v1/api-keys/k1")), (expected, 1));
    }
}

#[tokio::test]
async fn an_alias_that_is_refused_says_why() {
    let refusal = include_str!("../../../../fixtures/wire/qlik/error-patch-meta-object.json");
    let local = serve(move |_| Play::Json(400, refusal.into())).await;
    let outcome =
        QlikWriter::over(&mut local.qlik()).set_alias(&account(), &host("abc"), "t1", "x.us.qlikcloud.com").await;
    let words = words(outcome);
    assert!(words.contains("between 3 and 63 characters") && words.contains("choose another"), "{words}");
}
