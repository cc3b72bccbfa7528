//! What a login at a vault proves itself with, as settings name it: a reference that is read anew, or what a job of GitHub Actions was
//! given.

use std::sync::Arc;

use crate::model::address::Name;
use crate::model::live::Unreadable;
use crate::model::secret::Secret;
use crate::model::settings::{IdToken, LoginMethod, Reference, VaultLogin};
use crate::sink::access::{GITHUB_TOKEN, GITHUB_URL, Proof};

use super::reference::{Missing, read};
use super::text::Carried;

/// The proof of a sink's login. What is missing is said when somebody logs in.
pub(in crate::cli) fn proof(sink: &Name, login: &VaultLogin) -> Result<Proof, Unreadable> {
    match &login.method {
        LoginMethod::Jwt { token: IdToken::GitHubActions { audience }, .. } => github_actions(audience),
        LoginMethod::Jwt { .. } | LoginMethod::AppRole { .. } | LoginMethod::Kubernetes { .. } => {
            let (sink, login) = (sink.clone(), login.clone());
            Ok(Proof::Read(Arc::new(move || {
                let mut missing = Vec::new();
                stored(&sink, &login, &mut missing).ok_or_else(|| unreadable(missing))
            })))
        }
    }
}

/// An id token that GitHub Actions issues to the job that asks.
pub(in crate::cli) fn github_actions(audience: &str) -> Result<Proof, Unreadable> {
    let (url, bearer) = (of_job(GITHUB_URL)?, of_job(GITHUB_TOKEN)?);
    Ok(Proof::GitHubActions { url, bearer, audience: audience.to_owned() })
}

/// What is missing of it, without logging in.
pub(super) fn missing(sink: &Name, login: &VaultLogin, missing: &mut Missing) {
    match &login.method {
        LoginMethod::Jwt { token: IdToken::GitHubActions { .. }, .. } => {
            let lacking = [GITHUB_URL, GITHUB_TOKEN].into_iter().find_map(|name| of_job(name).err());
            missing.extend(
                lacking.map(|why| (format!("sinks.{sink}.login.jwt.token: {}", why.why.raw()), why.next.clone())),
            );
        }
        LoginMethod::Jwt { .. } | LoginMethod::AppRole { .. } | LoginMethod::Kubernetes { .. } => {
            // Whatever can be read is wiped at once.
            drop(stored(sink, login, missing));
        }
    }
}

fn stored(sink: &Name, login: &VaultLogin, missing: &mut Missing) -> Option<Secret> {
    let file;
    let (field, reference, carried) = match &login.method {
        LoginMethod::Jwt { token: IdToken::Stored(reference), .. } => ("token", reference, Carried::Header),
        LoginMethod::Jwt { token: IdToken::GitHubActions { .. }, .. } => return None,
        // What unwraps goes in a header.
        LoginMethod::AppRole { secret_id, wrapped: true, .. } => ("secret_id", secret_id, Carried::Header),
        LoginMethod::AppRole { secret_id, wrapped: false, .. } => ("secret_id", secret_id, Carried::Body),
        LoginMethod::Kubernetes { token, .. } => {
            file = Reference::File(token.clone());
            ("token", &file, Carried::Header)
        }
    };
    read(&format!("sinks.{sink}.login.{}.{field}", login.word()), reference, carried, missing)
}

fn of_job(variable: &str) -> Result<Secret, Unreadable> {
    let mut missing = Vec::new();
    let value = read("github_actions", &Reference::Env(variable.to_owned()), Carried::Header, &mut missing);
    value.ok_or_else(|| Unreadable {
        why: format!("{variable} is not set: GitHub Actions gives it to jobs that may ask for an id token").into(),
        next: "give the job `permissions: id-token: write`, and run this in a step of it".to_owned(),
        credentials: true,
    })
}

fn unreadable(mut missing: Missing) -> Unreadable {
    let (why, next) = missing.pop().unwrap_or_default();
    Unreadable { why: why.into(), next, credentials: true }
}
