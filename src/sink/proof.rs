//! What a login proves itself with: read where somebody keeps it, or asked for as GitHub Actions documents it.

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use serde::Deserialize;

use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::secret::Secret;

use super::access::{self, Access, GITHUB_TOKEN, GITHUB_URL, Read};
use super::unreadable;
use super::wire::{Answer, Reply, Wire};

/// How GitHub lets a job ask.
const PERMIT: &str = "give the job `permissions: id-token: write`, and run this in a step of it";

pub(super) enum Proof {
    Read(Read),
    Issued(Box<Issuer>),
}

/// Whoever issues id tokens to the job that asks.
pub(super) struct Issuer {
    origin: Origin,
    wire: Result<Wire, String>,
    /// With the audience in its query.
    path: String,
    bearer: HeaderValue,
}

impl Proof {
    pub(super) fn of(proof: access::Proof, access: &Access) -> Result<Self, Unreadable> {
        match proof {
            access::Proof::Read(read) => Ok(Self::Read(read)),
            access::Proof::GitHubActions { url, bearer, audience } => {
                let odd = |name: &str| unreadable(format!("{name} is not what GitHub Actions sets it to"), PERMIT);
                let mut whole = url::Url::parse(url.expose()).map_err(|_| odd(GITHUB_URL))?;
                whole.query_pairs_mut().append_pair("audience", &audience);
                let origin = whole.origin().ascii_serialization();
                let origin = Origin::parse(&origin).map_err(|_| odd(GITHUB_URL))?;
                let path = format!("{}?{}", whole.path(), whole.query().unwrap_or_default());
                let bearer = HeaderValue::from_str(&format!("bearer {}", bearer.expose()));
                let mut bearer = bearer.map_err(|_| odd(GITHUB_TOKEN))?;
                bearer.set_sensitive(true);
                let wire = Wire::new(origin.clone(), access);
                Ok(Self::Issued(Box::new(Issuer { origin, wire, path, bearer })))
            }
        }
    }

    pub(super) async fn read(&self) -> Result<Secret, Unreadable> {
        match self {
            Self::Read(read) => {
                let read = std::sync::Arc::clone(read);
                let lost = |_| unreadable("what a login needs could not be read", "see the limits of this machine");
                // A file may lie on a slow disk.
                tokio::task::spawn_blocking(move || read()).await.map_err(lost)?
            }
            Self::Issued(issuer) => issuer.issue().await,
        }
    }
}

impl Issuer {
    async fn issue(&self) -> Result<Secret, Unreadable> {
        #[derive(Deserialize)]
        struct Issued {
            value: String,
        }
        let origin = &self.origin;
        let wire = self
            .wire
            .as_ref()
            .map_err(|why| unreadable(format!("{origin} cannot be reached: {why}"), "correct network: in settings"))?;
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, self.bearer.clone()),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        let refused = |how: String| unreadable(format!("GitHub issues no id token: {how}"), PERMIT);
        match wire.ask(Method::GET, &self.path, &headers, None).await {
            Reply::Answered(Answer { status: 200, body, .. }) => serde_json::from_slice::<Issued>(&body)
                .map(|issued| Secret::new(issued.value))
                .map_err(|_| refused(format!("what {origin} answers holds none"))),
            // Nothing of what it says is needed, and it may repeat what it was given.
            Reply::Answered(Answer { status, .. }) => Err(refused(format!("{origin} answers {status}"))),
            Reply::NotSent(why) | Reply::Lost(why) => Err(refused(format!("{origin}: {why}"))),
        }
    }
}
