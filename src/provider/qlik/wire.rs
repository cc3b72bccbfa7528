//! The vendor's replies as they are documented, read leniently where the documents contradict each other. No serde message leaves this module: they quote values.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::model::clock::read_time;
use crate::model::duration::Duration;
use crate::model::live::{CallerLive, ConsentLive, KeyLimitsLive, KeyLive, KeyStatus, LicenceLive, QlikTenantLive};
use crate::model::marker::Marker;
use crate::model::secret::Secret;
use crate::model::untrusted::Untrusted;

/// Reads a reply; the error says only what was expected and where the reading stopped.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| {
        let line = error.line();
        format!("the reply is not {what} as documented (line {line}, column {})", error.column())
    })
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

#[derive(Deserialize)]
pub(crate) struct TokenReply {
    #[serde(deserialize_with = "secret")]
    pub(crate) access_token: Secret,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Option<Value>,
    #[serde(default)]
    expires_at: Option<Value>,
}

impl TokenReply {
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        let reply: Self = parse(body, "a token")?;
        if reply.access_token.is_empty() {
            return Err("the reply holds an empty token".to_owned());
        }
        match &reply.token_type {
            Some(kind) if !kind.eq_ignore_ascii_case("bearer") => Err("the token is not of type bearer".to_owned()),
            Some(_) | None => Ok(reply),
        }
    }

    /// Its life in seconds: `expires_in`, else `expires_at` by the server's clock; short when neither is told.
    pub(crate) fn life(&self, now: Option<Timestamp>) -> u64 {
        /// Long enough for one read of a tenant.
        const UNTOLD: u64 = 600;
        let seconds = self.expires_in.as_ref().and_then(whole_number);
        let until = || {
            let at: Timestamp = read_time(self.expires_at.as_ref()?.as_str()?)?;
            u64::try_from(at.as_second() - now?.as_second()).ok()
        };
        seconds.or_else(until).filter(|life| *life > 0).unwrap_or(UNTOLD)
    }
}

/// A whole number, written as a number or as text.
fn whole_number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => {
            number.as_u64().or_else(|| number.as_f64().and_then(|f| format!("{:.0}", f.floor()).parse().ok()))
        }
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[derive(Deserialize)]
pub(crate) struct TenantReply {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) hostnames: Vec<String>,
    #[serde(default)]
    status: String,
    #[serde(default)]
    pub(crate) created: Option<String>,
}

impl TenantReply {
    pub(crate) fn live(self) -> QlikTenantLive {
        QlikTenantLive {
            id: self.id.into(),
            name: self.name.into(),
            hostnames: self.hostnames.into_iter().map(Untrusted::new).collect(),
            status: self.status.into(),
            created: self.created.as_deref().and_then(read_time),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyReply {
    pub(crate) id: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    created_by_user: Option<String>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    expiry: Option<String>,
}

impl KeyReply {
    pub(crate) fn live(self) -> Result<KeyLive, String> {
        let description = self.description.unwrap_or_default();
        let (text, marker) = Marker::split(&description);
        let times = time(self.created.as_deref(), "created")
            .and_then(|created| Ok((created, time(self.expiry.as_deref(), "expiry")?)));
        let (created, expiry, is_readable) = match times {
            Ok((created, expiry)) => (created, expiry, true),
            // A stranger's key is unknown then, and only that key.
            Err(_) if marker.is_none() => (None, None, false),
            Err(why) => return Err(why),
        };
        Ok(KeyLive {
            text: text.into(),
            marker,
            status: match self.status.as_deref() {
                Some("active") if !is_readable => KeyStatus::Unknown,
                Some("active") => KeyStatus::Active,
                Some("expired") => KeyStatus::Expired,
                Some("revoked") => KeyStatus::Revoked,
                Some(_) | None => KeyStatus::Unknown,
            },
            sub: self.sub.unwrap_or_default().into(),
            created_by: self.created_by_user.unwrap_or_default().into(),
            created,
            expiry,
            id: self.id,
        })
    }
}

/// A date that is there but cannot be read is an error: taken for "none", it would mean "never".
fn time(text: Option<&str>, field: &str) -> Result<Option<Timestamp>, String> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => read_time(text).map(Some).ok_or_else(|| format!("the reply's {field} is no date")),
    }
}

/// The reply to a minting. It holds the secret, so it has no Debug.
#[derive(Deserialize)]
pub(crate) struct Minted {
    pub(crate) id: String,
    #[serde(deserialize_with = "secret")]
    pub(crate) token: Secret,
    #[serde(default)]
    expiry: Option<String>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    pub(crate) sub: Option<String>,
}

impl Minted {
    pub(crate) fn times(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), String> {
        Ok((time(self.expiry.as_deref(), "expiry")?, time(self.created.as_deref(), "created")?))
    }
}

/// The `jti` of a signed token: the id of the key that it is.
pub(crate) fn key_id_of(token: &Secret) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        jti: String,
    }
    let mut parts = token.expose().split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let claims = zeroize::Zeroizing::new(URL_SAFE_NO_PAD.decode(claims).ok()?);
    serde_json::from_slice::<Claims>(&claims).ok().map(|claims| claims.jti).filter(|id| !id.is_empty())
}

