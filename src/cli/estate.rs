//! Everything a verb talks to: the wire, the sinks, the ledger, and whose credentials they take.

#[cfg(feature = "sandbox")]
mod sandboxed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration as StdDuration;

use jiff::Timestamp;

use crate::ledger::{Held, Ledger};
use crate::model::address::Name;
use crate::model::clock::{Clocks, rough};
use crate::model::selection::Shard;
use crate::model::settings::Settings;
use crate::model::untrusted::escape;
use crate::net::{Proxy, Roots};
use crate::provider::http::{BuildError, NetworkOptions, Shared, Tiers, Timeouts};
use crate::provider::imburse::ImburseReader;
use crate::provider::qlik::{Credentials, QlikReader};
use crate::sink::Sink;
use crate::sink::access::Lock;

use super::args::Common;
use super::clock::clock;
use super::credentials::{self, Needs, Resolved};
use super::declared::Declared;
use super::descriptors;
use super::exit::Problem;
use super::output::Output;
use super::reach::{self, certificates, user_agent};
use super::stores;

/// The wire and the sinks, for what is declared.
pub(super) struct Estate {
    pub(super) qlik: QlikReader,
    pub(super) imburse: ImburseReader,
    pub(super) sinks: BTreeMap<Name, Sink>,
    pub(super) ledger: Ledger,
    /// What servers say the time is.
    pub(super) clocks: Clocks,
    /// How many tenants are worked on side by side.
    pub(super) parallelism: usize,
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
        let output = Output::of(common);
        let parallelism = descriptors::fit(common.parallelism, common.sandbox, &output)?;
        let clocks = Clocks::new(clock());
        let shared = shared(settings, declared.desired.selection.shard);
        let network = |proxy: Option<Arc<Proxy>>, trust: Roots| NetworkOptions {
            proxy,
            trust,
            ignore_env_proxy: settings.network.ignore_env_proxy,
            timeouts: Timeouts {
                connect: StdDuration::from_secs(common.timeout.min(10)),
                request: StdDuration::from_secs(common.timeout),
                create: StdDuration::from_secs(common.timeout * 4),
            },
            user_agent: user_agent(),
            waits: common.waits.clone(),
            clocks: clocks.clone(),
            // The sandbox has no limits unless it is told to, and may let time pass faster than it does.
            tiers: match common.sandbox || std::env::var_os("QLIK_SANDBOX_STATE").is_some() {
                true => Tiers::Unknown,
                false => Tiers::Documented,
            },
            shared: shared.clone(),
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
        let unusable = |error: BuildError| Problem::new(error.to_string(), "correct network: in settings");
        let vouching: Vec<_> = certificates(ca_file.as_deref())?.into_iter().collect();
        let trust = if common.sandbox { Roots::only(&vouching) } else { Roots::read(&vouching) };
        let trust = trust.map_err(unusable)?;
        let Resolved { qlik, imburse } = credentials;
        let qlik = QlikReader::new(network(proxy.clone(), trust.clone()), accounts(settings, qlik), parallelism)
            .map_err(unusable)?;
        // Imburse publishes no numbers.
        let network = NetworkOptions { tiers: Tiers::Unknown, ..network(proxy, trust) };
        let imburse = ImburseReader::new(network, imburse, parallelism).map_err(unusable)?;
        Ok(Self {
            qlik,
            imburse,
            sinks: stores::sinks(declared, common)?,
            ledger: stores::ledger(settings, common)?,
            clocks,
            parallelism,
            output,
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

    /// Revokes this run's tokens, of vendors and of vaults, and lets go of the sandbox; says what is wrong with this machine's clock.
    pub(super) async fn close(self) {
        // What is not ended in time ends by itself.
        drop(tokio::time::timeout(self.farewell, self.qlik.revoke_tokens()).await);
        stores::end(&self.sinks, self.farewell).await;
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

/// The hosts that every shard sends to: where tenants are made and listed, and each account's source tenant.
fn shared(settings: &Settings, shard: Option<Shard>) -> Shared {
    let hosts = settings.qlik.values().flat_map(|account| {
        let region = &account.region;
        let source = account.source_tenant.iter().map(|label| region.host(label));
        source.chain([region.register(), region.console()]).map(|host| host.to_string())
    });
    Shared { hosts: hosts.collect(), runs: shard.map_or(1, Shard::count) }
}

/// Half of the five minutes that a signature is good for, in seconds; below that nobody need care.
const CLOCK_TOLERANCE: i64 = 150;

/// Clocks that differ by more than this are named, in seconds.
const NAMED: i64 = 300;

fn accounts(
    settings: &Settings,
    credentials: BTreeMap<Name, Credentials>,
) -> BTreeMap<Name, (crate::model::host::Region, Option<crate::model::host::Label>, Credentials)> {
    credentials
        .into_iter()
        .filter_map(|(name, credentials)| {
            let account = settings.qlik.get(&name)?;
            Some((name, (account.region.clone(), account.source_tenant.clone(), credentials)))
        })
        .collect()
}
