//! One request of a vault of Azure: with a token, sent once or asked until it is answered, and what came of it in words.

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::redact::{Speaker, said};
use crate::model::secret::Secret;
use crate::model::settings;

use super::super::access::Access;
use super::super::bearer::{Bearer, Lent, header};
use super::super::unreadable;
use super::super::wire::{Answer, Reply, Wire};
use super::form::Fault;
use super::login::Login;

/// Calls one vault.
pub(super) struct Caller {
    vault: Origin,
    wire: Result<Wire, Unreadable>,
    bearer: Result<Bearer<Login>, Unreadable>,
    /// Whose token it is, for messages.
    who: String,
}

/// An answer that is no success.
pub(super) struct Refusal {
    pub(super) status: u16,
    /// Of a write without its words, which may repeat what was written.
    pub(super) fault: Fault,
    /// It asks to be left alone for so many seconds.
    wait: Option<u64>,
}

/// What came of one request.
pub(super) enum Came {
    Done(Zeroizing<Vec<u8>>),
    Refused(Refusal),
    /// It never left.
    NotSent(Unreadable),
    Lost(Unreadable),
}

impl Caller {
    pub(super) fn of(settings: &settings::AzureSink, mut access: Access) -> Self {
        let vault = settings.vault.clone();
        let wire = Wire::new(vault.clone(), &access)
            .map_err(|why| unreadable(format!("{vault} cannot be reached: {why}"), "correct network: in settings"));
        let unread = || Err(unreadable("the login to Azure was not read", "report this as a defect of qlik-plan"));
        let login = access.azure.take().unwrap_or_else(unread);
        let login = login.and_then(|login| Login::of(settings, login, &access));
        let who = login.as_ref().map(Login::name).unwrap_or_default();
        Self { vault, wire, bearer: login.map(Bearer::of), who }
    }

    /// Whose token it is, and how long it lives.
    pub(super) async fn login(&self) -> Result<String, Unreadable> {
        let bearer = self.bearer.as_ref().map_err(Clone::clone)?;
        let Lent { lasts, .. } = bearer.token().await?;
        Ok(format!("{} has a token for {} s, and another before it ends", self.who, lasts.as_secs()))
    }

    /// Asks, and asks again where it was not answered. The request holds no secret but the token.
    pub(super) async fn ask(&self, path: &str) -> Came {
        self.with_token(
            async |wire, headers| wire.ask(Method::GET, path, &headers, None).await,
            |message, secrets| said(message.as_bytes(), secrets, Speaker::Other).raw().to_owned(),
        )
        .await
    }

    /// Sends a write once, and once more with another token where the vault did not take the first. What the vault says of it is not
    /// repeated: it may hold what was written.
    pub(super) async fn write(&self, path: &str, body: &Zeroizing<Vec<u8>>) -> Came {
        let send = async |wire: &Wire, headers| wire.send(Method::PUT, path, headers, Some(body.clone())).await;
        self.with_token(send, |_, _| String::new()).await
    }

    async fn with_token(
        &self,
        send: impl AsyncFn(&Wire, HeaderMap) -> Reply,
        shown: impl Fn(&str, &[&[u8]]) -> String,
    ) -> Came {
        let way = self.wire.as_ref().and_then(|wire| self.bearer.as_ref().map(|bearer| (wire, bearer)));
        let (wire, bearer) = match way {
            Ok(way) => way,
            Err(why) => return Came::NotSent(why.clone()),
        };
        match bearer.ask_with(async |token| Ok(send(wire, headers(token)?).await)).await {
            Err(why) => Came::NotSent(why),
            Ok(Reply::Answered(Answer { status: 200..=299, body, .. })) => Came::Done(body),
            Ok(Reply::Answered(Answer { status, body, wait })) => {
                let secrets: Vec<Arc<Secret>> = bearer.secrets();
                let secrets: Vec<&[u8]> = secrets.iter().map(|secret| secret.expose().as_bytes()).collect();
                let fault = Fault::of(&body);
                let words = shown(&fault.words, &secrets);
                Came::Refused(Refusal { status, fault: Fault { words, ..fault }, wait })
            }
            Ok(Reply::NotSent(why)) => Came::NotSent(self.out_of_reach(&why)),
            Ok(Reply::Lost(why)) => Came::Lost(self.out_of_reach(&why)),
        }
    }

    fn out_of_reach(&self, why: &str) -> Unreadable {
        let vault = &self.vault;
        unreadable(format!("{vault}: {why}"), format!("check that {vault} is there and that this machine reaches it"))
    }

    /// What was answered, for a message.
    pub(super) fn words(&self, refusal: &Refusal) -> String {
        let Refusal { status, fault: Fault { code, inner, words }, .. } = refusal;
        let code = if inner.is_empty() { code } else { inner };
        let code = if code.is_empty() { String::new() } else { format!(" {code}") };
        let words = if words.is_empty() { String::new() } else { format!(": {words}") };
        format!("{} answers {status}{code}{words}", self.vault)
    }

    /// A refusal that no right explains.
    pub(super) fn odd(&self, refusal: &Refusal) -> Unreadable {
        let vault = &self.vault;
        let why = self.words(refusal);
        let next = match (refusal.status, refusal.wait) {
            (401, _) => {
                return Unreadable {
                    why: format!("{vault} does not take the token of {}: {why}", self.who).into(),
                    next: "log in with an identity of the vault's own tenant: `az keyvault show --name NAME --query properties.tenantId` says which that is".to_owned(),
                    credentials: true,
                };
            }
            (403, _) if ["ForbiddenByFirewall", "ForbiddenByConnection"].contains(&refusal.fault.inner.as_str()) => {
                "let the vault's firewall pass this machine (`az keyvault network-rule add`), or run this where it does"
                    .to_owned()
            }
            (300..=399, _) => "name the vault that answers as `vault`: secrets do not follow".to_owned(),
            (_, Some(seconds)) => format!("run this again, when {seconds} s are over"),
            (_, None) => "see the vault's diagnostics in Azure, then run this again".to_owned(),
        };
        unreadable(why, next)
    }

    pub(super) fn unknown_form(&self) -> Unreadable {
        unreadable(
            format!("{} answers in a form that is not known", self.vault),
            "check `vault` in settings: a vault of Azure Key Vault belongs there",
        )
    }
}

fn headers(token: &Secret) -> Result<HeaderMap, Unreadable> {
    let json = HeaderValue::from_static("application/json");
    Ok(HeaderMap::from_iter([(AUTHORIZATION, header(token)?), (ACCEPT, json.clone()), (CONTENT_TYPE, json)]))
}
