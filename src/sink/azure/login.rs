//! Who gives tokens for a vault of Azure: Entra for a proof, or the platform or machine that the run is on.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::secret::Secret;
use crate::model::settings::AzureSink;

use super::super::access::{Access, Application, AzureLogin};
use super::super::bearer::{Given, Giver, NotGiven};
use super::super::oauth::{self, Refusal};
use super::super::proof::Proof;
use super::super::unreadable;
use super::super::wire::{Answer, Reply, Wire};

/// The version of the machine's service, and of the platforms', as Microsoft documents them.
const MACHINE: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01";
const PLATFORM: &str = "api-version=2019-08-01";

/// Who gives tokens, and to whom.
pub(super) struct Login {
    origin: Origin,
    wire: Result<Wire, String>,
    resource: &'static str,
    way: Way,
}

enum Way {
    Entra { application: Application, proof: Shown },
    Near { path: String, headers: HeaderMap, what: &'static str, next: &'static str },
}

/// What an application proves itself with.
enum Shown {
    Secret(Secret),
    Token(Proof),
}

impl Login {
    pub(super) fn of(settings: &AzureSink, login: AzureLogin, access: &Access) -> Result<Self, Unreadable> {
        let resource = settings.resource();
        let encoded = utf8_percent_encode(resource, NON_ALPHANUMERIC);
        let of_client = |client: Option<String>| {
            client
                .map(|client| format!("&client_id={}", utf8_percent_encode(&client, NON_ALPHANUMERIC)))
                .unwrap_or_default()
        };
        let (origin, way) = match login {
            AzureLogin::Secret(application, secret) => {
                (settings.authority.clone(), Way::Entra { application, proof: Shown::Secret(secret) })
            }
            AzureLogin::Federated(application, proof) => {
                let proof = Shown::Token(Proof::of(proof, access)?);
                (settings.authority.clone(), Way::Entra { application, proof })
            }
            AzureLogin::Platform { endpoint, path, header, client } => {
                let mut value = HeaderValue::from_str(header.expose())
                    .map_err(|_| unreadable("IDENTITY_HEADER becomes no header", "leave it as the platform sets it"))?;
                value.set_sensitive(true);
                let way = Way::Near {
                    path: format!("{path}?{PLATFORM}&resource={encoded}{}", of_client(client)),
                    headers: HeaderMap::from_iter([(HeaderName::from_static("x-identity-header"), value)]),
                    what: "the identity of this platform",
                    next: "give the app an identity (`az webapp identity assign`, `az containerapp identity assign`), or name a user-assigned one's client id in AZURE_CLIENT_ID",
                };
                (endpoint, way)
            }
            AzureLogin::Machine { endpoint, client } => {
                let wanted = HeaderValue::from_static("true");
                let way = Way::Near {
                    path: format!("{MACHINE}&resource={encoded}{}", of_client(client)),
                    headers: HeaderMap::from_iter([(HeaderName::from_static("metadata"), wanted)]),
                    what: "the identity of this machine",
                    next: "run this on a machine of Azure's that has an identity (`az vm identity assign`), name a user-assigned one's client id in AZURE_CLIENT_ID, or take `managed_identity` out of settings",
                };
                (endpoint, way)
            }
        };
        let wire = Wire::new(origin.clone(), access);
        Ok(Self { origin, wire, resource, way })
    }

    /// Whose token it is, for messages.
    pub(super) fn name(&self) -> String {
        match &self.way {
            Way::Entra { application: Application { tenant, client }, proof } => {
                let how = match proof {
                    Shown::Secret(_) => "by its secret",
                    Shown::Token(_) => "by a federated token",
                };
                format!("the application {client} of the tenant {tenant}, {how}")
            }
            Way::Near { what, .. } => (*what).to_owned(),
        }
    }

