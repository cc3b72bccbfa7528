//! Creating a tenant at most once: an intent in the ledger, one POST that nothing repeats, a binding.

use crate::model::address::{Address, Name};
use crate::model::host::Region;
use crate::model::record::{Binding, How, Intent, Record, State, Uid};
use crate::model::secret::{Fingerprint, hex};
use crate::model::untrusted::Untrusted;
use crate::plan::action::{MoveGroup, TenantRef};
use crate::provider::http::{Outcome, RejectionKind};
use crate::provider::qlik::CreatedTenant;

use super::event::{Failure, Step};
use super::outcome::{Known, known};
use super::world::World;

pub(super) async fn create(
    world: &World<'_>,
    address: &Address,
    account: &Name,
    region: &Region,
) -> Result<Made, Failure> {
    asked_again(world, address, async || create_once(world, address, account, region).await).await
}

/// Asks again where the vendor itself says that there were too many requests. Each try waits for its turn and has an intent of its own.
pub(super) async fn asked_again(
    world: &World<'_>,
    address: &Address,
    create_once: impl AsyncFn() -> Result<Made, Undone>,
) -> Result<Made, Failure> {
    let mut tries = 1;
    loop {
        match create_once().await {
            Err(Undone::TooMany(_)) if tries < TRIES => {
                tries += 1;
                let text = "the vendor takes no more now, so nothing was made; it is asked again when it does";
                world.note(address, Step::CreateTenant, text);
            }
            made => return made.map_err(Failure::from),
        }
    }
}

/// How often a tenant is asked for that the vendor, in its own words, does not make for there being too many requests.
const TRIES: u32 = 4;

/// Everything from the turn to the binding. What is refused for there being too many requests has left no intent, so that the next
/// try is as new as another run's would be.
async fn create_once(world: &World<'_>, address: &Address, account: &Name, region: &Region) -> Result<Made, Undone> {
    // Read first: a licence key that cannot be read leaves no intent behind.
    let licence_key = world.licence_key(account).await?;
    // Waited for before the intent, which would stand for minutes otherwise, and be a doubt if the run was killed meanwhile.
    world.qlik.turn_to_create(account).await.map_err(Failure::from)?;
    let request = Request {
        account,
        place: region.label.as_str(),
        words: format!("POST https://{}/api/v1/tenants licenseKey of {account}", region.register()),
        baseline: baseline(world, account).await?,
        doubt: Doubt {
            where_to_look: "look at the tenants of your subscription in My Qlik for one created just now, then one of:",
            what_it_is: "HOSTNAME",
        },
    };
    let made = at_most_once(
        world,
        address,
        request,
        async || world.qlik.create_tenant(account, &licence_key).await,
        |made: &CreatedTenant| {
            let hostname = Untrusted::from(made.hostname.as_str());
            let binding = Binding {
                tenant_id: made.id.clone(),
                hostname: hostname.clone(),
                account: account.clone(),
                how: How::Created,
                at: world.now(),
            };
            (State::Bound(binding), hostname)
        },
    )
    .await?;
    let at = TenantRef { id: made.id, hostname: made.hostname.as_str().into() };
    let detail = format!("{} (id {})", at.hostname, at.id);
    Ok(Made { at, detail, unusable: None })
}

/// A tenant that was made.
pub(super) struct Made {
    pub(super) at: TenantRef,
    /// The words for its event: host or name, and id.
    pub(super) detail: String,
    /// Why nothing can be done in it yet.
    pub(super) unusable: Option<String>,
}

/// A creation that is about to be sent, with the words for a person if nobody learns its outcome.
pub(super) struct Request<'a> {
    pub(super) account: &'a Name,
    /// The region, or the host.
    pub(super) place: &'a str,
    /// The request without its secret.
    pub(super) words: String,
    /// Ids of tenants that are listed already.
    pub(super) baseline: Vec<Untrusted>,
    pub(super) doubt: Doubt,
}

/// Where a person looks for a tenant in doubt, and what `--adopt` then takes.
#[derive(Clone, Copy)]
pub(super) struct Doubt {
    pub(super) where_to_look: &'static str,
    pub(super) what_it_is: &'static str,
}

/// Writes the intent, sends once, and records what was made as `kept` says: the record's next state, and what a person would
/// adopt it by.
pub(super) async fn at_most_once<T>(
    world: &World<'_>,
    address: &Address,
    request: Request<'_>,
    send: impl AsyncFn() -> Outcome<T>,
    kept: impl Fn(&T) -> (State, Untrusted),
) -> Result<T, Undone> {
    let doubt = request.doubt;
    // Something may have been waited for since this was begun.
    if let Some(why) = (world.stop)() {
        return Err(Failure::new(format!("{why}, and no tenant was made"), "qlik-apply again").into());
    }
    let intent = intend(world, address, request).await?;
    let pending = intent.write(world).await?;
    match send().await {
        Outcome::Committed(made) => {
            let (state, adopt) = kept(&made);
            world.held.swap(pending.seq, &next(&pending, state)).await.map_err(|error| Failure {
                why: format!("the tenant was made ({adopt}) and could not be recorded: {error}").into(),
                next: vec![error.next(), format!("then: qlik-apply resolve {address} --adopt {adopt}")],
            })?;
            Ok(made)
        }
        outcome @ (Outcome::NotSent(_)
        | Outcome::Rejected(_)
        | Outcome::CommittedUnreadable(_)
        | Outcome::Unknown(_)) => {
            let too_many = matches!(&outcome, Outcome::Rejected(no) if no.kind == RejectionKind::RateLimited);
            Err(match known(outcome) {
                Known::Not(failure) => retract(world, address, &pending, failure, too_many).await,
                Known::Unclear(failure) => in_doubt(address, doubt, failure).into(),
                Known::Done(_) => {
                    in_doubt(address, doubt, Failure::new("the reply made no sense", "look at the vendor's")).into()
                }
            })
        }
    }
}

