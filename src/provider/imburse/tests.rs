//! The wire against a scripted server: what was signed and sent, where, how often, and what became of it.
#![expect(clippy::unwrap_used, reason = "all of this is test code, some of it outside a test function")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Account, Imburse};
use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::imburse::{AccountRead, Api, PostalAddress};
use crate::model::origin::Origin;
use crate::model::secret::Secret;
use crate::provider::http::local::{Local, Play, Seen, network};
use crate::provider::http::{Outcome, ReadError, RejectionKind};

const HOST: &str = "sandbox-api.imbursepayments.com";
const ACCOUNT: &str = "53ca62f5-b124-447d-b593-2f7ea4fecdcc";
const PUBLIC: &str = "a123456b-c12c-123d-1ab4-18bd8c8e88a3";
const PRIVATE: &str = "AGHYR1aWYgHgyjhJLkVCd7b8XfAVeA4tuFwCQl3X64Y=";
const TENANT: &str = "88fdb12a-14dc-419c-b74c-422e2c25cfe7";
const TOKEN: &str = "POST /v2/identity/hmac";
/// What the scripted server says the time is.
const DATE: i64 = 784_111_777;

fn name() -> Name {
    Name::parse("pay").unwrap()
}

fn account(api: Api) -> Account {
    Account {
        host: Host::of_origin(&Origin::parse(&format!("https://{HOST}")).unwrap()).unwrap(),
        account_id: ACCOUNT.to_owned(),
        api,
        public_key: Secret::new(PUBLIC.to_owned()),
        private_key: Secret::new(PRIVATE.to_owned()),
    }
}

fn imburse_at(local: &Local, api: Api, now: i64) -> Imburse {
    let accounts = BTreeMap::from([(name(), account(api))]);
    let now = Timestamp::from_second(now).unwrap();
    Imburse::new(network(local.port(), Some(local.ca_pem())), accounts, 8, now).unwrap()
}

fn imburse(local: &Local) -> Imburse {
    imburse_at(local, Api::V2, DATE)
}

