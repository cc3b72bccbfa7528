//! `/login/jwt-session`: a token that a tenant's identity provider has signed, against a session that a cookie stands for.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Call;
use super::reply::{Reply, problem_with_detail};
use crate::sandbox::people::Thing;
use crate::sandbox::random;
use crate::sandbox::state::{Group, State, Tenant, Token, User};
use crate::sandbox::token::hash;

const AUDIENCE: &str = "qlik.api/login/jwt-session";
/// How long a session lasts: as an access token.
const LIFETIME: SignedDuration = SignedDuration::from_hours(6);
/// Where providers are on a tenant's shelf; also the clients of sessions' tokens.
pub(super) const PROVIDERS: &str = "identity-providers/";
const COOKIE: &str = "eas.sid";

fn refused(detail: &str) -> Reply {
    problem_with_detail(401, "LOGIN-401", "Unauthorized", detail)
}

/// Whoever the token names is a user from then on, with the groups that it names.
pub(super) fn session(state: &mut State, call: &Call<'_>, tenant: &str) -> Reply {
    try_session(state, call, tenant).unwrap_or_else(refused)
}

fn try_session(state: &mut State, call: &Call<'_>, id: &str) -> Result<Reply, &'static str> {
    let jwt = call.bearer().ok_or("a signed token is required")?;
    let tenant = state.tenant_mut(id).ok_or("there is no such tenant")?;
    let (provider, claims) = verified(tenant, jwt, call.now)?;
    let text = |name: &str| claims[name].as_str().filter(|text| !text.is_empty());
    let subject = text("sub").ok_or("sub is required")?;
    let groups = claims["groups"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let groups: Vec<String> = groups.filter_map(|name| group(tenant, name, call.now)).collect();
    let known = tenant.users.values().find(|user| user.subject == subject).map(|user| user.id.clone());
    let user = known.unwrap_or_else(|| {
        let user = User::new(text("name").unwrap_or(subject), subject, call.now);
        let id = user.id.clone();
        tenant.users.insert(id.clone(), user);
        id
    });
    let person = tenant.users.get_mut(&user).ok_or("there is no such user")?;
    if !person.is_active() {
        return Err("the user is not active");
    }
    if let Some(email) = text("email") {
        person.email = Some(email.to_owned());
    }
    if claims["groups"].is_array() {
        person.groups = groups;
    }
    let session = random::access_token();
    let expires = call.now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX);
    let scopes = ["admin_classic", "user_default"].map(str::to_owned).into();
    tenant.tokens.retain(|token| token.expires > call.now);
    let kept = Token { hash: hash(&session), client: provider, user, scopes, expires };
    tenant.tokens.insert(kept.hash.clone(), kept);
    let cookies = [
        (COOKIE, session.clone()),
        ("eas.sid.sig", random::access_token()),
        ("_csrfToken", csrf(&session)),
        ("_csrfToken.sig", random::access_token()),
    ];
    let reply = Reply::json(200, &json!({}));
    Ok(cookies.into_iter().fold(reply, |reply, (name, value)| {
        let hidden = if name.starts_with(COOKIE) { "; HttpOnly" } else { "" };
        reply.with("set-cookie", format!("{name}={value}; Path=/; Secure; SameSite=None{hidden}"))
    }))
}

/// The group of this name, made where the tenant makes groups by itself.
fn group(tenant: &mut Tenant, name: &str, now: Timestamp) -> Option<String> {
    let known = tenant.groups.values().find(|group| group.name == name).map(|group| group.id.clone());
    if known.is_some() || !tenant.group_settings.auto_create {
        return known;
    }
    let group = Group::new(name, "idp", now);
    let id = group.id.clone();
    tenant.groups.insert(id.clone(), group);
    Some(id)
}

/// The provider that has signed a token, and what it says.
fn verified(tenant: &Tenant, jwt: &str, now: Timestamp) -> Result<(String, Value), &'static str> {
    const FORM: &str = "the bearer is not a signed token";
    let (signed, signature) = jwt.rsplit_once('.').ok_or(FORM)?;
    let (head, claims) = signed.split_once('.').ok_or(FORM)?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| FORM);
    let read = |part: &str| serde_json::from_slice::<Value>(&decoded(part)?).map_err(|_| FORM);
    let (head, claims, signature) = (read(head)?, read(claims)?, decoded(signature)?);
    let is_meant = |thing: &&Thing| {
        let options = &thing.fields.get("options").unwrap_or(&Value::Null);
        let key = options["staticKeys"].get(0).unwrap_or(&Value::Null);
        thing.fields.get("active") == Some(&Value::Bool(true))
            && options["issuer"].is_string()
            && (&options["issuer"], &key["kid"]) == (&claims["iss"], &head["kid"])
    };
    let mut providers = tenant.things.below(PROVIDERS);
    let (id, provider) =
        providers.find(|(_, thing)| is_meant(thing)).ok_or("no identity provider has this issuer and this key")?;
    let pem = provider.fields.get("options").and_then(|options| options["staticKeys"][0]["pem"].as_str());
    let key = pem.and_then(public_key).ok_or("the key of the identity provider cannot be read")?;
    let algorithm: &dyn VerificationAlgorithm = match head["alg"].as_str() {
        Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
        Some("RS384") => &RSA_PKCS1_2048_8192_SHA384,
        Some("RS512") => &RSA_PKCS1_2048_8192_SHA512,
        Some("ES256") => &ECDSA_P256_SHA256_FIXED,
        Some("ES384") => &ECDSA_P384_SHA384_FIXED,
        Some(_) | None => return Err("alg is none of RS256, RS384, RS512, ES256 and ES384"),
    };
    let checked = UnparsedPublicKey::new(algorithm, key).verify(signed.as_bytes(), &signature);
    checked.map_err(|_| "the signature is wrong")?;
    let tolerance = provider.fields.get("clockToleranceSec").and_then(Value::as_i64).unwrap_or(0);
    let second = now.as_second();
    if claims["aud"] != AUDIENCE && !claims["aud"].as_array().is_some_and(|all| all.iter().any(|one| one == AUDIENCE)) {
        return Err("aud is qlik.api/login/jwt-session");
    }
    if claims["exp"].as_i64().is_none_or(|end| end + tolerance <= second) {
        return Err("the token is over");
    }
    if claims["nbf"].as_i64().is_some_and(|start| start - tolerance > second) {
        return Err("the token is not good yet");
    }
    Ok((id.to_owned(), claims))
}