#[derive(Deserialize)]
pub(crate) struct Limits {
    #[serde(default)]
    max_api_key_expiry: Option<String>,
    #[serde(default)]
    max_keys_per_user: Option<Value>,
}

impl Limits {
    /// What the reply leaves out has the documented default.
    pub(crate) fn live(&self) -> Result<KeyLimitsLive, String> {
        let default = KeyLimitsLive::VENDOR_DEFAULT;
        let max_expiry = match &self.max_api_key_expiry {
            None => default.max_expiry,
            Some(text) => length(text).ok_or("the reply's max_api_key_expiry is no duration")?,
        };
        let max_keys_per_user = match &self.max_keys_per_user {
            None => default.max_keys_per_user,
            Some(value) => {
                let number = whole_number(value).ok_or("the reply's max_keys_per_user is no number")?;
                u32::try_from(number).unwrap_or(u32::MAX)
            }
        };
        Ok(KeyLimitsLive { max_expiry, max_keys_per_user })
    }
}

/// The vendor may write years and months, which we do not; read as their shortest length.
fn length(text: &str) -> Option<Duration> {
    if let Ok(duration) = Duration::parse(text) {
        return Some(duration);
    }
    let span: jiff::Span = text.parse().ok()?;
    let days = i64::from(span.get_years()) * 365
        + i64::from(span.get_months()) * 28
        + i64::from(span.get_weeks()) * 7
        + i64::from(span.get_days());
    let seconds = days * 86_400 + i64::from(span.get_hours()) * 3_600 + span.get_minutes() * 60 + span.get_seconds();
    u64::try_from(seconds).ok().map(Duration::from_seconds)
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Role {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default, rename = "type")]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) can_edit: Option<bool>,
    #[serde(default)]
    assigned_scopes: Option<Vec<String>>,
}

impl Role {
    pub(crate) fn manages_api_keys(&self) -> bool {
        self.assigned_scopes.iter().flatten().any(|scope| scope == "api-keys")
    }

    /// The other permissions, in order, each once.
    pub(crate) fn also_allows(&self) -> Vec<Untrusted> {
        let others = self.assigned_scopes.iter().flatten().filter(|scope| *scope != "api-keys");
        let sorted: BTreeSet<&String> = others.collect();
        sorted.into_iter().map(|scope| Untrusted::from(scope.as_str())).collect()
    }

    /// Not one that people made. Where the vendor does not say, it is taken for one of theirs.
    pub(crate) fn is_built_in(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind != "custom")
    }

    pub(crate) fn is_user_default(&self) -> bool {
        self.name == "UserDefault" && self.kind.as_deref() != Some("custom")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) tenant_id: String,
    #[serde(default)]
    pub(crate) subject: Option<String>,
    #[serde(default)]
    pub(crate) email: Option<String>,
    #[serde(default)]
    pub(crate) client_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    pub(crate) assigned_roles: Option<Vec<Assigned>>,
    #[serde(default)]
    assigned_groups: Option<Vec<Group>>,
}

/// A role as users and groups refer to it.
#[derive(Clone, Deserialize)]
pub(crate) struct Assigned {
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
}

