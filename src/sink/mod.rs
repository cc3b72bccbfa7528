//! Where secrets rest. The one match on kinds is here; each kind has a module of its own.

pub mod access;
mod aws;
mod azure;
mod bearer;
mod command;
mod content;
mod file;
mod gcp;
mod github;
mod gitlab;
mod kubernetes;
mod oauth;
mod outcome;
pub mod payload;
mod proof;
mod reader;
mod stackone;
mod vault;
mod wire;

use crate::model::address::Address;
use crate::model::live::{Observed, SinkEntry, StoreLive, Tracked, Unreadable, Writable};
use crate::model::marker::SinkHash;
use crate::model::settings;
use crate::model::untrusted::Untrusted;

use self::access::{Access, Lock};
use self::aws::AwsSink;
use self::azure::AzureSink;
use self::command::CommandSink;
use self::file::FileSink;
use self::gcp::GcpSink;
use self::github::GitHubSink;
use self::gitlab::GitLabSink;
use self::kubernetes::KubernetesSink;
use self::outcome::{Seen, of_key, unreadable};
use self::payload::Payload;
use self::stackone::StackOneSink;
use self::vault::VaultSink;

pub use self::command::printed;
pub use self::file::enclosing as work_tree;
pub use self::outcome::{Look, Put, ReadBack, Version};
pub use self::reader::{SinkReader, SinkReaders};

/// One sink of the settings.
#[derive(Clone, Debug)]
pub enum Sink {
    /// A folder on this machine.
    File(FileSink),
    /// Programs of the user's own.
    Command(CommandSink),
    /// A KV v2 engine.
    Vault(VaultSink),
    /// AWS Secrets Manager.
    Aws(AwsSink),
    /// Secrets of a namespace in Kubernetes.
    Kubernetes(KubernetesSink),
    /// Secrets of a vault of Azure.
    Azure(AzureSink),
    /// Secrets of a project at Google.
    Gcp(GcpSink),
    /// Accounts that are linked at StackOne.
    StackOne(StackOneSink),
    /// CI/CD variables at GitLab.
    GitLab(GitLabSink),
    /// Secrets of GitHub Actions.
    GitHub(GitHubSink),
}

impl Sink {
    /// The sink of the settings; nothing is read or written yet.
    pub fn of(settings: &settings::Sink, access: Access) -> Self {
        match settings {
            settings::Sink::File { directory, .. } => {
                Self::File(FileSink::at(directory.clone(), settings.hash(), access))
            }
            settings::Sink::Command(command) => Self::Command(CommandSink::of(command, settings.hash(), access)),
            settings::Sink::Vault(vault) => Self::Vault(VaultSink::of(vault, settings.hash(), access)),
            settings::Sink::Aws(aws) => Self::Aws(AwsSink::of(aws, settings.hash(), access)),
            settings::Sink::Kubernetes(kubernetes) => {
                Self::Kubernetes(KubernetesSink::of(kubernetes, settings.hash(), access))
            }
            settings::Sink::Azure(azure) => Self::Azure(AzureSink::of(azure, settings.hash(), access)),
            settings::Sink::Gcp(gcp) => Self::Gcp(GcpSink::of(gcp, settings.hash(), access)),
            settings::Sink::StackOne(stackone) => Self::StackOne(StackOneSink::of(stackone, settings.hash(), access)),
            settings::Sink::GitHub(github) => Self::GitHub(GitHubSink::of(github, settings.hash(), access)),
            settings::Sink::GitLab(gitlab) => Self::GitLab(GitLabSink::of(gitlab, settings.hash(), access)),
        }
    }

    /// From now on whatever outlives this run keeps the ledger's lock.
    pub fn bequeath(&mut self, lock: std::sync::Arc<Lock>) {
        match self {
            Self::Command(command) => command.bequeath(lock),
            // Their writes end with this process, or are refused when they come late.
            Self::File(_)
            | Self::Vault(_)
            | Self::Aws(_)
            | Self::Kubernetes(_)
            | Self::Azure(_)
            | Self::Gcp(_)
            | Self::StackOne(_)
            | Self::GitLab(_)
            | Self::GitHub(_) => {}
        }
    }

