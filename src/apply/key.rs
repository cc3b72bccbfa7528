//! One key: minted once, tried, delivered over what was read before minting, read back, marked. The delivery is the fence.

use crate::model::address::Address;
use crate::model::host::Host;
use crate::model::live::{KeyLive, Observed, SinkEntry, Writable};
use crate::model::marker::{KeyUid, Letter, Marker, Nonce};
use crate::model::record::Uid;
use crate::model::spec::Owner;
use crate::model::untrusted::Untrusted;
use crate::model::weak::Weakness;
use crate::plan::action::{CreateKey, Mark, Reclaim, Renew, TenantRef, WhyMint};
use crate::provider::http::{Outcome, ReadError};
use crate::provider::qlik::MintedKey;
use crate::sink::payload::{self, Parts};
use crate::sink::{Put, ReadBack, Sink, Version};

use super::event::{Failure, Happened, Step};
use super::outcome::{Known, host_of, known};
use super::people;
use super::world::World;

/// One key on its way from the vendor to its sink.
struct Delivery<'a> {
    world: &'a World<'a>,
    address: &'a Address,
    create: &'a CreateKey,
    at: &'a TenantRef,
    host: Host,
    uid: Uid,
    sink: &'a Sink,
    /// As it was before the POST: what a put compares with.
    version: Version,
    /// Who the key must be of, where that is declared.
    owner_id: Option<Untrusted>,
}

/// What a plan found in a key's place.
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
            WhyMint::Dead { key_id, .. } => Self::Key(key_id),
            WhyMint::Supersede { .. } | WhyMint::Asked => Self::Anything,
        }
    }

    pub(super) fn is_still(&self, entry: Option<&Observed<SinkEntry>>) -> bool {
        // Where nobody can look, nobody can tell.
        let Some(entry) = entry else { return true };
        match (self, entry) {
            (Self::Nothing, Observed::Present(_)) => false,
            (Self::Key(planned), Observed::Present(entry)) => entry.key_id == *planned,
            (Self::Nothing | Self::Key(_), Observed::Absent | Observed::Unreadable(_)) | (Self::Anything, _) => true,
        }
    }
}

