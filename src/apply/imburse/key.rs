//! One key: made once, tried with a token of its own, delivered over what was read before, read back, marked.

use std::collections::BTreeSet;

use crate::model::address::Address;
use crate::model::imburse::Key;
use crate::model::live::{SinkEntry, Writable};
use crate::model::marker::{KeyUid, Letter, Marker, Nonce};
use crate::model::record::Uid;
use crate::model::untrusted::Untrusted;
use crate::model::weak::Weakness;
use crate::plan::action::TenantRef;
use crate::plan::imburse::action::{CreateKey, Mark, Reclaim};
use crate::provider::http::{Outcome, ReadError};
use crate::provider::imburse::MintedKey;
use crate::sink::payload::imburse::{self as payload, Parts};
use crate::sink::{Put, ReadBack, Sink, Version};

use super::super::event::{Failure, Happened, Step};
use super::super::key::Found;
use super::super::outcome::{Known, known};
use super::super::world::World;

/// One key on its way from the vendor to its sink.
struct Delivery<'a> {
    world: &'a World<'a>,
    address: &'a Address,
    create: &'a CreateKey,
    at: &'a TenantRef,
    uid: Uid,
    sink: &'a Sink,
    /// As it was before the POST: what a put compares with.
    version: Version,
}

/// Makes a key and delivers it; says where it is.
pub(super) async fn create(
    world: &World<'_>,
    tenant: &Address,
    address: &Address,
    create: &CreateKey,
    at: &TenantRef,
) -> Result<String, Failure> {
    let spec = &create.spec;
    let record = world.held.record(tenant)?.ok_or_else(|| {
        Failure::new(format!("the ledger has no record of {tenant}"), "restore the ledger, then plan again")
    })?;
    let sink = world
        .sinks
        .get(&spec.deliver_to)
        .ok_or_else(|| Failure::new(format!("settings have no sink {}", spec.deliver_to), "add it under sinks:"))?;
    if let Writable::No(unreadable) = sink.preflight(address).await {
        return Err(unreadable.into());
    }
    let former: Vec<Address> =
        record.formerly.iter().filter_map(|old| address.key.clone().map(|key| old.with_key(key))).collect();
    let look = sink.look(address, &former).await;
    if !Found::by(&create.why).is_still(look.entry.as_ref()) {
        // A run that stood still for a while would make a second one over it.
        return Err(Failure::new(
            format!(
                "{} holds another key by now than when this was planned, and nothing was made",
                sink.place(address)
            ),
            "qlik-apply again: it looks at that key",
        ));
    }
    // Found under a former name: this key's own place is empty, and stays so until the put.
    let version = if look.at == *address { look.version } else { sink.look(address, &[]).await.version };
    let delivery = Delivery { world, address, create, at, uid: record.uid, sink, version };
    let (minted, marker) = delivery.mint().await?;
    // From here to the verified delivery the private key is in this process and nowhere else.
    let detail = Untrusted::from(minted.public_key.as_str());
    world.tell(address, Step::Mint, Happened::Succeeded { detail });
    delivery.try_out(&minted).await?;
    if world.weak.is(Weakness::MarkBeforeDelivery) {
        delivery.mark(&minted, &marker).await?;
    }
    delivery.deliver(&minted, &marker).await?;
    delivery.mark(&minted, &marker).await?;
    Ok(format!("{} in {}", Untrusted::from(minted.public_key.as_str()), sink.place(address)))
}