    /// What markers carry of this sink.
    pub fn hash(&self) -> SinkHash {
        match self {
            Self::File(file) => file.hash(),
            Self::Command(command) => command.hash(),
            Self::Vault(vault) => vault.hash(),
            Self::Aws(aws) => aws.hash(),
            Self::Kubernetes(kubernetes) => kubernetes.hash(),
            Self::Azure(azure) => azure.hash(),
            Self::Gcp(gcp) => gcp.hash(),
            Self::StackOne(stackone) => stackone.hash(),
            Self::GitLab(gitlab) => gitlab.hash(),
            Self::GitHub(github) => github.hash(),
        }
    }

    /// Where a key's secret rests, for messages.
    pub fn place(&self, address: &Address) -> String {
        match self {
            Self::File(file) => file.place(address),
            Self::Command(command) => command.place(address),
            Self::Vault(vault) => vault.place(address),
            Self::Aws(aws) => aws.place(address),
            Self::Kubernetes(kubernetes) => kubernetes.place(address),
            Self::Azure(azure) => azure.place(address),
            Self::Gcp(gcp) => gcp.place(address),
            Self::StackOne(stackone) => stackone.place(address),
            Self::GitLab(gitlab) => gitlab.place(address),
            Self::GitHub(github) => github.place(address),
        }
    }

    /// What is there for a key; where nothing is, at the addresses it had before, the latest first.
    pub async fn look(&self, address: &Address, formerly: &[Address]) -> Look {
        let Seen { entry, version, until, deleted } = self.look_at(address).await;
        if entry == Some(Observed::Absent) {
            for former in formerly.iter().rev() {
                // A rename is a tenant's; its keys keep their names.
                let former = match (former.key(), address.key()) {
                    (None, Some(key)) => former.with_key(key.clone()),
                    (Some(_), _) | (None, None) => former.clone(),
                };
                let Seen { entry, until, .. } = self.look_at(&former).await;
                if entry != Some(Observed::Absent) {
                    return Look { entry, version, at: former, until, deleted: None };
                }
            }
        }
        Look { entry, version, at: address.clone(), until, deleted }
    }

    /// What git has in its index of the key's files, at any of its addresses. Asks for no right but to read the work tree.
    pub fn tracked(&self, address: &Address, formerly: &[Address]) -> Result<Option<Tracked>, Unreadable> {
        match self {
            Self::File(file) => {
                std::iter::once(address).chain(formerly).find_map(|at| file.tracked(at).transpose()).transpose()
            }
            Self::Command(_)
            | Self::Vault(_)
            | Self::Aws(_)
            | Self::Kubernetes(_)
            | Self::Azure(_)
            | Self::Gcp(_)
            | Self::StackOne(_)
            | Self::GitLab(_)
            | Self::GitHub(_) => Ok(None),
        }
    }

    /// What is known of the store as a whole; `None` where it says nothing of itself.
    pub async fn store(&self) -> Option<StoreLive> {
        match self {
            Self::Vault(vault) => Some(vault.store().await),
            Self::File(_)
            | Self::Command(_)
            | Self::Aws(_)
            | Self::Kubernetes(_)
            | Self::Azure(_)
            | Self::Gcp(_)
            | Self::StackOne(_)
            | Self::GitLab(_)
            | Self::GitHub(_) => None,
        }
    }

    /// How the login of this sink is; `None` where there is none.
    pub async fn login(&self) -> Option<Result<String, Unreadable>> {
        match self {
            Self::Vault(vault) => vault.login().await,
            Self::Azure(azure) => Some(azure.login().await),
            Self::Gcp(gcp) => Some(gcp.login().await),
            Self::File(_)
            | Self::Command(_)
            | Self::Aws(_)
            | Self::Kubernetes(_)
            | Self::StackOne(_)
            | Self::GitLab(_)
            | Self::GitHub(_) => None,
        }
    }