/// Mints a key and delivers it; says where it is.
pub(super) async fn create(
    world: &World<'_>,
    tenant: &Address,
    address: &Address,
    create: &CreateKey,
    found: &Found<'_>,
    at: &TenantRef,
) -> Result<String, Failure> {
    let spec = &create.spec;
    let host = host_of(world.desired, &create.account, at)?;
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
    if !found.is_still(look.entry.as_ref()) {
        // A run that stood still for a while would mint a second one over it.
        return Err(Failure::new(
            format!(
                "{} holds another key by now than when this was planned, and nothing was minted",
                sink.place(address)
            ),
            "qlik-apply again: it looks at that key",
        ));
    }
    // Found under a former name: this key's own place is empty, and stays so until the put.
    let version = if look.at == *address { look.version } else { sink.look(address, &[]).await.version };
    let owner_id = match &spec.owner {
        Owner::User(user) => Some(people::owner(world, &create.account, &host, user).await?.user_id),
        // Nobody but itself: the key's own answer tells who that is.
        Owner::Client | Owner::Configured(_) => None,
    };
    let delivery = Delivery { world, address, create, at, host, uid: record.uid, sink, version, owner_id };
    let (minted, marker) = delivery.mint().await?;
    // From here to the verified delivery the secret is in this process and nowhere else.
    let detail = Untrusted::from(minted.id.as_str());
    world.tell(address, Step::Mint, Happened::Succeeded { detail });
    delivery.try_out(&minted).await?;
    if world.weak.is(Weakness::MarkBeforeDelivery) {
        delivery.mark(&minted, &marker).await?;
    }
    let entry = delivery.deliver(&minted, &marker).await?;
    delivery.mark(&minted, &marker).await?;
    let until = entry.expiry.map(|expiry| format!(", expires {expiry:.0}")).unwrap_or_default();
    Ok(format!("{} in {}{until}", Untrusted::from(minted.id.as_str()), sink.place(address)))
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

    /// One POST; after a lost answer the key is looked for by its nonce, revoked, and minted once more at most.
    async fn mint(&self) -> Result<(MintedKey, Marker), Failure> {
        let (account, spec) = (&self.create.account, &self.create.spec);
        for last in [false, true] {
            let marker = self.marker(self.world.nonce());
            let description = match self.world.weak.is(Weakness::NoMarker) {
                true => spec.description.clone(),
                false => marker.describe(&spec.description),
            };
            let minted = self.world.qlik.mint(account, &self.host, &spec.owner, &description, spec.expires_in).await;
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
            // Its secret is lost with the answer, so no sink can ever hold it.
            self.revoke(&found.id).await.map_err(|error| recoverable(&lost, &error))?;
            if last {
                return Err(Failure {
                    why: format!("{}; it happened twice, and both keys were revoked", lost.why).into(),
                    next: lost.next,
                });
            }
        }
        Err(Failure::new("the key could not be minted", "qlik-apply again"))
    }

    async fn find(&self, nonce: &Nonce) -> Result<Option<KeyLive>, Failure> {
        let keys = self
            .world
            .qlik
            .keys(&self.create.account, &self.host)
            .await
            .map_err(|error| Failure::from(error.unreadable()))?;
        let now = self.world.now();
        Ok(keys
            .into_values()
            .find(|key| key.is_live(now) && key.marker.as_ref().is_some_and(|marker| marker.nonce == *nonce)))
    }

    async fn revoke(&self, id: &str) -> Result<(), Failure> {
        match known(self.world.qlik.revoke(&self.create.account, &self.host, &self.create.spec.owner, id).await) {
            Known::Done(()) => Ok(()),
            Known::Not(failure) | Known::Unclear(failure) => Err(failure),
        }
    }

    /// Revokes our own key that was not delivered and cannot be any more, and gives the failure that led to it.
    async fn scrap(&self, minted: &MintedKey, failure: Failure) -> Failure {
        let id = Untrusted::from(minted.id.as_str());
        self.world.begin(self.address, Step::Revoke);
        match self.revoke(&minted.id).await {
            Ok(()) => {
                self.world.tell(self.address, Step::Revoke, Happened::Succeeded { detail: minted.id.as_str().into() });
                Failure { why: format!("{}; key {id} was revoked", failure.why).into(), next: failure.next }
            }
            Err(error) => {
                self.world.tell(self.address, Step::Revoke, Happened::Failed(error.clone()));
                let mut next = failure.next;
                next.push("the next qlik-apply supersedes and revokes it".to_owned());
                let why = format!("{}; key {id} could not be revoked: {}", failure.why, error.why);
                Failure { why: why.into(), next }
            }
        }
    }

    /// A key may be listed as active and still not work; better to know before anybody relies on it.
    async fn try_out(&self, minted: &MintedKey) -> Result<(), Failure> {
        self.world.begin(self.address, Step::Try);
        match self.world.qlik.try_key(&self.create.account, &self.host, &minted.token).await {
            Ok(tried)
                if tried.tenant_id == self.at.id
                    && tried.user_id == minted.sub
                    && self.owner_id.as_ref().is_none_or(|owner| tried.user_id == *owner) =>
            {
                Ok(())
            }
            Ok(tried) => Err(self
                .scrap(
                    minted,
                    Failure::new(
                        format!("the new key answers as user {} of tenant {}", tried.user_id, tried.tenant_id),
                        "ask Qlik support: the key is not the one that was asked for",
                    ),
                )
                .await),
            Err(error @ (ReadError::Unauthorized(_) | ReadError::Disabled(_))) => {
                let why = format!("the new key does not work: {}", error.unreadable().why);
                let next = "check that its owner may manage API keys (Manage users > Permissions)";
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

    async fn deliver(&self, minted: &MintedKey, marker: &Marker) -> Result<SinkEntry, Failure> {
        let spec = &self.create.spec;
        let region = self.world.desired.accounts.get(&self.create.account).map(|facts| facts.region.label.to_string());
        let server = format!("https://{}", self.host);
        let parts = Parts {
            tenant: self.host.label(),
            region: region.as_deref().unwrap_or_default(),
            server: &server,
            key_id: &minted.id,
            description: &spec.description,
            expiry: minted.expiry,
        };
        let payload = payload::render(spec.deliver_as, &parts, &minted.token);
        let name = self.address.key.clone().unwrap_or_else(|| self.address.tenant.clone());
        let entry = SinkEntry {
            ledger: self.world.held.id().clone(),
            uid: self.uid.clone(),
            key: name,
            key_id: minted.id.clone(),
            fingerprint: payload.fingerprint(),
            marker: marker.clone(),
            tenant_id: self.at.id.clone(),
            owner: minted.sub.clone(),
            expiry: minted.expiry,
            delivered: self.world.now(),
        };
        self.world.begin(self.address, Step::Deliver);
        if self.world.weak.is(Weakness::SecretInProgress) {
            self.world.note(self.address, Step::Deliver, minted.token.expose());
        }
        let mut acknowledged = false;
        match self.sink.put(self.address, &self.version, &payload, &entry).await {
            Put::Stored => acknowledged = true,
            Put::Refused(_) | Put::Conflict | Put::Unknown(_)
                if self.world.weak.is(Weakness::SuccessBeforeReadBack) =>
            {
                return Ok(entry);
            }
            Put::Refused(unreadable) => return Err(self.scrap(minted, unreadable.into()).await),
            Put::Conflict => {
                let why = format!("{} changed while the key was minted", self.sink.place(self.address));
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
                return Ok(entry);
            }
            // Its word is all there is, and that is said.
            ReadBack::Unseen if acknowledged => {
                let text = format!("{place} cannot be read back: that the key is there is the word of the sink");
                self.world.note(self.address, Step::Verify, text);
                return Ok(entry);
            }
            ReadBack::Unseen => format!("{place} cannot be read back, and whether the key is there is not known"),
            ReadBack::Absent => format!("{place} does not hold the new key"),
            ReadBack::Other(why) => format!("{place} does not hold the new key: {why}"),
            ReadBack::Unreadable(unreadable) => format!("{place} could not be read back: {}", unreadable.why),
        };
        // It may still appear there, so it is not revoked here, and this run's end stays unproven.
        self.world.leave_unaccounted();
        let id = Untrusted::from(minted.id.as_str());
        Err(Failure::new(
            format!("{why}; key {id} is left as undelivered"),
            "look at the sink, then qlik-apply again: a successor is delivered first, then this key is revoked",
        ))
    }

    /// A lost mark does not undo a delivery; a later run marks the key that it finds in the sink.
    async fn mark(&self, minted: &MintedKey, marker: &Marker) -> Result<(), Failure> {
        let spec = &self.create.spec;
        let description = marker.with_letter(Letter::Delivered).describe(&spec.description);
        let marked =
            self.world.qlik.describe(&self.create.account, &self.host, &spec.owner, &minted.id, &description).await;
        let gone = matches!(&marked, Outcome::Rejected(rejection) if rejection.status == 404);
        match known(marked) {
            Known::Done(()) => Ok(()),
            Known::Not(failure) if gone => Err(Failure {
                why: format!("the delivered key is gone from the tenant: {}", failure.why).into(),
                next: vec!["see who deletes keys there, then qlik-apply again".to_owned()],
            }),
            Known::Not(failure) | Known::Unclear(failure) => {
                let text = format!("delivered, and not marked so: {}; the next qlik-apply marks it", failure.why);
                self.world.note(self.address, Step::Mark, text);
                Ok(())
            }
        }
    }
}

fn recoverable(lost: &Failure, error: &Failure) -> Failure {
    Failure {
        why: format!("{}; {}", lost.why, error.why).into(),
        next: vec![
            "qlik-apply again: it finds the key by its marker if it was made, delivers another and revokes it"
                .to_owned(),
        ],
    }
}

/// Revokes the key that is about to be renewed.
pub(super) async fn revoke_first(world: &World<'_>, renew: &Renew, at: &TenantRef) -> Result<(), Failure> {
    let host = host_of(world.desired, &renew.create.account, at)?;
    match known(world.qlik.revoke(&renew.create.account, &host, &renew.create.spec.owner, &renew.key_id).await) {
        Known::Done(()) => Ok(()),
        Known::Not(failure) | Known::Unclear(failure) => Err(failure),
    }
}

/// Marks our own key as delivered, because the sink holds it.
pub(super) async fn mark(world: &World<'_>, mark: &Mark) -> Result<String, Failure> {
    let host = host_of(world.desired, &mark.account, &mark.parent)?;
    let description = mark.description.raw();
    match known(world.qlik.describe(&mark.account, &host, &mark.owner, &mark.key_id, description).await) {
        Known::Done(()) => Ok(Untrusted::from(mark.key_id.as_str()).to_string()),
        Known::Not(failure) | Known::Unclear(failure) => Err(failure),
    }
}

/// Revokes a leftover, if it still is one. Revocation cannot be undone, so a GET decides, not the list.
pub(super) async fn reclaim(world: &World<'_>, address: &Address, reclaim: &Reclaim) -> Result<String, Failure> {
    let host = host_of(world.desired, &reclaim.account, &reclaim.parent)?;
    let id = Untrusted::from(reclaim.key_id.as_str());
    let get = |_: ()| world.qlik.key(&reclaim.account, &host, &reclaim.key_id);
    let read = get(()).await.map_err(|error| Failure::from(error.unreadable()))?;
    let now = world.now();
    let Some(key) = read.filter(|key| key.is_live(now)) else {
        return Ok(format!("{id} is gone already"));
    };
    if key.marker.as_ref().map(|marker| marker.letter) != Some(reclaim.letter) {
        world.note(address, Step::Reclaim, format!("key {id} is no longer a leftover, and is left alone"));
        return Ok(format!("{id} is no longer a leftover"));
    }
    let revoked = known(world.qlik.revoke(&reclaim.account, &host, &reclaim.owner, &reclaim.key_id).await);
    let failure = match revoked {
        Known::Done(()) => None,
        Known::Not(failure) | Known::Unclear(failure) => Some(failure),
    };
    // A vendor may answer 404 for a key of somebody else; only its being gone counts.
    let after = get(()).await.map_err(|error| Failure::from(error.unreadable()))?;
    if after.is_none_or(|key| !key.is_live(now)) {
        return Ok(id.to_string());
    }
    Err(failure.unwrap_or_else(|| {
        Failure::new(
            format!("key {id} is still live after its owner deleted it"),
            "revoke it as a tenant admin: Administration > API keys",
        )
    }))
}
