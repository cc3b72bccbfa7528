//! The sentences on what a vault answers, and what to do about it.

use crate::model::address::Address;
use crate::model::live::Unreadable;
use crate::model::redact::{Speaker, said};
use crate::model::settings::VaultAuth;

use super::super::unreadable;
use super::super::wire::Answer;
use super::call::Trouble;
use super::{VaultSink, form};

impl VaultSink {
    /// What the token needs, for all keys of this sink.
    pub(super) fn policy(&self) -> String {
        format!(
            "give the token of {} this policy{}: {}",
            self.token_name(),
            self.in_namespace(),
            self.0.settings.policy()
        )
    }

    pub(super) fn in_namespace(&self) -> String {
        self.0.settings.namespace.as_ref().map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default()
    }

    pub(super) fn token_name(&self) -> String {
        match &self.0.settings.auth {
            VaultAuth::Token(reference) => reference.place(),
            VaultAuth::Login(login) => format!("{} at auth/{}", login.role(), login.mount),
        }
    }

    /// The vault does not know the token.
    pub(super) fn dead(&self) -> Unreadable {
        let (address, token, namespace) = (&self.0.settings.address, self.token_name(), self.in_namespace());
        let next = match &self.0.settings.auth {
            VaultAuth::Token(_) => {
                format!("log in again and give {token} the new token; `bao token lookup` says how long it lives")
            }
            VaultAuth::Login(login) => format!(
                "see who revokes the tokens of that login, and `token_ttl`, `token_num_uses` and `token_bound_cidrs` of the role \
                 (`bao list auth/{}/role`): another login was tried once",
                login.mount
            ),
        };
        Unreadable {
            why: format!("the token of {token} is not alive at {address}{namespace} (403): it has ended, was revoked, has no use left, or never was one there").into(),
            next,
            credentials: true,
        }
    }

    pub(super) fn trouble(&self, trouble: Trouble) -> Unreadable {
        match trouble {
            Trouble::Answered(Answer { status, body, wait }) => self.overloaded(status, &body, wait),
            Trouble::NoAnswer(why) => self.out_of_reach(&why),
            Trouble::NoWay(why) => self.no_way(&why),
        }
    }

    pub(super) fn no_way(&self, why: &str) -> Unreadable {
        unreadable(format!("{} cannot be reached: {why}", self.0.settings.address), "correct it in settings")
    }

    pub(super) fn next(&self, status: u16, body: &[u8]) -> String {
        let address = &self.0.settings.address;
        match (status, &self.0.settings.namespace) {
            (404, Some(namespace)) if form::errors(body).contains("namespace") => {
                return format!("check `namespace: {namespace}`; `bao namespace list` says which there are");
            }
            (_, _) => {}
        }
        match status {
            503 => format!("unseal or start {address} (`bao status`), then run this again"),
            429 => format!("{address} is asked too often: see its rate limit quotas, then run this again"),
            404 => format!("check `mount: {}`: a KV engine of version 2 belongs there", self.0.settings.mount),
            _ => format!("see the log of {address}, then run this again"),
        }
    }

    /// It is asked too much, or not well.
    pub(super) fn overloaded(&self, status: u16, body: &[u8], wait: Option<u64>) -> Unreadable {
        let Unreadable { why, next, credentials } = self.odd(status, body);
        let Some(seconds) = wait else { return Unreadable { why, next, credentials } };
        let why = format!("{}, and asks for {seconds} s", why.raw());
        Unreadable { why: why.into(), next: format!("{next}, when {seconds} s are over"), credentials }
    }

    pub(super) fn odd(&self, status: u16, body: &[u8]) -> Unreadable {
        // What comes with a success is no message.
        let words = if status >= 400 { self.words(body, &[]) } else { String::new() };
        let why = format!("{} answers {status}{words}", self.0.settings.address);
        unreadable(why, self.next(status, body))
    }

    /// What it said of an error, for a message.
    pub(super) fn words(&self, body: &[u8], secrets: &[&[u8]]) -> String {
        let own = self.0.session.secrets();
        let own = own.iter().map(|secret| secret.expose().as_bytes());
        let secrets: Vec<&[u8]> = secrets.iter().copied().chain(own).collect();
        let words = said(form::errors(body).as_bytes(), &secrets, Speaker::Other);
        if words.raw().is_empty() { String::new() } else { format!(": {}", words.raw()) }
    }

    pub(super) fn out_of_reach(&self, why: &str) -> Unreadable {
        unreadable(
            format!("{}: {why}", self.0.settings.address),
            format!("check that {} runs and that this machine reaches it", self.0.settings.address),
        )
    }

    pub(super) fn stranger(&self, address: &Address) -> Unreadable {
        unreadable(
            format!("{} holds something that qlik-plan did not write, or that was changed since", self.place(address)),
            "move what is there away (a new version with its metadata, or `bao kv metadata delete`), then run this again",
        )
    }
}
