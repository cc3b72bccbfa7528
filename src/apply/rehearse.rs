//! Finds out, before a tenant is paid for, whether an account can mint keys: one ten-minute key on a tenant that exists.

use crate::model::address::Name;
use crate::model::duration::Duration;
use crate::model::host::{Host, Label};
use crate::model::live::KeyLive;
use crate::model::marker::{KeyUid, Letter, Marker};
use crate::model::record::{Rehearsal, Uid};
use crate::model::spec::{Owner, User, Way};
use crate::model::untrusted::Untrusted;
use crate::provider::http::{Outcome, ReadError, RejectionKind};

use super::event::Failure;
use super::outcome::{Known, known};
use super::people;
use super::world::World;

/// Long enough for a slow run, short enough that a forgotten key is no worry.
const REHEARSAL_KEY: Duration = Duration::from_seconds(600);

/// The subject of the user that a rehearsal makes where it finds none of the declared ones.
const REHEARSAL_USER: &str = "qlik-plan|rehearsal";

/// Rehearses one way of owning on the given tenant and records the result. `Ok` holds the failure's sentence, if it failed.
/// `people`: the users that keys are declared for; one of them who is there is acted for, else one is made and removed.
///
/// # Errors
/// Where nothing could be found out: the network, or the ledger.
pub async fn rehearse(
    world: &World<'_>,
    account: &Name,
    way: &Way,
    people: &[User],
    stage: &Label,
) -> Result<Option<Failure>, Failure> {
    let credential = world.qlik.reader().credential_hash(account, way).ok_or_else(|| no_credentials(account, way))?;
    let outcome = match way {
        Way::Client => run(world, account, &Owner::Client, stage).await,
        Way::Configured(name) => run(world, account, &Owner::Configured(name.clone()), stage).await,
        Way::Impersonation => impersonate(world, account, people, stage).await,
    };
    let failure = match outcome {
        Ok(()) => None,
        Err(Verdict::Failed(failure)) => Some(failure),
        Err(Verdict::Nothing(failure)) => return Err(failure),
    };
    world
        .held
        .rehearsed(&Rehearsal {
            account: account.clone(),
            owner: way.clone(),
            credential,
            at: world.now(),
            run: world.held.run().clone(),
            failure: failure
                .as_ref()
                .map(|failure| Untrusted::new(format!("{}; {}", failure.why.raw(), failure.next.join("; ")))),
        })
        .await?;
    Ok(failure)
}

enum Verdict {
    /// Minting will not work until something is changed.
    Failed(Failure),
    /// Nothing was found out.
    Nothing(Failure),
}

fn failed(why: impl Into<String>, next: impl Into<String>) -> Verdict {
    Verdict::Failed(Failure::new(why, next))
}

fn host_of(world: &World<'_>, account: &Name, stage: &Label) -> Result<Host, Verdict> {
    let region = world.desired.qlik.get(account).map(|facts| &facts.region).ok_or_else(|| {
        Verdict::Nothing(Failure::new(format!("settings have no account {account}"), "add it under accounts:"))
    })?;
    Ok(region.host(stage))
}

/// Acts for a declared user who is on the stage; where there is none, for one that is made for it and removed again.
async fn impersonate(world: &World<'_>, account: &Name, people: &[User], stage: &Label) -> Result<(), Verdict> {
    let host = host_of(world, account, stage)?;
    for user in people {
        // Whoever cannot be read is passed over: anybody will do.
        if let Ok(Some(found)) = world.qlik.reader().person(account, &host, user).await
            && found.is_active()
        {
            return run(world, account, &Owner::User(user.clone()), stage).await;
        }
    }
    let user = User {
        subject: Some(REHEARSAL_USER.to_owned()),
        name: Some("qlik-plan rehearsal".to_owned()),
        ..User::default()
    };
    // Whether minting works was not found out, whatever kept the user from being made.
    let (id, _) = people::ensure(world, account, &host, &user).await.map_err(|failure| {
        Verdict::Nothing(Failure {
            why: format!("no user could be made in {host} to act for: {}", failure.why).into(),
            next: failure.next,
        })
    })?;
    let outcome = run(world, account, &Owner::User(user), stage).await;
    match known(world.qlik.delete_user(account, &host, id.raw()).await) {
        // Who may make users and not remove them has one left that owns nothing; what was found out stands.
        Known::Done(()) | Known::Not(_) => outcome,
        // Nothing is recorded, so that the next rehearsal finds it and removes it.
        Known::Unclear(failure) => outcome.and(Err(Verdict::Nothing(failure))),
    }
}

