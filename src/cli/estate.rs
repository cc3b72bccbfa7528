//! Everything a verb works with: desired state, settings, credentials, the wire, the sinks, the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration as StdDuration;

use jiff::Timestamp;

use crate::config;
use crate::ledger::{Held, Ledger};
use crate::model::address::Name;
use crate::model::clock::{Clocks, rough};
use crate::model::desired::Desired;
use crate::model::host::QLIK_CLOUD;
use crate::model::settings::{self, Settings};
use crate::model::spec::Owner;
use crate::model::untrusted::escape;
use crate::net::Proxy;
use crate::provider::http::{BuildError, NetworkOptions, Timeouts};
use crate::provider::imburse::ImburseReader;
use crate::provider::qlik::{Credentials, QlikReader};
use crate::render::Outcome;
use crate::sink::Sink;
use crate::sink::access::Lock;

use super::args::Common;
use super::credentials::{self, Needs, Resolved};
use super::output::{Output, Problem};
use super::pickup::{self, Found};
use super::reach;
use super::sources::{self, Gathered, Reading, SourceError};
use super::stores;
use super::weaken::weak;

/// Where the sandbox keeps its state, below the working directory.
pub(super) const SANDBOX_STATE: &str = ".qlik-sandbox";

/// Settings and desired state, read and checked. No credential has been looked at.
pub(super) struct Declared {
    pub(super) desired: Desired,
    pub(super) settings: Settings,
    /// Files that look like desired state, lie where it was looked for, and were not read.
    pub(super) unread: Vec<PathBuf>,
}

/// Reads settings and desired state.
pub(super) fn declared(common: &Common, paths: &[PathBuf], output: &Output) -> Result<Declared, Problem> {
    let cwd = working_directory()?;
    let (settings, settings_file) = settings(common, paths, &cwd, output)?;
    let Gathered { sources, unread } =
        sources::gather(paths, reading(common, &cwd, Some(&settings_file))).map_err(self::unread)?;
    let desired = config::desired(&sources, &settings).map_err(|report| faults(&report, &sources, output))?;
    Ok(Declared { desired, settings, unread })
}

/// How desired state is read. In the sandbox nothing is at stake but this machine's files, and those are.
pub(super) fn reading<'a>(common: &Common, cwd: &'a Path, settings_file: Option<&'a Path>) -> Reading<'a> {
    Reading { cwd, settings_file, attended: common.presence.absence().is_none(), recursive: common.recursive }
}

/// Reads settings alone, for verbs that need no desired state.
pub(super) fn settings(
    common: &Common,
    paths: &[PathBuf],
    cwd: &Path,
    output: &Output,
) -> Result<(Settings, PathBuf), Problem> {
    found(common, pickup::find(common, paths, cwd)?, cwd, output)
}

/// Reads the settings file that was found, and says which it is where nobody named it.
pub(super) fn found(
    common: &Common,
    found: Found,
    cwd: &Path,
    output: &Output,
) -> Result<(Settings, PathBuf), Problem> {
    let file = match found {
        Found::Named(file) => file,
        Found::PickedUp(file) => {
            output.message(&pickup::line(&file));
            file
        }
        Found::Nowhere(problem) => return Err(problem),
    };
    let source = sources::load_settings(&file).map_err(|error| unread(vec![error]))?;
    let absolute = cwd.join(&file);
    let base = absolute.parent().unwrap_or(cwd);
    let mut settings =
        config::settings(&source, base).map_err(|report| faults(&report, std::slice::from_ref(&source), output))?;
    if common.sandbox {
        move_into_sandbox(&mut settings, &cwd.join(SANDBOX_STATE));
    }
    Ok((settings, file))
}

pub(super) fn working_directory() -> Result<PathBuf, Problem> {
    std::env::current_dir()
        .map_err(|error| Problem::new(format!("the working directory is not there: {error}"), "cd to one that is"))
}

/// Names and regions stay; every place that could touch the world is led below the sandbox's state.
fn move_into_sandbox(settings: &mut Settings, state: &Path) {
    for account in settings.accounts.values_mut() {
        // The sandbox answers for no other.
        QLIK_CLOUD.clone_into(&mut account.region.domain);
    }
    for (name, sink) in &mut settings.sinks {
        *sink =
            settings::Sink::File { directory: state.join("sinks").join(name.as_str()), durable: true, shared: false };
    }
    settings.ledger = settings::Ledger::Directory { path: state.join("ledger"), durable: true };
    settings.network.ignore_env_proxy = true;
}