fn token(nth: usize) -> Play {
    Play::Json(201, format!(r#"{{"accessToken":"access-token-{nth}","expires":{}}}"#, DATE + 3600))
}

fn refusal(status: u16, code: &str) -> Play {
    let body = format!(r#"{{"timestamp":1,"correlationId":"0HCORR:01","errors":[{{"errorCode":"{code}"}}]}}"#);
    Play::Json(status, body)
}

/// What a user would read of an error; no secret of ours may be in it.
fn words(error: &ReadError) -> String {
    let unreadable = error.unreadable();
    clean(format!("{}; {}", unreadable.why, unreadable.next))
}

fn clean(words: String) -> String {
    for secret in [PRIVATE, "access-token"] {
        assert!(!words.contains(secret), "{words}");
    }
    words
}

fn signed_at(seen: &Seen) -> i64 {
    seen.authorization.split(':').nth(2).unwrap().parse().unwrap()
}

fn nonce(seen: &Seen) -> String {
    seen.authorization.split(':').nth(1).unwrap().to_owned()
}

fn roles() -> BTreeSet<String> {
    BTreeSet::from(["tenant-admin".to_owned()])
}

fn address() -> PostalAddress {
    PostalAddress {
        street_address: Some("8 Thames Street".to_owned()),
        extended_address: Some("Floor 2".to_owned()),
        ..PostalAddress::default()
    }
}

/// The futures cross threads; a tool that reads many tenants spawns them.
#[tokio::test]
async fn every_call_can_be_spawned() {
    fn send<T: Send>(_: T) {}
    let local = Local::start(|_, _| Play::Close).await;
    let (imburse, name) = (imburse(&local), name());
    send(imburse.account(&name));
    send(imburse.list_tenants(&name));
    send(imburse.create_tenant(&name, "n", &address()));
    send(imburse.create_key(&name, TENANT, "n", &roles()));
    send(imburse.try_key(&name, TENANT, PUBLIC, &Secret::new(PRIVATE.to_owned())));
}

#[tokio::test]
async fn one_signature_buys_one_token_for_every_call_of_the_account() {
    let local = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        _ => Play::Json(200, include_str!("../../../fixtures/wire/imburse/keys.json").into()),
    })
    .await;
    let (imburse, name) = (imburse(&local), name());
    let (one, two) = tokio::join!(imburse.list_keys(&name, TENANT), imburse.list_keys(&name, TENANT));
    assert_eq!((one.unwrap().len(), two.unwrap().len()), (1, 1));
    assert_eq!(local.count(TOKEN), 1);
    let sent = local.seen();
    assert!(sent[0].authorization.starts_with(&format!("Hmac {PUBLIC}:")));
    assert!((DATE..DATE + 5).contains(&signed_at(&sent[0])));
    assert_eq!(sent[1].authorization, "Bearer access-token-0");
    assert_eq!(sent[1].line, format!("GET /v2/account/tenants/{TENANT}/keys"));
    assert_eq!((sent[1].headers["x-account-id"].as_str(), sent[1].host.as_str()), (ACCOUNT, HOST));
    assert!(!sent[1].headers.contains_key("x-tenant-id"));
    assert!(sent[1].headers["x-correlation-id"] != sent[2].headers["x-correlation-id"]);
}

#[tokio::test]
async fn the_tokens_of_every_form_of_expires_are_kept_while_they_live() {
    for (expires, exchanges) in [
        (format!("{}", DATE + 3600), 1),
        (format!("\"{}\"", DATE + 3600), 1),
        (format!("{}115", DATE + 3600), 1),
        (format!("\"{}115\"", DATE + 3600), 1),
        ("null".to_owned(), 1),
    ] {
        let form = expires.clone();
        let local = Local::start(move |seen, _| match seen.line.as_str() {
            TOKEN => Play::Json(201, format!(r#"{{"accessToken":"access-token","expires":{expires}}}"#)),
            _ => Play::Json(200, r#"{"tenantKeys":[]}"#.into()),
        })
        .await;
        let imburse = imburse(&local);
        imburse.list_keys(&name(), TENANT).await.unwrap();
        imburse.list_keys(&name(), TENANT).await.unwrap();
        assert_eq!(local.count(TOKEN), exchanges, "{form}");
    }
}

#[tokio::test]
async fn a_machine_whose_clock_is_wrong_signs_by_the_vendors_and_says_so() {
    for wrong in [-7_200, 30] {
        let local = Local::start(|seen, nth| match seen.line.as_str() {
            TOKEN if !(DATE - 300..=DATE + 1).contains(&signed_at(seen)) => refusal(400, "TIMESTAMP_EXPIRED"),
            TOKEN => token(nth),
            _ => Play::Json(200, r#"{"tenantKeys":[]}"#.into()),
        })
        .await;
        let imburse = imburse_at(&local, Api::V2, DATE + wrong);
        imburse.list_keys(&name(), TENANT).await.unwrap();
        let sent = local.seen();
        assert_eq!(local.count(TOKEN), 2);
        assert_ne!(nonce(&sent[0]), nonce(&sent[1]));
        assert!((-wrong - 2..=-wrong + 2).contains(&imburse.clock_skew().unwrap()));
    }
}

#[tokio::test]
async fn a_refused_key_is_named_with_code_and_correlation_id_and_asked_once() {
    let local = Local::start(|_, _| refusal(400, "HMAC_INVALID")).await;
    let error = imburse(&local).list_keys(&name(), TENANT).await.unwrap_err();
    assert!(matches!(error, ReadError::Unauthorized(_)));
    let words = words(&error);
    for part in ["HMAC_INVALID", "correlationId 0HCORR:01", "accounts.pay.account_key", HOST] {
        assert!(words.contains(part), "{words}");
    }
    assert_eq!(local.seen().len(), 1);
}

#[tokio::test]
async fn each_repeat_of_an_exchange_is_signed_anew() {
    let local = Local::start(|seen, nth| match (seen.line.as_str(), nth) {
        (TOKEN, 0) => Play::Close,
        (TOKEN, nth) => token(nth),
        _ => Play::Json(200, r#"{"tenantKeys":[]}"#.into()),
    })
    .await;
    imburse(&local).list_keys(&name(), TENANT).await.unwrap();
    let sent = local.seen();
    assert_eq!(local.count(TOKEN), 2);
    assert_ne!(nonce(&sent[0]), nonce(&sent[1]));
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let local = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        _ if seen.authorization.ends_with("-0") => refusal(401, "UNAUTHORIZED"),
        _ => Play::Json(200, r#"{"tenantKeys":[]}"#.into()),
    })
    .await;
    imburse(&local).list_keys(&name(), TENANT).await.unwrap();
    assert_eq!(local.count(TOKEN), 2);
}

fn page(from: usize, to: usize, count: usize) -> Play {
    let tenants: Vec<String> =
        (from..to).map(|n| format!(r#"{{"tenantId":"t{n}","name":"Tenant {n}","status":"Approved"}}"#)).collect();
    Play::Json(200, format!(r#"{{"currentPage":0,"rowCount":{count},"results":[{}]}}"#, tenants.join(",")))
}

#[tokio::test]
async fn a_list_is_read_to_its_end_however_few_come_at_once() {
    let local = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        "GET /v2/account/tenants?from=0&take=100" => refusal(400, "TAKE_IS_TOO_LARGE"),
        "GET /v2/account/tenants?from=0&take=20" => page(0, 20, 43),
        "GET /v2/account/tenants?from=20&take=20" => page(20, 40, 43),
        // An entry that has moved comes twice.
        "GET /v2/account/tenants?from=40&take=20" => page(39, 43, 43),
        _ => Play::Close,
    })
    .await;
    let tenants = imburse(&local).list_tenants(&name()).await.unwrap();
    assert_eq!(tenants.len(), 43);
    assert_eq!((tenants[0].id.raw(), tenants[42].name.raw()), ("t0", "Tenant 42"));
}

#[tokio::test]
async fn a_list_that_ends_early_or_never_or_contradicts_itself_is_an_error() {
    let short = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        line if line.contains("from=0&") => page(0, 3, 5),
        _ => page(0, 0, 5),
    })
    .await;
    let error = imburse(&short).list_tenants(&name()).await.unwrap_err();
    assert!(words(&error).contains("fewer tenants than it counts"));

    let two = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        _ => {
            let results = r#"{"tenantId":"t1","name":"a"},{"tenantId":"t1","name":"b"}"#;
            Play::Json(200, format!(r#"{{"rowCount":2,"results":[{results}]}}"#))
        }
    })
    .await;
    assert!(words(&imburse(&two).list_tenants(&name()).await.unwrap_err()).contains("two different things"));

    let odd = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        _ => Play::Json(200, r#"{"rowCount":1,"results":[{"tenantId":"../../x","name":"a"}]}"#.into()),
    })
    .await;
    assert!(words(&imburse(&odd).list_tenants(&name()).await.unwrap_err()).contains("without a proper id"));
}

#[tokio::test]
async fn what_is_gone_is_gone_with_404_and_with_400_and_with_nothing_else() {
    for (status, code, gone) in [
        (404, "TENANT_NOT_FOUND", true),
        (400, "TENANT_NOT_FOUND", true),
        (404, "SOMETHING", true),
        (400, "TENANT_ID_IS_REQUIRED", false),
        (403, "FORBIDDEN", false),
    ] {
        let local = Local::start(move |seen, nth| match seen.line.as_str() {
            TOKEN => token(nth),
            _ => refusal(status, code),
        })
        .await;
        let imburse = imburse(&local);
        let error = imburse.get_tenant(&name(), TENANT).await.unwrap_err();
        assert_eq!(matches!(error, ReadError::NotFound(_)), gone, "{status} {code}");
        assert!(words(&error).contains("correlationId 0HCORR:01"));
        let removed = imburse.delete_key(&name(), TENANT, PUBLIC).await;
        assert_eq!(matches!(removed, Outcome::Committed(())), gone, "{status} {code}");
    }
    // A page of some proxy's is no word of the vendor's.
    let local = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        _ => Play::Json(404, "{}".into()),
    })
    .await;
    let error = imburse(&local).get_tenant(&name(), TENANT).await.unwrap_err();
    assert!(matches!(error, ReadError::Trouble(_)));
    assert!(matches!(imburse(&local).delete_key(&name(), TENANT, PUBLIC).await, Outcome::Unknown(_)));
}

#[tokio::test]
async fn a_tenant_is_made_by_one_post_whatever_comes_back() {
    const POST: &str = "POST /v2/account/tenants";
    let documented = include_str!("../../../fixtures/wire/imburse/tenant-created-2019.json");
    type Expected = fn(&Outcome<crate::model::imburse::Tenant>) -> bool;
    let table: [(fn() -> Play, Expected); 8] = [
        (
            || Play::Json(201, include_str!("../../../fixtures/wire/imburse/tenant-created-2019.json").into()),
            |outcome| matches!(outcome, Outcome::Committed(tenant) if tenant.id.raw() == TENANT),
        ),
        (|| Play::Json(202, r#"{"tenantId":"t1","name":"n"}"#.into()), |o| matches!(o, Outcome::Committed(_))),
        (|| Play::Json(201, r#"{"tenantId":"../x"}"#.into()), |o| matches!(o, Outcome::CommittedUnreadable(_))),
        (|| Play::Json(201, String::new()), |o| matches!(o, Outcome::CommittedUnreadable(_))),
        (|| Play::Close, |o| matches!(o, Outcome::Unknown(_))),
        (|| Play::Silence, |o| matches!(o, Outcome::Unknown(_))),
        (|| Play::Json(503, "{}".into()), |o| matches!(o, Outcome::Unknown(_))),
        (
            || refusal(400, "LICENSE_MAX_TENANTS_REACHED"),
            |o| matches!(o, Outcome::Rejected(r) if r.kind == RejectionKind::Quota && r.has_envelope),
        ),
    ];
    assert!(documented.contains(TENANT));
    for (number, (play, expected)) in table.into_iter().enumerate() {
        let local = Local::start(move |seen, nth| match seen.line.as_str() {
            TOKEN => token(nth),
            _ => play(),
        })
        .await;
        let outcome = imburse(&local).create_tenant(&name(), "Test tenant", &address()).await;
        assert!(expected(&outcome), "row {number}");
        assert_eq!(local.count(POST), 1, "row {number}");
    }
}

#[tokio::test]
async fn each_generation_has_its_paths_and_names() {
    for (api, exchange, tenants, keys, second) in [
        (Api::V2, TOKEN, "/v2/account/tenants", "/v2/account/tenants/T/keys", "extendedAddress"),
        (Api::V1, "POST /v1/identity/hmac", "/v1/account/tenants", "/v1/account/tenants/T/keys", "extendedAddress"),
        (
            Api::Y2019,
            "POST /identity/v1/hmac/management",
            "/v1/account/tenants",
            "/v1/tenant/T/keys",
            "extendedStreetAddress",
        ),
    ] {
        let local = Local::start(move |seen, nth| match seen.line.as_str() {
            line if line == exchange => token(nth),
            line if line.ends_with("/keys") => {
                Play::Json(201, include_str!("../../../fixtures/wire/imburse/key-created-2019.json").into())
            }
            _ => Play::Json(201, include_str!("../../../fixtures/wire/imburse/tenant-created-2019.json").into()),
        })
        .await;
        let imburse = imburse_at(&local, api, DATE);
        assert!(matches!(imburse.create_tenant(&name(), "Acme", &address()).await, Outcome::Committed(_)));
        let Outcome::Committed(key) = imburse.create_key(&name(), TENANT, "Admin Key", &roles()).await else {
            panic!("no key")
        };
        assert_eq!((key.public_key.as_str(), key.private_key.expose()), (PUBLIC, PRIVATE));
        let sent = local.seen();
        assert_eq!(sent[0].line, exchange);
        assert_eq!(sent[1].line, format!("POST {tenants}"));
        assert_eq!(
            sent[1].body,
            format!(r#"{{"name":"Acme","streetAddress":"8 Thames Street","{second}":"Floor 2"}}"#)
        );
        assert_eq!(sent[2].line, format!("POST {}", keys.replace('T', TENANT)));
        assert_eq!(sent[2].body, r#"{"name":"Admin Key","roles":["tenant-admin"]}"#);
    }
}

#[tokio::test]
async fn a_key_is_minted_changed_and_removed_and_no_outcome_repeats_its_secret() {
    let local = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        line if line.starts_with("POST") => Play::Json(201, r#"{"publicKey":"k1","privateKey":""}"#.into()),
        line if line.starts_with("PUT") => refusal(405, "SERVICE_UNAVAILABLE"),
        _ => Play::Json(204, String::new()),
    })
    .await;
    let imburse = imburse(&local);
    let Outcome::CommittedUnreadable(trouble) = imburse.create_key(&name(), TENANT, "n", &roles()).await else {
        panic!("a key without its private half is no key")
    };
    assert!(clean(trouble.why.to_string()).contains("k1"));
    let Outcome::Rejected(refusal) = imburse.rename_key(&name(), TENANT, PUBLIC, "n", &roles()).await else {
        panic!("refused")
    };
    assert!(refusal.sentence().contains("405 SERVICE_UNAVAILABLE (correlationId 0HCORR:01)"), "{}", refusal.sentence());
    assert_eq!(local.seen().last().unwrap().line, format!("PUT /v2/account/tenants/{TENANT}/keys/{PUBLIC}"));
    assert!(matches!(imburse.delete_key(&name(), TENANT, PUBLIC).await, Outcome::Committed(())));
}

#[tokio::test]
async fn a_key_is_posted_again_only_after_what_certainly_did_nothing() {
    const KEYS: &str = "POST /v2/account/tenants/t1/keys";
    for (first, posts) in [
        ((|| Play::Json(429, "{}".into())) as fn() -> Play, 2),
        (|| Play::Close, 1),
        (|| Play::Json(500, "{}".into()), 1),
        (|| refusal(400, "TENANT_IS_PENDING_APPROVAL"), 1),
    ] {
        let local = Local::start(move |seen, nth| match (seen.line.as_str(), nth) {
            (TOKEN, nth) => token(nth),
            (_, 0) => first(),
            _ => Play::Json(201, r#"{"publicKey":"k1","privateKey":"aGk="}"#.into()),
        })
        .await;
        let _ = imburse(&local).create_key(&name(), "t1", "n", &roles()).await;
        assert_eq!(local.count(KEYS), posts);
    }
}

#[tokio::test]
async fn a_new_key_is_tried_with_a_token_of_its_own() {
    for (answer, expected) in [
        (
            (|| Play::Json(200, include_str!("../../../fixtures/wire/imburse/keys.json").into())) as fn() -> Play,
            Some(true),
        ),
        (|| Play::Json(200, r#"{"tenantKeys":[]}"#.into()), Some(false)),
        (|| refusal(403, "FORBIDDEN"), None),
    ] {
        let local = Local::start(move |seen, nth| match seen.line.as_str() {
            TOKEN => token(nth),
            _ => answer(),
        })
        .await;
        let private = Secret::new(PRIVATE.to_owned());
        let tried = imburse(&local).try_key(&name(), TENANT, PUBLIC, &private).await.unwrap();
        assert_eq!(tried.lists_itself, expected);
        let sent = local.seen();
        assert_eq!(sent[1].line, "GET /v2/tenant/keys");
        assert_eq!(
            (sent[1].headers["x-tenant-id"].as_str(), sent[1].headers["x-account-id"].as_str()),
            (TENANT, ACCOUNT)
        );
    }
    let local = Local::start(|_, _| refusal(400, "HMAC_INVALID")).await;
    let private = Secret::new(PRIVATE.to_owned());
    let error = imburse(&local).try_key(&name(), TENANT, PUBLIC, &private).await.unwrap_err();
    assert!(matches!(error, ReadError::Unauthorized(_)) && words(&error).contains("the new key"));
    let broken = Secret::new("no base64".to_owned());
    let error = imburse(&local).try_key(&name(), TENANT, PUBLIC, &broken).await.unwrap_err();
    assert!(words(&error).contains("not base64"));
    assert_eq!(local.seen().len(), 1);
}

#[tokio::test]
async fn an_account_is_read_with_its_keys_roles_or_forbidden() {
    let local = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        "GET /v2/account" => Play::Json(200, include_str!("../../../fixtures/wire/imburse/account.json").into()),
        _ => Play::Json(200, format!(r#"{{"publicKey":"{PUBLIC}","name":"k","roles":["account-admin"]}}"#)),
    })
    .await;
    let AccountRead::Present(account) = imburse(&local).account(&name()).await else { panic!("present") };
    assert_eq!((account.max_tenants, account.tenant_usage), (Some(10), 3));
    assert_eq!(account.key_roles.unwrap().first().unwrap().raw(), "account-admin");

    let local = Local::start(|seen, nth| match seen.line.as_str() {
        TOKEN => token(nth),
        _ => refusal(403, "FORBIDDEN"),
    })
    .await;
    let AccountRead::Forbidden(why) = imburse(&local).account(&name()).await else { panic!("forbidden") };
    assert!(why.next.contains("account-admin"));
}
