//! One key on its way from the vendor to its sinks: made once, tried, delivered over what was read before, read back, marked.
//!
//! The delivery is the fence. The order of the steps, and what each outcome means, is here once for all vendors; what a vendor
//! does for a step is a [`Maker`].

use crate::model::address::{Address, Name};
use crate::model::homes::Homes;
use crate::model::live::{Observed, SinkEntry};
use crate::model::marker::{KeyUid, Letter, Marker, Nonce};
use crate::model::record::Uid;
use crate::model::untrusted::Untrusted;
use crate::plan::action::{TenantRef, WhyMint};
use crate::provider::http::{Outcome, ReadError, RejectionKind};
use crate::sink::{Put, ReadBack, Version};

use super::event::{Failure, Happened, Step};
use super::homes::{self, Home, Places};
use super::maker::{Maker, Marked, Tried, Words};
use super::outcome::{Known, known};
use super::world::World;

/// The state of a key's place in its sink when the plan was made.
pub(super) enum Found<'a> {
    Nothing,
    Key(&'a str),
    /// Whatever stands there is to be replaced.
    Anything,
}

impl<'a> Found<'a> {
    pub(super) fn by(why: &'a WhyMint) -> Self {
        match why {
            WhyMint::Missing => Self::Nothing,
            WhyMint::Dead { key_id, .. } | WhyMint::Replaced { key_id } => Self::Key(key_id),
            WhyMint::Supersede { .. } | WhyMint::Asked => Self::Anything,
        }
    }

    fn is_still(&self, entry: Option<&Observed<SinkEntry>>) -> bool {
        // Where nobody can look, nobody can tell.
        let Some(entry) = entry else { return true };
        match (self, entry) {
            (Self::Nothing, Observed::Present(_)) => false,
            (Self::Key(planned), Observed::Present(entry)) => entry.key_id == *planned,
            (Self::Nothing | Self::Key(_), Observed::Absent | Observed::Unreadable(_)) | (Self::Anything, _) => true,
        }
    }
}

/// A key that is to be made: where, in whose place, and over what.
pub(super) struct Delivery<'a> {
    pub(super) world: &'a World<'a>,
    /// The address of its tenant.
    pub(super) tenant: &'a Address,
    pub(super) address: &'a Address,
    pub(super) found: &'a Found<'a>,
    /// The leftovers that are revoked once it was delivered.
    pub(super) over: &'a [String],
    /// The keys that it replaces in one of several sinks.
    pub(super) replaces: &'a [String],
    /// The tenant, as it is there.
    pub(super) at: &'a TenantRef,
}

/// A key's places in its sinks, as they were before the POST.
pub(super) struct Slot<'a> {
    world: &'a World<'a>,
    address: &'a Address,
    uid: Uid,
    places: Places<'a>,
    /// The leftovers that are revoked once a key was delivered here.
    over: &'a [String],
    /// The keys that are replaced in one of several sinks.
    replaces: &'a [String],
}

impl<'a> Slot<'a> {
    /// Looks into each sink, and whether they still hold what the plan was made with.
    ///
    /// # Errors
    /// Whatever keeps a key from being delivered there: nothing was made yet.
    pub(super) async fn look(delivery: &Delivery<'a>, deliver_to: &'a Homes, words: &Words) -> Result<Self, Failure> {
        let Delivery { world, tenant, address, found, over, replaces, at: _ } = *delivery;
        let record = world.held.record(tenant).await?.ok_or_else(|| {
            Failure::new(format!("the ledger has no record of {tenant}"), "restore the ledger, then plan again")
        })?;
        let former: Vec<Address> =
            record.formerly.iter().filter_map(|old| address.key().map(|key| old.with_key(key.clone()))).collect();
        let places = Places::look(world, address, &former, deliver_to).await?;
        if !found.is_still(places.live.entry.as_ref()) {
            // A run that stood still for a while would make a second one over it.
            return Err(Failure::new(
                format!(
                    "{} holds another key by now than when this was planned, and nothing was {}",
                    places.named(address),
                    words.made
                ),
                "qlik-apply again: it looks at that key",
            ));
        }
        Ok(Self { world, address, uid: record.uid, places, over, replaces })
    }

