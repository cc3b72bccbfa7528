//! The sinks of one key as they were before its POST, in the order of delivery.

use crate::model::address::{Address, Name};
use crate::model::homes::Homes;
use crate::model::live::{SinkLive, Writable};
use crate::model::marker::SinkHash;
use crate::sink::{Sink, Version};

use super::event::Failure;
use super::world::World;

/// A key's place in one sink.
pub(super) struct Home<'a> {
    pub(super) name: &'a Name,
    pub(super) sink: &'a Sink,
    /// The version that a put compares with.
    pub(super) version: Version,
}

/// A key's places in all its sinks.
pub(super) struct Places<'a> {
    pub(super) each: Vec<Home<'a>>,
    /// The digits that markers carry for all of them.
    pub(super) hash: SinkHash,
    /// True if some can be looked into, and others cannot.
    pub(super) half_blind: bool,
    /// The contents of all of them, as one.
    pub(super) live: SinkLive,
}

impl<'a> Places<'a> {
    /// Looks into each sink.
    ///
    /// # Errors
    /// One is not in settings, or would take nothing: no key was made yet.
    pub(super) async fn look(
        world: &World<'a>,
        address: &Address,
        former: &[Address],
        deliver_to: &'a Homes,
    ) -> Result<Self, Failure> {
        let missing = |name: &Name| Failure::new(format!("settings have no sink {name}"), "add it under sinks:");
        let (mut each, mut looks) = (Vec::new(), Vec::new());
        for name in world.desired.in_order(deliver_to) {
            let sink = world.sinks.get(name).ok_or_else(|| missing(name))?;
            if let Writable::No(unreadable) = sink.preflight(address).await {
                return Err(unreadable.into());
            }
            sink.ready(address).await?;
            let look = sink.look(address, former).await;
            let number = sink.number(&look.version);
            // Found under a former name: this key's own place is empty, and stays so until the put.
            let version = if look.at == *address { look.version } else { sink.look(address, &[]).await.version };
            looks.push((name.clone(), SinkLive { entry: look.entry, number, ..SinkLive::default() }));
            each.push(Home { name, sink, version });
        }
        let facts = world.desired.sink_facts(deliver_to).ok_or_else(|| missing(deliver_to.first()))?;
        let live = match deliver_to.are_several() {
            true => SinkLive::of_homes(looks, &facts.hash),
            false => looks.pop().map(|(_, live)| live).unwrap_or_default(),
        };
        Ok(Self { each, hash: facts.hash, half_blind: facts.half_blind, live })
    }

    /// Where a key rests, in words.
    pub(super) fn named(&self, address: &Address) -> String {
        named(self.each.iter(), address)
    }

    /// The number that the first sink had, which a marker carries: a put comes to a later one only after the first has taken it.
    pub(super) fn number(&self) -> Option<u64> {
        let numbers: Option<Vec<u64>> = self.each.iter().map(|home| home.sink.number(&home.version)).collect();
        numbers.and_then(|numbers| numbers.first().copied())
    }
}

/// Where a key rests, in words.
pub(super) fn named<'h, 'a: 'h>(homes: impl Iterator<Item = &'h Home<'a>>, address: &Address) -> String {
    homes.map(|home| home.sink.place(address)).collect::<Vec<_>>().join(" and ")
}
