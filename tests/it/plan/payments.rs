//! What holds for every plan at Imburse, whatever was read: mixtures of all that the folders hold, with keys, sinks and runs changed.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree as _;

use qlik_plan::model::address::{Address, Vendor};
use qlik_plan::model::desired::{Desired, SinkFacts};
use qlik_plan::model::imburse::{AccountLive, AccountRead, ImburseKey, ListedKey, Standing, TenantLive, TenantRead};
use qlik_plan::model::live::{LedgerFacts, LedgerLive, Live, Observed, SinkEntry, SinkLive};
use qlik_plan::model::marker::{KeyUid, Letter, Nonce};
use qlik_plan::model::record::{Record, State};
use qlik_plan::model::run::Life;
use qlik_plan::model::spec::Spec;
use qlik_plan::model::untrusted::Untrusted;
use qlik_plan::plan::action::{
    Action, CreateKey, Mark, MarkOf, NewTenant, Parent, Plan, Planned, Reclaim, ReclaimOf, WhyMint,
};
use qlik_plan::plan::{Wishes, plan};
use qlik_plan::render::{Look, Verdict, json, text};

use super::{Case, cases};

/// Desired state, what was read, wishes, time.
#[derive(Clone, Debug)]
struct World {
    case: Mixed,
    live: Live,
    wishes: Wishes,
}

#[derive(Clone, Debug)]
struct Mixed {
    desired: Desired,
    now: jiff::Timestamp,
}

/// A file, the same on every machine of a shared ledger, a vault, a program that tells what it holds, and one that does not.
const SINKS: [(&str, [bool; 4]); 5] = [
    ("file", [false, true, false, false]),
    ("file", [false, true, true, false]),
    ("vault", [true, false, false, false]),
    ("command", [false, false, false, false]),
    ("command", [false, false, false, true]),
];

impl Mixed {
    /// The same with every sink of this kind.
    fn with_sinks(mut self, (kind, [compares_versions, local, hidden, blind]): (&str, [bool; 4])) -> Self {
        for sink in self.desired.sinks.values_mut() {
            let hash = sink.hash.clone();
            *sink = SinkFacts {
                kind: kind.to_owned(),
                hash,
                compares_versions,
                local,
                hidden,
                late: false,
                blind,
                half_blind: false,
            };
        }
        self
    }
}

/// What is changed about one key: whose it is, whether it says it was delivered, by which run, and over which number.
#[derive(Clone, Debug)]
struct Change {
    key: ListedKey,
    ours: bool,
    delivered: bool,
    run: String,
    over: Option<u64>,
}

impl World {
    fn plan(&self) -> Plan {
        plan(&self.case.desired, &self.live, &self.wishes, self.case.now)
    }

    fn facts(&self) -> Option<&LedgerFacts> {
        match &self.live.ledger {
            LedgerLive::Present(facts) => Some(facts),
            LedgerLive::Missing { .. } => None,
        }
    }

    fn record(&self, address: &Address) -> Option<&Record> {
        self.facts()?.records.get(&address.parent())
    }

    fn keys(&self, address: &Address) -> Option<&BTreeMap<String, ListedKey>> {
        self.live.imburse.tenants.get(&address.parent())?.keys.as_ref()?.present()
    }

    fn held(&self, address: &Address) -> Option<&SinkEntry> {
        self.live.sinks.get(address)?.held()
    }

    /// Whether a marker says that a key is of this address, by this ledger.
    fn is_ours(&self, address: &Address, key: &ListedKey) -> bool {
        let (Some(marker), Some(facts), Some(record), Some(name)) =
            (&key.marker, self.facts(), self.record(address), address.key())
        else {
            return false;
        };
        marker.is_of(&facts.id) && marker.uid == KeyUid::of(&record.uid, name)
    }

    fn life(&self, key: &ListedKey) -> Life {
        let run = key.marker.as_ref().unwrap().nonce.run();
        self.facts().unwrap().life_of_short(&run)
    }
}

