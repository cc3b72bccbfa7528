//! The token that a vault is asked with: one that stands, or one of a login, replaced before it ends and revoked with the run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use tokio::time::Instant;

use crate::model::live::Unreadable;
use crate::model::redact::{Speaker, said};
use crate::model::secret::Secret;
use crate::model::settings::{self, LoginMethod, VaultLogin, VaultSink};

use super::super::access::Access;
use super::super::proof::Proof;
use super::super::unreadable;
use super::super::wire::Answer;
use super::call::{Ask, Caller, Lost, Trouble};
use super::form;
use super::login::{self, Given};

/// How long a vault that did not answer a login is not asked again: every key of a plan would wait for it anew.
const QUIET: Duration = Duration::from_secs(10);

/// A token, as long as somebody asks with it.
#[derive(Clone)]
pub(super) struct Lent {
    pub(super) token: Arc<Secret>,
    /// Of a login: which one, counted from 1.
    number: u32,
    /// `None`: it does not end.
    lease: Option<Duration>,
    since: Instant,
    renewable: bool,
    is_batch: bool,
}

impl Lent {
    fn of(token: Arc<Secret>, number: u32, since: Instant, given: &Given) -> Self {
        let Given { lease, renewable, is_batch, token: _ } = *given;
        Self { token, number, lease, since, renewable, is_batch }
    }

    /// It lasts for a while: two thirds of its lease are not over.
    fn lasts(&self) -> bool {
        self.lease.is_none_or(|lease| self.since.elapsed() < lease * 2 / 3)
    }

    fn lives(&self) -> bool {
        self.lease.is_none_or(|lease| self.since.elapsed() < lease)
    }
}

/// How a vault is opened, and the token of it.
pub(super) enum Session {
    Standing(Result<Lent, Unreadable>),
    Login(Box<Login>),
}

pub(super) struct Login {
    settings: VaultSink,
    login: VaultLogin,
    proof: Result<Proof, Unreadable>,
    state: tokio::sync::Mutex<State>,
    /// The last login followed a refusal, and nothing has been answered with its token yet.
    is_unproven: AtomicBool,
    /// Whatever may be seen in no message.
    known: Mutex<Vec<Arc<Secret>>>,
}

#[derive(Default)]
struct State {
    current: Option<Lent>,
    /// Those that were replaced and may live.
    replaced: Vec<Lent>,
    logins: u32,
    /// The secret id, once it was unwrapped: its token gives it no second time.
    unwrapped: Option<Arc<Secret>>,
    /// Why there is no token; asked again after this time, if at all.
    failed: Option<(Unreadable, Option<Instant>)>,
}

impl Session {
    pub(super) fn of(settings: &VaultSink, access: &mut Access) -> Self {
        let missing =
            |what: &str| unreadable(format!("the vault's {what} was not read"), "report this as a defect of qlik-plan");
        match &settings.auth {
            settings::VaultAuth::Token(_) => {
                let token = access.token.take().unwrap_or_else(|| Err(missing("token")));
                Self::Standing(token.map(|token| Lent {
                    token: Arc::new(token),
                    number: 0,
                    lease: None,
                    since: Instant::now(),
                    renewable: false,
                    is_batch: false,
                }))
            }
            settings::VaultAuth::Login(login) => {
                let proof = access.proof.take().unwrap_or_else(|| Err(missing("proof")));
                Self::Login(Box::new(Login {
                    settings: settings.clone(),
                    login: login.clone(),
                    proof: proof.and_then(|proof| Proof::of(proof, access)),
                    state: tokio::sync::Mutex::default(),
                    is_unproven: AtomicBool::new(false),
                    known: Mutex::default(),
                }))
            }
        }
    }

    /// The token to ask with now.
    pub(super) async fn token(&self, caller: &Caller) -> Result<Lent, Unreadable> {
        match self {
            Self::Standing(token) => token.clone(),
            Self::Login(login) => login.token(caller).await,
        }
    }

    /// Another token in place of one that the vault does not know any more; `None` where there is none to be had. Nobody logs in
    /// twice in a row: a vault that knows none of its own tokens would be asked for ever.
    pub(super) async fn instead_of(&self, dead: &Lent, caller: &Caller) -> Result<Option<Lent>, Unreadable> {
        match self {
            Self::Standing(_) => Ok(None),
            Self::Login(login) => login.instead_of(dead, caller).await,
        }
    }

    /// A request with this token was answered, and not for want of one.
    pub(super) fn worked(&self) {
        if let Self::Login(login) = self {
            login.is_unproven.store(false, Ordering::Relaxed);
        }
    }