/// Files that could not be read, all of them.
pub(super) fn unread(errors: Vec<SourceError>) -> Problem {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Problem {
        message: lines.join("; "),
        next: vec!["name files or directories that are there and can be read".to_owned()],
        rendered: Some(lines.iter().map(|line| format!("error: {line}")).collect::<Vec<_>>().join("\n")),
        faults: None,
        outcome: Outcome::Error,
    }
}

/// A report of faults as a problem.
pub(super) fn faults(report: &config::Report, sources: &[config::Source], output: &Output) -> Problem {
    let count = report.faults.len();
    let noun = if count == 1 { "error" } else { "errors" };
    let rendered = report.render(sources, output.stderr_look().colour);
    Problem {
        message: format!("{count} {noun} in the configuration; nothing was sent"),
        next: vec!["correct what is named above; `qlik-plan validate` checks without a network".to_owned()],
        // Its last line counts.
        rendered: Some(format!("{}; nothing was sent", rendered.trim_end())),
        faults: serde_json::to_value(&report.faults).ok(),
        outcome: Outcome::Error,
    }
}

/// The wire and the sinks, for what is declared.
pub(super) struct Estate {
    pub(super) qlik: QlikReader,
    pub(super) imburse: ImburseReader,
    pub(super) sinks: BTreeMap<Name, Sink>,
    pub(super) ledger: Ledger,
    /// What servers say the time is.
    pub(super) clocks: Clocks,
    output: Output,
    /// How long the end of the run's tokens may take.
    farewell: StdDuration,
    #[cfg(feature = "sandbox")]
    sandbox: Option<super::sandbox::Attached>,
}

impl Estate {
    /// Resolves credentials and opens what a run talks to. With `--sandbox`, starts or attaches to it first.
    pub(super) async fn open(common: &Common, declared: &Declared, needs: &Needs) -> Result<Self, Problem> {
        let settings = &declared.settings;
        let clocks = Clocks::new(super::verbs::clock());
        let network = |proxy: Option<Arc<Proxy>>, ca_pem: Option<Vec<u8>>| NetworkOptions {
            proxy,
            ca_pem,
            ignore_env_proxy: settings.network.ignore_env_proxy,
            timeouts: Timeouts {
                connect: StdDuration::from_secs(common.timeout.min(10)),
                request: StdDuration::from_secs(common.timeout),
                create: StdDuration::from_secs(common.timeout * 4),
            },
            user_agent: user_agent(),
            waits: common.waits.clone(),
            clocks: clocks.clone(),
        };
        #[cfg_attr(not(feature = "sandbox"), expect(unused_mut, reason = "only the sandbox has its own"))]
        let mut ca_file = settings.network.ca_file.clone();
        let (proxy, credentials);
        #[cfg(feature = "sandbox")]
        let mut sandbox = None;
        if common.sandbox {
            #[cfg(feature = "sandbox")]
            {
                let attached = sandboxed::attach().await?;
                proxy = Some(Arc::new(sandboxed::proxy(&attached)?));
                ca_file = Some(attached.ca_file().to_path_buf());
                credentials = sandboxed::seed(&attached, settings, needs).await?;
                sandbox = Some(attached);
            }
            #[cfg(not(feature = "sandbox"))]
            return Err(Problem::new(
                "this program was built without the sandbox",
                "build it with the default features, or leave out --sandbox",
            ));
        } else {
            credentials = credentials::resolve(settings, needs)?;
            proxy = reach::proxy(&settings.network)?;
            reach::roots_are_there()?;
        }
        let ca_pem = certificates(ca_file.as_deref())?;
        let Resolved { qlik, imburse } = credentials;
        let unusable = |error: BuildError| Problem::new(error.to_string(), "correct network: in settings");
        let parallelism = usize::from(common.parallelism);
        let qlik = QlikReader::new(network(proxy.clone(), ca_pem.clone()), accounts(settings, qlik), parallelism)
            .map_err(unusable)?;
        let imburse = ImburseReader::new(network(proxy, ca_pem), imburse, parallelism).map_err(unusable)?;
        Ok(Self {
            qlik,
            imburse,
            sinks: stores::sinks(declared, common)?,
            ledger: stores::ledger(settings, common)?.weakened(weak()),
            clocks,
            output: Output::of(common),
            farewell: StdDuration::from_secs(common.timeout),
            #[cfg(feature = "sandbox")]
            sandbox,
        })
    }