impl Delivery<'_> {
    fn marker(&self, nonce: Nonce) -> Marker {
        let name = self.address.key.as_ref().unwrap_or(&self.address.tenant);
        Marker {
            ledger: self.world.held.id().short().to_owned(),
            uid: KeyUid::of(&self.uid, name),
            sink: self.sink.hash(),
            nonce,
            letter: Letter::Undelivered,
        }
    }

    fn tenant_id(&self) -> &str {
        self.at.id.raw()
    }

    /// One POST; after a lost answer the key is looked for by its nonce, deleted, and made once more at most.
    async fn mint(&self) -> Result<(MintedKey, Marker), Failure> {
        let (account, spec) = (&self.create.account, &self.create.spec);
        for last in [false, true] {
            let marker = self.marker(self.world.nonce());
            let name = match self.world.weak.is(Weakness::NoMarker) {
                true => spec.name.clone(),
                false => marker.describe(&spec.name),
            };
            let minted = self.world.imburse.create_key(account, self.tenant_id(), &name, &spec.roles).await;
            let lost = match minted {
                Outcome::Committed(minted) => return Ok((minted, marker)),
                Outcome::NotSent(trouble) => return Err(trouble.into()),
                Outcome::Rejected(rejection) => {
                    return Err(Failure { why: rejection.sentence().into(), next: vec![rejection.next.into()] });
                }
                Outcome::CommittedUnreadable(trouble) | Outcome::Unknown(trouble) => Failure::from(trouble),
            };
            self.world.note(self.address, Step::Mint, format!("{}; looking for the key by its marker", lost.why));
            let Some(found) = self.find(&marker.nonce).await.map_err(|error| recoverable(&lost, &error))? else {
                return Err(recoverable(&lost, &Failure::new("no key with its marker is listed", "qlik-apply again")));
            };
            // Its private key is lost with the answer, so no sink can ever hold it.
            self.delete(&found.public_key).await.map_err(|error| recoverable(&lost, &error))?;
            if last {
                return Err(Failure {
                    why: format!("{}; it happened twice, and both keys were deleted", lost.why).into(),
                    next: lost.next,
                });
            }
        }
        Err(Failure::new("the key could not be made", "qlik-apply again"))
    }

    async fn find(&self, nonce: &Nonce) -> Result<Option<Key>, Failure> {
        let keys = self.world.imburse.list_keys(&self.create.account, self.tenant_id()).await;
        let keys = keys.map_err(|error| Failure::from(error.unreadable()))?;
        Ok(keys.into_values().find(|key| key.marker.as_ref().is_some_and(|marker| marker.nonce == *nonce)))
    }

    async fn delete(&self, public_key: &str) -> Result<(), Failure> {
        match known(self.world.imburse.delete_key(&self.create.account, self.tenant_id(), public_key).await) {
            Known::Done(()) => Ok(()),
            Known::Not(failure) | Known::Unclear(failure) => Err(failure),
        }
    }

    /// Deletes our own key that was not delivered and cannot be any more, and gives the failure that led to it.
    async fn scrap(&self, minted: &MintedKey, failure: Failure) -> Failure {
        let id = Untrusted::from(minted.public_key.as_str());
        self.world.begin(self.address, Step::Revoke);
        match self.delete(&minted.public_key).await {
            Ok(()) => {
                self.world.tell(self.address, Step::Revoke, Happened::Succeeded { detail: id.clone() });
                Failure { why: format!("{}; key {id} was deleted", failure.why).into(), next: failure.next }
            }
            Err(error) => {
                self.world.tell(self.address, Step::Revoke, Happened::Failed(error.clone()));
                let mut next = failure.next;
                next.push("the next qlik-apply supersedes and deletes it".to_owned());
                let why = format!("{}; key {id} could not be deleted: {}", failure.why, error.why);
                Failure { why: why.into(), next }
            }
        }
    }

    /// With a token of its own; better to know before anybody relies on it.
    async fn try_out(&self, minted: &MintedKey) -> Result<(), Failure> {
        self.world.begin(self.address, Step::Try);
        let (imburse, account) = (&self.world.imburse, &self.create.account);
        match imburse.try_key(account, self.tenant_id(), &minted.public_key, &minted.private_key).await {
            Ok(tried) if tried.lists_itself == Some(false) => {
                let text = "the new key works, and its tenant's own list has it not yet";
                self.world.note(self.address, Step::Try, text);
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(error @ (ReadError::Unauthorized(_) | ReadError::Disabled(_))) => {
                let why = format!("the new key does not work: {}", error.unreadable().why);
                let next = "ask the vendor's support: a key that was just made should work";
                Err(self.scrap(minted, Failure::new(why, next)).await)
            }
            // Perhaps an IP rule, perhaps the network: no reason to throw a good key away.
            Err(error @ (ReadError::NotFound(_) | ReadError::Rejected(_) | ReadError::Trouble(_))) => {
                let why = error.unreadable().why;
                self.world.note(self.address, Step::Try, format!("the new key could not be tried from here: {why}"));
                Ok(())
            }
        }
    }

    async fn deliver(&self, minted: &MintedKey, marker: &Marker) -> Result<(), Failure> {
        let spec = &self.create.spec;
        let base_url = format!("https://{}", self.at.hostname.raw());
        let account = self.world.desired.imburse.get(&self.create.account);
        let roles: Vec<&str> = minted.roles.iter().map(Untrusted::raw).collect();
        let parts = Parts {
            base_url: &base_url,
            account_id: account.map(|facts| facts.account_id.as_str()).unwrap_or_default(),
            tenant_id: self.tenant_id(),
            name: &spec.name,
            public_key: &minted.public_key,
            roles: &roles,
        };
        let payload = payload::render(spec.deliver_as, &parts, &minted.private_key);
        let entry = SinkEntry {
            ledger: self.world.held.id().clone(),
            uid: self.uid.clone(),
            key: self.address.key.clone().unwrap_or_else(|| self.address.tenant.clone()),
            key_id: minted.public_key.clone(),
            fingerprint: payload.fingerprint(),
            marker: marker.clone(),
            tenant_id: self.at.id.clone(),
            // A key at Imburse belongs to its tenant.
            owner: Untrusted::default(),
            expiry: None,
            delivered: self.world.now(),
        };
        self.world.begin(self.address, Step::Deliver);
        if self.world.weak.is(Weakness::SecretInProgress) {
            self.world.note(self.address, Step::Deliver, minted.private_key.expose());
        }
        let mut acknowledged = false;
        match self.sink.put(self.address, &self.version, &payload, &entry).await {
            Put::Stored => acknowledged = true,
            Put::Refused(_) | Put::Conflict | Put::Unknown(_)
                if self.world.weak.is(Weakness::SuccessBeforeReadBack) =>
            {
                return Ok(());
            }
            Put::Refused(unreadable) => return Err(self.scrap(minted, unreadable.into()).await),
            Put::Conflict => {
                let why = format!("{} changed while the key was made", self.sink.place(self.address));
                let next = "see who writes there besides this run, then qlik-apply again";
                return Err(self.scrap(minted, Failure::new(why, next)).await);
            }
            Put::Unknown(unreadable) => {
                self.world.note(self.address, Step::Deliver, format!("{}; reading it back", unreadable.why));
            }
        }
        self.world.begin(self.address, Step::Verify);
        let place = self.sink.place(self.address);
        let why = match self.sink.read_back(self.address, &entry).await {
            ReadBack::Same => {
                let detail = Untrusted::new(place);
                self.world.tell(self.address, Step::Verify, Happened::Succeeded { detail });
                return Ok(());
            }
            // Its word is all there is, and that is said.
            ReadBack::Unseen if acknowledged => {
                let text = format!("{place} cannot be read back: that the key is there is the word of the sink");
                self.world.note(self.address, Step::Verify, text);
                return Ok(());
            }
            ReadBack::Unseen => format!("{place} cannot be read back, and whether the key is there is not known"),
            ReadBack::Absent => format!("{place} does not hold the new key"),
            ReadBack::Other(why) => format!("{place} does not hold the new key: {why}"),
            ReadBack::Unreadable(unreadable) => format!("{place} could not be read back: {}", unreadable.why),
        };
        // It may still appear there, so it is not deleted here, and this run's end stays unproven.
        self.world.leave_unaccounted();
        let id = Untrusted::from(minted.public_key.as_str());
        Err(Failure::new(
            format!("{why}; key {id} is left as undelivered"),
            "look at the sink, then qlik-apply again: a successor is delivered first, then this key is deleted",
        ))
    }

    /// A lost mark does not undo a delivery; a later run marks the key that it finds in the sink.
    async fn mark(&self, minted: &MintedKey, marker: &Marker) -> Result<(), Failure> {
        let name = marker.with_letter(Letter::Delivered).describe(&self.create.spec.name);
        let roles: BTreeSet<String> = minted.roles.iter().map(|role| role.raw().to_owned()).collect();
        let (account, public_key) = (&self.create.account, &minted.public_key);
        let marked = self.world.imburse.rename_key(account, self.tenant_id(), public_key, &name, &roles).await;
        match known(marked) {
            Known::Done(()) => {}
            Known::Not(failure) | Known::Unclear(failure) => {
                let text = format!("delivered, and not marked so: {}; the sink decides", failure.why);
                self.world.note(self.address, Step::Mark, text);
            }
        }
        Ok(())
    }
}

