//! What changes something at Imburse: sent how often, read how, and what its outcomes say.

use super::*;

#[tokio::test]
async fn a_tenant_is_made_by_one_post_whatever_comes_back() {
    const POST: &str = "POST /v2/account/tenants";
    let documented = include_str!("../../../../fixtures/wire/imburse/tenant-created-2019.json");
    type Expected = fn(&Outcome<crate::model::imburse::ListedTenant>) -> bool;
    let table: [(fn() -> Play, Expected); 8] = [
        (
            || Play::Json(201, include_str!("../../../../fixtures/wire/imburse/tenant-created-2019.json").into()),
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
        let outcome = ImburseWriter::over(&mut imburse(&local)).create_tenant(&name(), "Test tenant", &address()).await;
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
                Play::Json(201, include_str!("../../../../fixtures/wire/imburse/key-created-2019.json").into())
            }
            _ => Play::Json(201, include_str!("../../../../fixtures/wire/imburse/tenant-created-2019.json").into()),
        })
        .await;
        let mut reader = imburse_at(&local, api, DATE);
        let imburse = ImburseWriter::over(&mut reader);
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
    let mut reader = imburse(&local);
    let imburse = ImburseWriter::over(&mut reader);
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
        let _ = ImburseWriter::over(&mut imburse(&local)).create_key(&name(), "t1", "n", &roles()).await;
        assert_eq!(local.count(KEYS), posts);
    }
}

#[tokio::test]
async fn a_new_key_is_tried_with_a_token_of_its_own() {
    for (answer, expected) in [
        (
            (|| Play::Json(200, include_str!("../../../../fixtures/wire/imburse/keys.json").into())) as fn() -> Play,
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
        "GET /v2/account" => Play::Json(200, include_str!("../../../../fixtures/wire/imburse/account.json").into()),
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
