//! Sinks whose secrets are variables of a pipeline: where each is, and what each key's variable is called.

use std::fmt;

use super::super::address::Address;
use super::super::origin::Origin;
use super::reference::Reference;

/// The name of each key's variable, with `{vendor}`, `{tenant}` and `{key}` once each between underscores. Names of variables are
/// narrower than addresses, so two addresses may have one name: whoever reads desired state refuses that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableName(String);

impl VariableName {
    /// The parts that stand for a part of an address.
    pub const PLACES: [&str; 3] = ["{vendor}", "{tenant}", "{key}"];

    /// Parses a template whose other parts are upper-case letters and digits, or nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('_').collect();
        let once = |place: &str| parts.iter().filter(|part| **part == place).count() == 1;
        let is_word = |part: &str| part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let fits = |part: &&str| Self::PLACES.contains(part) || is_word(part);
        let begins_well = !text.starts_with(|c: char| c.is_ascii_digit());
        let is_one = begins_well && Self::PLACES.into_iter().all(once) && parts.iter().all(fits);
        is_one.then(|| Self(text.to_owned()))
    }

    /// Returns the name of one key's variable: upper case, with `_` for each `-`.
    pub fn of(&self, address: &Address) -> String {
        let key = address.key().map(ToString::to_string).unwrap_or_default();
        let part = |part: &str| match part {
            "{vendor}" => address.vendor.as_str().to_owned(),
            "{tenant}" => address.tenant.to_string(),
            "{key}" => key.clone(),
            word => word.to_owned(),
        };
        let parts: Vec<String> = self.0.split('_').map(part).collect();
        parts.join("_").replace('-', "_").to_ascii_uppercase()
    }

    /// Returns the template as settings write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// CI/CD variables of one project or group at GitLab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitLabSink {
    /// The server.
    pub server: Origin,
    /// The project or group that the variables are of.
    pub of: GitLabOwner,
    /// The name of each variable.
    pub name: VariableName,
    /// The place of the token that is sent.
    pub token: Reference,
    /// The environments whose jobs have the variables; `*` for all.
    pub environment_scope: String,
    /// The part of a value that logs and people see.
    pub shown: Shown,
    /// True if jobs of protected branches and tags alone have the variables.
    pub protected: bool,
    /// True if a job finds the path of a file in the variable, and the payload in that file.
    pub as_file: bool,
}

/// The owner of variables at GitLab, by id or by its whole path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitLabOwner {
    /// One project.
    Project(String),
    /// All projects of a group.
    Group(String),
}

/// The way a variable's value is shown at GitLab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Also in the logs of jobs.
    Everywhere,
    /// Not in the logs of jobs.
    Masked,
    /// To nobody, the API included.
    Hidden,
}

impl GitLabOwner {
    /// Returns the word of paths and settings, and the id or path.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Project(project) => ("project", project),
            Self::Group(group) => ("group", group),
        }
    }
}

impl fmt::Display for GitLabOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, of) = self.parts();
        write!(f, "the {word} {of}")
    }
}

impl GitLabSink {
    /// The end of the name of the variable that holds the metadata.
    pub const METADATA: &str = "_QLIK_PLAN";

    /// Returns the words that tell this place from every other: two keys of one name there are one variable.
    pub fn location(&self) -> String {
        let Self { server, of, name, token: _, environment_scope, shown: _, protected: _, as_file: _ } = self;
        let (word, of) = of.parts();
        [server.as_str(), word, of, name.as_str(), environment_scope].join("\0")
    }

    /// Returns whether nobody can see what a variable holds.
    pub fn is_hidden(&self) -> bool {
        match self.shown {
            Shown::Hidden => true,
            Shown::Everywhere | Shown::Masked => false,
        }
    }

    /// Returns whether GitLab takes a value in one line of no blanks alone.
    pub fn is_masked(&self) -> bool {
        match self.shown {
            Shown::Masked | Shown::Hidden => true,
            Shown::Everywhere => false,
        }
    }

    /// Returns what the token needs for all variables of this sink.
    pub fn rights(&self) -> String {
        let role = match self.of {
            GitLabOwner::Project(_) => "Maintainer",
            GitLabOwner::Group(_) => "Owner",
        };
        format!("the scope api and the role {role} in {}", self.of)
    }
}

/// Secrets of GitHub Actions, of one repository, environment or organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHubSink {
    /// The server of the API, or the whole server for an Enterprise Server.
    pub server: Origin,
    /// The owner of the secrets.
    pub of: GitHubOwner,
    /// The name of each secret.
    pub name: VariableName,
    /// The place of the token that is sent.
    pub token: Reference,
}

/// The owner of secrets at GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitHubOwner {
    /// A repository, as `owner/name`.
    Repository(String),
    /// An environment of a repository.
    Environment {
        /// The repository, as `owner/name`.
        repository: String,
        /// The environment. It must be there.
        environment: String,
    },
    /// An organization.
    Organization {
        /// The organization's name.
        name: String,
        /// The repositories that have the secrets.
        visibility: Visibility,
    },
}

/// The repositories of an organization that have its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// All of them, public ones included.
    All,
    /// Those that are private or internal.
    Private,
    /// Those with these ids.
    Selected(Vec<u32>),
}

impl fmt::Display for GitHubOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(repository) => write!(f, "the repository {repository}"),
            Self::Environment { repository, environment } => write!(f, "the environment {environment} of {repository}"),
            Self::Organization { name, visibility: _ } => write!(f, "the organization {name}"),
        }
    }
}

impl GitHubSink {
    /// The beginning of a name that GitHub keeps for its own.
    pub const TAKEN: &str = "GITHUB_";

    /// Returns what stands before each path: nothing at `api.github.com` and its like, and the API's path at an Enterprise Server.
    pub fn base(&self) -> &'static str {
        if self.server.as_str().starts_with("https://api.") { "" } else { "/api/v3" }
    }

    /// Returns the words that tell this place from every other: two keys of one name there are one secret. GitHub knows no upper case.
    pub fn location(&self) -> String {
        let Self { server, of, name, token: _ } = self;
        let (word, of, environment) = match of {
            GitHubOwner::Repository(repository) => ("repository", repository, ""),
            GitHubOwner::Environment { repository, environment } => ("environment", repository, environment.as_str()),
            GitHubOwner::Organization { name, visibility: _ } => ("organization", name, ""),
        };
        [server.as_str(), word, of, environment, name.as_str()].join("\0").to_ascii_lowercase()
    }

    /// Returns what the token needs for all secrets of this sink.
    pub fn rights(&self) -> String {
        let permission = match self.of {
            GitHubOwner::Repository(_) => "the permission Secrets (write) on",
            GitHubOwner::Environment { .. } => "the permission Environments (write) on the repository of",
            GitHubOwner::Organization { .. } => "the organization permission Secrets (write) on",
        };
        format!("{permission} {}", self.of)
    }
}