fn changes(pool: Vec<ListedKey>, runs: Vec<String>) -> impl Strategy<Value = Vec<Change>> {
    let over = proptest::option::of(0_u64..4);
    let one = (select(pool), any::<bool>(), any::<bool>(), select(runs), over)
        .prop_map(|(key, ours, delivered, run, over)| Change { key, ours, delivered, run, over });
    proptest::collection::vec(one, 0..5)
}

/// The declared keys that are delivered.
fn deliveries<'a>(desired: &'a Desired, tenant: &'a Address) -> impl Iterator<Item = (&'a Address, &'a ImburseKey)> {
    desired.imburse_keys(tenant).filter(|(_, spec, _)| spec.adopt.is_none()).map(|(address, spec, _)| (address, spec))
}

/// As another key of the tenant, if its marker can be made one of this address.
fn changed(number: usize, change: Change, address: &Address, live: &Live, desired: &Desired) -> ListedKey {
    let Change { mut key, ours, delivered, run, over } = change;
    key.public_key = format!("6b000000-0000-4000-8000-00000000{number:04}");
    let LedgerLive::Present(facts) = &live.ledger else { return key };
    let declared = deliveries(desired, address).next();
    if let (Some(marker), Some(record), Some((declared, spec))) =
        (&mut key.marker, facts.records.get(address), declared)
    {
        marker.letter = if delivered { Letter::Delivered } else { Letter::Undelivered };
        marker.nonce = Nonce::parse(&format!("{run}beef")).unwrap();
        marker.over = over;
        if ours {
            marker.ledger = facts.id.short().to_owned();
            marker.uid = KeyUid::of(&record.uid, declared.key().unwrap());
            marker.sink = desired.sinks[spec.deliver_to.first()].hash.clone();
        }
    }
    key
}

/// One declared tenant as it is read: where it stands, its keys, and what the sink holds of its first declared key.
#[derive(Clone, Debug)]
struct Read {
    tenant: Option<TenantLive>,
    keys: Vec<Change>,
    /// Which of the keys the sink names; beyond them, none.
    held: usize,
    looked: bool,
    number: Option<u64>,
}