impl Assigned {
    pub(crate) fn is(&self, role: &str, name: &str) -> bool {
        match (&self.id, &self.name) {
            (Some(id), _) => id == role,
            (None, Some(known)) => known == name,
            (None, None) => false,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group {
    #[serde(default)]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) assigned_roles: Option<Vec<Assigned>>,
}

impl User {
    /// Its own and those of its groups.
    fn roles(&self) -> impl Iterator<Item = &Assigned> {
        let of_groups = self.assigned_groups.iter().flatten().flat_map(|group| group.assigned_roles.iter().flatten());
        self.assigned_roles.iter().flatten().chain(of_groups)
    }

    /// What it is, unless it is active or the vendor does not say.
    pub(crate) fn not_active(&self) -> Option<Untrusted> {
        self.status.as_deref().filter(|status| !matches!(*status, "active" | "")).map(Untrusted::from)
    }

    /// Whether it has a role besides the user default, so that the roles are worth reading.
    pub(crate) fn has_roles(&self) -> bool {
        self.roles().any(|role| role.name.as_deref() != Some("UserDefault"))
    }

    pub(crate) fn live(self, roles: &[Role]) -> CallerLive {
        let mine = |role: &Role| self.roles().any(|assigned| assigned.is(&role.id, &role.name));
        let manages_api_keys =
            roles.iter().any(|role| !role.is_user_default() && role.manages_api_keys() && mine(role));
        let groups = self.assigned_groups.into_iter().flatten().map(|group| group.name.into()).collect();
        CallerLive {
            user_id: self.id.into(),
            tenant_id: self.tenant_id.into(),
            manages_api_keys,
            groups,
            status: self.status.unwrap_or_default().into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Consent {
    #[serde(default)]
    consent_method: Option<String>,
}

impl Consent {
    pub(crate) fn live(&self) -> ConsentLive {
        ConsentLive { trusted: self.consent_method.as_deref() == Some("trusted") }
    }
}

#[derive(Deserialize)]
pub(crate) struct LicenceStatus {
    status: String,
    #[serde(default)]
    deactivated: Option<bool>,
    /// A period in the documents' examples, a truth value elsewhere; only a plain "false" is taken for no.
    #[serde(default)]
    valid: Option<Value>,
}

impl LicenceStatus {
    pub(crate) fn live(self) -> LicenceLive {
        let valid = self.status.eq_ignore_ascii_case("ok")
            && self.deactivated != Some(true)
            && self.valid != Some(Value::Bool(false));
        LicenceLive { status: self.status.into(), valid }
    }
}

#[derive(Deserialize)]
pub(crate) struct LicenceOverview {
    #[serde(rename = "licenseKey", deserialize_with = "secret")]
    pub(crate) licence_key: Secret,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::marker::Letter;
    use crate::provider::qlik::pages::Page;

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../../fixtures/wire/qlik/", $name)).as_slice()
        };
    }

    #[test]
    fn documented_replies_are_read() {
        let tenant: TenantReply = parse(fixture!("tenant-created.json"), "a tenant").unwrap();
        assert_eq!(tenant.hostnames, ["ire7t7hg58avbmx.us.qlikcloud.com"]);
        assert_eq!(tenant.live().status.raw(), "active");

        let limits: Limits = parse(fixture!("key-limits.json"), "limits").unwrap();
        assert_eq!(limits.live(), Ok(KeyLimitsLive::VENDOR_DEFAULT));

        let overview: LicenceOverview = parse(fixture!("licence-overview.json"), "an overview").unwrap();
        assert_eq!(overview.licence_key.expose(), "example.signed.key");
        let status: LicenceStatus = parse(fixture!("licence-status.json"), "a status").unwrap();
        assert!(status.live().valid);
    }

    #[test]
    fn keys_are_read_with_their_markers_and_unknown_words() {
        let page: Page<KeyReply> = parse(fixture!("keys-page.json"), "keys").unwrap();
        let cursor = page.next().unwrap().unwrap();
        assert_eq!((cursor.name, cursor.value.as_str()), ("startingAfter", "b1946ac9-2f1a-4c0f-9f5d-1c9a4f0e3a12"));
        let keys: Vec<KeyLive> = page.data.into_iter().map(|key| key.live().unwrap()).collect();
        assert_eq!(keys[0].text.raw(), "CI deploys");
        assert_eq!(keys[0].marker.as_ref().unwrap().letter, Letter::Undelivered);
        assert_eq!(keys[0].status, KeyStatus::Active);
        assert_eq!(keys[0].created_by.raw(), "629a20185b4a5194788d9c1e");
        assert_eq!((keys[1].status, keys[1].marker.is_none()), (KeyStatus::Unknown, true));
        assert_eq!(keys[1].created, None);
    }

    #[test]
    fn an_expiry_that_cannot_be_read_is_not_taken_for_none() {
        let ours = br#"{"id":"a","description":"CI [qp1:01234567:89abcdef:0a1b:c0ffee00:d]","expiry":"next week"}"#;
        let key: KeyReply = parse(ours, "a key").unwrap();
        assert_eq!(key.live().unwrap_err(), "the reply's expiry is no date");
        // A stranger's is unknown, and blocks nobody; one that is no longer live is so whenever it ended.
        let strangers = |status: &str| {
            let text = format!(r#"{{"id":"a","status":"{status}","expiry":"next week"}}"#);
            parse::<KeyReply>(text.as_bytes(), "a key").unwrap().live().unwrap().status
        };
        assert_eq!((strangers("active"), strangers("revoked")), (KeyStatus::Unknown, KeyStatus::Revoked));
    }

    #[test]
    fn a_minted_token_names_its_key() {
        let minted: Minted = parse(fixture!("key-created.json"), "a key").unwrap();
        assert_eq!(key_id_of(&minted.token).as_deref(), Some(minted.id.as_str()));
        assert!(minted.times().unwrap().0.is_some());
        for other in ["", "abc", "a.b", "a.b.c", "a.e30.c", "a.e30.c.d", "a.eyJqdGkiOiIifQ.c", "a.eyJqdGkiOjd9.c"] {
            assert_eq!(key_id_of(&Secret::new(other.to_owned())), None, "{other}");
        }
    }

    #[test]
    fn a_field_that_comes_twice_is_refused_where_it_matters() {
        assert!(parse::<Minted>(br#"{"id":"a","id":"b","token":"t"}"#, "a key").is_err());
        assert!(parse::<Minted>(br#"{"id":"a","token":"t","token":"u"}"#, "a key").is_err());
        assert!(parse::<TenantReply>(br#"{"id":"a","id":"a"}"#, "a tenant").is_err());
        assert!(parse::<TokenReply>(br#"{"access_token":"a","access_token":"b"}"#, "a token").is_err());
    }

    #[test]
    fn no_error_repeats_a_value() {
        for body in [
            &br#"{"id":"k","token":["hunter2"]}"#[..],
            br#"{"id":"k","token":"hunter2","hunter2"#,
            br#"{"id":{"hunter2":1},"token":"hunter2"}"#,
            br#""hunter2""#,
        ] {
            let error = parse::<Minted>(body, "a key").err().unwrap();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_token_lives_as_long_as_either_field_says() {
        let now = "2022-06-03T14:52:08Z".parse().ok();
        let life = |json: &str| TokenReply::read(json.as_bytes()).map(|token| token.life(now));
        assert_eq!(TokenReply::read(fixture!("token.json")).unwrap().life(now), 21_600);
        assert_eq!(life(r#"{"access_token":"t","expires_in":3600}"#), Ok(3_600));
        assert_eq!(life(r#"{"access_token":"t","expires_at":"2022-06-03T20:52:08.000Z"}"#), Ok(21_600));
        assert_eq!(life(r#"{"access_token":"t","token_type":"BEARER"}"#), Ok(600));
        assert_eq!(life(r#"{"access_token":"t","expires_in":-5}"#), Ok(600));
        assert!(life(r#"{"access_token":"t","token_type":"mac"}"#).is_err());
        assert!(life(r#"{"access_token":""}"#).is_err());
        assert!(life(r#"{"access_token":7}"#).is_err());
    }

    #[test]
    fn limits_are_read_in_every_way_the_vendor_may_write_them() {
        let live = |json: &str| parse::<Limits>(json.as_bytes(), "limits").unwrap().live();
        assert_eq!(live("{}"), Ok(KeyLimitsLive::VENDOR_DEFAULT));
        let long = live(r#"{"max_api_key_expiry":"P1Y","max_keys_per_user":10.0}"#).unwrap();
        assert_eq!((long.max_expiry.seconds(), long.max_keys_per_user), (365 * 86_400, 10));
        assert!(live(r#"{"max_api_key_expiry":"a while"}"#).is_err());
        assert!(live(r#"{"max_keys_per_user":"many"}"#).is_err());
    }

    #[test]
    fn a_caller_manages_keys_through_a_role_of_its_own_only() {
        let roles: Page<Role> = parse(fixture!("roles.json"), "roles").unwrap();
        assert_eq!(roles.next(), Ok(None));
        assert_eq!(roles.data.iter().filter(|role| role.is_user_default()).count(), 1);
        let user = |json: &str| parse::<User>(json.as_bytes(), "a user").unwrap();
        let bot: User = parse(fixture!("users-me.json"), "a user").unwrap();
        assert!(bot.has_roles());
        assert!(!bot.live(&roles.data).manages_api_keys, "TenantAdmin does not assign the scope here");
        let holder = user(r#"{"id":"u","tenantId":"t","assignedRoles":[{"id":"605a1c2151382ffc836af864"}]}"#);
        assert!(holder.live(&roles.data).manages_api_keys);
        let named = user(r#"{"id":"u","tenantId":"t","assignedRoles":[{"name":"API key holders"}]}"#);
        assert!(named.live(&roles.data).manages_api_keys);
        let plain = user(r#"{"id":"u","tenantId":"t","assignedRoles":[{"name":"UserDefault"}]}"#);
        assert!(!plain.has_roles());
        assert!(!plain.live(&roles.data).manages_api_keys);
        assert!(!user(r#"{"id":"u","tenantId":"t"}"#).has_roles());
    }

    #[test]
    fn only_a_good_licence_is_valid() {
        let valid = |json: &str| parse::<LicenceStatus>(json.as_bytes(), "a status").unwrap().live().valid;
        assert!(valid(r#"{"status":"Ok","valid":true}"#));
        assert!(!valid(r#"{"status":"Ok","valid":false}"#));
        assert!(!valid(r#"{"status":"Ok","deactivated":true}"#));
        assert!(!valid(r#"{"status":"Expired"}"#));
        assert!(!valid(r#"{"status":"Missing"}"#));
    }
}