    /// The time by the vendors' clocks.
    pub(super) fn server_time(&self) -> Option<Timestamp> {
        self.clocks.now()
    }

    /// Whatever a sink starts keeps the ledger's lock, should this process end before it.
    pub(super) fn bequeath(&mut self, held: &Held) -> Result<(), Problem> {
        let lock = Arc::new(Lock::new(held.lock_files()?));
        for sink in self.sinks.values_mut() {
            sink.bequeath(Arc::clone(&lock));
        }
        Ok(())
    }

    /// Says which clocks are wrong: this machine's, and hosts'. The sandbox's may be any.
    fn tell_of_clocks(&self) {
        #[cfg(feature = "sandbox")]
        let is_real = self.sandbox.is_none();
        #[cfg(not(feature = "sandbox"))]
        let is_real = true;
        let differs = |ahead: i64| format!("{} {}", rough(ahead), if ahead > 0 { "ahead of" } else { "behind" });
        // Imburse has a notice of its own, which is stricter.
        if let Some(ahead) = self.clocks.ahead().filter(|ahead| is_real && ahead.saturating_abs() > NAMED)
            && self.imburse.clock_skew().is_none()
        {
            self.output.message(&format!(
                "notice: the vendors' clocks are {} this machine's, and keys are judged by theirs. Set it, with NTP for example",
                differs(ahead)
            ));
        }
        for (host, ahead) in self.clocks.astray(NAMED) {
            self.output.message(&format!(
                "notice: the clock of {} is {} the other hosts' clocks",
                escape(&host),
                differs(ahead)
            ));
        }
        for (host, date) in self.clocks.odd() {
            self.output.message(&format!("notice: {} says that it is {date:.0}, which is not believed", escape(&host)));
        }
    }

    /// Revokes this run's tokens and lets go of the sandbox; says what is wrong with this machine's clock.
    pub(super) async fn close(self) {
        // What is not ended in time ends by itself.
        drop(tokio::time::timeout(self.farewell, self.qlik.revoke_tokens()).await);
        if let Some(seconds) = self.imburse.clock_skew().filter(|seconds| seconds.abs() > CLOCK_TOLERANCE) {
            let (by, way) = (seconds.unsigned_abs(), if seconds > 0 { "behind" } else { "ahead of" });
            self.output.message(&format!(
                "notice: this machine's clock is {by} s {way} Imburse's; signatures were made by theirs. Set it, with NTP for example",
            ));
        }
        self.tell_of_clocks();
        #[cfg(feature = "sandbox")]
        if let Some(attached) = self.sandbox {
            attached.detach().await;
        }
    }
}

/// Half of the five minutes that a signature is good for, in seconds; below that nobody need care.
const CLOCK_TOLERANCE: i64 = 150;

/// Clocks that differ by more than this are named, in seconds.
const NAMED: i64 = 300;

/// What servers are told of this program.
pub(super) fn user_agent() -> String {
    format!("qlik-plan/{} ({})", env!("CARGO_PKG_VERSION"), std::env::consts::OS)
}

/// `network.ca_file`, read.
pub(super) fn certificates(file: Option<&Path>) -> Result<Option<Vec<u8>>, Problem> {
    let Some(file) = file else { return Ok(None) };
    let pem = std::fs::read(file).map_err(|error| {
        Problem::new(format!("network.ca_file {} cannot be read: {error}", file.display()), "correct it in settings")
    })?;
    Ok(Some(pem))
}

fn accounts(
    settings: &Settings,
    credentials: BTreeMap<Name, Credentials>,
) -> BTreeMap<Name, (crate::model::host::Region, Option<crate::model::host::Label>, Credentials)> {
    credentials
        .into_iter()
        .filter_map(|(name, credentials)| {
            let account = settings.accounts.get(&name)?;
            Some((name, (account.region.clone(), account.source_tenant.clone(), credentials)))
        })
        .collect()
}

#[cfg(feature = "sandbox")]
mod sandboxed {
    //! The sandbox in the place of the real cloud: every credential replaced by its own.

    use std::collections::BTreeMap;

    use crate::cli::credentials::{Needs, Resolved};
    use crate::cli::output::Problem;
    use crate::cli::sandbox::{self, Attached};
    use crate::model::address::Name;
    use crate::model::host::Label;
    use crate::model::secret::Secret;
    use crate::model::settings::Settings;
    use crate::model::spec::Owner;
    use crate::net::Proxy;
    use crate::provider::imburse;
    use crate::provider::qlik::{Credentials, OwnerKey};
    use crate::sandbox::{Seed, SeedAccount, SeedImburse, SeedOwner};