async fn run(world: &World<'_>, account: &Name, owner: &Owner, stage: &Label) -> Result<(), Verdict> {
    let host = host_of(world, account, stage)?;
    if owner.needs_key_client() {
        trust(world, account, &host).await?;
    }
    let caller = match world.qlik.reader().caller(account, &host, owner).await {
        Ok(caller) => caller,
        Err(ReadError::Trouble(trouble)) => return Err(Verdict::Nothing(trouble.into())),
        Err(
            error @ (ReadError::Unauthorized(_)
            | ReadError::Disabled(_)
            | ReadError::NotFound(_)
            | ReadError::Rejected(_)),
        ) => {
            // A wrong secret and a client that is not known there may be answered alike.
            let unpublished = match owner {
                Owner::Client | Owner::User(_) => Some(not_published().to_owned()),
                Owner::Configured(_) => None,
            };
            let unreadable = error.unreadable();
            return Err(Verdict::Failed(Failure {
                why: format!("{} gets no access to {host}: {}", words(&owner.way()), unreadable.why).into(),
                next: [unreadable.next].into_iter().chain(unpublished).collect(),
            }));
        }
    };
    let marker = Marker {
        ledger: world.held.id().short().to_owned(),
        uid: KeyUid::of(&Uid::new([0; 16]), account),
        sink: crate::model::marker::SinkHash::of("rehearsal", ""),
        nonce: world.nonce(),
        over: None,
        letter: Letter::Undelivered,
    };
    let text = "qlik-plan rehearsal";
    let minted = match world.qlik.mint(account, &host, owner, &marker.describe(text), REHEARSAL_KEY).await {
        Outcome::Committed(minted) => minted,
        Outcome::NotSent(trouble) => return Err(Verdict::Nothing(trouble.into())),
        Outcome::Rejected(rejection) => {
            let sentence = rejection.sentence();
            return Err(match rejection.kind {
                RejectionKind::Forbidden | RejectionKind::Unauthorized => {
                    why_forbidden(world, account, &host, owner, caller.manages_api_keys, &sentence).await
                }
                RejectionKind::Invalid => why_invalid(world, account, &host, caller.tenant_id.raw(), &sentence).await,
                RejectionKind::NotFound
                | RejectionKind::Conflict
                | RejectionKind::RateLimited
                | RejectionKind::TenantDisabled
                | RejectionKind::Quota
                | RejectionKind::Other => Verdict::Nothing(Failure::new(sentence, rejection.next)),
            });
        }
        Outcome::CommittedUnreadable(trouble) | Outcome::Unknown(trouble) => {
            clear(world, account, &host, owner, &marker).await;
            return Err(Verdict::Nothing(trouble.into()));
        }
    };
    let tried = world.qlik.reader().try_key(account, &host, &minted.token).await;
    let patched = world
        .qlik
        .describe(account, &host, owner, &minted.id, &marker.with_letter(Letter::Delivered).describe(text))
        .await;
    let revoked = world.qlik.revoke(account, &host, owner, &minted.id).await;
    match tried {
        Ok(tried) if tried.user_id == caller.user_id && tried.tenant_id == caller.tenant_id => {}
        Ok(tried) => {
            return Err(failed(
                format!("a key minted as user {} answers as user {}", caller.user_id, tried.user_id),
                "ask Qlik support: minting as this owner yields somebody else's key",
            ));
        }
        Err(ReadError::Trouble(trouble)) => return Err(Verdict::Nothing(trouble.into())),
        Err(error) => {
            return Err(failed(
                format!("a minted key does not work: {}", error.unreadable().why),
                "check the tenant's IP policies and that the owner may manage API keys",
            ));
        }
    }
    for (what, outcome) in
        [("its description cannot be changed", patched), ("it cannot be revoked by its owner", revoked)]
    {
        match known(outcome) {
            Known::Done(()) => {}
            Known::Not(failure) => {
                return Err(failed(
                    format!("a key was minted and works, and {what}: {}", failure.why),
                    "the owner needs to manage its own keys: create, change and delete",
                ));
            }
            Known::Unclear(failure) => return Err(Verdict::Nothing(failure)),
        }
    }
    Ok(())
}