    /// Gives back what this run was lent. Nothing is asked of the sink afterwards.
    pub async fn end(&self) {
        match self {
            Self::Vault(vault) => vault.end().await,
            Self::File(_)
            | Self::Command(_)
            | Self::Aws(_)
            | Self::Kubernetes(_)
            | Self::Azure(_)
            | Self::Gcp(_)
            | Self::StackOne(_)
            | Self::GitLab(_)
            | Self::GitHub(_) => {}
        }
    }

    /// The sink's own number for what stands at an address, where it has one. It grows with every change, and a put that comes
    /// late is refused by it.
    pub fn number(&self, version: &Version) -> Option<u64> {
        match (self, version) {
            (Self::Vault(_), Version::Nothing) => Some(0),
            (Self::Vault(_), Version::Number(number)) => Some(*number),
            (Self::Vault(_), Version::Payload(_) | Version::Word(_) | Version::Unknown | Version::Unseen)
            // What AWS, Kubernetes and Azure call their versions by has no order that anybody may rely on.
            | (Self::File(_) | Self::Command(_) | Self::Aws(_) | Self::Kubernetes(_) | Self::Azure(_) | Self::Gcp(_) | Self::StackOne(_) | Self::GitLab(_) | Self::GitHub(_), _) => None,
        }
    }

    /// What is held for any key of a tenant, where that can be listed without asking anybody; what cannot be read is left out.
    pub fn entries(&self, tenant: &Address) -> Option<Vec<SinkEntry>> {
        match self {
            Self::File(file) => Some(file.entries(tenant)),
            Self::Command(_)
            | Self::Vault(_)
            | Self::Aws(_)
            | Self::Kubernetes(_)
            | Self::Azure(_)
            | Self::Gcp(_)
            | Self::StackOne(_)
            | Self::GitLab(_)
            | Self::GitHub(_) => None,
        }
    }

    async fn look_at(&self, address: &Address) -> Seen {
        match self {
            Self::File(file) => {
                let (entry, version) = file.look(address);
                Seen::new(Some(entry), version)
            }
            Self::Command(command) => {
                let (entry, version) = command.look(address).await;
                Seen::new(entry, version)
            }
            Self::Vault(vault) => vault.look(address).await,
            Self::Aws(aws) => aws.look(address).await,
            Self::Kubernetes(kubernetes) => kubernetes.look(address).await,
            Self::Azure(azure) => azure.look(address).await,
            Self::Gcp(gcp) => gcp.look(address).await,
            Self::GitLab(gitlab) => gitlab.look(address).await,
            Self::GitHub(github) => github.look(address).await,
            Self::StackOne(_) => Seen::new(None, Version::Unseen),
        }
    }

    /// What the store says of a key's place that does not work.
    pub async fn trouble(&self, address: &Address) -> Option<Untrusted> {
        match self {
            Self::StackOne(stackone) => stackone.trouble(address).await,
            Self::Gcp(gcp) => gcp.trouble(address).await,
            Self::File(_)
            | Self::Command(_)
            | Self::Vault(_)
            | Self::Aws(_)
            | Self::Kubernetes(_)
            | Self::Azure(_)
            | Self::GitLab(_)
            | Self::GitHub(_) => None,
        }
    }

    /// Whether a put can succeed, as far as can be known without writing.
    pub async fn preflight(&self, address: &Address) -> Writable {
        let found = match self {
            Self::File(file) => file.preflight(address),
            Self::Command(command) => command.preflight(address).await,
            Self::Vault(vault) => vault.preflight(address).await,
            Self::Aws(aws) => return aws.preflight(address).await,
            Self::Kubernetes(kubernetes) => return kubernetes.preflight(address).await,
            Self::Azure(azure) => return azure.preflight(address).await,
            Self::Gcp(gcp) => return gcp.preflight(address).await,
            Self::GitLab(gitlab) => return gitlab.preflight(address).await,
            Self::GitHub(github) => match github.preflight(address).await {
                Ok(what) => return Writable::NotRefused(what),
                Err(why) => Err(why),
            },
            Self::StackOne(stackone) => match stackone.preflight(address).await {
                Ok(what) => return Writable::NotRefused(what),
                Err(why) => Err(why),
            },
        };
        match found {
            Ok(()) => Writable::Yes,
            Err(why) => Writable::No(why),
        }
    }