fn worlds() -> impl Strategy<Value = World> {
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.desired.imburse_tenants().next().is_some()).collect();
    let tenants: Vec<TenantLive> = cases.iter().flat_map(|case| case.live.imburse.tenants.values().cloned()).collect();
    let keys: Vec<ListedKey> = tenants
        .iter()
        .filter_map(|tenant| tenant.keys.as_ref().and_then(Observed::present))
        .flat_map(|keys| keys.values().cloned())
        .collect();
    let entries: Vec<SinkEntry> =
        cases.iter().flat_map(|case| case.live.sinks.values()).filter_map(|sink| sink.held().cloned()).collect();
    let accounts: Vec<BTreeMap<_, AccountLive>> =
        cases.iter().map(|case| case.live.imburse.accounts.clone()).filter(|accounts| !accounts.is_empty()).collect();
    let ledgers: Vec<LedgerLive> = cases.iter().map(|case| case.live.ledger.clone()).collect();
    let mixed: Vec<Mixed> = cases.iter().map(|case| Mixed { desired: case.desired.clone(), now: case.now }).collect();
    // Proven, alive, over by the clock, and one that the ledger does not list.
    let runs: Vec<String> = ["0a0a", "1b1b", "2c2c", "ffff"].map(str::to_owned).to_vec();
    (select(mixed), select(ledgers), select(accounts), any::<[bool; 3]>(), select(SINKS.to_vec())).prop_flat_map(
        move |(case, ledger, accounts, flags, sinks)| {
            let case = case.with_sinks(sinks);
            let addresses: Vec<Address> =
                case.desired.imburse_tenants().map(|(address, _, _)| address.clone()).collect();
            let declared: Vec<Address> = case.desired.items.keys().filter(|key| key.key().is_some()).cloned().collect();
            let read = (
                proptest::option::weighted(0.9, select(tenants.clone())),
                changes(keys.clone(), runs.clone()),
                0_usize..6,
                any::<bool>(),
                proptest::option::of(0_u64..4),
            )
                .prop_map(|(tenant, keys, held, looked, number)| Read {
                    tenant,
                    keys,
                    held,
                    looked,
                    number,
                });
            let wishes = (
                subsequence(declared.clone(), 0..=declared.len()),
                subsequence(declared.clone(), 0..=declared.len()),
                proptest::collection::btree_set(0_usize..5, 0..3),
            );
            let entry = select(entries.clone());
            (proptest::collection::vec(read, addresses.len()), wishes, entry).prop_map(
                move |(reads, (remint, replace, reclaim), entry)| {
                    let mut live = Live {
                        clocks: BTreeMap::new(),
                        ledger: ledger.clone(),
                        ledger_forgets: flags[0],
                        ledger_lies_in: None,
                        qlik: Default::default(),
                        sinks: BTreeMap::new(),
                        stores: BTreeMap::new(),
                        imburse: Default::default(),
                        undeclared: BTreeMap::new(),
                        bound_since: BTreeSet::new(),
                    };
                    live.imburse.accounts.clone_from(&accounts);
                    for (address, read) in addresses.iter().zip(reads) {
                        place(&case.desired, address, read, &entry, &mut live);
                    }
                    let reclaim: BTreeSet<String> = reclaim
                        .into_iter()
                        .map(|number| format!("6b000000-0000-4000-8000-00000000{number:04}"))
                        .collect();
                    let wishes = Wishes {
                        remint: remint.into_iter().collect(),
                        replace: replace.into_iter().collect(),
                        reclaim,
                        unmanaged: flags[1],
                        ..Wishes::default()
                    };
                    World { case: case.clone(), live, wishes }
                },
            )
        },
    )
}

fn place(desired: &Desired, address: &Address, read: Read, entry: &SinkEntry, live: &mut Live) {
    let Read { tenant, keys, held, looked, number } = read;
    let Some(mut tenant) = tenant else { return };
    let bound = match &live.ledger {
        LedgerLive::Present(facts) => facts.records.get(address).and_then(|record| record.state.binding()),
        LedgerLive::Missing { .. } => None,
    };
    if let (TenantRead::Present(present), Some(bound)) = (&mut tenant.tenant, bound) {
        present.id = bound.tenant_id.clone();
    }
    let keys: Vec<ListedKey> =
        keys.into_iter().enumerate().map(|(number, change)| changed(number, change, address, live, desired)).collect();
    let first = deliveries(desired, address).next().map(|(key, _)| key.clone());
    for (key, spec) in deliveries(desired, address) {
        let looked = looked && !desired.sinks[spec.deliver_to.first()].blind;
        // Only a vault counts.
        let number = number.filter(|_| desired.sinks[spec.deliver_to.first()].compares_versions);
        let mut sink = SinkLive { entry: looked.then_some(Observed::Absent), number, ..SinkLive::default() };
        let named = keys.get(held).filter(|key| key.marker.is_some());
        if let (true, Some(named), LedgerLive::Present(facts)) =
            (looked && first.as_ref() == Some(key), named, &live.ledger)
            && let Some(record) = facts.records.get(address)
        {
            sink.entry = Some(Observed::Present(SinkEntry {
                ledger: facts.id.clone(),
                uid: record.uid.clone(),
                key: key.key().cloned().unwrap(),
                key_id: named.public_key.clone(),
                marker: named.marker.clone().unwrap(),
                ..entry.clone()
            }));
        }
        live.sinks.insert(key.clone(), sink);
    }
    if !keys.is_empty() {
        // A key is asked for by itself only where the list has it not.
        tenant.looked_up.clear();
        tenant.keys = Some(Observed::Present(keys.into_iter().map(|key| (key.public_key.clone(), key)).collect()));
    }
    live.imburse.tenants.insert(address.clone(), tenant);
}