    /// What may be seen in no message.
    pub(super) fn secrets(&self) -> Vec<Arc<Secret>> {
        match self {
            Self::Standing(token) => token.iter().map(|lent| Arc::clone(&lent.token)).collect(),
            Self::Login(login) => login.known.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Revokes every token that this run was given. What cannot be revoked ends by itself.
    pub(super) async fn end(&self, caller: &Caller) {
        let Self::Login(login) = self else { return };
        let given = {
            let mut state = login.state.lock().await;
            let current = state.current.take();
            std::mem::take(&mut state.replaced).into_iter().chain(current)
        };
        for lent in given.filter(|lent| !lent.is_batch && lent.lives()) {
            let ask =
                Ask { method: Method::POST, path: "auth/token/revoke-self", token: Some(&lent.token), body: None };
            // Revoked twice is revoked.
            drop(caller.ask(ask, Lost::Again).await);
        }
    }
}

impl Session {
    /// For people: how the login is; `None` where a token stands.
    pub(super) async fn told(&self, caller: &Caller) -> Option<Result<String, Unreadable>> {
        match self {
            Self::Standing(_) => None,
            Self::Login(login) => Some(login.told(caller).await),
        }
    }
}

impl Login {
    async fn token(&self, caller: &Caller) -> Result<Lent, Unreadable> {
        let mut state = self.state.lock().await;
        let Some(current) = state.current.clone() else { return self.log_in(&mut state, caller).await };
        if current.lasts() {
            return Ok(current);
        }
        if current.renewable
            && current.lives()
            && let Some(renewed) = self.renew(&current, caller).await
        {
            state.current = Some(renewed.clone());
            return Ok(renewed);
        }
        match self.log_in(&mut state, caller).await {
            // It may do for what is left.
            Err(_) if current.lives() => Ok(current),
            other => other,
        }
    }

    /// `None`: it is not renewed, or not for long.
    async fn renew(&self, current: &Lent, caller: &Caller) -> Option<Lent> {
        let since = Instant::now();
        let ask = Ask { method: Method::POST, path: "auth/token/renew-self", token: Some(&current.token), body: None };
        let Ok(Answer { status: 200, body, .. }) = caller.ask(ask, Lost::Again).await else { return None };
        let given = login::given(&body)?;
        let renewed = Lent::of(Arc::clone(&current.token), current.number, since, &given);
        // At the end of its longest life it is renewed for ever shorter times.
        let is_short = |lease: Duration| current.lease.is_some_and(|before| lease < before);
        (!renewed.lease.is_some_and(is_short)).then_some(renewed)
    }

    async fn instead_of(&self, dead: &Lent, caller: &Caller) -> Result<Option<Lent>, Unreadable> {
        let mut state = self.state.lock().await;
        match &state.current {
            // Somebody was quicker.
            Some(current) if current.number != dead.number => return Ok(Some(current.clone())),
            Some(_) | None => {}
        }
        if self.is_unproven.swap(true, Ordering::Relaxed) {
            return Ok(None);
        }
        state.current = None;
        self.log_in(&mut state, caller).await.map(Some)
    }

    async fn log_in(&self, state: &mut State, caller: &Caller) -> Result<Lent, Unreadable> {
        match &state.failed {
            Some((why, again)) if again.is_none_or(|again| Instant::now() < again) => return Err(why.clone()),
            Some(_) | None => {}
        }
        let since = Instant::now();
        match self.given(state, caller).await {
            Ok(given) => {
                state.logins += 1;
                let Given { token, lease, renewable, is_batch } = given;
                let token = self.keep(token);
                let lent = Lent { token, number: state.logins, lease, since, renewable, is_batch };
                state.replaced.extend(state.current.replace(lent.clone()));
                state.failed = None;
                Ok(lent)
            }
            Err((why, again)) => {
                state.failed = Some((why.clone(), again));
                Err(why)
            }
        }
    }

    /// A token, or why there is none and when to ask again. What was refused stays refused: a vault may lock out who tries often.
    async fn given(&self, state: &mut State, caller: &Caller) -> Result<Given, (Unreadable, Option<Instant>)> {
        let proof = self.proof(state, caller).await?;
        let (settings, login) = (&self.settings, &self.login);
        let body = login::body(login, &proof).ok_or_else(|| {
            let why = "the proof of the vault's login does not become JSON";
            (unreadable(why, "report this as a defect of qlik-plan; nothing was sent"), None)
        })?;
        // A secret id may be good for one login.
        let lost = match login.method {
            LoginMethod::AppRole { .. } => Lost::Once,
            LoginMethod::Jwt { .. } | LoginMethod::Kubernetes { .. } => Lost::Again,
        };
        let path = login::path(login);
        let Answer { status, body, .. } = self.ask(&path, None, Some(body), lost, caller).await?;
        if status != 200 {
            return Err((login::refused(settings, login, status, &form::errors(&body), &self.words(&body)), None));
        }
        login::given(&body).ok_or_else(|| {
            let how = format!("what {} answers holds no token", settings.address);
            (login::not_answered(settings, login, &how), None)
        })
    }

    /// What is sent to prove who asks, read anew: whoever gives it may have replaced it.
    async fn proof(&self, state: &mut State, caller: &Caller) -> Result<Arc<Secret>, (Unreadable, Option<Instant>)> {
        let (settings, login) = (&self.settings, &self.login);
        if let Some(secret_id) = &state.unwrapped {
            return Ok(Arc::clone(secret_id));
        }
        let read = match &self.proof {
            Ok(proof) => proof.read().await,
            Err(why) => Err(why.clone()),
        };
        let read = self.keep(read.map_err(|why| (login::no_proof(settings, login, &why), None))?);
        let LoginMethod::AppRole { wrapped: true, .. } = login.method else { return Ok(read) };
        self.wrapped(&read, caller).await?;
        let Answer { status, body, .. } =
            self.ask("sys/wrapping/unwrap", Some(&read), None, Lost::Once, caller).await?;
        match (status, login::unwrapped(&body)) {
            (200, Some(secret_id)) => Ok(Arc::clone(state.unwrapped.insert(self.keep(secret_id)))),
            (status, _) => Err((login::not_unwrapped(settings, login, status, &self.words(&body)), None)),
        }
    }

    /// Whether what is wrapped can be a secret id of this method. Asking does not use it up.
    async fn wrapped(&self, token: &Secret, caller: &Caller) -> Result<(), (Unreadable, Option<Instant>)> {
        let (settings, login) = (&self.settings, &self.login);
        let body = login::of_wrapping(token);
        let Answer { status, body, .. } = self.ask("sys/wrapping/lookup", None, body, Lost::Again, caller).await?;
        let of_role = format!("auth/{}/role/", login.mount);
        match (status, login::wrapped_at(&body)) {
            (200, Some(path)) if path.contains(&of_role) && path.ends_with("/secret-id") => Ok(()),
            (200, Some(path)) => Err((login::wrapped_elsewhere(settings, login, &path), None)),
            (status, _) => Err((login::not_unwrapped(settings, login, status, &self.words(&body)), None)),
        }
    }

    async fn ask(
        &self,
        path: &str,
        token: Option<&Secret>,
        body: Option<zeroize::Zeroizing<Vec<u8>>>,
        lost: Lost,
        caller: &Caller,
    ) -> Result<Answer, (Unreadable, Option<Instant>)> {
        caller.ask(Ask { method: Method::POST, path, token, body }, lost).await.map_err(|trouble| {
            let how = match trouble {
                Trouble::Answered(Answer { status, body, .. }) => {
                    format!("{} answers {status}{}", self.settings.address, self.words(&body))
                }
                Trouble::NoAnswer(why) | Trouble::NoWay(why) => why,
            };
            (login::not_answered(&self.settings, &self.login, &how), Some(Instant::now() + QUIET))
        })
    }

    fn keep(&self, secret: Secret) -> Arc<Secret> {
        let secret = Arc::new(secret);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&secret));
        secret
    }

