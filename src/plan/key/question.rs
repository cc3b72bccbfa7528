//! The facts known of one key before a decision, at either vendor.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::address::{Address, Name};
use crate::model::desired::SinkFacts;
use crate::model::duration::Duration;
use crate::model::homes::Homes;
use crate::model::live::{LedgerFacts, Observed, SinkEntry, SinkLive};
use crate::model::marker::{KeyUid, Letter};
use crate::model::record::Record;
use crate::model::run::Life;
use crate::model::untrusted::Untrusted;

use super::candidate::Candidate;
use super::policy::Policy;
use crate::plan::refusal::Code;
use crate::plan::stop::{Stop, foreign_entry, refuse};
use crate::plan::store;

/// Says why a key of ours stops everything.
pub(crate) type Whose<'a, K> = dyn Fn(&K) -> Stop + 'a;

pub(crate) struct Question<'a, K> {
    pub(crate) policy: &'static Policy,
    pub(crate) address: &'a Address,
    /// The declared description or name.
    pub(crate) text: &'a str,
    pub(crate) deliver_to: &'a Homes,
    /// `None`: its end is nothing to plan for.
    pub(crate) renew_before: Option<Duration>,
    /// `None`: there is no ledger yet.
    pub(crate) ledger: Option<&'a LedgerFacts>,
    /// `None`: an adopted tenant that no run has recorded yet, so no marker can be its.
    pub(crate) record: Option<&'a Record>,
    /// The tenant's keys by id. `None`: not read.
    pub(crate) keys: Option<&'a Observed<BTreeMap<String, K>>>,
    /// Keys that were read by themselves.
    pub(crate) looked_up: &'a BTreeMap<String, Observed<K>>,
    /// The user id of the credentials that make this key, where the vendor tells whose a key is and they could be asked.
    pub(crate) caller: Option<&'a Untrusted>,
    /// The refusal for a key of ours where nobody knows whose credentials made it. `None`: the vendor never tells whose
    /// a key is.
    pub(crate) whose: Option<Box<Whose<'a, K>>>,
    pub(crate) sink: &'a SinkLive,
    /// The facts of all its sinks together.
    pub(crate) sink_facts: SinkFacts,
    /// True if the vendor refuses to change this account's keys, so that none is ever marked.
    pub(crate) never_marked: bool,
    pub(crate) remint: bool,
    pub(crate) replace: bool,
    /// Ids, in lower case, of keys that a person says nobody uses.
    pub(crate) asked: &'a BTreeSet<String>,
    pub(crate) now: Timestamp,
}

impl<'a, K: Candidate> Question<'a, K> {
    pub(super) fn keys(&self) -> Result<&'a BTreeMap<String, K>, Stop> {
        match self.keys {
            Some(Observed::Present(keys)) => Ok(keys),
            Some(Observed::Unreadable(unreadable)) => Err(Stop::Refuse(unreadable.into())),
            Some(Observed::Absent) | None => {
                Err(refuse(Code::Unreadable, "the tenant's keys were not read", "plan again"))
            }
        }
    }

    /// The sink's entry, if it is one of this key.
    pub(super) fn entry(&self) -> Result<Option<&'a SinkEntry>, Stop> {
        store::not_tracked(self.sink, self.address).map_err(Stop::Refuse)?;
        if let Some(Observed::Unreadable(unreadable)) = &self.sink.entry {
            return Err(Stop::Refuse(unreadable.into()));
        }
        for entry in self.sink.entries() {
            if let Some(refusal) = self.ledger.and_then(|ledger| foreign_entry(entry, ledger)) {
                return Err(Stop::Refuse(refusal));
            }
            let of_record = self.record.is_some_and(|record| record.uid == entry.uid);
            if !of_record || Some(&entry.key) != self.address.key() {
                let held = Untrusted::from(entry.key_id.as_str());
                return Err(refuse(
                    Code::SinkRefuses,
                    format!("its place in {} holds key {held} of another record", self.at(entry)),
                    "move that secret away, or deliver this key to another sink",
                ));
            }
        }
        Ok(self.sink.held())
    }

    /// The sink that shows an entry, in words.
    fn at(&self, entry: &SinkEntry) -> String {
        let shows = |(_, live): &(&Name, &SinkLive)| live.held() == Some(entry);
        self.sink.homes.iter().find(shows).map_or_else(|| self.deliver_to.named(), |(name, _)| format!("sink {name}"))
    }

    /// Returns whether one of several sinks shows the key.
    pub(super) fn is_in_one(&self, key: &K) -> bool {
        self.sink.homes.values().filter_map(SinkLive::held).any(|entry| key.has_id(&entry.key_id))
    }

    /// Returns whether the metadata in one of several sinks says that another key replaced it there.
    pub(super) fn was_in_one(&self, key: &K) -> bool {
        self.sink.entries().any(|entry| entry.replaced.iter().any(|id| key.has_id(id)))
    }

    /// Returns whether only its mark could say that a sink has the key which nobody can look into, and it does not.
    pub(super) fn is_half_seen(&self, key: &K) -> bool {
        self.sink_facts.half_blind && key.letter() == Some(Letter::Undelivered) && self.is_of_this_key(key)
    }

    /// The live key that the sink holds.
    pub(super) fn held(&self, entry: Option<&SinkEntry>) -> Result<Option<&'a K>, Stop> {
        let Some(entry) = entry else { return Ok(None) };
        let listed = self.keys()?.values().find(|key| key.has_id(&entry.key_id));
        let found = match (listed, self.looked_up.get(&entry.key_id)) {
            // A list may be stale in either direction; a GET on the key is not.
            (_, Some(Observed::Present(key))) | (Some(key), None) => Some(key),
            (_, Some(Observed::Absent)) => None,
            (_, Some(Observed::Unreadable(unreadable))) => return Err(Stop::Refuse(unreadable.into())),
            (None, None) => {
                let held = Untrusted::from(entry.key_id.as_str());
                return Err(refuse(
                    Code::Unreadable,
                    format!("key {held} of the sink is not in the tenant's list, and was not read by itself"),
                    "plan again",
                ));
            }
        };
        Ok(found.filter(|key| key.is_live(self.now)))
    }

    pub(super) fn is_of_this_ledger(&self, key: &K) -> bool {
        key.marker().zip(self.ledger).is_some_and(|(marker, ledger)| marker.is_of(&ledger.id))
    }

    pub(super) fn is_of_this_key(&self, key: &K) -> bool {
        let name = self.address.key().unwrap_or(&self.address.tenant);
        let uid = self.record.map(|record| KeyUid::of(&record.uid, name));
        self.is_of_this_ledger(key) && key.marker().zip(uid).is_some_and(|(marker, uid)| marker.uid == uid)
    }

    pub(super) fn is_asked(&self, key: &K) -> bool {
        self.asked.contains(&key.id().to_ascii_lowercase())
    }

    /// Returns how far the end of the run that made a key is known.
    pub(super) fn life(&self, key: &K) -> Life {
        match key.marker().zip(self.ledger) {
            Some((marker, ledger)) => ledger.life_of_short(&marker.nonce.run()),
            None => Life::Proven,
        }
    }
}
