//! Reads, tokens, paging, back-off.

use super::local::{Local, Play, SECRETS, account, host, qlik_at, token};
use crate::model::address::Name;
use crate::model::spec::Owner;
use crate::provider::http::ReadError;

const TOKEN: &str = "POST /oauth/token";
const TENANT: &str = r#"{"id":"t1","name":"n","hostnames":["abc.us.qlikcloud.com"],"status":"active"}"#;
const KEYS: &str = "GET /api/v1/api-keys?sort=%2Bcreated&limit=100";

/// What a user would read of an error; no secret of ours may be in it.
fn words(error: &ReadError) -> String {
    let unreadable = error.unreadable();
    let words = format!("{}; {}", unreadable.why, unreadable.next);
    for secret in SECRETS {
        assert!(!words.contains(secret), "{words}");
    }
    words
}

fn raw(status: &str, header: &str) -> Play {
    Play::Raw(format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: 0\r\n\r\n"))
}

#[tokio::test]
async fn one_token_serves_every_task_of_a_host_and_is_revoked_at_the_end() {
    let local = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        "GET /api/v1/tenants/t1" => Play::Json(200, TENANT.into()),
        KEYS => Play::Json(200, r#"{"data":[]}"#.into()),
        "POST /oauth/revoke" => Play::Json(200, String::new()),
        _ => Play::Close,
    })
    .await;
    let qlik = local.qlik();
    let (account, host) = (account(), host("abc"));
    let (one, two, three) = tokio::join!(
        qlik.tenant(&account, &host, Some("t1")),
        qlik.keys(&account, &host),
        qlik.tenant(&account, &host, Some("t1"))
    );
    assert_eq!(one.unwrap().name.raw(), "n");
    assert!(two.unwrap().is_empty() && three.is_ok());
    assert_eq!(local.count(TOKEN), 1);
    assert_eq!(qlik.requests_sent(), 4);
    assert_eq!(qlik.server_time().unwrap().to_string(), "1994-11-06T08:49:37Z");
    let sent = local.seen();
    assert_eq!(
        sent[0].body,
        format!(r#"{{"client_id":"client-id","client_secret":"{}","grant_type":"client_credentials"}}"#, SECRETS[0])
    );
    assert!(sent[1..].iter().all(|seen| seen.authorization == format!("Bearer {}-0", SECRETS[3])));
    let revoked = qlik.revoke_tokens().await;
    assert_eq!((revoked.done, revoked.failed), (1, 0));
    assert!(local.seen().last().unwrap().body.contains(r#""token":"access-token-5e1-0""#));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_a_wrong_secret_is_named() {
    let local = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        "GET /api/v1/tenants/t1" if seen.authorization.ends_with("-0") => {
            Play::Json(401, r#"{"errors":[{"code":"AUTH-1","title":"expired"}]}"#.into())
        }
        _ => Play::Json(200, TENANT.into()),
    })
    .await;
    assert!(local.qlik().tenant(&account(), &host("abc"), Some("t1")).await.is_ok());
    assert_eq!(local.count(TOKEN), 2);

    let wrong = include_str!("../../../../fixtures/wire/qlik/error-oauth-5.json");
    let local = Local::start(|_, _| Play::Json(401, wrong.into())).await;
    let error = local.qlik().tenant(&account(), &host("abc"), Some("t1")).await.unwrap_err();
    assert!(matches!(error, ReadError::Unauthorized(_)));
    let words = words(&error);
    assert!(
        words.contains("OAUTH-5") && words.contains("traceId e6f75a") && words.contains("accounts.us-oem.client"),
        "{words}"
    );
    assert_eq!(local.seen().len(), 1);
    // Those who waited for the same token share its refusal.
    let (qlik, account, host) = (local.qlik(), account(), host("abc"));
    let (one, two) = tokio::join!(qlik.keys(&account, &host), qlik.limits(&account, &host, "t1"));
    assert!(one.is_err() && two.is_err());
    assert_eq!(local.seen().len(), 2);
}

#[tokio::test]
async fn a_reply_without_end_is_cut_short() {
    let local = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        _ => Play::Json(200, format!(r#"{{"id":"t1","name":"{}"}}"#, "x".repeat(16 * 1024 * 1024))),
    })
    .await;
    let error = local.qlik().tenant(&account(), &host("abc"), Some("t1")).await.unwrap_err();
    assert!(words(&error).contains("larger than 16 MiB"));
    assert_eq!(local.seen().len(), 2);
}

#[tokio::test]
async fn a_redirected_request_for_a_token_is_not_followed_and_the_secret_stays() {
    for location in ["https://x.evil.example/oauth/token", "http://abc.us.qlikcloud.com/oauth/token", "/oauth/token2"] {
        for status in ["307 Temporary Redirect", "308 Permanent Redirect", "302 Found"] {
            let local = Local::start(move |_, _| raw(status, &format!("Location: {location}"))).await;
            let error = local.qlik().keys(&account(), &host("abc")).await.unwrap_err();
            let words = words(&error);
            assert!(
                words.contains("redirect") && words.contains("abc.us.qlikcloud.com") && !words.contains("evil"),
                "{words}"
            );
            assert_eq!(local.seen().len(), 1);
            assert!(local.seen().iter().all(|seen| seen.host == "abc.us.qlikcloud.com"));
        }
    }
}

#[tokio::test]
async fn the_documented_redirect_of_me_is_followed_on_the_same_host_only() {
    for (location, followed) in [
        ("/api/v1/tenants/t1", true),
        ("https://abc.us.qlikcloud.com/api/v1/tenants/t1", true),
        ("https://x.evil.example/api/v1/tenants/t1", false),
        ("http://abc.us.qlikcloud.com/api/v1/tenants/t1", false),
    ] {
        let local = Local::start(move |seen, nth| match seen.line.as_str() {
            TOKEN => token(nth),
            "GET /api/v1/tenants/me" => raw("302 Found", &format!("Location: {location}\r\nContent-Type: text/html")),
            _ => Play::Json(200, TENANT.into()),
        })
        .await;
        let read = local.qlik().tenant(&account(), &host("abc"), None).await;
        assert_eq!(read.is_ok(), followed, "{location}");
        assert_eq!(local.seen().len(), if followed { 3 } else { 2 });
        assert!(local.seen().iter().all(|seen| seen.host == "abc.us.qlikcloud.com"));
        if let Err(error) = read {
            assert!(words(&error).contains("redirects elsewhere"));
        }
    }
}

#[tokio::test]
async fn pages_are_fetched_from_our_own_host_whatever_their_links_say() {
    let local = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        KEYS => Play::Json(200, r#"{"data":[{"id":"a","status":"active"}],"links":{"next":{"href":"http://x.evil.example/keys?limit=1&startingAfter=a%26b"}}}"#.into()),
        _ => Play::Json(200, r#"{"data":[{"id":"a","status":"active"},{"id":"b","status":"revoked"}],"links":{"next":null}}"#.into()),
    })
    .await;
    let keys = local.qlik().keys(&account(), &host("abc")).await.unwrap();
    assert_eq!(keys.keys().collect::<Vec<_>>(), ["a", "b"]);
    let last = local.seen().pop().unwrap();
    assert_eq!(
        (last.host.as_str(), last.line.as_str()),
        ("abc.us.qlikcloud.com", "GET /api/v1/api-keys?sort=%2Bcreated&limit=100&startingAfter=a%26b")
    );
}

#[tokio::test]
async fn a_list_that_loops_or_contradicts_itself_is_an_error_not_a_shorter_list() {
    for (second, words_of_it) in [
        (r#"{"data":[{"id":"b"}],"links":{"next":{"href":"?startingAfter=a"}}}"#, "a cursor came twice"),
        (r#"{"data":[{"id":"a"}],"links":{"next":{"href":"?startingAfter=c"}}}"#, "a page came twice"),
        (r#"{"data":[{"id":"b"}],"links":{"next":{"href":"?limit=1"}}}"#, "no cursor"),
        (r#"{"data":[{"id":"a","status":"revoked"}]}"#, "two different things"),
        (r#"{"data":[{"id":"../x"}]}"#, "without a proper id"),
        (r#"{"links":{}}"#, "not a list of keys"),
    ] {
        let local = Local::start(move |seen, nth| match seen.line.as_str() {
            TOKEN => token(nth),
            KEYS => Play::Json(200, r#"{"data":[{"id":"a"}],"links":{"next":{"href":"?startingAfter=a"}}}"#.into()),
            _ => Play::Json(200, second.into()),
        })
        .await;
        let error = local.qlik().keys(&account(), &host("abc")).await.unwrap_err();
        assert!(words(&error).contains(words_of_it), "{}", words(&error));
    }
}

#[tokio::test]
async fn reads_are_patient_with_limits_and_broken_servers() {
    let local = Local::start(|seen, nth| match (seen.line.as_str(), nth) {
        (TOKEN, nth) => token(nth),
        (_, 0) => raw("429 Too Many Requests", "Retry-After: 0"),
        (_, 1) => Play::Json(503, "{}".into()),
        (_, 2) => Play::Raw("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"id\":".into()),
        _ => Play::Json(200, TENANT.into()),
    })
    .await;
    assert!(local.qlik().tenant(&account(), &host("abc"), Some("t1")).await.is_ok());
    assert_eq!(local.seen().len(), 5);

    let limit = include_str!("../../../../fixtures/wire/qlik/error-429.json");
    let local = Local::start(move |seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        _ => Play::Raw(format!(
            "HTTP/1.1 429 X\r\nRetry-After: 0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{limit}",
            limit.len()
        )),
    })
    .await;
    let error = local.qlik().tenant(&account(), &host("abc"), Some("t1")).await.unwrap_err();
    assert!(words(&error).contains("HTTP-429") && words(&error).contains("wait 0 s"), "{}", words(&error));
    assert_eq!(local.seen().len(), 5);
}

#[tokio::test]
async fn only_the_vendors_own_404_says_that_a_key_is_not_there() {
    for (reply, absent) in
        [(r#"{"errors":[{"code":"APIKEYS-4","title":"Not found"}]}"#, true), ("<html>", false), ("{}", false)]
    {
        let local = Local::start(move |seen, nth| match seen.line.as_str() {
            TOKEN => token(nth),
            _ => Play::Json(404, reply.into()),
        })
        .await;
        let read = local.qlik().key(&account(), &host("abc"), "k1").await;
        assert_eq!(matches!(read, Ok(None)), absent, "{reply}");
        assert_eq!(matches!(read, Err(ReadError::Trouble(_))), !absent, "{reply}");
    }
    // A host that has no token for us says nothing of its keys.
    let local = Local::start(|_, _| Play::Json(404, r#"{"errors":[{"code":"X","title":"Not found"}]}"#.into())).await;
    let qlik = local.qlik();
    assert!(matches!(qlik.key(&account(), &host("abc"), "k1").await, Err(ReadError::Rejected(_))));
    assert!(matches!(qlik.tenant(&account(), &host("abc"), Some("t")).await, Err(ReadError::NotFound(_))));
}

#[tokio::test]
async fn a_disabled_tenant_says_so_without_a_second_token() {
    let disabled = include_str!("../../../../fixtures/wire/qlik/error-tenant-disabled.json");
    let local = Local::start(move |seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        _ => Play::Json(401, disabled.into()),
    })
    .await;
    let error = local.qlik().tenant(&account(), &host("abc"), Some("t1")).await.unwrap_err();
    assert!(matches!(error, ReadError::Disabled(_)));
    assert!(words(&error).contains("reactivate"));
    assert_eq!(local.count(TOKEN), 1);
}

#[tokio::test]
async fn credentials_stay_home() {
    let local = Local::start(|_, _| Play::Close).await;
    let qlik = local.qlik();
    let eu = crate::model::host::Region {
        label: crate::model::host::Label::parse("eu").unwrap(),
        domain: "qlikcloud.com".into(),
    };
    let elsewhere = eu.host(&crate::model::host::Label::parse("abc").unwrap());
    for error in [
        qlik.keys(&account(), &elsewhere).await.unwrap_err(),
        qlik.caller(&account(), &elsewhere, &Owner::Client).await.unwrap_err(),
    ] {
        assert!(words(&error).contains("no host of account us-oem's region"));
    }
    let new = crate::model::secret::Secret::new(SECRETS[4].into());
    assert!(qlik.try_key(&account(), &elsewhere, &new).await.is_err());
    assert!(qlik.tenant(&account(), &host("abc"), Some("../x")).await.is_err());
    assert_eq!((local.seen().len(), qlik.requests_sent()), (0, 0));
}

#[tokio::test]
async fn an_owners_key_goes_to_its_own_tenant() {
    let user = include_str!("../../../../fixtures/wire/qlik/users-me.json");
    let roles = include_str!("../../../../fixtures/wire/qlik/roles.json");
    let local = Local::start(move |seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        "GET /api/v1/users/me" => raw("302 Found", "Location: /api/v1/users/629a20185b4a5194788d9c1e"),
        "GET /api/v1/users/629a20185b4a5194788d9c1e" => Play::Json(200, user.into()),
        "GET /api/v1/roles?limit=100" => Play::Json(200, roles.into()),
        _ => Play::Close,
    })
    .await;
    let bot = Owner::Configured(Name::parse("bot").unwrap());
    // A tenant has several names; the key goes to the one it was given for.
    let caller = local.qlik().caller(&account(), &host("xzoau8xi93gyfo0"), &bot).await.unwrap();
    assert_eq!(caller.user_id.raw(), "629a20185b4a5194788d9c1e");
    let hosts: Vec<String> = local.seen().into_iter().map(|seen| seen.host).collect();
    let (own, asked) = ("mycorp.us.qlikcloud.com", "xzoau8xi93gyfo0.us.qlikcloud.com");
    assert_eq!(hosts, [own, own, asked, asked]);
    assert_eq!(local.seen()[0].authorization, format!("Bearer {}", SECRETS[2]));
    assert_eq!(local.seen()[1].authorization, format!("Bearer {}", SECRETS[2]));
    assert_eq!(local.seen()[3].authorization, format!("Bearer {}-0", SECRETS[3]));
}

#[tokio::test]
async fn a_network_that_does_not_let_us_through_is_named() {
    // Bound and not listening: nobody else gets the port meanwhile.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let error = qlik_at(port, None).keys(&account(), &host("abc")).await.unwrap_err();
    let refused = words(&error);
    assert!(
        refused.contains("abc.us.qlikcloud.com: cannot connect")
            && refused.contains("refused")
            && refused.contains("network.proxy"),
        "{refused}"
    );

    let local = Local::start_with(|_, _| Play::Close, "403 Forbidden").await;
    let error = local.qlik().keys(&account(), &host("abc")).await.unwrap_err();
    assert!(
        words(&error).contains("(network.proxy) answers 403 to CONNECT abc.us.qlikcloud.com:443"),
        "{}",
        words(&error)
    );

    let local = Local::start(|_, _| Play::Close).await;
    let qlik = local.qlik_without_trust();
    let error = qlik.keys(&account(), &host("abc")).await.unwrap_err();
    assert!(
        words(&error).contains("certificate is not trusted") && words(&error).contains("network.ca_file"),
        "{}",
        words(&error)
    );
    assert_eq!(qlik.requests_sent(), 0);
}