fn recoverable(lost: &Failure, error: &Failure) -> Failure {
    Failure {
        why: format!("{}; {}", lost.why, error.why).into(),
        next: vec![
            "qlik-apply again: it finds the key by its marker if it was made, delivers another and deletes it"
                .to_owned(),
        ],
    }
}

/// Marks our own key as delivered, because the sink holds it.
pub(super) async fn mark(world: &World<'_>, mark: &Mark) -> Result<String, Failure> {
    let Mark { account, tenant_id, public_key, name, roles } = mark;
    let roles: BTreeSet<String> = roles.iter().map(|role| role.raw().to_owned()).collect();
    let id = Untrusted::from(public_key.as_str());
    let marked = world.imburse.rename_key(account, tenant_id.raw(), public_key, name.raw(), &roles).await;
    // Not every generation of the API lets a key be changed. The key is where it belongs; only the mark is missing.
    if let Outcome::Rejected(refusal) = &marked
        && refusal.status == 405
    {
        return Ok(format!("{id}: not marked, the vendor does not change keys here; the sink decides"));
    }
    match known(marked) {
        Known::Done(()) => Ok(id.to_string()),
        Known::Not(failure) | Known::Unclear(failure) => Err(failure),
    }
}

/// Deletes a leftover, if it still is one. That cannot be undone, so a GET decides, not the list.
pub(super) async fn reclaim(world: &World<'_>, address: &Address, reclaim: &Reclaim) -> Result<String, Failure> {
    let Reclaim { account, tenant_id, public_key, letter, after_delivery: _, asked: _ } = reclaim;
    let id = Untrusted::from(public_key.as_str());
    let key = match world.imburse.get_key(account, tenant_id.raw(), public_key).await {
        Ok(key) => key,
        Err(ReadError::NotFound(_)) => return Ok(format!("{id} is gone already")),
        Err(
            error @ (ReadError::Unauthorized(_)
            | ReadError::Disabled(_)
            | ReadError::Rejected(_)
            | ReadError::Trouble(_)),
        ) => return Err(error.unreadable().into()),
    };
    if key.marker.as_ref().map(|marker| marker.letter) != Some(*letter) {
        world.note(address, Step::Reclaim, format!("key {id} is no longer a leftover, and is left alone"));
        return Ok(format!("{id} is no longer a leftover"));
    }
    let failure = match known(world.imburse.delete_key(account, tenant_id.raw(), public_key).await) {
        Known::Done(()) => return Ok(id.to_string()),
        Known::Not(failure) | Known::Unclear(failure) => failure,
    };
    match world.imburse.get_key(account, tenant_id.raw(), public_key).await {
        Err(ReadError::NotFound(_)) => Ok(id.to_string()),
        Ok(_)
        | Err(ReadError::Unauthorized(_) | ReadError::Disabled(_) | ReadError::Rejected(_) | ReadError::Trouble(_)) => {
            Err(failure)
        }
    }
}