    /// Makes a key and delivers it; says where it is.
    ///
    /// # Errors
    /// The key was not made, or was revoked again, or is left as undelivered for a later run to find.
    pub(super) async fn fill<M: Maker>(self, maker: &M, at: &TenantRef) -> Result<String, Failure> {
        let passage = Passage { slot: self, maker, at };
        // Something may have been waited for since this was begun.
        if let Some(why) = (passage.slot.world.stop)() {
            return Err(Failure::new(format!("{why}, and nothing was {}", M::WORDS.made), "qlik-apply again"));
        }
        let (minted, marker) = passage.make().await?;
        let id = Untrusted::from(maker.id(&minted));
        passage.slot.world.tell(passage.slot.address, Step::Mint, Happened::Succeeded { detail: id.clone() });
        passage.try_out(&minted).await?;
        passage.deliver(&minted, &marker).await?;
        passage.mark(&minted, &marker).await?;
        let until = maker.expiry(&minted).map(|expiry| format!(", expires {expiry:.0}")).unwrap_or_default();
        Ok(format!("{id} in {}{until}", passage.slot.places.named(passage.slot.address)))
    }
}

/// A key on its passage.
struct Passage<'a, M> {
    slot: Slot<'a>,
    maker: &'a M,
    at: &'a TenantRef,
}

