//! Who gives tokens for Secret Manager: Google for a key, a user's login or somebody else's token, or the machine that the run is on.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::secret::Secret;
use crate::model::settings::GcpSink;

use super::super::access::{Access, GoogleLogin, Now, Subject};
use super::super::bearer::{Given, Giver, NotGiven, header};
use super::super::oauth::{self, Refusal};
use super::super::unreadable;
use super::super::wire::{Answer, Reply, Wire};
use super::form::Fault;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Where tokens are given for a key's signature and for a user's login, as every credential file of Google's has it.
const TOKENS: &str = "https://oauth2.googleapis.com/token";

/// How long a token of a service account is asked for, which is the longest without further ado.
const HOUR: Duration = Duration::from_secs(3_600);

pub(super) const LOG_IN: &str = "name a credential file in GOOGLE_APPLICATION_CREDENTIALS: of workload identity federation, of a service account, or of `gcloud auth application-default login`";

/// Who gives tokens, and for what.
pub(super) struct Login {
    way: Way,
    /// Whoever gives the token, or what an account is borrowed with.
    first: Ask,
    /// Where a service account is borrowed.
    impersonate: Option<(Ask, String)>,
}

struct Ask {
    origin: Origin,
    wire: Result<Wire, String>,
}

enum Way {
    Key { email: String, key_id: Option<String>, key: Secret, now: Now },
    User { client_id: String, client_secret: Secret, refresh_token: Secret },
    External { audience: String, token_type: String, subject: Shown },
    Attached,
}

enum Shown {
    Read(super::super::access::Read),
    Asked(Box<Asked>),
}

/// Whoever gives somebody else's token, and what is asked.
struct Asked {
    ask: Ask,
    path: String,
    headers: HeaderMap,
    field: Option<String>,
}

impl Ask {
    fn at(origin: Origin, access: &Access) -> Self {
        Self { wire: Wire::new(origin.clone(), access), origin }
    }

    async fn post(
        &self,
        path: &str,
        kind: &'static str,
        bearer: Option<&Secret>,
        body: &[u8],
    ) -> Result<Reply, NotGiven> {
        let mut headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (CONTENT_TYPE, HeaderValue::from_static(kind)),
        ]);
        if let Some(bearer) = bearer {
            headers.insert(AUTHORIZATION, header(bearer).map_err(NotGiven::Refused)?);
        }
        Ok(self.wire()?.ask(Method::POST, path, &headers, Some(body)).await)
    }

    fn wire(&self) -> Result<&Wire, NotGiven> {
        let origin = &self.origin;
        self.wire.as_ref().map_err(|why| {
            NotGiven::Refused(unreadable(format!("{origin} cannot be reached: {why}"), "correct network: in settings"))
        })
    }
}

impl Login {
    pub(super) fn of(settings: &GcpSink, login: GoogleLogin, access: &Access) -> Result<Self, Unreadable> {
        let ask = |service: &str| Ask::at(settings.origin_of(service), access);
        let alone = |way, first| Self { way, first, impersonate: None };
        Ok(match login {
            GoogleLogin::Key { email, key_id, key, now } => alone(Way::Key { email, key_id, key, now }, ask("oauth2")),
            GoogleLogin::User { client_id, client_secret, refresh_token } => {
                alone(Way::User { client_id, client_secret, refresh_token }, ask("oauth2"))
            }
            GoogleLogin::External { audience, token_type, subject, impersonate } => {
                let subject = match subject {
                    Subject::Read(read) => Shown::Read(read),
                    Subject::Asked { origin, path, headers, field } => {
                        let headers = headers_of(&headers)?;
                        Shown::Asked(Box::new(Asked { ask: Ask::at(origin, access), path, headers, field }))
                    }
                };
                Self {
                    way: Way::External { audience, token_type, subject },
                    first: ask("sts"),
                    impersonate: impersonate.map(|path| (ask("iamcredentials"), path)),
                }
            }
            GoogleLogin::Attached { endpoint } => alone(Way::Attached, Ask::at(endpoint, access)),
        })
    }

    /// Whose token it is, for messages.
    pub(super) fn name(&self) -> String {
        match &self.way {
            Way::Key { email, .. } => format!("the service account {email}, by its key"),
            Way::User { .. } => "the user of a login with gcloud".to_owned(),
            Way::External { .. } => match self.impersonate.as_ref().and_then(|(_, path)| account_of(path)) {
                Some(email) => format!("the service account {email}, by a federated token"),
                None => "a federated identity".to_owned(),
            },
            Way::Attached => "the service account of this machine".to_owned(),
        }
    }

