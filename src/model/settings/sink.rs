//! The sinks of settings: where each is, and what follows from its kind.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::address::Name;
use super::super::duration::Duration;
use super::super::marker::SinkHash;
use super::super::origin::Origin;
use super::azure::AzureSink;
use super::ci::{GitHubSink, GitLabSink};
use super::gcp::GcpSink;
use super::login::VaultAuth;
use super::reference::Reference;
use super::template::PathTemplate;

/// A place that secrets are delivered to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// One file per key below a folder.
    File {
        /// The folder, as an absolute path.
        directory: PathBuf,
        /// True if the folder outlives the machine. It is asked for in unattended runs.
        durable: bool,
        /// True if every machine that runs with these settings sees the same folder.
        shared: bool,
    },
    /// Programs of the user's that store and check a payload.
    Command(CommandSink),
    /// A secrets engine of Vault or OpenBao.
    Vault(VaultSink),
    /// AWS Secrets Manager.
    Aws(AwsSink),
    /// Secrets of one namespace in a Kubernetes cluster.
    Kubernetes(KubernetesSink),
    /// Secrets of a vault of Azure.
    Azure(AzureSink),
    /// Secrets of a project at Google.
    Gcp(GcpSink),
    /// Accounts that are linked at StackOne.
    StackOne(StackOneSink),
    /// CI/CD variables of a project or group at GitLab.
    GitLab(GitLabSink),
    /// Secrets of GitHub Actions.
    GitHub(GitHubSink),
}

/// Programs that store a payload and say what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSink {
    /// The program that stores a payload, and its arguments, as written. A program with a slash is below `folder`.
    pub deliver: Vec<String>,
    /// The program that says what is stored. `None`: what was delivered cannot be read back.
    pub check: Option<Vec<String>>,
    /// The longest time that each run of a program may take.
    pub timeout: Duration,
    /// Variables of the environment that are handed on, besides those that every program needs.
    pub allow_env: Vec<String>,
    /// True if every machine that runs with these settings reaches the same place.
    pub shared: bool,
    /// The settings file's folder, as an absolute path. The programs run there.
    pub folder: PathBuf,
}

/// A KV v2 engine of Vault or OpenBao.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultSink {
    /// The server.
    pub address: Origin,
    /// The namespace; `None` for a server without any, and for the root.
    pub namespace: Option<String>,
    /// The path that the engine is mounted at, without slashes around it.
    pub mount: String,
    /// The path of a secret below the mount.
    pub path: PathTemplate,
    /// The way into it.
    pub auth: VaultAuth,
    /// Certificates to trust besides the system's. Absolute.
    pub ca_file: Option<PathBuf>,
}

impl VaultSink {
    /// Returns the policy that the token needs for all keys of this sink, as HashiCorp Vault and OpenBao write policies.
    pub fn policy(&self) -> String {
        let (mount, path) = (&self.mount, self.path.any("+"));
        format!("path \"{mount}/data/{path}\" {{ capabilities = [\"create\", \"read\", \"update\"] }}")
    }
}

/// AWS Secrets Manager, in one account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsSink {
    /// The region that requests are sent to and signed for.
    pub region: String,
    /// The account, by its twelve digits. Credentials of another are refused.
    pub account: String,
    /// The name of each secret.
    pub name: PathTemplate,
    /// The key that encrypts secrets that are made; `None` for AWS's own.
    pub kms_key_id: Option<String>,
    /// The stand-in that is asked in place of AWS.
    pub endpoint: Option<Origin>,
}

impl AwsSink {
    /// Returns the server of one of AWS's services, or the stand-in for all of them.
    pub fn origin(&self, service: &str) -> Origin {
        self.endpoint.clone().unwrap_or_else(|| Origin::of_aws(service, &self.region))
    }

    /// Returns the actions and the resource that a policy allows for all keys of this sink.
    pub fn rights(&self) -> String {
        let Self { region, account, name, .. } = self;
        let partition = match region.split('-').next() {
            Some("cn") => "aws-cn",
            Some("us") if region.starts_with("us-gov-") => "aws-us-gov",
            Some(_) | None => "aws",
        };
        format!(
            "{} on arn:{partition}:secretsmanager:{region}:{account}:secret:{}*",
            "secretsmanager:DescribeSecret, GetSecretValue, CreateSecret, PutSecretValue and UpdateSecretVersionStage",
            // Six digits follow the name of a secret that is there, and none that of one that is not.
            name.any("*").trim_end_matches('*')
        )
    }
}

/// Secrets of one namespace in a Kubernetes cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesSink {
    /// The API server; `None` for that of the cluster that the run is in.
    pub server: Option<Origin>,
    /// The namespace of the Secrets.
    pub namespace: String,
    /// The name of each Secret, with dots between.
    pub name: PathTemplate,
    /// The key of the Secret's data that the payload stands under.
    pub data_key: String,
    /// The place of the token that is sent.
    pub token: Reference,
    /// Certificates to trust besides the system's. Absolute.
    pub ca_file: Option<PathBuf>,
}

impl KubernetesSink {
    /// The folder that a pod finds its service account in.
    pub const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// Returns the rights that a Role gives for all Secrets of this sink.
    pub fn rights(&self) -> String {
        format!("verbs get, create and update on secrets in the namespace {}", self.namespace)
    }
}

/// Accounts of one project at StackOne, each linked to one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackOneSink {
    /// The server.
    pub endpoint: Origin,
    /// The place of the project's API key.
    pub api_key: Reference,
    /// StackOne's word for the connector that the accounts are linked to.
    pub provider: String,
    /// The id of each tenant's account.
    pub accounts: BTreeMap<Name, String>,
    /// The names of the connector's fields.
    pub fields: StackOneFields,
}

