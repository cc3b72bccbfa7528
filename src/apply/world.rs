//! Everything that an apply works with: the wire, the sinks, the ledger's lock, time, randomness, and the wish to stop.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use jiff::Timestamp;

use crate::ledger::Held;
use crate::model::address::{Address, Name};
use crate::model::desired::Desired;
use crate::model::group::Group;
use crate::model::host::Host;
use crate::model::marker::Nonce;
use crate::model::secret::Secret;
use crate::model::untrusted::Untrusted;
use crate::provider::imburse::{ImburseReader, ImburseWriter};
use crate::provider::qlik::{QlikReader, QlikWriter};
use crate::sink::Sink;

use super::event::{Event, Failure, Happened, Step};

/// Everything outside that an apply touches, given by its caller.
pub struct World<'a> {
    /// The only hands that change anything at a vendor.
    pub(super) qlik: QlikWriter<'a>,
    pub(super) imburse: ImburseWriter<'a>,
    pub sinks: &'a BTreeMap<Name, Sink>,
    pub held: &'a Held,
    pub desired: &'a Desired,
    /// The local clock, until a vendor has told the time.
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// Sixteen random bytes.
    pub random: &'a (dyn Fn() -> [u8; 16] + Sync),
    /// Says why nothing new may be started: a signal, or the end of the run's time.
    pub stop: &'a (dyn Fn() -> Option<String> + Sync),
    pub emit: &'a (dyn Fn(Event) + Sync),
    pub parallelism: usize,
    /// Told how many of the plan's actions are over, of how many.
    pub told: &'a (dyn Fn(usize, usize) + Sync),
    over: AtomicUsize,
    /// A put that was neither read back nor refused: the run may not say that it ended.
    pub unaccounted: AtomicBool,
    /// A rule that a test leaves out.
    licence_keys: Mutex<BTreeMap<Name, std::sync::Arc<Secret>>>,
}

impl<'a> World<'a> {
    #[expect(clippy::too_many_arguments, reason = "each is a part of the outside that a test may replace")]
    pub fn new(
        qlik: &'a mut QlikReader,
        imburse: &'a mut ImburseReader,
        sinks: &'a BTreeMap<Name, Sink>,
        held: &'a Held,
        desired: &'a Desired,
        clock: &'a (dyn Fn() -> Timestamp + Sync),
        random: &'a (dyn Fn() -> [u8; 16] + Sync),
        stop: &'a (dyn Fn() -> Option<String> + Sync),
        emit: &'a (dyn Fn(Event) + Sync),
        parallelism: usize,
    ) -> Self {
        Self {
            qlik: QlikWriter::over(qlik),
            imburse: ImburseWriter::over(imburse),
            sinks,
            held,
            desired,
            clock,
            random,
            stop,
            emit,
            parallelism,
            told: &|_, _| {},
            over: AtomicUsize::new(0),
            unaccounted: AtomicBool::new(false),
            licence_keys: Mutex::new(BTreeMap::new()),
        }
    }

    /// For reading, as a plan is made from.
    pub fn readers(&self) -> (&'a QlikReader, &'a ImburseReader) {
        (self.qlik.reader(), self.imburse.reader())
    }

    /// The group that a declared tenant belongs to.
    pub(super) fn group(&self, tenant: &Address) -> Group {
        self.desired.items.get(tenant).map(|declared| declared.group.clone()).unwrap_or_default()
    }

    /// The vendors' time where one has been heard, else the local one.
    pub(super) fn now(&self) -> Timestamp {
        self.qlik
            .reader()
            .server_time()
            .or_else(|| self.imburse.reader().server_time())
            .unwrap_or_else(|| (self.clock)())
    }

    /// Returns the time by a host's own clock, which judges the keys there.
    pub(super) fn now_at(&self, host: &Host) -> Timestamp {
        self.qlik.reader().time_at(host).unwrap_or_else(|| self.now())
    }

    pub(super) fn nonce(&self) -> Nonce {
        let [first, second, ..] = (self.random)();
        Nonce::new(&self.held.run().short(), [first, second])
    }

    /// Forgets the run's end: something it sent may still arrive.
    pub(super) fn leave_unaccounted(&self) {
        self.unaccounted.store(true, Ordering::SeqCst);
    }

    pub fn is_accounted(&self) -> bool {
        !self.unaccounted.load(Ordering::SeqCst)
    }

    pub(super) fn tell(&self, address: &Address, step: Step, happened: Happened) {
        (self.emit)(Event { address: address.clone(), step, happened });
    }

    /// One action more is over, whatever became of it.
    pub(super) fn count(&self, total: usize) {
        let over = self.over.fetch_add(1, Ordering::SeqCst) + 1;
        (self.told)(over, total);
    }

    pub(super) fn begin(&self, address: &Address, step: Step) {
        self.tell(address, step, Happened::Began);
    }

    pub(super) fn note(&self, address: &Address, step: Step, text: impl Into<String>) {
        self.tell(address, step, Happened::Noted { text: Untrusted::new(text) });
    }

    /// The licence key of an account, read once a run and only when a tenant is about to be created.
    pub(super) async fn licence_key(&self, account: &Name) -> Result<std::sync::Arc<Secret>, Failure> {
        if let Ok(known) = self.licence_keys.lock()
            && let Some(key) = known.get(account)
        {
            return Ok(key.clone());
        }
        let key = self.qlik.reader().licence_key(account).await.map_err(|error| {
            let unreadable = error.unreadable();
            Failure { why: unreadable.why, next: vec![unreadable.next] }
        })?;
        let key = std::sync::Arc::new(key);
        if let Ok(mut known) = self.licence_keys.lock() {
            known.insert(account.clone(), key.clone());
        }
        Ok(key)
    }
}