    use super::{SANDBOX_STATE, working_directory};

    pub(super) async fn attach() -> Result<Attached, Problem> {
        let state = working_directory()?.join(SANDBOX_STATE);
        sandbox::attach(&state).await.map_err(|error| {
            Problem::new(format!("the sandbox could not be started: {error}"), format!("look at {}", state.display()))
        })
    }

    pub(super) fn proxy(attached: &Attached) -> Result<Proxy, Problem> {
        Proxy::read(attached.proxy(), "the sandbox's", "").map_err(|error| {
            Problem::new(format!("the sandbox's own proxy cannot be used: {error}"), "please report this")
        })
    }

    pub(super) async fn seed(attached: &Attached, settings: &Settings, needs: &Needs) -> Result<Resolved, Problem> {
        let mut names = Vec::new();
        let mut accounts = Vec::new();
        for name in needs.accounts() {
            let Some(account) = settings.accounts.get(name) else { continue };
            let owners = needs.owners(name).into_iter().flatten().filter_map(|owner| match owner {
                Owner::Client | Owner::User(_) => None,
                Owner::Configured(owner) => account
                    .owners
                    .get(owner)
                    .map(|configured| SeedOwner { name: owner.to_string(), tenant: configured.tenant.to_string() }),
            });
            // The sandbox needs some tenant to hold the licence, even where settings name none.
            let source = account.source_tenant.as_ref().map_or_else(|| "source".to_owned(), Label::to_string);
            accounts.push(SeedAccount {
                region: account.region.label.to_string(),
                source_tenant: source,
                client: None,
                key_client: None,
                owners: owners.collect(),
            });
            names.push((name, account));
        }
        let mut of_imburse = Vec::new();
        for name in needs.imburse() {
            let Some(account) = settings.imburse.get(name) else { continue };
            let (host, account_id) = (account.host.to_string(), Some(account.account_id.clone()));
            of_imburse.push((name, account, SeedImburse { host, account_id, key: None }));
        }
        let imburse = of_imburse.iter().map(|(_, _, seed)| seed.clone()).collect();
        let seeded = attached.seed(&Seed { accounts, imburse }).await.map_err(|error| {
            Problem::new(format!("the sandbox could not be prepared: {error}"), "remove .qlik-sandbox to start over")
        })?;
        let mut credentials = BTreeMap::new();
        for ((name, account), seeded) in names.into_iter().zip(seeded.accounts) {
            let owners = seeded
                .owners
                .into_iter()
                .filter_map(|seeded| {
                    let owner = Name::parse(&seeded.name).ok()?;
                    let tenant = account.owners.get(&owner)?.tenant.clone();
                    Some((owner, OwnerKey { tenant, api_key: Secret::new(seeded.token) }))
                })
                .collect();
            let key_client = account
                .key_client
                .is_some()
                .then(|| (Secret::new(seeded.key_client.id), Secret::new(seeded.key_client.secret)));
            let organization_client = account
                .organization_client
                .is_some()
                .then(|| (Secret::new(seeded.organization_client.id), Secret::new(seeded.organization_client.secret)));
            credentials.insert(
                name.clone(),
                Credentials {
                    client_id: Secret::new(seeded.client.id),
                    client_secret: Secret::new(seeded.client.secret),
                    key_client,
                    organization_client,
                    owners,
                },
            );
        }
        let imburse = of_imburse.into_iter().zip(seeded.imburse).map(|((name, account, _), seeded)| {
            let account = imburse::Account {
                host: account.host.clone(),
                account_id: account.account_id.clone(),
                api: account.api,
                public_key: Secret::new(seeded.key.public_key),
                private_key: Secret::new(seeded.key.private_key),
            };
            (name.clone(), account)
        });
        Ok(Resolved { qlik: credentials, imburse: imburse.collect() })
    }
}

/// The owners that the desired state mints keys for, with an account.
pub(super) fn owners(desired: &Desired, account: &Name) -> BTreeSet<Owner> {
    desired
        .qlik_tenants()
        .filter(|(_, tenant, _)| tenant.account == *account)
        .flat_map(|(address, _, _)| desired.qlik_keys(address))
        .filter(|(_, key, _)| key.adopt.is_none())
        .map(|(_, key, _)| key.owner.clone())
        .collect()
}