/// The connector's own names for what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackOneFields {
    /// The name of the field for the tenant's name.
    pub tenant_name: String,
    /// The name of the field for the region.
    pub region: String,
    /// The name of the field for the API key.
    pub api_key: String,
}

impl Sink {
    /// Returns the word that settings use for this kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Command(_) => "command",
            Self::Vault(_) => "vault",
            Self::Aws(_) => "aws-secrets-manager",
            Self::Kubernetes(_) => "kubernetes",
            Self::Azure(_) => "azure-key-vault",
            Self::Gcp(_) => "gcp-secret-manager",
            Self::StackOne(_) => "stackone",
            Self::GitLab(_) => "gitlab-variables",
            Self::GitHub(_) => "github-actions",
        }
    }

    /// Returns whether nobody can see what it holds.
    pub fn is_blind(&self) -> bool {
        match self {
            Self::Command(command) => command.check.is_none(),
            Self::GitLab(gitlab) => gitlab.is_hidden(),
            Self::StackOne(_) | Self::GitHub(_) => true,
            Self::File { .. } | Self::Vault(_) | Self::Aws(_) | Self::Kubernetes(_) | Self::Azure(_) | Self::Gcp(_) => {
                false
            }
        }
    }

    /// Returns whether a put compares versions, so that a late one is refused.
    pub fn compares_versions(&self) -> bool {
        match self {
            Self::File { .. }
            | Self::Command(_)
            | Self::Azure(_)
            | Self::StackOne(_)
            | Self::GitLab(_)
            | Self::GitHub(_) => false,
            Self::Vault(_) | Self::Aws(_) | Self::Kubernetes(_) | Self::Gcp(_) => true,
        }
    }

    /// Returns whether a request that was sent may arrive after its run has ended, and is taken then. A program ends with its run,
    /// and what compares versions refuses what comes late.
    pub fn takes_what_is_late(&self) -> bool {
        match self {
            Self::Azure(_) | Self::StackOne(_) | Self::GitLab(_) | Self::GitHub(_) => true,
            Self::File { .. }
            | Self::Command(_)
            | Self::Vault(_)
            | Self::Aws(_)
            | Self::Kubernetes(_)
            | Self::Gcp(_) => false,
        }
    }

    /// Returns whether it is written and read within this machine, so that no read is stale and no write outlives its
    /// run. A place that machines share may show an old state.
    pub fn is_local(&self) -> bool {
        match self {
            Self::File { shared, .. } => !shared,
            Self::Command(_)
            | Self::Vault(_)
            | Self::Aws(_)
            | Self::Kubernetes(_)
            | Self::Azure(_)
            | Self::Gcp(_)
            | Self::StackOne(_)
            | Self::GitLab(_)
            | Self::GitHub(_) => false,
        }
    }

    /// Returns whether another machine with the same settings may see another place.
    pub fn is_per_machine(&self) -> bool {
        match self {
            Self::File { shared, .. } | Self::Command(CommandSink { shared, .. }) => !shared,
            // A run within a cluster sees that cluster, on whatever machine of it.
            Self::Vault(_)
            | Self::Aws(_)
            | Self::Kubernetes(_)
            | Self::Azure(_)
            | Self::Gcp(_)
            | Self::StackOne(_)
            | Self::GitLab(_)
            | Self::GitHub(_) => false,
        }
    }

    /// Returns the digits that markers carry for it: of its kind and resolved location, not of the entry within.
    pub fn hash(&self) -> SinkHash {
        match self {
            Self::File { directory, .. } => SinkHash::of("file", &directory.to_string_lossy()),
            // As written: another runner has the settings in another folder.
            Self::Command(command) => SinkHash::of("command", &command.deliver.join("\0")),
            Self::Vault(vault) => {
                let namespace = vault.namespace.as_deref().unwrap_or_default();
                SinkHash::of(
                    "vault",
                    &[vault.address.as_str(), namespace, &vault.mount, vault.path.as_str()].join("\0"),
                )
            }
            Self::Aws(aws) => {
                let endpoint = aws.endpoint.as_ref().map(Origin::as_str).unwrap_or_default();
                SinkHash::of("aws", &[endpoint, &aws.account, &aws.region, aws.name.as_str()].join("\0"))
            }
            Self::Kubernetes(kubernetes) => {
                let KubernetesSink { server, namespace, name, data_key, token: _, ca_file: _ } = kubernetes;
                let server = server.as_ref().map(Origin::as_str).unwrap_or_default();
                SinkHash::of("kubernetes", &[server, namespace, name.as_str(), data_key].join("\0"))
            }
            Self::Azure(AzureSink { vault, name, authority: _, managed_identity: _ }) => {
                SinkHash::of("azure", &[vault.as_str(), name.as_str()].join("\0"))
            }
            Self::Gcp(gcp) => {
                let GcpSink { project, location, name, attached_service_account: _, endpoint } = gcp;
                let endpoint = endpoint.as_ref().map(Origin::as_str).unwrap_or_default();
                let location = location.as_deref().unwrap_or_default();
                SinkHash::of("gcp", &[endpoint, project, location, name.as_str()].join("\0"))
            }
            // An account is linked to one tenant: which it is, is within.
            Self::StackOne(stackone) => SinkHash::of("stackone", stackone.endpoint.as_str()),
            Self::GitLab(gitlab) => SinkHash::of("gitlab", &gitlab.location()),
            Self::GitHub(github) => SinkHash::of("github", &github.location()),
        }
    }
}
