//! The wire against a scripted server: what was signed and sent, where, how often, and what became of it.
#![expect(clippy::unwrap_used, reason = "all of this is test code, some of it outside a test function")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Account, ImburseReader, ImburseWriter};
use crate::model::address::Name;
use crate::model::clock::Clocks;
use crate::model::host::Host;
use crate::model::imburse::{AccountRead, Api, PostalAddress};
use crate::model::origin::Origin;
use crate::model::secret::Secret;
use crate::provider::http::local::{Local, Play, Seen, network};
use crate::provider::http::{NetworkOptions, Outcome, ReadError, RejectionKind};

const HOST: &str = "sandbox-api.imbursepayments.com";
const ACCOUNT: &str = "53ca62f5-b124-447d-b593-2f7ea4fecdcc";
const PUBLIC: &str = "a123456b-c12c-123d-1ab4-18bd8c8e88a3";
const PRIVATE: &str = "AGHYR1aWYgHgyjhJLkVCd7b8XfAVeA4tuFwCQl3X64Y=";
const TENANT: &str = "88fdb12a-14dc-419c-b74c-422e2c25cfe7";
const TOKEN: &str = "POST /v2/identity/hmac";
/// What the scripted server says the time is.
const DATE: i64 = 784_111_777;

mod changes;

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

fn imburse_at(local: &Local, api: Api, now: i64) -> ImburseReader {
    let accounts = BTreeMap::from([(name(), account(api))]);
    let clocks = Clocks::new(Timestamp::from_second(now).unwrap());
    ImburseReader::new(NetworkOptions { clocks, ..network(local.port(), Some(local.ca_pem())) }, accounts, 8).unwrap()
}

fn imburse(local: &Local) -> ImburseReader {
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
    let (mut reader, name) = (imburse(&local), name());
    let writer = ImburseWriter::over(&mut reader);
    send(writer.reader().account(&name));
    send(writer.reader().list_tenants(&name));
    send(writer.create_tenant(&name, "n", &address()));
    send(writer.create_key(&name, TENANT, "n", &roles()));
    send(writer.reader().try_key(&name, TENANT, PUBLIC, &Secret::new(PRIVATE.to_owned())));
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
        let mut reader = imburse(&local);
        let imburse = ImburseWriter::over(&mut reader);
        let error = imburse.reader().get_tenant(&name(), TENANT).await.unwrap_err();
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
    assert!(matches!(
        ImburseWriter::over(&mut imburse(&local)).delete_key(&name(), TENANT, PUBLIC).await,
        Outcome::Unknown(_)
    ));
}
