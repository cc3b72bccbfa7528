//! One key at Qlik: minted as its owner, tried with a request of its own, marked in its description.

use jiff::Timestamp;

use crate::model::address::{Address, Name};
use crate::model::host::Host;
use crate::model::live::MadeAs;
use crate::model::marker::Marker;
use crate::model::spec::{Owner, QlikKey};
use crate::model::untrusted::Untrusted;
use crate::plan::action::{Mark, Reclaim, TenantRef};
use crate::provider::http::{Outcome, ReadError};
use crate::provider::qlik::MintedKey;
use crate::sink::payload::{self, Parts, Payload};

use super::delivery::{Delivery, Slot};
use super::event::{Failure, Step};
use super::maker::{Maker, Marked, Tried, Words};
use super::outcome::{Known, host_of, known};
use super::people;
use super::world::World;

/// A key of a tenant at Qlik.
struct QlikMaker<'a> {
    world: &'a World<'a>,
    account: &'a Name,
    spec: &'a QlikKey,
    at: &'a TenantRef,
    host: Host,
    /// Who the key must be of, where that is declared.
    owner_id: Option<Untrusted>,
}

/// Mints a key and delivers it; says where it is.
pub(super) async fn create(delivery: &Delivery<'_>, account: &Name, spec: &QlikKey) -> Result<String, Failure> {
    let Delivery { world, at, .. } = *delivery;
    let host = host_of(world.desired, account, at)?;
    let slot = Slot::look(delivery, &spec.deliver_to, &QlikMaker::WORDS).await?;
    let owner_id = match &spec.owner {
        Owner::User(user) => Some(people::owner(world, account, &host, user).await?.user_id),
        // Nobody but itself: the key's own answer tells who that is.
        Owner::Client | Owner::Configured(_) => None,
    };
    slot.fill(&QlikMaker { world, account, spec, at, host, owner_id }, at).await
}

impl Maker for QlikMaker<'_> {
    type Minted = MintedKey;

    const WORDS: Words = Words {
        made: "minted",
        revokes: "revokes",
        revoked: "revoked",
        useless: "check that its owner may manage API keys (Manage users > Permissions)",
    };

    const TELLS_AGE: bool = true;

    fn text(&self) -> &str {
        &self.spec.description
    }

    fn id<'m>(&self, minted: &'m MintedKey) -> &'m str {
        &minted.id
    }

    fn expiry(&self, minted: &MintedKey) -> Option<Timestamp> {
        minted.expiry
    }

    fn owner(&self, minted: &MintedKey) -> Untrusted {
        minted.sub.clone()
    }

    fn payload(&self, minted: &MintedKey, home: &Name) -> Payload {
        let spec = self.spec;
        let region = self.world.desired.qlik.get(self.account).map(|facts| facts.region.label.to_string());
        let parts = Parts {
            tenant: self.host.label(),
            region: region.as_deref().unwrap_or_default(),
            server: &format!("https://{}", self.host),
            key_id: &minted.id,
            description: &spec.description,
            expiry: minted.expiry,
        };
        payload::render(spec.deliver_as.of(home), &parts, &minted.token)
    }

    fn made_as(&self, home: &Name) -> MadeAs {
        let spec = self.spec;
        MadeAs { shape: spec.deliver_as.of(home).as_str().to_owned(), owner: Some(spec.owner.word()) }
    }

    async fn make(&self, text: &str) -> Outcome<MintedKey> {
        let Self { account, spec, .. } = self;
        self.world.qlik.mint(account, &self.host, &spec.owner, text, spec.expires_in).await
    }

    async fn find(&self, marker: &Marker) -> Result<Option<String>, ReadError> {
        let keys = self.world.qlik.reader().keys(self.account, &self.host).await?;
        let now = self.world.now_at(&self.host);
        let found = keys.into_values().find(|key| key.is_live(now) && key.marker.as_ref() == Some(marker));
        Ok(found.map(|key| key.id))
    }

    async fn revoke(&self, id: &str) -> Outcome<()> {
        self.world.qlik.revoke(self.account, &self.host, &self.spec.owner, id).await
    }

    async fn try_out(&self, minted: &MintedKey) -> Result<Tried, ReadError> {
        let tried = self.world.qlik.reader().try_key(self.account, &self.host, &minted.token).await?;
        let ours = tried.tenant_id == self.at.id
            && tried.user_id == minted.sub
            && self.owner_id.as_ref().is_none_or(|owner| tried.user_id == *owner);
        Ok(match ours {
            true => Tried::Works,
            false => Tried::Wrong(Failure::new(
                format!("the new key answers as user {} of tenant {}", tried.user_id, tried.tenant_id),
                "ask Qlik support: the key is not the one that was asked for",
            )),
        })
    }

    async fn mark(&self, minted: &MintedKey, text: &str) -> Result<Outcome<Marked>, Failure> {
        let Self { account, spec, .. } = self;
        let marked = self.world.qlik.describe(account, &self.host, &spec.owner, &minted.id, text).await;
        Ok(marked.map(|()| Marked::Done))
    }

    async fn lives(&self, id: &str) -> Result<bool, ReadError> {
        let key = self.world.qlik.reader().key(self.account, &self.host, id).await?;
        let now = self.world.now_at(&self.host);
        Ok(key.is_some_and(|key| key.is_live(now)))
    }
}

/// Marks our own key as delivered, because the sink holds it.
pub(super) async fn mark(world: &World<'_>, mark: &Mark, at: &TenantRef, owner: &Owner) -> Result<String, Failure> {
    let host = host_of(world.desired, &mark.account, at)?;
    let description = mark.description.raw();
    match known(world.qlik.describe(&mark.account, &host, owner, &mark.key_id, description).await) {
        Known::Done(()) => Ok(Untrusted::from(mark.key_id.as_str()).to_string()),
        Known::Not(failure) | Known::Unclear(failure) => Err(failure),
    }
}

/// Revokes a leftover, if it still is one. Revocation cannot be undone, so a GET decides, not the list.
pub(super) async fn reclaim(
    world: &World<'_>,
    address: &Address,
    reclaim: &Reclaim,
    at: &TenantRef,
    owner: &Owner,
) -> Result<String, Failure> {
    let host = host_of(world.desired, &reclaim.account, at)?;
    let id = Untrusted::from(reclaim.key_id.as_str());
    let get = |_: ()| world.qlik.reader().key(&reclaim.account, &host, &reclaim.key_id);
    let read = get(()).await.map_err(|error| Failure::from(error.unreadable()))?;
    let now = world.now_at(&host);
    let Some(key) = read.filter(|key| key.is_live(now)) else {
        return Ok(format!("{id} is gone already"));
    };
    if key.marker.as_ref().map(|marker| marker.letter) != Some(reclaim.letter) {
        world.note(address, Step::Reclaim, format!("key {id} is no longer a leftover, and is left alone"));
        return Ok(format!("{id} is no longer a leftover"));
    }
    let revoked = known(world.qlik.revoke(&reclaim.account, &host, owner, &reclaim.key_id).await);
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