    fn words(&self, body: &[u8]) -> String {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let secrets: Vec<&[u8]> = known.iter().map(|secret| secret.expose().as_bytes()).collect();
        let words = said(form::errors(body).as_bytes(), &secrets, Speaker::Other);
        if words.raw().is_empty() { String::new() } else { format!(" ({})", words.raw()) }
    }

    async fn told(&self, caller: &Caller) -> Result<String, Unreadable> {
        let name = login::name(&self.settings, &self.login);
        if let LoginMethod::AppRole { wrapped: true, .. } = self.login.method {
            let read = match &self.proof {
                Ok(proof) => proof.read().await,
                Err(why) => Err(why.clone()),
            };
            let token = self.keep(read.map_err(|why| login::no_proof(&self.settings, &self.login, &why))?);
            self.wrapped(&token, caller).await.map_err(|(why, _)| why)?;
            return Ok(format!(
                "{name} was not tried: its wrapped secret id is there, and is good for one run, also of doctor where a key goes there"
            ));
        }
        let Lent { lease, renewable, is_batch, .. } = self.token(caller).await?;
        let ends = match lease {
            None => "does not end".to_owned(),
            Some(lease) => format!("lives for {} s", lease.as_secs()),
        };
        let then = match (is_batch, renewable) {
            (true, _) => "a batch token: it cannot be revoked, and ends by itself",
            (false, true) => "renewed before it ends, revoked with the run",
            (false, false) => "followed by another login before it ends, revoked with the run",
        };
        Ok(format!("{name} works; its token {ends} ({then})"))
    }
}