    /// Waits until a put at this address will not have to wait for somebody else's lock.
    ///
    /// # Errors
    /// Somebody holds it, and will not give it up in time.
    pub async fn ready(&self, address: &Address) -> Result<(), Unreadable> {
        match self {
            Self::File(file) => file.ready(address).await,
            // A program takes its own locks, and a vault has none.
            Self::Command(_)
            | Self::Vault(_)
            | Self::Aws(_)
            | Self::Kubernetes(_)
            | Self::Azure(_)
            | Self::Gcp(_)
            | Self::StackOne(_)
            | Self::GitLab(_)
            | Self::GitHub(_) => Ok(()),
        }
    }

    /// Stores a payload if what stands there is still `version`.
    pub async fn put(&self, address: &Address, version: &Version, payload: &Payload, entry: &SinkEntry) -> Put {
        if entry.fingerprint != payload.fingerprint() || address.key() != Some(&entry.key) {
            let why = format!("the metadata for {address} does not describe what is to be delivered there");
            return Put::Refused(unreadable(why, "report this as a defect of qlik-plan; nothing was written"));
        }
        let put = match self {
            Self::File(file) => file.put(address, version, payload, entry).await,
            Self::Command(command) => command.put(address, version, payload, entry).await,
            Self::Vault(vault) => match vault.put(address, version, payload, entry).await {
                Ok(None) => Ok(()),
                Ok(Some(until)) => return Put::StoredUntil(until),
                Err(outcome) => Err(outcome),
            },
            Self::Aws(aws) => aws.put(address, version, payload, entry).await,
            Self::Kubernetes(kubernetes) => kubernetes.put(address, version, payload, entry).await,
            Self::Azure(azure) => azure.put(address, version, payload, entry).await,
            Self::Gcp(gcp) => match gcp.put(address, version, payload, entry).await {
                Ok(None) => Ok(()),
                Ok(Some(until)) => return Put::StoredUntil(until),
                Err(outcome) => Err(outcome),
            },
            Self::GitLab(gitlab) => gitlab.put(address, version, payload, entry).await,
            Self::GitHub(github) => match github.put(address, version, payload).await {
                Ok(None) => Ok(()),
                Ok(Some(said)) => return Put::StoredBut(said),
                Err(outcome) => Err(outcome),
            },
            Self::StackOne(stackone) => match stackone.put(address, version, payload).await {
                Ok(None) => Ok(()),
                Ok(Some(said)) => return Put::StoredBut(said),
                Err(outcome) => Err(outcome),
            },
        };
        match put {
            Ok(()) => Put::Stored,
            Err(outcome) => outcome,
        }
    }

    /// Reads the payload again and compares it with what `entry` says of it.
    pub async fn read_back(&self, address: &Address, entry: &SinkEntry) -> ReadBack {
        match self {
            Self::File(file) => file.read_back(address, entry),
            Self::Command(command) => command.read_back(address, entry).await,
            Self::Vault(vault) => vault.read_back(address, entry).await,
            Self::Aws(aws) => aws.read_back(address, entry).await,
            Self::Kubernetes(kubernetes) => kubernetes.read_back(address, entry).await,
            Self::Azure(azure) => azure.read_back(address, entry).await,
            Self::Gcp(gcp) => gcp.read_back(address, entry).await,
            Self::GitLab(gitlab) => gitlab.read_back(address, entry).await,
            Self::StackOne(_) | Self::GitHub(_) => ReadBack::Unseen,
        }
    }
}