    async fn ask(&self) -> Result<(Reply, Vec<Secret>), NotGiven> {
        let origin = &self.origin;
        let wire = self.wire.as_ref().map_err(|why| {
            NotGiven::Refused(unreadable(format!("{origin} cannot be reached: {why}"), "correct network: in settings"))
        })?;
        let json = HeaderValue::from_static("application/json");
        match &self.way {
            Way::Near { path, headers, .. } => {
                let mut headers = headers.clone();
                headers.insert(ACCEPT, json);
                Ok((wire.ask(Method::GET, path, &headers, None).await, Vec::new()))
            }
            Way::Entra { application: Application { tenant, client }, proof } => {
                let (field, secret) = match proof {
                    Shown::Secret(secret) => ("client_secret", Secret::new(secret.expose().to_owned())),
                    Shown::Token(proof) => ("client_assertion", proof.read().await.map_err(no_proof)?),
                };
                let body = form(self.resource, client, field, &secret);
                let path = format!("/{tenant}/oauth2/v2.0/token");
                let form = HeaderValue::from_static("application/x-www-form-urlencoded");
                let headers = HeaderMap::from_iter([(ACCEPT, json), (CONTENT_TYPE, form)]);
                Ok((wire.ask(Method::POST, &path, &headers, Some(&body)).await, vec![secret]))
            }
        }
    }

    fn refused(&self, status: u16, body: &[u8], secrets: &[Secret]) -> NotGiven {
        let refusal = Refusal::of(body);
        let words = refusal.told(secrets);
        let (origin, name) = (&self.origin, self.name());
        let why = format!("{origin} gives no token to {name}: it answers {status}{words}");
        let next = match &self.way {
            Way::Near { next, .. } => (*next).to_owned(),
            Way::Entra { application, proof } => way_out(&refusal.error_codes, application, proof),
        };
        let why = Unreadable { why: why.into(), next, credentials: true };
        // It may have been asked too much.
        match status {
            408 | 429 | 500..=599 => NotGiven::NotAnswered(why),
            _ => NotGiven::Refused(why),
        }
    }
}

impl Giver for Login {
    async fn give(&self) -> Result<Given, NotGiven> {
        let (reply, secrets) = self.ask().await?;
        let (origin, name) = (&self.origin, self.name());
        match reply {
            Reply::Answered(Answer { status: 200, body, .. }) => oauth::given(&body).ok_or_else(|| {
                let why = format!("what {origin} answers holds no token for {name}");
                NotGiven::NotAnswered(Unreadable {
                    why: why.into(),
                    next: "check `authority` in settings: Microsoft Entra belongs there".to_owned(),
                    credentials: true,
                })
            }),
            Reply::Answered(Answer { status, body, .. }) => Err(self.refused(status, &body, &secrets)),
            Reply::NotSent(why) | Reply::Lost(why) => {
                let next = match &self.way {
                    Way::Near { next, .. } => (*next).to_owned(),
                    Way::Entra { .. } => format!("check that this machine reaches {origin}"),
                };
                Err(NotGiven::NotAnswered(unreadable(format!("no token for {name}: {origin}: {why}"), next)))
            }
        }
    }
}

fn no_proof(why: Unreadable) -> NotGiven {
    NotGiven::NotAnswered(Unreadable { credentials: true, ..why })
}

/// The request for a token, which holds the proof.
fn form(resource: &str, client: &str, field: &str, secret: &Secret) -> Zeroizing<Vec<u8>> {
    let scope = format!("{resource}/.default");
    let mut fields = vec![("grant_type", "client_credentials"), ("client_id", client), ("scope", &scope)];
    if field == "client_assertion" {
        fields.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
    }
    fields.push((field, secret.expose()));
    oauth::form(&fields)
}

/// By Entra's own numbers, from <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.
fn way_out(codes: &[u32], Application { tenant, client }: &Application, proof: &Shown) -> String {
    let has = |of: &[u32]| codes.iter().any(|code| of.contains(code));
    if has(&[700_016, 7_000_229]) {
        return format!(
            "check AZURE_CLIENT_ID and AZURE_TENANT_ID: the application {client} belongs in the tenant {tenant}"
        );
    }
    if has(&[90_002, 900_023, 900_021]) {
        return "check AZURE_TENANT_ID: `az account show --query tenantId` prints it".to_owned();
    }
    match proof {
        Shown::Secret(_) => {
            "give AZURE_CLIENT_SECRET a secret of the application that lives: its value, and not its id".to_owned()
        }
        Shown::Token(_) if has(&[700_024, 700_023]) => {
            "the federated token has ended: have it issued shortly before the run, or let the platform replace its file"
                .to_owned()
        }
        Shown::Token(_) => format!(
            "see that the application {client} has a federated credential for issuer, subject and audience of the token (`az ad app federated-credential list --id {client}`, or `az identity federated-credential list`)"
        ),
    }
}