impl<M: Maker> Passage<'_, M> {
    fn key(&self) -> &Name {
        let address = self.slot.address;
        address.key().unwrap_or(&address.tenant)
    }

    fn marker(&self, nonce: Nonce) -> Marker {
        let Slot { world, uid, places, .. } = &self.slot;
        Marker {
            ledger: world.held.id().short().to_owned(),
            uid: KeyUid::of(uid, self.key()),
            sink: places.hash.clone(),
            nonce,
            over: if M::TELLS_AGE { None } else { places.number() },
            letter: Letter::Undelivered,
        }
    }

    /// One POST; after a lost answer the key is looked for by its marker, revoked, and made once more at most.
    async fn make(&self) -> Result<(M::Minted, Marker), Failure> {
        let Slot { world, address, .. } = &self.slot;
        for last in [false, true] {
            let marker = self.marker(world.nonce());
            let lost = match self.maker.make(&marker.describe(self.maker.text())).await {
                Outcome::Committed(minted) => return Ok((minted, marker)),
                Outcome::NotSent(trouble) => return Err(trouble.into()),
                Outcome::Rejected(rejection) => {
                    return Err(Failure { why: rejection.sentence().into(), next: vec![rejection.next.into()] });
                }
                Outcome::CommittedUnreadable(trouble) | Outcome::Unknown(trouble) => Failure::from(trouble),
            };
            world.note(address, Step::Mint, format!("{}; looking for the key by its marker", lost.why));
            let found = self.maker.find(&marker).await.map_err(|error| error.unreadable().into());
            let Some(id) = found.map_err(|error| recoverable::<M>(&lost, &error))? else {
                let none = Failure::new("no key with its marker is listed", "qlik-apply again");
                return Err(recoverable::<M>(&lost, &none));
            };
            // Its secret is lost with the answer, so no sink can ever hold it.
            self.revoke(&id).await.map_err(|error| recoverable::<M>(&lost, &error))?;
            if last {
                let why = format!("{}; it happened twice, and both keys were {}", lost.why, M::WORDS.revoked);
                return Err(Failure { why: why.into(), next: lost.next });
            }
        }
        Err(Failure::new(format!("the key could not be {}", M::WORDS.made), "qlik-apply again"))
    }

    async fn revoke(&self, id: &str) -> Result<(), Failure> {
        match known(self.maker.revoke(id).await) {
            Known::Done(()) => Ok(()),
            Known::Not(failure) | Known::Unclear(failure) => Err(failure),
        }
    }

    /// Revokes our own key that was not delivered and cannot be any more, and gives the failure that led to it.
    async fn scrap(&self, minted: &M::Minted, failure: Failure) -> Failure {
        let Slot { world, address, .. } = &self.slot;
        let Words { revokes, revoked, .. } = M::WORDS;
        let id = Untrusted::from(self.maker.id(minted));
        world.begin(address, Step::Revoke);
        match self.revoke(self.maker.id(minted)).await {
            Ok(()) => {
                world.tell(address, Step::Revoke, Happened::Succeeded { detail: id.clone() });
                Failure { why: format!("{}; key {id} was {revoked}", failure.why).into(), next: failure.next }
            }
            Err(error) => {
                world.tell(address, Step::Revoke, Happened::Failed(error.clone()));
                let mut next = failure.next;
                next.push(format!("the next qlik-apply supersedes and {revokes} it"));
                let why = format!("{}; key {id} could not be {revoked}: {}", failure.why, error.why);
                Failure { why: why.into(), next }
            }
        }
    }

    /// A key may be listed and still not work; better to know before anybody relies on it.
    async fn try_out(&self, minted: &M::Minted) -> Result<(), Failure> {
        let Slot { world, address, .. } = &self.slot;
        world.begin(address, Step::Try);
        match self.maker.try_out(minted).await {
            Ok(Tried::Works) => Ok(()),
            Ok(Tried::Noted(text)) => {
                world.note(address, Step::Try, text);
                Ok(())
            }
            Ok(Tried::Wrong(failure)) => Err(self.scrap(minted, failure).await),
            Err(error @ (ReadError::Unauthorized(_) | ReadError::Disabled(_))) => {
                let why = format!("the new key does not work: {}", error.unreadable().why);
                Err(self.scrap(minted, Failure::new(why, M::WORDS.useless)).await)
            }
            // Perhaps an IP rule, perhaps the network: no reason to throw a good key away.
            Err(error @ (ReadError::NotFound(_) | ReadError::Rejected(_) | ReadError::Trouble(_))) => {
                let why = error.unreadable().why;
                world.note(address, Step::Try, format!("the new key could not be tried from here: {why}"));
                Ok(())
            }
        }
    }

    /// Delivers the key to one sink after the other. Each must have it before the next is asked.
    async fn deliver(&self, minted: &M::Minted, marker: &Marker) -> Result<(), Failure> {
        let homes = self.slot.places.each.as_slice();
        let mut delivered = Vec::new();
        for (index, home) in homes.iter().enumerate() {
            let earlier = homes.get(..index).unwrap_or_default();
            delivered.push((home, self.deliver_to(home, earlier, minted, marker).await?));
        }
        // A run that stood still may have put a key into a sink that nobody can look into, over a newer one: then the others show it.
        if self.slot.places.half_blind {
            for (home, entry) in delivered.iter().filter(|(home, _)| home.version != Version::Unseen) {
                self.verify(home, entry, true).await?;
            }
        }
        Ok(())
    }

    async fn deliver_to(
        &self,
        home: &Home<'_>,
        earlier: &[Home<'_>],
        minted: &M::Minted,
        marker: &Marker,
    ) -> Result<SinkEntry, Failure> {
        let Slot { world, address, uid, over, replaces, .. } = &self.slot;
        let Home { name, sink, version } = home;
        let payload = self.maker.payload(minted, name);
        let entry = SinkEntry {
            ledger: world.held.id().clone(),
            uid: uid.clone(),
            key: self.key().clone(),
            key_id: self.maker.id(minted).to_owned(),
            fingerprint: payload.fingerprint(),
            marker: marker.clone(),
            tenant_id: self.at.id.clone(),
            owner: self.maker.owner(minted),
            expiry: self.maker.expiry(minted),
            delivered: world.now(),
            over: over.to_vec(),
            replaced: replaces.to_vec(),
            made_as: Some(self.maker.made_as(name)),
        };
        world.begin(address, Step::Deliver);
        let mut acknowledged = false;
        match sink.put(address, version, &payload, &entry).await {
            Put::Stored => acknowledged = true,
            Put::StoredUntil(until) => {
                acknowledged = true;
                if entry.expiry.is_none_or(|end| until < end) {
                    let end = entry.expiry.map_or_else(|| "never".to_owned(), |end| end.to_string());
                    let text = format!("{} deletes it at {until}, and the key expires {end}", sink.place(address));
                    world.note(address, Step::Deliver, text);
                }
            }
            Put::StoredBut(said) => {
                acknowledged = true;
                world.note(address, Step::Deliver, said.to_string());
            }
            Put::Refused(unreadable) => return Err(self.turned_down(minted, earlier, unreadable.into()).await),
            Put::Conflict => {
                let why = format!("{} changed while the key was {}", sink.place(address), M::WORDS.made);
                let next = "see who writes there besides this run, then qlik-apply again";
                return Err(self.turned_down(minted, earlier, Failure::new(why, next)).await);
            }
            Put::Unknown(unreadable) => {
                world.note(address, Step::Deliver, format!("{}; reading it back", unreadable.why));
            }
        }
        self.verify(home, &entry, acknowledged).await?;
        Ok(entry)
    }

    /// Definitely not stored. Where an earlier sink holds the key it is in use there, and a later run replaces it everywhere.
    async fn turned_down(&self, minted: &M::Minted, earlier: &[Home<'_>], failure: Failure) -> Failure {
        if earlier.is_empty() {
            return self.scrap(minted, failure).await;
        }
        let id = Untrusted::from(self.maker.id(minted));
        let holds = homes::named(earlier.iter(), self.slot.address);
        let mut next = failure.next;
        next.push(format!(
            "qlik-apply again: another key is delivered to all its sinks, then this one is {}",
            M::WORDS.revoked
        ));
        Failure { why: format!("{}; key {id} works, and only {holds} has it", failure.why).into(), next }
    }

    async fn verify(&self, home: &Home<'_>, entry: &SinkEntry, acknowledged: bool) -> Result<(), Failure> {
        let (Slot { world, address, .. }, sink) = (&self.slot, home.sink);
        world.begin(address, Step::Verify);
        let place = sink.place(address);
        let why = match sink.read_back(address, entry).await {
            ReadBack::Same => {
                let detail = Untrusted::new(place);
                world.tell(address, Step::Verify, Happened::Succeeded { detail });
                return Ok(());
            }
            // Its word is all there is, and that is said.
            ReadBack::Unseen if acknowledged => {
                let text = format!("{place} cannot be read back: that the key is there is the word of the sink");
                world.note(address, Step::Verify, text);
                return Ok(());
            }
            ReadBack::Unseen => format!("{place} cannot be read back, and whether the key is there is not known"),
            ReadBack::Absent => format!("{place} does not hold the new key"),
            ReadBack::Other(why) => format!("{place} does not hold the new key: {why}"),
            ReadBack::Unreadable(unreadable) => format!("{place} could not be read back: {}", unreadable.why),
        };
        // It may still appear there, so it is not revoked here, and this run's end stays unproven.
        world.leave_unaccounted();
        let id = Untrusted::from(entry.key_id.as_str());
        Err(Failure::new(
            format!("{why}; key {id} is left as undelivered"),
            format!(
                "look at the sink, then qlik-apply again: a successor is delivered first, then this key is {}",
                M::WORDS.revoked
            ),
        ))
    }

    /// A lost mark does not undo a delivery; a later run marks the key that it finds in the sink.
    async fn mark(&self, minted: &M::Minted, marker: &Marker) -> Result<(), Failure> {
        let Slot { world, address, .. } = &self.slot;
        let text = marker.with_letter(Letter::Delivered).describe(self.maker.text());
        let marked = self.maker.mark(minted, &text).await?;
        // Not every server that says so of a change has no such key.
        let gone = matches!(&marked, Outcome::Rejected(rejection) if rejection.kind == RejectionKind::NotFound)
            && matches!(self.maker.lives(self.maker.id(minted)).await, Ok(false));
        match known(marked) {
            Known::Done(Marked::Done) => {}
            Known::Done(Marked::Never(why)) => {
                world.note(address, Step::Mark, format!("delivered, and not marked so: {why}"));
            }
            Known::Not(failure) if gone => {
                return Err(Failure {
                    why: format!("the delivered key is gone from the tenant: {}", failure.why).into(),
                    next: vec!["see who deletes keys there, then qlik-apply again".to_owned()],
                });
            }
            Known::Not(failure) | Known::Unclear(failure) => {
                let text = format!("delivered, and not marked so: {}; a later qlik-apply sees to it", failure.why);
                world.note(address, Step::Mark, text);
            }
        }
        Ok(())
    }
}

fn recoverable<M: Maker>(lost: &Failure, error: &Failure) -> Failure {
    Failure {
        why: format!("{}; {}", lost.why, error.why).into(),
        next: vec![format!(
            "qlik-apply again: it finds the key by its marker if it was {}, delivers another and {} it",
            M::WORDS.made,
            M::WORDS.revokes
        )],
    }
}