fn reclaims(plan: &Plan) -> impl Iterator<Item = (&Address, &Reclaim)> {
    plan.actions.iter().filter_map(|planned| {
        let Action::Reclaim(reclaim) = &planned.action else { return None };
        (planned.address.vendor == Vendor::Imburse).then_some((&planned.address, reclaim))
    })
}

fn makes_a_key(plan: &Plan, address: &Address) -> bool {
    let makes = |planned: &Planned| matches!(planned.action, Action::CreateKey(_));
    plan.actions.iter().any(|planned| planned.address == *address && makes(planned))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_at_imburse_is_whole_ordered_and_the_same_again(world in worlds()) {
        let plan = world.plan();
        let bytes = |plan: &Plan| {
            (text::plan(plan, &Look::PLAIN), json::plan(plan, &Verdict::of_plan(plan, 0)))
        };
        prop_assert_eq!(bytes(&plan), bytes(&world.plan()));
        prop_assert!(plan.actions.windows(2).all(|pair| pair[0].address <= pair[1].address), "by address");
        for (address, declared) in &world.case.desired.items {
            let of_it = || plan.actions.iter().filter(|planned| planned.address == *address);
            let is_unchecked = plan.unchecked.iter().any(|unchecked| unchecked.address == *address);
            prop_assert!(of_it().next().is_some() || is_unchecked, "nothing is said of {}", address);
            prop_assert!(of_it().all(|planned| planned.at == declared.at));
        }
    }

    /// P2 and P4: nothing is deleted but our own key, marked as never delivered and of a run that is over, unless a person named it.
    #[test]
    fn at_imburse_only_our_own_leftovers_are_deleted_and_never_the_key_in_the_sink(world in worlds()) {
        let plan = world.plan();
        for (address, reclaim) in reclaims(&plan) {
            let key = world.keys(address).unwrap()[&reclaim.key_id].clone();
            prop_assert!(world.is_ours(address, &key), "{:?}", key);
            let held = world.held(address).map(|entry| &entry.key_id);
            prop_assert!(held != Some(&key.public_key), "the sink's own key is deleted");
            let asked = world.wishes.reclaim.contains(&key.public_key);
            prop_assert_eq!(reclaim.is_asked(), asked);
            if !asked {
                prop_assert_eq!(key.marker.as_ref().unwrap().letter, Letter::Undelivered);
                prop_assert!(world.life(&key) != Life::Alive, "its run may be about to deliver it");
            }
        }
    }

    /// The fence: a leftover goes when a successor was delivered, or when the sink itself shows that it cannot arrive any more.
    #[test]
    fn at_imburse_a_leftover_goes_after_its_successor_or_with_proof(world in worlds()) {
        let plan = world.plan();
        for (address, reclaim) in reclaims(&plan).filter(|(_, reclaim)| !reclaim.is_asked()) {
            let Spec::ImburseKey(spec) = &world.case.desired.items[address].spec else { panic!("no key") };
            let sink = &world.case.desired.sinks[spec.deliver_to.first()];
            prop_assert!(!sink.hidden, "it may be in use on another machine");
            if reclaim.after_delivery {
                prop_assert!(makes_a_key(&plan, address), "no successor comes first");
                continue;
            }
            let keys = world.keys(address).unwrap();
            let key = &keys[&reclaim.key_id];
            let held = world.held(address).expect("the sink holds nothing");
            prop_assert!(keys.contains_key(&held.key_id), "the sink's key is dead");
            let over = key.marker.as_ref().unwrap().over;
            let number = world.live.sinks[address].number;
            let refused = over.zip(number).is_some_and(|(over, number)| number > over);
            let over = sink.local && world.life(key) == Life::Proven;
            let told = held.over.iter().any(|id| id.eq_ignore_ascii_case(&reclaim.key_id))
                && (sink.compares_versions || world.life(key) == Life::Proven);
            prop_assert!(refused || over || told, "it may still arrive");
        }
    }

    /// P4: what is replaced may be in use, so the next plan must know it from a leftover.
    #[test]
    fn at_imburse_only_a_key_that_says_it_was_delivered_is_replaced(world in worlds()) {
        for planned in &world.plan().actions {
            let Action::CreateKey(create) = &planned.action else { continue };
            let WhyMint::Replaced { key_id } = &create.why else { continue };
            prop_assert!(world.wishes.replace.contains(&planned.address));
            let key = &world.keys(&planned.address).unwrap()[key_id];
            let marked = key.marker.as_ref().is_none_or(|marker| marker.letter == Letter::Delivered);
            prop_assert!(marked, "{:?}", key);
            let sink = &world.case.desired.sinks[create.spec.deliver_to().first()];
            prop_assert!(!sink.blind || !world.live.sinks.contains_key(&planned.address), "nobody could tell the two apart");
        }
    }

    #[test]
    fn at_imburse_only_the_key_in_the_sink_is_marked(world in worlds()) {
        for planned in &world.plan().actions {
            let Action::Mark(mark) = &planned.action else { continue };
            let key = world.keys(&planned.address).unwrap()[&mark.key_id].clone();
            prop_assert!(world.is_ours(&planned.address, &key));
            prop_assert_eq!(world.held(&planned.address).map(|entry| &entry.key_id), Some(&key.public_key));
            prop_assert_eq!(key.marker.as_ref().unwrap().letter, Letter::Undelivered);
            prop_assert!(world.life(&key) != Life::Alive);
        }
    }

    /// P1: no tenant is made where one was begun, is adopted, or may be there under the name; nor beyond limits and licence.
    #[test]
    fn at_imburse_a_tenant_is_made_only_where_none_can_be(world in worlds()) {
        let plan = world.plan();
        let desired = &world.case.desired;
        prop_assert!(plan.counts().tenants_to_create <= usize::try_from(desired.limits.create_tenants).unwrap());
        prop_assert!(plan.counts().keys_to_create <= usize::try_from(desired.limits.mint_keys).unwrap());
        let mut wanted: BTreeMap<_, u64> = BTreeMap::new();
        for planned in &plan.actions {
            let Action::CreateTenant(create) = &planned.action else { continue };
            let NewTenant::Imburse { name, .. } = &create.of else { continue };
            let Spec::ImburseTenant(spec) = &desired.items[&planned.address].spec else { panic!("no tenant") };
            prop_assert!(spec.adopt.is_none() && !world.live.ledger_forgets);
            let state = world.record(&planned.address).map(|record| &record.state);
            prop_assert!(matches!(state, None | Some(State::Free)), "it was begun");
            let account = &world.live.imburse.accounts[&create.account];
            let Some(Observed::Present(listed)) = &account.tenants else { panic!("the list was not read") };
            let bound = |id: &str| world.facts().is_some_and(|facts| {
                facts.records.values().any(|record| record.state.binding().is_some_and(|binding| binding.tenant_id.raw().eq_ignore_ascii_case(id)))
            });
            // The vendor's documents write ids in either case.
            let adopted = |id: &str| {
                desired.imburse_tenants().any(|(_, spec, _)| spec.adopt.as_ref().is_some_and(|adopt| adopt.eq_ignore_ascii_case(id)))
            };
            for tenant in listed.iter().filter(|tenant| tenant.name.raw() == name) {
                let known = bound(tenant.id.raw()) || adopted(tenant.id.raw());
                prop_assert!(tenant.standing() == Standing::Deleted || known, "{:?} has its name", tenant.id);
            }
            let in_vain = |other: &Planned| other.address.parent() == planned.address && matches!(other.action, Action::Refuse(_));
            prop_assert!(!plan.actions.iter().any(in_vain), "nothing is spent in vain");
            *wanted.entry(create.account.clone()).or_default() += 1;
        }
        for (account, wanted) in wanted {
            if let Some(AccountRead::Present(found)) = &world.live.imburse.accounts[&account].account
                && let Some(most) = found.max_tenants
            {
                prop_assert!(found.tenant_usage + wanted <= most, "beyond the licence");
            }
        }
    }

    #[test]
    fn at_imburse_nothing_is_sent_to_a_tenant_but_the_bound_or_adopted_one(world in worlds()) {
        for planned in world.plan().actions {
            let (Some(at), Vendor::Imburse) = (tenant_of(&planned.action), planned.address.vendor) else { continue };
            let TenantRead::Present(found) = &world.live.imburse.tenants[&planned.address.parent()].tenant else {
                panic!("it was not found")
            };
            prop_assert_eq!(&at, &found.id);
            prop_assert_eq!(found.standing(), Standing::Usable);
            if let Some(bound) = world.record(&planned.address).and_then(|record| record.state.binding()) {
                prop_assert_eq!(&at, &bound.tenant_id);
            }
        }
    }
}