async fn trust(world: &World<'_>, account: &Name, host: &Host) -> Result<(), Verdict> {
    let consent = match world.qlik.reader().consent(account, host).await {
        Ok(consent) => consent,
        Err(ReadError::Trouble(trouble)) => return Err(Verdict::Nothing(trouble.into())),
        Err(error) => {
            return Err(failed(
                format!("the key client is not known in {host}: {}", error.unreadable().why),
                not_published(),
            ));
        }
    };
    if consent.trusted {
        return Ok(());
    }
    match known(world.qlik.trust(account, host).await) {
        Known::Done(()) => Ok(()),
        Known::Not(failure) => {
            Err(failed(format!("the key client cannot be trusted in {host}: {}", failure.why), not_published()))
        }
        Known::Unclear(failure) => Err(Verdict::Nothing(failure)),
    }
}

fn not_published() -> &'static str {
    "in the source tenant's Administration > OAuth, publish the key client to the region and set its consent method to Trusted"
}

async fn why_forbidden(
    world: &World<'_>,
    account: &Name,
    host: &Host,
    owner: &Owner,
    own_role: bool,
    sentence: &str,
) -> Verdict {
    let everyone = match world.qlik.reader().user_default(account, host).await {
        Ok(role) => role.manages_api_keys,
        Err(error) => return Verdict::Nothing(error.unreadable().into()),
    };
    if !everyone && !own_role {
        return failed(
            format!("{} may not manage API keys in {host}: {sentence}", words(&owner.way())),
            "in the source tenant: Administration > Manage users > Permissions > User Default (or a role of that user): set \"Manage API keys\" to Allowed",
        );
    }
    let next = match owner {
        Owner::Client => {
            "bot users may not mint here; let a user own the keys: owner: { user: { subject: … } }, or with that user's own API key in settings owner: { configured: NAME }"
        }
        Owner::User(_) => {
            "tokens by impersonation may not mint here; let a user with its own API key in settings own the keys: owner: { configured: NAME }"
        }
        Owner::Configured(_) => "ask Qlik support: the owner has the permission and may not use it",
    };
    failed(
        format!(
            "{host} allows everyone to manage API keys and still lets {} mint none: {sentence}",
            words(&owner.way())
        ),
        next,
    )
}

async fn why_invalid(world: &World<'_>, account: &Name, host: &Host, tenant_id: &str, sentence: &str) -> Verdict {
    match world.qlik.reader().limits(account, host, tenant_id).await {
        Ok(limits) if limits.max_expiry < REHEARSAL_KEY => failed(
            format!(
                "{host} allows API keys of at most {}, less than the rehearsal's {REHEARSAL_KEY}: {sentence}",
                limits.max_expiry
            ),
            "in the source tenant: Administration > Settings > API keys: raise the maximum expiration to at least ten minutes",
        ),
        Ok(limits) if limits.max_keys_per_user == 0 => failed(
            format!("{host} allows no API keys at all (max_keys_per_user is 0): {sentence}"),
            "in the source tenant: Administration > Settings > API keys: raise the number of keys per user",
        ),
        Ok(_) => Verdict::Nothing(Failure::new(sentence, "look at the source tenant's API key settings")),
        Err(error) => Verdict::Nothing(error.unreadable().into()),
    }
}

/// A rehearsal key whose answer was lost: removed if it is there; it expires in ten minutes anyway.
async fn clear(world: &World<'_>, account: &Name, host: &Host, owner: &Owner, marker: &Marker) {
    let Ok(keys) = world.qlik.reader().keys(account, host).await else { return };
    let ours = |key: &&KeyLive| key.marker.as_ref().is_some_and(|found| found.nonce == marker.nonce);
    if let Some(key) = keys.values().find(ours) {
        drop(world.qlik.revoke(account, host, owner, &key.id).await);
    }
}

fn no_credentials(account: &Name, way: &Way) -> Failure {
    match way {
        Way::Client | Way::Impersonation => Failure::new(
            format!("account {account} has no key_client"),
            format!("add accounts.{account}.key_client in settings"),
        ),
        Way::Configured(name) => Failure::new(
            format!("account {account} has no owner {name}"),
            format!("add accounts.{account}.owners.{name} in settings"),
        ),
    }
}

/// A way of owning as sentences name it.
pub fn words(way: &Way) -> String {
    match way {
        Way::Client => "the key client".to_owned(),
        Way::Configured(name) => format!("owner {name}"),
        Way::Impersonation => "the key client on a user's behalf".to_owned(),
    }
}
