//! Creating a tenant at most once: an intent in the ledger, one POST that nothing repeats, a binding.

use crate::model::address::{Address, Name};
use crate::model::record::{Binding, How, Intent, Record, State, Uid};
use crate::model::secret::{Fingerprint, hex};
use crate::model::untrusted::Untrusted;
use crate::plan::action::{CreateTenant, TenantRef};
use crate::provider::http::Outcome;

use super::event::Failure;
use super::outcome::{Known, known};
use super::world::World;

pub(super) async fn create(
    world: &World<'_>,
    address: &Address,
    create: &CreateTenant,
) -> Result<(TenantRef, String), Failure> {
    // Read first: a licence key that cannot be read leaves no intent behind.
    let licence_key = world.licence_key(&create.account).await?;
    let baseline = baseline(world, &create.account).await?;
    let pending = intend(world, address, create, baseline)?;
    match world.qlik.create_tenant(&create.account, &licence_key).await {
        Outcome::Committed(made) => {
            let at = TenantRef { id: made.id.clone(), hostname: made.hostname.as_str().into() };
            let binding = Binding {
                tenant_id: made.id,
                hostname: made.hostname.as_str().into(),
                account: create.account.clone(),
                how: How::Created,
                at: world.now(),
            };
            let bound = next(&pending, State::Bound(binding));
            world.held.swap(pending.seq, &bound).map_err(|error| Failure {
                why: format!("the tenant was made at {} and could not be recorded: {error}", at.hostname).into(),
                next: vec![error.next(), format!("then: qlik-apply resolve {address} --adopt {}", at.hostname)],
            })?;
            let detail = format!("{} (id {})", at.hostname, at.id);
            Ok((at, detail))
        }
        outcome @ (Outcome::NotSent(_)
        | Outcome::Rejected(_)
        | Outcome::CommittedUnreadable(_)
        | Outcome::Unknown(_)) => Err(match known(outcome) {
            Known::Not(failure) => retract(world, address, &pending, failure),
            Known::Unclear(failure) => in_doubt(address, failure),
            Known::Done(_) => in_doubt(address, Failure::new("the reply made no sense", "look in My Qlik")),
        }),
    }
}

/// Which tenants are listed before ours is made: what remains of a later list may be ours.
async fn baseline(world: &World<'_>, account: &Name) -> Result<Vec<Untrusted>, Failure> {
    if !world.qlik.lists_tenants(account) {
        return Ok(Vec::new());
    }
    let listed = world.qlik.organization_tenants(account).await.map_err(|error| Failure::from(error.unreadable()))?;
    Ok(listed.into_iter().map(|tenant| tenant.id).collect())
}

/// Writes the intent, durably, before anything is sent.
fn intend(
    world: &World<'_>,
    address: &Address,
    create: &CreateTenant,
    baseline: Vec<Untrusted>,
) -> Result<Record, Failure> {
    let stored = world.held.record(address)?;
    let request = format!("POST https://{}/api/v1/tenants licenseKey of {}", create.register(), create.account);
    let intent = Intent {
        nonce: hex(&(world.random)()).into(),
        run: world.held.run().clone(),
        account: create.account.clone(),
        region: create.region.label.as_str().into(),
        date: world.now(),
        request: Fingerprint::of(request.as_bytes()).as_str().into(),
        baseline,
    };
    match stored {
        None => {
            let record = Record {
                uid: Uid::new((world.random)()),
                address: address.clone(),
                formerly: Vec::new(),
                seq: 1,
                state: State::Pending(intent),
            };
            world.held.create(&record)?;
            Ok(record)
        }
        Some(record) if record.state == State::Free => {
            let pending = next(&record, State::Pending(intent));
            world.held.swap(record.seq, &pending)?;
            Ok(pending)
        }
        Some(record) => Err(Failure::new(
            format!(
                "the ledger's record of {address} is {} now, and was free when this was planned",
                record.state.word()
            ),
            "plan again",
        )),
    }
}

/// Nothing was made: the intent is taken back, if it is still ours.
fn retract(world: &World<'_>, address: &Address, pending: &Record, failure: Failure) -> Failure {
    let mut failure = Failure { why: format!("{}; no tenant was made", failure.why).into(), next: failure.next };
    if let Err(error) = world.held.swap(pending.seq, &next(pending, State::Free)) {
        failure.next.push(format!(
            "nothing was made, and that could not be recorded ({error}): qlik-apply resolve {address} --not-created"
        ));
    }
    failure
}

fn in_doubt(address: &Address, failure: Failure) -> Failure {
    Failure {
        why: format!("{}; a tenant may have been made, so the intent stays and nothing is sent again", failure.why)
            .into(),
        next: vec![
            "look at the tenants of your subscription in My Qlik for one created just now, then one of:".to_owned(),
            format!("qlik-apply resolve {address} --adopt HOSTNAME   (it is there)"),
            format!("qlik-apply resolve {address} --not-created      (it is not, an hour after the attempt)"),
        ],
    }
}

/// The same record, one write further.
pub(super) fn next(record: &Record, state: State) -> Record {
    Record { seq: record.seq + 1, state, ..record.clone() }
}

/// Records a declared adoption, so that its keys have a uid to be marked with. Sends nothing.
pub(super) fn record_adoption(
    world: &World<'_>,
    address: &Address,
    account: &Name,
    id: &Untrusted,
    hostname: &Untrusted,
) -> Result<String, Failure> {
    let binding = Binding {
        tenant_id: id.clone(),
        hostname: hostname.clone(),
        account: account.clone(),
        how: How::Adopted,
        at: world.now(),
    };
    match world.held.record(address)? {
        None => world.held.create(&Record {
            uid: Uid::new((world.random)()),
            address: address.clone(),
            formerly: Vec::new(),
            seq: 1,
            state: State::Settled(binding),
        })?,
        Some(record) => world.held.swap(record.seq, &next(&record, State::Settled(binding)))?,
    }
    Ok(hostname.to_string())
}