/// The key in a PEM, of a public key or of a certificate. The vendor's own scripts send it without its line breaks.
fn public_key(pem: &str) -> Option<Vec<u8>> {
    let mut parts = pem.split("-----");
    let (kind, body) = (parts.nth(1)?, parts.next()?);
    let der = STANDARD.decode(body.split_whitespace().collect::<String>()).ok()?;
    if !kind.contains("CERTIFICATE") {
        return Some(der);
    }
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).ok()?;
    Some(certificate.public_key().raw.to_vec())
}

/// What must stand in `qlik-csrf-token` beside the cookie of a session.
fn csrf(session: &str) -> String {
    hash(&format!("csrf {session}")).chars().take(32).collect()
}

/// For who has a session; bearers need none.
pub(super) fn csrf_token(csrf: Option<&str>) -> Reply {
    match csrf {
        Some(csrf) => Reply::empty(204).with("qlik-csrf-token", csrf.to_owned()),
        None => problem_with_detail(400, "CSRF-TOKEN-400", "Bad request", "only a session of a browser has one"),
    }
}

/// The session that a request's cookie stands for: what it is kept under, and its CSRF token. A change without that token has none.
pub(super) fn of(call: &Call<'_>) -> Option<(String, String)> {
    let cookies = call.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut cookies = cookies.flat_map(|value| value.split(';')).filter_map(|one| one.trim().split_once('='));
    let (_, session) = cookies.find(|(name, _)| *name == COOKIE)?;
    let csrf = csrf(session);
    let reads = call.method == hyper::Method::GET;
    (reads || call.header("qlik-csrf-token") == Some(&csrf)).then(|| (hash(session), csrf))
}