/// Why there is no tenant, or none that is known.
pub(super) enum Undone {
    /// The vendor itself said that there were too many requests: nothing was made, and the intent is taken back.
    TooMany(Failure),
    Failed(Failure),
}

impl From<Failure> for Undone {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Undone> for Failure {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::TooMany(failure) | Undone::Failed(failure) => failure,
        }
    }
}

/// Which tenants are listed before ours is made: what remains of a later list may be ours.
async fn baseline(world: &World<'_>, account: &Name) -> Result<Vec<Untrusted>, Failure> {
    if !world.qlik.reader().lists_tenants(account) {
        return Ok(Vec::new());
    }
    let listed =
        world.qlik.reader().organization_tenants(account).await.map_err(|error| Failure::from(error.unreadable()))?;
    Ok(listed.into_iter().map(|tenant| tenant.id).collect())
}

/// A record that says what is about to be sent.
struct Drafted {
    record: Record,
    /// The record whose place it takes.
    over: Option<u64>,
}

impl Drafted {
    /// Writes the record durably, and gives it back as it stands now.
    async fn write(self, world: &World<'_>) -> Result<Record, Failure> {
        match self.over {
            None => world.held.create(&self.record).await?,
            Some(seq) => world.held.swap(seq, &self.record).await?,
        }
        Ok(self.record)
    }
}

/// The intent, to be written before anything is sent.
async fn intend(world: &World<'_>, address: &Address, request: Request<'_>) -> Result<Drafted, Failure> {
    let stored = world.held.record(address).await?;
    let intent = Intent {
        nonce: hex(&(world.random)()).into(),
        run: world.held.run().clone(),
        account: request.account.clone(),
        region: request.place.into(),
        date: world.now(),
        request: Fingerprint::of(request.words.as_bytes()).as_str().into(),
        baseline: request.baseline,
    };
    match stored {
        None => {
            let record = Record {
                uid: Uid::new((world.random)()),
                address: address.clone(),
                formerly: Vec::new(),
                group: world.group(address),
                seq: 1,
                state: State::Pending(intent),
            };
            Ok(Drafted { record, over: None })
        }
        Some(record) if record.state == State::Free => {
            // Nobody made the tenant, so it is whose run makes it.
            let record = Record { group: world.group(address), ..record };
            Ok(Drafted { over: Some(record.seq), record: next(&record, State::Pending(intent)) })
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
async fn retract(world: &World<'_>, address: &Address, pending: &Record, failure: Failure, too_many: bool) -> Undone {
    let mut failure = Failure { why: format!("{}; no tenant was made", failure.why).into(), next: failure.next };
    match world.held.swap(pending.seq, &next(pending, State::Free)).await {
        Ok(()) if too_many => Undone::TooMany(failure),
        Ok(()) => Undone::Failed(failure),
        Err(error) => {
            failure.next.push(format!(
                "nothing was made, and that could not be recorded ({error}): qlik-apply resolve {address} --not-created"
            ));
            Undone::Failed(failure)
        }
    }
}

fn in_doubt(address: &Address, doubt: Doubt, failure: Failure) -> Failure {
    let Doubt { where_to_look, what_it_is } = doubt;
    Failure {
        why: format!("{}; a tenant may have been made, so the intent stays and nothing is sent again", failure.why)
            .into(),
        next: vec![
            where_to_look.to_owned(),
            format!("qlik-apply resolve {address} --adopt {what_it_is}   (it is there)"),
            format!("qlik-apply resolve {address} --not-created      (it is not, an hour after the attempt)"),
        ],
    }
}

/// The same record, one write further.
pub(super) fn next(record: &Record, state: State) -> Record {
    Record { seq: record.seq + 1, state, ..record.clone() }
}

/// Records that a tenant is another group's from now on. Sends nothing.
pub(super) async fn move_group(world: &World<'_>, address: &Address, part: &MoveGroup) -> Result<String, Failure> {
    let MoveGroup { from, to } = part;
    match world.held.record(address).await? {
        Some(record) if record.group == *from => {
            let moved = Record { group: to.clone(), ..next(&record, record.state.clone()) };
            world.held.swap(record.seq, &moved).await?;
            Ok(format!("{from} -> {to}"))
        }
        Some(record) => Err(Failure::new(
            format!(
                "the ledger's record of {address} is of group {} now, and was of {from} when this was planned",
                record.group
            ),
            "plan again",
        )),
        None => Err(Failure::new(format!("the ledger has no record of {address} any more"), "plan again")),
    }
}

/// Records a declared adoption, so that its keys have a uid to be marked with. Sends nothing.
pub(super) async fn record_adoption(
    world: &World<'_>,
    address: &Address,
    account: &Name,
    id: &Untrusted,
    hostname: &Untrusted,
) -> Result<(), Failure> {
    let binding = Binding {
        tenant_id: id.clone(),
        hostname: hostname.clone(),
        account: account.clone(),
        how: How::Adopted,
        at: world.now(),
    };
    match world.held.record(address).await? {
        None => {
            world
                .held
                .create(&Record {
                    uid: Uid::new((world.random)()),
                    address: address.clone(),
                    formerly: Vec::new(),
                    group: world.group(address),
                    seq: 1,
                    state: State::Settled(binding),
                })
                .await?
        }
        Some(record) => world.held.swap(record.seq, &next(&record, State::Settled(binding))).await?,
    }
    Ok(())
}
