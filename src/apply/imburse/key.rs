//! One key at Imburse: made with its roles, tried with a token of its own, marked in its name.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ledger::LedgerError;
use crate::model::address::{Address, Name};
use crate::model::imburse::{ImburseKey, MarkRefused};
use crate::model::live::MadeAs;
use crate::model::marker::Marker;
use crate::model::untrusted::Untrusted;
use crate::plan::action::{Mark, Reclaim, TenantRef};
use crate::provider::http::{Outcome, ReadError};
use crate::provider::imburse::MintedKey;
use crate::sink::payload::Payload;
use crate::sink::payload::imburse::{self as payload, Parts};

use super::super::delivery::{Delivery, Slot};
use super::super::event::{Failure, Step};
use super::super::maker::{Maker, Marked, Tried, Words};
use super::super::outcome::{Known, known};
use super::super::world::World;

/// A key of a tenant at Imburse.
struct TenantKey<'a> {
    world: &'a World<'a>,
    account: &'a Name,
    spec: &'a ImburseKey,
    at: &'a TenantRef,
}

/// Makes a key and delivers it; says where it is.
pub(in crate::apply) async fn create(
    delivery: &Delivery<'_>,
    account: &Name,
    spec: &ImburseKey,
) -> Result<String, Failure> {
    let Delivery { world, at, .. } = *delivery;
    let slot = Slot::look(delivery, &spec.deliver_to, &TenantKey::WORDS).await?;
    slot.fill(&TenantKey { world, account, spec, at }, at).await
}

impl Maker for TenantKey<'_> {
    type Minted = MintedKey;

    const WORDS: Words = Words {
        made: "made",
        revokes: "deletes",
        revoked: "deleted",
        useless: "ask the vendor's support: a key that was just made should work",
    };

    const TELLS_AGE: bool = false;

    fn text(&self) -> &str {
        &self.spec.name
    }

    fn id<'m>(&self, minted: &'m MintedKey) -> &'m str {
        &minted.public_key
    }

    /// None ever ends.
    fn expiry(&self, _: &MintedKey) -> Option<Timestamp> {
        None
    }

    /// A key belongs to its tenant.
    fn owner(&self, _: &MintedKey) -> Untrusted {
        Untrusted::default()
    }

    fn payload(&self, minted: &MintedKey, home: &Name) -> Payload {
        let spec = self.spec;
        let account = self.world.desired.imburse.get(self.account);
        let roles: Vec<&str> = minted.roles.iter().map(Untrusted::raw).collect();
        let parts = Parts {
            base_url: &format!("https://{}", self.at.hostname.raw()),
            account_id: account.map(|facts| facts.account_id.as_str()).unwrap_or_default(),
            tenant_id: self.at.id.raw(),
            name: &spec.name,
            public_key: &minted.public_key,
            roles: &roles,
        };
        payload::render(spec.deliver_as.of(home), &parts, &minted.private_key)
    }

    fn made_as(&self, home: &Name) -> MadeAs {
        MadeAs { shape: self.spec.deliver_as.of(home).as_str().to_owned(), owner: None }
    }

    async fn make(&self, text: &str) -> Outcome<MintedKey> {
        let Self { account, spec, .. } = self;
        self.world.imburse.create_key(account, self.at.id.raw(), text, &spec.roles).await
    }

    async fn find(&self, marker: &Marker) -> Result<Option<String>, ReadError> {
        let keys = self.world.imburse.reader().list_keys(self.account, self.at.id.raw()).await?;
        Ok(keys.into_values().find(|key| key.marker.as_ref() == Some(marker)).map(|key| key.public_key))
    }

    async fn revoke(&self, id: &str) -> Outcome<()> {
        self.world.imburse.delete_key(self.account, self.at.id.raw(), id).await
    }

    async fn try_out(&self, minted: &MintedKey) -> Result<Tried, ReadError> {
        let (account, tenant) = (self.account, self.at.id.raw());
        let tried =
            self.world.imburse.reader().try_key(account, tenant, &minted.public_key, &minted.private_key).await?;
        Ok(match tried.lists_itself {
            Some(false) => Tried::Noted("the new key works, and its tenant's own list has it not yet".to_owned()),
            Some(true) | None => Tried::Works,
        })
    }

    async fn mark(&self, minted: &MintedKey, text: &str) -> Result<Outcome<Marked>, Failure> {
        rename(self.world, self.account, self.at.id.raw(), &minted.public_key, text, &minted.roles).await
    }

    async fn lives(&self, id: &str) -> Result<bool, ReadError> {
        match self.world.imburse.reader().get_key(self.account, self.at.id.raw(), id).await {
            Ok(_) => Ok(true),
            Err(ReadError::NotFound(_)) => Ok(false),
            Err(
                error @ (ReadError::Unauthorized(_)
                | ReadError::Disabled(_)
                | ReadError::Rejected(_)
                | ReadError::Trouble(_)),
            ) => Err(error),
        }
    }
}

