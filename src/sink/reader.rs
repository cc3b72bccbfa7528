//! The sinks as whoever reads live state holds them: they can be looked into, and nothing can be put there.

use std::collections::BTreeMap;

use crate::model::address::{Address, Name};
use crate::model::live::{SinkEntry, StoreLive, Tracked, Unreadable, Writable};
use crate::model::untrusted::Untrusted;

use super::{Look, Sink, Version};

/// The sinks of the settings, for reading.
#[derive(Clone, Copy, Debug)]
pub struct SinkReaders<'a>(&'a BTreeMap<Name, Sink>);

/// One sink, for reading.
#[derive(Clone, Copy, Debug)]
pub struct SinkReader<'a>(&'a Sink);

impl<'a> SinkReaders<'a> {
    /// Nothing is read yet.
    pub fn of(sinks: &'a BTreeMap<Name, Sink>) -> Self {
        Self(sinks)
    }

    /// The sink of that name in the settings.
    pub fn get(self, name: &Name) -> Option<SinkReader<'a>> {
        self.0.get(name).map(SinkReader)
    }

    /// All of them, by name.
    pub fn all(self) -> impl Iterator<Item = SinkReader<'a>> {
        self.0.values().map(SinkReader)
    }
}

impl SinkReader<'_> {
    /// See [`Sink::look`].
    pub async fn look(self, address: &Address, formerly: &[Address]) -> Look {
        self.0.look(address, formerly).await
    }

    /// See [`Sink::tracked`].
    ///
    /// # Errors
    /// Git's index is there and cannot be read.
    pub fn tracked(self, address: &Address, formerly: &[Address]) -> Result<Option<Tracked>, Unreadable> {
        self.0.tracked(address, formerly)
    }

    /// See [`Sink::store`].
    pub async fn store(self) -> Option<StoreLive> {
        self.0.store().await
    }

    /// See [`Sink::number`].
    pub fn number(self, version: &Version) -> Option<u64> {
        self.0.number(version)
    }

    /// See [`Sink::entries`].
    pub fn entries(self, tenant: &Address) -> Option<Vec<SinkEntry>> {
        self.0.entries(tenant)
    }

    /// See [`Sink::trouble`].
    pub async fn trouble(self, address: &Address) -> Option<Untrusted> {
        self.0.trouble(address).await
    }

    /// See [`Sink::preflight`].
    pub async fn preflight(self, address: &Address) -> Writable {
        self.0.preflight(address).await
    }
}
