//! The ways into a vault: a token that stands, or a login that gives one for the run.

use std::path::PathBuf;

use super::reference::Reference;

/// How a vault is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultAuth {
    /// A token that somebody keeps.
    Token(Reference),
    /// A login, in which the vault gives a token for a proof. The token ends with the run.
    Login(VaultLogin),
}

/// A login at an auth method of a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultLogin {
    /// The path below `auth/` that the method is mounted at, without slashes around it.
    pub mount: String,
    /// The method, with what is its own.
    pub method: LoginMethod,
}

/// An auth method, and the proof that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginMethod {
    /// A signed id token, as pipelines issue them.
    Jwt {
        /// The role at the vault.
        role: String,
        /// The source of the id token.
        token: IdToken,
    },
    /// A role's id with a secret id.
    AppRole {
        /// The id of the role. It is no secret.
        role_id: String,
        /// The place of the secret id.
        secret_id: Reference,
        /// True if a token stands there that gives the secret id once.
        wrapped: bool,
    },
    /// The token of a pod's service account.
    Kubernetes {
        /// The role at the vault.
        role: String,
        /// The file of the token, as an absolute path. The cluster replaces what is in it.
        token: PathBuf,
    },
}

/// The source of an id token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdToken {
    /// The pipeline has put it there.
    Stored(Reference),
    /// GitHub Actions issues it when it is asked.
    GitHubActions {
        /// The audience that it is asked for.
        audience: String,
    },
}

impl VaultLogin {
    /// Returns the method in the word that settings use for it.
    pub fn word(&self) -> &'static str {
        match self.method {
            LoginMethod::Jwt { .. } => "jwt",
            LoginMethod::AppRole { .. } => "approle",
            LoginMethod::Kubernetes { .. } => "kubernetes",
        }
    }

    /// Returns the role for messages: `role qlik`, or `role_id 1-2-3`.
    pub fn role(&self) -> String {
        match &self.method {
            LoginMethod::Jwt { role, .. } | LoginMethod::Kubernetes { role, .. } => format!("role {role}"),
            LoginMethod::AppRole { role_id, .. } => format!("role_id {role_id}"),
        }
    }
}
