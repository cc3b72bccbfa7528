//! A vendor's own rules for a tenant and its keys: the walk over a tenant and the delivery of a key ask them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::{Address, Name};
use crate::model::duration::Duration;
use crate::model::homes::Homes;
use crate::model::live::{LedgerFacts, Observed};
use crate::model::place::Place;
use crate::model::record::{Binding, Intent, Record};
use crate::model::untrusted::Untrusted;

use super::action::{Action, DriftField, KeyShape, KeySpec, MarkOf, Plan, ReclaimOf, TenantRef};
use super::ground::Ground;
use super::key::{Candidate, Policy, Whose};
use super::refusal::Refusal;
use super::scene::Scene;
use super::stop::Stop;

/// One declared tenant, with its vendor's rules.
pub(super) trait TenantRules<'a> {
    /// The values read of the tenant.
    type Live: 'a;
    /// A key as the vendor lists it.
    type Listed: Candidate + 'a;
    /// The declaration of a key.
    type Declared: 'a;
    /// The room that the keys of one tenant share, counted as they are planned.
    type Room;

    const POLICY: &'static Policy;

    fn scene(&self) -> &'a Scene<'a>;
    fn address(&self) -> &'a Address;
    /// The account in settings that it uses.
    fn account(&self) -> &'a Name;

    /// Checks that it can be planned at all.
    ///
    /// # Errors
    /// Settings, the clock or another declaration forbid it.
    fn sound(&self) -> Result<(), Stop>;

    /// Decides for a tenant of which nothing is recorded: it is adopted, or it is to be created.
    ///
    /// # Errors
    /// It may not be created, or what is to be adopted is not there.
    fn unrecorded(
        &self,
        ledger: Option<&'a LedgerFacts>,
        record: Option<&'a Record>,
        own: &mut Vec<Action>,
        plan: &mut Plan,
    ) -> Result<Ground<'a, Self::Live>, Stop>;

    /// Decides for a tenant that the ledger binds.
    ///
    /// # Errors
    /// It is not there, or not the one that was bound.
    fn bound(
        &self,
        record: &'a Record,
        binding: &'a Binding,
        own: &mut Vec<Action>,
    ) -> Result<Ground<'a, Self::Live>, Stop>;

    /// Refuses where nobody knows the outcome of its creation.
    fn in_doubt(&self, intent: &Intent) -> Refusal;

    /// Returns the action for a recorded tenant that is as declared.
    fn kept(&self, live: &'a Self::Live, record: Option<&Record>) -> Option<Action>;

    /// Returns the room that its keys share, and plans what they need of the tenant.
    fn room(&self, ground: &Ground<'a, Self::Live>, own: &mut Vec<Action>) -> Self::Room;

    /// Returns its declared keys.
    fn keys(&self) -> impl Iterator<Item = (&'a Address, &'a Self::Declared)>;

    /// Plans what the tenant needs because of its planned keys.
    fn complete(
        &self,
        at: &Place,
        ground: &Ground<'a, Self::Live>,
        room: &Self::Room,
        own: &mut Vec<Action>,
        keys: &mut Plan,
    );

    /// Adds the notices on a tenant that was not refused.
    fn later(&self, ground: &Ground<'a, Self::Live>, room: &Self::Room, plan: &mut Plan);

    /// The place that caused an action of the tenant's own, where it is another than the tenant's.
    fn cause<'p>(&self, action: &Action, room: &'p Self::Room) -> Option<&'p Place>
    where
        'a: 'p;

    /// The tenant's keys by id. `None`: not read.
    fn listed(live: &'a Self::Live) -> Option<&'a Observed<BTreeMap<String, Self::Listed>>>;

    /// Returns the vendor's part of the question about one key.
    fn asks(&self, declared: &'a Self::Declared, live: &'a Self::Live) -> Asks<'a, Self::Listed>;

    /// Returns the declaration of a key, as an action carries it.
    fn spec(&self, declared: &Self::Declared) -> KeySpec;
    fn shape(&self, declared: &Self::Declared, home: &Name) -> KeyShape;
    fn deliver_to(declared: &'a Self::Declared) -> &'a Homes;
    /// Returns how long before its end a key gets a successor. `None`: none is ever due.
    fn renew_before(declared: &Self::Declared) -> Option<Duration>;
    /// The id of the key that is adopted.
    fn adopts(declared: &'a Self::Declared) -> Option<&'a str>;

    /// Plans an adopted key.
    fn adopted(&self, key: &'a Address, declared: &'a Self::Declared, id: &str, live: &'a Self::Live, plan: &mut Plan);

    /// Adds the notices on a declared key, whatever is done about it.
    fn note(&self, key: &Address, declared: &Self::Declared, plan: &mut Plan);

    /// Returns the refusal for a key that is in its sink and that nothing is done about; `None` where it may be acted on.
    fn refuses(&self, on: &On<'a, '_, Self>) -> Option<Refusal>
    where
        Self: Sized;

    /// Says of a live key that it is left alone, and why.
    fn leave(&self, on: &On<'a, '_, Self>, key: &Self::Listed, why: &str, plan: &mut Plan)
    where
        Self: Sized;

    /// A key is revoked before others are made.
    fn free(&self, room: &mut Self::Room, declared: &Self::Declared);

    /// Checks that the vendor would make one more key, as far as that can be known. Adds what could not be checked.
    ///
    /// # Errors
    /// It would not.
    fn may_make(
        &self,
        on: &On<'a, '_, Self>,
        room: &mut Self::Room,
        unchecked: &mut Vec<String>,
    ) -> Result<(), Refusal>
    where
        Self: Sized;

    fn mark(&self, at: &TenantRef, declared: &Self::Declared, key: &Self::Listed) -> MarkOf;
    fn reclaim(&self, at: &TenantRef, declared: &Self::Declared, key: &Self::Listed, asked: bool) -> ReclaimOf;

    /// Returns the fields of a live key in its sink that differ from its declaration.
    fn drift(&self, key: &Address, declared: &Self::Declared, good: &Self::Listed) -> Vec<DriftField>;

    /// Says whether a key that is kept works, and could be renewed.
    fn stands(&self, on: &On<'a, '_, Self>, room: &Self::Room, good: &Self::Listed, plan: &mut Plan)
    where
        Self: Sized;
}

/// One key that is being planned, and what it stands on.
pub(super) struct On<'a, 'g, T: TenantRules<'a>> {
    pub(super) tenant: &'g T,
    pub(super) address: &'a Address,
    pub(super) declared: &'a T::Declared,
    pub(super) ground: &'g Ground<'a, T::Live>,
}

/// The part of the question about one key that only the vendor, and what was read of it, can tell.
pub(super) struct Asks<'a, K> {
    /// The declared description or name.
    pub(super) text: &'a str,
    /// Keys that were read by themselves.
    pub(super) looked_up: &'a BTreeMap<String, Observed<K>>,
    pub(super) caller: Option<&'a Untrusted>,
    pub(super) whose: Option<Box<Whose<'a, K>>>,
    /// True if the vendor refuses to change this account's keys.
    pub(super) never_marked: bool,
    /// Ids, in lower case, of keys that a person says nobody uses.
    pub(super) asked: &'a BTreeSet<String>,
}