/// Gives a key another name, or learns that this account's keys are never changed: not every generation of the API does it.
async fn rename(
    world: &World<'_>,
    account: &Name,
    tenant_id: &str,
    public_key: &str,
    name: &str,
    roles: &BTreeSet<Untrusted>,
) -> Result<Outcome<Marked>, Failure> {
    let roles: BTreeSet<String> = roles.iter().map(|role| role.raw().to_owned()).collect();
    let renamed = world.imburse.rename_key(account, tenant_id, public_key, name, &roles).await;
    let refused = match &renamed {
        Outcome::Rejected(refusal) if refusal.status == 405 => Some(refusal.sentence()),
        Outcome::Rejected(_)
        | Outcome::NotSent(_)
        | Outcome::Committed(())
        | Outcome::CommittedUnreadable(_)
        | Outcome::Unknown(_) => None,
    };
    let Some(why) = refused else { return Ok(renamed.map(|()| Marked::Done)) };
    remember(world, account, &why).await?;
    Ok(Outcome::Committed(Marked::Never("the vendor does not change keys here; the sink decides".to_owned())))
}

/// Records the refusal, so that no later plan asks for it again.
async fn remember(world: &World<'_>, account: &Name, why: &str) -> Result<(), Failure> {
    let Some(facts) = world.desired.imburse.get(account) else { return Ok(()) };
    let kept = world
        .held
        .refused_marking(&MarkRefused {
            account: account.clone(),
            host: facts.host.clone(),
            api: facts.api,
            at: world.now(),
            run: world.held.run().clone(),
            why: Untrusted::new(why),
        })
        .await;
    match kept {
        // Another run learned it at the same time.
        Ok(()) | Err(LedgerError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Marks our own key as delivered, because the sink holds it.
pub(in crate::apply) async fn mark(
    world: &World<'_>,
    mark: &Mark,
    tenant_id: &Untrusted,
    roles: &BTreeSet<Untrusted>,
) -> Result<String, Failure> {
    let Mark { account, key_id, description, of: _ } = mark;
    let id = Untrusted::from(key_id.as_str());
    match known(rename(world, account, tenant_id.raw(), key_id, description.raw(), roles).await?) {
        Known::Done(Marked::Done) => Ok(id.to_string()),
        // The key is where it belongs; only the mark is missing.
        Known::Done(Marked::Never(why)) => Ok(format!("{id}: not marked, {why}")),
        Known::Not(failure) | Known::Unclear(failure) => Err(failure),
    }
}

/// Deletes a leftover, if it still is one. That cannot be undone, so a GET decides, not the list.
pub(in crate::apply) async fn reclaim(
    world: &World<'_>,
    address: &Address,
    reclaim: &Reclaim,
    tenant_id: &Untrusted,
) -> Result<String, Failure> {
    let Reclaim { account, key_id: public_key, letter, after_delivery: _, of: _ } = reclaim;
    let id = Untrusted::from(public_key.as_str());
    let key = match world.imburse.reader().get_key(account, tenant_id.raw(), public_key).await {
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
    match world.imburse.reader().get_key(account, tenant_id.raw(), public_key).await {
        Err(ReadError::NotFound(_)) => Ok(id.to_string()),
        Ok(_)
        | Err(ReadError::Unauthorized(_) | ReadError::Disabled(_) | ReadError::Rejected(_) | ReadError::Trouble(_)) => {
            Err(failure)
        }
    }
}