    fn way_out(&self) -> String {
        match &self.way {
            Way::Key { email, .. } => format!(
                "give GOOGLE_APPLICATION_CREDENTIALS a key that lives (`gcloud iam service-accounts keys list --iam-account {email}`), and compare the clocks"
            ),
            Way::User { .. } => "log in again: gcloud auth application-default login".to_owned(),
            Way::External { .. } => "see that the provider of the workload identity pool takes issuer, audience and attributes of the token, and that the token has not ended; `gcloud iam workload-identity-pools providers describe` shows it".to_owned(),
            Way::Attached => "run this on a machine of Google's that has a service account, or take `attached_service_account` out of settings".to_owned(),
        }
    }

    async fn first(&self) -> Result<Given, NotGiven> {
        let form = "application/x-www-form-urlencoded";
        let (reply, secrets) = match &self.way {
            Way::Key { email, key_id, key, now } => {
                let assertion = assertion(email, key_id.as_deref(), key, now).map_err(NotGiven::Refused)?;
                let fields =
                    [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.expose())];
                (self.first.post("/token", form, None, &oauth::form(&fields)).await?, vec![assertion])
            }
            Way::User { client_id, client_secret, refresh_token } => {
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("client_id", client_id),
                    ("client_secret", client_secret.expose()),
                    ("refresh_token", refresh_token.expose()),
                ];
                let reply = self.first.post("/token", form, None, &oauth::form(&fields)).await?;
                let known = [client_secret, refresh_token].map(|one| Secret::new(one.expose().to_owned()));
                (reply, known.into())
            }
            Way::External { audience, token_type, subject } => {
                let subject = subject.read().await?;
                let fields = [
                    ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                    ("audience", audience),
                    ("scope", SCOPE),
                    ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                    ("subject_token_type", token_type),
                    ("subject_token", subject.expose()),
                ];
                (self.first.post("/v1/token", form, None, &oauth::form(&fields)).await?, vec![subject])
            }
            Way::Attached => {
                let flavor = HeaderName::from_static("metadata-flavor");
                let headers = HeaderMap::from_iter([(flavor, HeaderValue::from_static("Google"))]);
                let path = "/computeMetadata/v1/instance/service-accounts/default/token";
                (self.first.wire()?.ask(Method::GET, path, &headers, None).await, Vec::new())
            }
        };
        self.given(&self.first.origin, reply, &secrets, oauth::given)
    }

    /// A token of the service account that is borrowed.
    async fn borrowed(&self, ask: &Ask, path: &str, with: &Secret) -> Result<Given, NotGiven> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Borrowed {
            access_token: String,
        }
        let body = serde_json::json!({ "scope": [SCOPE], "lifetime": format!("{}s", HOUR.as_secs()) }).to_string();
        let reply = ask.post(path, "application/json", Some(with), body.as_bytes()).await?;
        let read = |body: &[u8]| {
            let Borrowed { access_token } = serde_json::from_slice(body).ok()?;
            Some(Given { token: Secret::new(access_token), lasts: HOUR })
        };
        self.given(&ask.origin, reply, &[Secret::new(with.expose().to_owned())], read)
    }

    fn given(
        &self,
        origin: &Origin,
        reply: Reply,
        secrets: &[Secret],
        read: impl Fn(&[u8]) -> Option<Given>,
    ) -> Result<Given, NotGiven> {
        let name = self.name();
        let told = |why: String| Unreadable { why: why.into(), next: self.way_out(), credentials: true };
        match reply {
            Reply::Answered(Answer { status: 200, body, .. }) => read(&body)
                .ok_or_else(|| NotGiven::NotAnswered(told(format!("what {origin} answers holds no token for {name}")))),
            Reply::Answered(Answer { status, body, .. }) => {
                let words = match Fault::of(&body) {
                    fault if fault.status.is_empty() => Refusal::of(&body).told(secrets),
                    fault => fault.told(secrets),
                };
                let mut why = told(format!("{origin} gives no token to {name}: it answers {status}{words}"));
                if status == 403 && self.impersonate.as_ref().is_some_and(|(ask, _)| ask.origin == *origin) {
                    why.next =
                        "give the federated identity roles/iam.workloadIdentityUser on that service account".to_owned();
                }
                // It may have been asked too much.
                Err(match status {
                    408 | 429 | 500..=599 => NotGiven::NotAnswered(why),
                    _ => NotGiven::Refused(why),
                })
            }
            Reply::NotSent(why) | Reply::Lost(why) => {
                let next = match self.way {
                    Way::Attached => self.way_out(),
                    Way::Key { .. } | Way::User { .. } | Way::External { .. } => {
                        format!("check that this machine reaches {origin}")
                    }
                };
                Err(NotGiven::NotAnswered(unreadable(format!("no token for {name}: {origin}: {why}"), next)))
            }
        }
    }
}

