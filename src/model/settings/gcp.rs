//! Secrets of a project at Google as a sink.

use super::super::origin::Origin;
use super::template::PathTemplate;

/// Secret Manager of Google Cloud, in one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GcpSink {
    /// The project, by its id or its number.
    pub project: String,
    /// The region of regional secrets; `None` for global ones.
    pub location: Option<String>,
    /// The name of each secret, with `_` between.
    pub name: PathTemplate,
    /// True if the service account that is attached to the machine logs in, whatever else the environment offers.
    pub attached_service_account: bool,
    /// The stand-in that is asked in place of Google, also for tokens.
    pub endpoint: Option<Origin>,
}

impl GcpSink {
    /// The alias of the version that readers take. It moves from the version that was looked at and from no other.
    pub const ALIAS: &str = "qlik-plan";

    /// Returns the server of the secrets.
    pub fn origin(&self) -> Origin {
        match &self.location {
            None => self.origin_of("secretmanager"),
            Some(location) => self.origin_of(&format!("secretmanager.{location}.rep")),
        }
    }

    /// Returns the server of one of Google's services, or the stand-in for all of them.
    pub fn origin_of(&self, service: &str) -> Origin {
        self.endpoint.clone().unwrap_or_else(|| Origin::of_google(service))
    }

    /// Returns the path of all secrets, as the service names them.
    pub fn parent(&self) -> String {
        match &self.location {
            None => format!("projects/{}", self.project),
            Some(location) => format!("projects/{}/locations/{location}", self.project),
        }
    }

    /// Returns the permissions that a role gives for all secrets of this sink.
    pub fn rights(&self) -> String {
        format!(
            "secretmanager.secrets.create, get and update, and secretmanager.versions.add, get and access in the project {}",
            self.project
        )
    }
}
