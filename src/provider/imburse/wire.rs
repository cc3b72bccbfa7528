//! The vendor's replies as they are documented, in the names of each generation. No serde message leaves this module: they quote values.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::model::imburse::{AccountDetails, Api, ListedKey, PostalAddress, StatusDetails, TenantAddress};
use crate::model::redact::of_vendor;
use crate::model::secret::Secret;
use crate::model::untrusted::Untrusted;

use super::super::http::{Envelope, RejectionKind, kind};

/// Reads a reply; the error says only what was expected and where the reading stopped.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| {
        let line = error.line();
        format!("the reply is not {what} as documented (line {line}, column {})", error.column())
    })
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// Text; what is null or left out is empty.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Untrusted, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default().into())
}

/// A whole number, or one in quotes: the documents have both.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenReply {
    #[serde(deserialize_with = "secret")]
    pub(super) access_token: Secret,
    #[serde(default)]
    expires: Value,
}

/// A time beyond this is told in milliseconds: in seconds it would be the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;

impl TokenReply {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let reply: Self = parse(body, "a token")?;
        if reply.access_token.is_empty() { Err("the reply holds an empty token".to_owned()) } else { Ok(reply) }
    }

    /// When it ends, in seconds since the epoch.
    pub(super) fn expires(&self) -> Option<i64> {
        number(&self.expires).map(|at| if at >= MILLISECONDS { at / 1000 } else { at })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TenantReply {
    #[serde(alias = "id")]
    pub(super) tenant_id: String,
    #[serde(default, deserialize_with = "text")]
    name: Untrusted,
    #[serde(default, deserialize_with = "text")]
    status: Untrusted,
    #[serde(default)]
    address: Option<Address>,
    #[serde(default)]
    status_details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Address {
    #[serde(deserialize_with = "text")]
    street_address: Untrusted,
    #[serde(alias = "extendedStreetAddress", deserialize_with = "text")]
    extended_address: Untrusted,
    #[serde(deserialize_with = "text")]
    locality: Untrusted,
    #[serde(deserialize_with = "text")]
    region: Untrusted,
    #[serde(deserialize_with = "text")]
    post_code: Untrusted,
    #[serde(deserialize_with = "text")]
    country: Untrusted,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    #[serde(deserialize_with = "text")]
    created_on: Untrusted,
    #[serde(deserialize_with = "text")]
    approved_on: Untrusted,
    #[serde(deserialize_with = "text")]
    rejected_on: Untrusted,
    #[serde(deserialize_with = "text")]
    rejection_reason: Untrusted,
    #[serde(deserialize_with = "text")]
    deleted_on: Untrusted,
}

impl TenantReply {
    pub(super) fn live(self) -> crate::model::imburse::ListedTenant {
        let said =
            |text: Untrusted| (!text.raw().trim().is_empty() && !text.raw().starts_with("0001-")).then_some(text);
        let address = self.address.unwrap_or_default();
        let details = self.status_details.unwrap_or_default();
        crate::model::imburse::ListedTenant {
            id: self.tenant_id.into(),
            name: self.name,
            status: self.status,
            address: TenantAddress {
                street_address: address.street_address,
                extended_address: address.extended_address,
                locality: address.locality,
                region: address.region,
                post_code: address.post_code,
                country: address.country,
            },
            details: StatusDetails {
                created_on: said(details.created_on),
                approved_on: said(details.approved_on),
                rejected_on: said(details.rejected_on),
                rejection_reason: said(details.rejection_reason),
                deleted_on: said(details.deleted_on),
            },
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) row_count: usize,
    pub(super) results: Vec<TenantReply>,
}

/// Every key of a holder, in one list.
#[derive(Deserialize)]
pub(super) struct Keys {
    #[serde(rename = "tenantKeys", alias = "accountKeys")]
    pub(super) keys: Vec<KeyReply>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyReply {
    pub(super) public_key: String,
    #[serde(default, deserialize_with = "text")]
    name: Untrusted,
    #[serde(default)]
    roles: Option<Vec<String>>,
}

impl KeyReply {
    pub(super) fn roles(self) -> BTreeSet<Untrusted> {
        self.roles.unwrap_or_default().into_iter().map(Untrusted::new).collect()
    }

    pub(super) fn live(self) -> ListedKey {
        let (public_key, name) = (self.public_key.clone(), self.name.clone());
        ListedKey::new(public_key, name.raw(), self.roles())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Minted {
    pub(super) public_key: String,
    #[serde(deserialize_with = "secret")]
    pub(super) private_key: Secret,
    #[serde(default, deserialize_with = "text")]
    pub(super) name: Untrusted,
    #[serde(default)]
    roles: Option<Vec<String>>,
}

impl Minted {
    pub(super) fn roles(&self) -> BTreeSet<Untrusted> {
        self.roles.iter().flatten().map(|role| Untrusted::new(role.as_str())).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountReply {
    #[serde(default, deserialize_with = "text")]
    account_id: Untrusted,
    #[serde(default, deserialize_with = "text")]
    company_name: Untrusted,
    #[serde(default, alias = "tenantCreationRequiresApproval")]
    tenant_creation_approval_required: Option<bool>,
    #[serde(default, alias = "licence")]
    license: Option<Licence>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Licence {
    #[serde(deserialize_with = "text")]
    license_name: Untrusted,
    max_tenants: Value,
    tenant_usage: Value,
}

impl AccountReply {
    pub(super) fn live(self) -> AccountDetails {
        let licence = self.license.unwrap_or_default();
        AccountDetails {
            account_id: self.account_id,
            company_name: self.company_name,
            // 2019's own sample leaves it out.
            tenant_creation_approval_required: self.tenant_creation_approval_required.unwrap_or(false),
            licence: licence.license_name,
            max_tenants: number(&licence.max_tenants).and_then(|most| u64::try_from(most).ok()),
            tenant_usage: number(&licence.tenant_usage).and_then(|used| u64::try_from(used).ok()).unwrap_or(0),
            key_roles: None,
        }
    }
}

/// What is sent to make a tenant: flat, in the names of the generation that is spoken.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewTenant<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    street_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_street_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locality: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
}

impl<'a> NewTenant<'a> {
    pub(super) fn new(name: &'a str, address: &'a PostalAddress, api: Api) -> Self {
        let second = address.extended_address.as_deref();
        let (extended_address, extended_street_address) = match api {
            Api::V2 | Api::V1 => (second, None),
            Api::Y2019 => (None, second),
        };
        Self {
            name,
            street_address: address.street_address.as_deref(),
            extended_address,
            extended_street_address,
            locality: address.locality.as_deref(),
            region: address.region.as_deref(),
            post_code: address.post_code.as_deref(),
            country: address.country.as_deref(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct NewKey<'a> {
    pub(super) name: &'a str,
    pub(super) roles: &'a BTreeSet<String>,
}

/// The vendor's envelope: `{"timestamp","correlationId","errors":[{"errorCode","message",…}]}`. `None` if the body is none.
pub(super) fn envelope(body: &[u8], secrets: &[&Secret]) -> Option<Envelope> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let clean = |text: &str| of_vendor(text, secrets);
    let word =
        |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(&clean).filter(|t| !t.is_empty());
    let errors = value.get("errors")?.as_array()?;
    let codes: Vec<String> = errors.iter().take(5).filter_map(|error| word(error, "errorCode")).collect();
    if codes.is_empty() {
        return None;
    }
    // The usual message only says to quote the correlation id, which we do.
    let told = errors.iter().filter_map(|error| word(error, "message"));
    let title = told.into_iter().find(|text| !text.starts_with("Please reference")).unwrap_or_default();
    Some(Envelope { code: Some(codes.join(", ")), title, trace: word(&value, "correlationId") })
}

/// What a refusal is about. What is not there is said with 404, or with 400 and a code that ends so.
pub(super) fn rejection(status: u16, code: Option<&str>) -> RejectionKind {
    let code = code.unwrap_or_default();
    if matches!(status, 400 | 404) && code.split(", ").any(|code| code.ends_with("_NOT_FOUND")) {
        return RejectionKind::NotFound;
    }
    // The code of a licence at its end is not published; whatever it is, it will name one of these.
    let licence = ["LICENSE", "LICENCE", "MAX_TENANTS"].iter().any(|word| code.contains(word));
    if licence && matches!(status, 400 | 402 | 403 | 409) { RejectionKind::Quota } else { kind(status, None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(expires: &str) -> Option<i64> {
        TokenReply::read(format!(r#"{{"accessToken":"t","expires":{expires}}}"#).as_bytes()).unwrap().expires()
    }

    #[test]
    fn expires_is_read_in_each_form_that_is_printed() {
        assert_eq!(token("1614350382"), Some(1_614_350_382));
        assert_eq!(token("\"1614350382\""), Some(1_614_350_382));
        assert_eq!(token("1560514835115"), Some(1_560_514_835));
        assert_eq!(token("\"1560514835115\""), Some(1_560_514_835));
        assert_eq!(token("null"), None);
        assert!(TokenReply::read(br#"{"accessToken":"","expires":0}"#).is_err());
    }

    #[test]
    fn tenants_of_both_generations_are_read() {
        let old: TenantReply =
            parse(include_bytes!("../../../fixtures/wire/imburse/tenant-created-2019.json"), "x").unwrap();
        let old = old.live();
        assert_eq!(old.address.extended_address.raw(), "The Second Street");
        assert!(old.status.raw().is_empty() && old.details.created_on.is_none());
        let page: Page = parse(include_bytes!("../../../fixtures/wire/imburse/tenants-page.json"), "x").unwrap();
        assert_eq!(page.row_count, 2);
        let [one, two]: [_; 2] = page.results.try_into().unwrap_or_else(|_| panic!("two tenants"));
        let (one, two) = (one.live(), two.live());
        assert_eq!((one.address.extended_address.raw(), one.status.raw()), ("Second floor", "Approved"));
        assert!(one.details.approved_on.is_some() && one.details.rejected_on.is_none());
        assert_eq!(two.details.rejection_reason.unwrap().raw(), "duplicate");
        let table: TenantReply = parse(br#"{"id":"t1","name":null}"#, "x").unwrap();
        assert_eq!(table.live().id.raw(), "t1");
    }

    #[test]
    fn accounts_of_both_generations_are_read() {
        let new: AccountReply = parse(include_bytes!("../../../fixtures/wire/imburse/account.json"), "x").unwrap();
        let new = new.live();
        assert_eq!((new.max_tenants, new.tenant_usage, new.tenant_creation_approval_required), (Some(10), 3, true));
        let old =
            br#"{"accountId":"a","tenantCreationRequiresApproval":true,"license":{"maxTenants":"-1","tenantUsage":1}}"#;
        let old = parse::<AccountReply>(old, "x").unwrap().live();
        assert_eq!((old.max_tenants, old.tenant_creation_approval_required), (None, true));
    }

    #[test]
    fn keys_of_both_generations_are_read() {
        let list: Keys = parse(include_bytes!("../../../fixtures/wire/imburse/keys.json"), "x").unwrap();
        assert_eq!(list.keys.len(), 1);
        for made in [
            &include_bytes!("../../../fixtures/wire/imburse/key-created.json")[..],
            include_bytes!("../../../fixtures/wire/imburse/key-created-2019.json"),
        ] {
            let made: Minted = parse(made, "x").unwrap();
            assert_eq!(made.public_key, "a123456b-c12c-123d-1ab4-18bd8c8e88a3");
            assert_eq!((made.name.raw(), made.roles().len()), ("Admin Key", 1));
        }
    }

    #[test]
    fn the_documented_envelope_is_read_and_everything_else_is_none() {
        let body = include_bytes!("../../../fixtures/wire/imburse/error.json");
        let read = envelope(body, &[]).unwrap();
        assert_eq!(read.code.as_deref(), Some("TENANT_ID_IS_REQUIRED"));
        assert_eq!((read.trace.as_deref(), read.title.as_str()), (Some("0HLPSRAQ7S0I6:00000002"), ""));
        for other in ["", "<html>", "{}", r#"{"errors":[]}"#, r#"{"errors":[{"code":"X"}]}"#, r#"{"errors":"x"}"#] {
            assert_eq!(envelope(other.as_bytes(), &[]), None, "{other}");
        }
        let secret = Secret::new("hunter2".to_owned());
        let body = br#"{"correlationId":"hunter2","errors":[{"errorCode":"A_hunter2","message":"hunter2"}]}"#;
        assert!(!format!("{:?}", envelope(body, &[&secret]).unwrap()).contains("hunter2"));
    }

    #[test]
    fn what_is_gone_is_said_in_two_ways() {
        assert_eq!(rejection(404, None), RejectionKind::NotFound);
        assert_eq!(rejection(400, Some("ORDER_NOT_FOUND")), RejectionKind::NotFound);
        assert_eq!(rejection(400, Some("TENANT_ID_IS_REQUIRED")), RejectionKind::Invalid);
        assert_eq!(rejection(403, Some("TENANT_NOT_FOUND")), RejectionKind::Forbidden);
        assert_eq!(rejection(400, Some("LICENSE_MAX_TENANTS_REACHED")), RejectionKind::Quota);
        assert_eq!(rejection(429, None), RejectionKind::RateLimited);
    }
}
