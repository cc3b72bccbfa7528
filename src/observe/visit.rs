//! One tenant that is being read: what is declared of it, what was read before, and the host that it answers at.

use jiff::Timestamp;

use crate::model::address::{Address, Name};
use crate::model::desired::Desired;
use crate::model::host::Host;
use crate::model::live::Live;
use crate::model::spec::QlikTenant;
use crate::plan::Wishes;

use super::sources::Sources;

#[derive(Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) desired: &'a Desired,
    /// Ledger and sinks.
    pub(super) base: &'a Live,
    pub(super) wishes: &'a Wishes,
    pub(super) sources: &'a Sources<'a>,
    pub(super) address: &'a Address,
    pub(super) spec: &'a QlikTenant,
    pub(super) host: &'a Host,
}

impl Visit<'_> {
    pub(super) fn account(&self) -> &Name {
        &self.spec.account
    }

    /// Returns the time by the host's own clock.
    pub(super) fn now(&self) -> Timestamp {
        self.sources.qlik.time_at(self.host).unwrap_or(self.sources.now)
    }
}