/// The id of the tenant that an action at Imburse is for, where it is there.
fn tenant_of(action: &Action) -> Option<Untrusted> {
    match action {
        Action::CreateKey(CreateKey { parent: Parent::Exists(at), .. }) => Some(at.id.clone()),
        Action::Mark(Mark { of: MarkOf::Imburse { tenant_id, .. }, .. })
        | Action::Reclaim(Reclaim { of: ReclaimOf::Imburse { tenant_id, .. }, .. }) => Some(tenant_id.clone()),
        Action::CreateTenant(_)
        | Action::MoveGroup(_)
        | Action::Settle(_)
        | Action::Trust(_)
        | Action::CreateObject(_)
        | Action::Grant(_)
        | Action::Mark(_)
        | Action::CreateKey(_)
        | Action::Renew(_)
        | Action::Reclaim(_)
        | Action::Keep(_)
        | Action::Drift(_)
        | Action::Wait(_)
        | Action::Refuse(_) => None,
    }
}

/// What the properties speak of does occur in these worlds; without it they would hold of nothing.
#[test]
fn worlds_at_imburse_have_everything_that_is_claimed_of_them() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = worlds();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for _ in 0..2_000 {
        let world = strategy.new_tree(&mut runner).unwrap().current();
        let plan = world.plan();
        for planned in &plan.actions {
            if planned.address.vendor != Vendor::Imburse {
                continue;
            }
            seen.insert(match &planned.action {
                Action::CreateTenant(_) => "tenant",
                Action::CreateKey(create) if matches!(create.why, WhyMint::Replaced { .. }) => "key, replaced",
                Action::CreateKey(_) => "key",
                Action::Mark(_) => "mark",
                Action::Reclaim(reclaim) => match (reclaim.is_asked(), reclaim.after_delivery) {
                    (true, _) => "reclaim, asked for",
                    (false, true) => "reclaim, after a successor",
                    (false, false) => "reclaim, with proof",
                },
                Action::Keep(_) => "keep",
                other @ (Action::MoveGroup(_)
                | Action::Settle(_)
                | Action::Trust(_)
                | Action::CreateObject(_)
                | Action::Grant(_)
                | Action::Renew(_)) => panic!("nothing of the kind is done there: {other:?}"),
                Action::Drift(_) | Action::Wait(_) | Action::Refuse(_) => continue,
            });
        }
    }
    let all = [
        "keep",
        "key",
        "key, replaced",
        "mark",
        "reclaim, after a successor",
        "reclaim, asked for",
        "reclaim, with proof",
        "tenant",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all);
}