impl Giver for Login {
    async fn give(&self) -> Result<Given, NotGiven> {
        let given = self.first().await?;
        match &self.impersonate {
            Some((ask, path)) => self.borrowed(ask, path, &given.token).await,
            None => Ok(given),
        }
    }
}

impl Shown {
    async fn read(&self) -> Result<Secret, NotGiven> {
        match self {
            Self::Read(read) => {
                let read = std::sync::Arc::clone(read);
                let lost = |_| unreadable("what a login needs could not be read", "see the limits of this machine");
                // A file may lie on a slow disk.
                let read = tokio::task::spawn_blocking(move || read()).await.map_err(lost);
                let no_proof = |why| NotGiven::NotAnswered(Unreadable { credentials: true, ..why });
                read.map_err(no_proof)?.map_err(no_proof)
            }
            Self::Asked(asked) => {
                let Asked { ask, path, headers, field } = &**asked;
                let origin = &ask.origin;
                let refused = |how: String| {
                    NotGiven::Refused(Unreadable {
                        why: format!("{origin} gives no token that speaks for this run: {how}").into(),
                        next: "have the credential file made again; in GitHub Actions the job needs `permissions: id-token: write`".to_owned(),
                        credentials: true,
                    })
                };
                match ask.wire()?.ask(Method::GET, path, headers, None).await {
                    Reply::Answered(Answer { status: 200, body, .. }) => {
                        subject(&body, field.as_deref()).ok_or_else(|| refused("what it answers holds none".to_owned()))
                    }
                    // Nothing of what it says is needed, and it may repeat what it was given.
                    Reply::Answered(Answer { status, .. }) => Err(refused(format!("it answers {status}"))),
                    Reply::NotSent(why) | Reply::Lost(why) => Err(refused(why)),
                }
            }
        }
    }
}

/// The token in an answer: all of it, or a field of its JSON.
fn subject(body: &[u8], field: Option<&str>) -> Option<Secret> {
    let Some(field) = field else {
        let text = std::str::from_utf8(body).ok()?.trim();
        return (!text.is_empty()).then(|| Secret::new(text.to_owned()));
    };
    let mut fields: std::collections::BTreeMap<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
    match fields.remove(field) {
        Some(serde_json::Value::String(token)) if !token.is_empty() => Some(Secret::new(token)),
        Some(_) | None => None,
    }
}

fn headers_of(headers: &[(String, Secret)]) -> Result<HeaderMap, Unreadable> {
    let odd = || unreadable("a header in the credential file becomes none", "have the credential file made again");
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| odd())?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| odd())?;
        value.set_sensitive(true);
        all.insert(name, value);
    }
    Ok(all)
}

/// The service account in the path that borrows it.
fn account_of(path: &str) -> Option<&str> {
    path.rsplit('/').next()?.strip_suffix(":generateAccessToken")
}

/// What a service account's key signs to prove itself, as <https://developers.google.com/identity/protocols/oauth2/service-account> has it.
fn assertion(email: &str, key_id: Option<&str>, key: &Secret, now: &Now) -> Result<Secret, Unreadable> {
    let at = now().as_second();
    let header = serde_json::json!({ "alg": "RS256", "typ": "JWT", "kid": key_id });
    let claims = serde_json::json!({ "iss": email, "scope": SCOPE, "aud": TOKENS, "iat": at, "exp": at + 3_600 });
    let encoded = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = Zeroizing::new(format!("{}.{}", encoded(header), encoded(claims)));
    let signature = signature(key, signed.as_bytes()).ok_or_else(|| Unreadable {
        why: "the `private_key` of the service account is no RSA key as PEM text has it".into(),
        next: "make another: gcloud iam service-accounts keys create FILE --iam-account=ACCOUNT".to_owned(),
        credentials: true,
    })?;
    Ok(Secret::new(format!("{}.{}", *signed, URL_SAFE_NO_PAD.encode(signature))))
}

/// By what TLS signs with, so nothing is built in for it.
fn signature(key: &Secret, text: &[u8]) -> Option<Vec<u8>> {
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).ok()?;
    let key = any_supported_type(&key).ok()?;
    key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])?.sign(text).ok()
}
