//! What holds for every plan, whatever was read: mixtures of all that the folders hold, with keys and times changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use qlik_plan::config::{self, Source};
use qlik_plan::model::address::Address;
use qlik_plan::model::desired::Desired;
use qlik_plan::model::imburse::ImburseLive;
use qlik_plan::model::live::{KeyLive, KeyStatus, LedgerLive, Live, Observed, QlikLive, TenantLive, TenantRead};
use qlik_plan::model::marker::{KeyUid, Letter};
use qlik_plan::model::record::State;
use qlik_plan::model::selection::{Selection, Shard};
use qlik_plan::model::spec::Spec;
use qlik_plan::plan::action::{Action, Grant, Mark, MarkOf, Parent, Permission, Plan, Reclaim, ReclaimOf, WhyMint};
use qlik_plan::plan::merge::merge;
use qlik_plan::plan::{Limiting, Wishes, plan};
use qlik_plan::render::{Look, Outcome, Verdict, json, summary, text};

use super::{cases, read, root};

/// Desired state, what was read, wishes, time.
#[derive(Clone, Debug)]
struct World {
    desired: Desired,
    live: Live,
    wishes: Wishes,
    now: Timestamp,
}

impl World {
    fn plan(&self) -> Plan {
        plan(&self.desired, &self.live, &self.wishes, self.now)
    }
}

fn key(pool: Vec<KeyLive>) -> impl Strategy<Value = KeyLive> {
    let status =
        select(vec![KeyStatus::Active, KeyStatus::Active, KeyStatus::Expired, KeyStatus::Revoked, KeyStatus::Unknown]);
    let day = -3_i64..30;
    (select(pool), any::<bool>(), status, day.clone(), proptest::option::of(day), any::<bool>()).prop_map(
        |(mut key, delivered, status, created, expiry, ours)| {
            let days = |days: i64| -> Timestamp {
                "2026-06-20T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * days)
            };
            if let Some(marker) = &mut key.marker {
                marker.letter = if delivered { Letter::Delivered } else { Letter::Undelivered };
            }
            key.status = status;
            key.created = Some(days(created));
            key.expiry = expiry.map(days);
            if !ours {
                key.created_by = "somebody-else".into();
            }
            key
        },
    )
}

fn worlds() -> impl Strategy<Value = World> {
    let cases = cases();
    let tenants: Vec<TenantLive> = cases.iter().flat_map(|case| case.live.qlik.tenants.values().cloned()).collect();
    let sinks: Vec<_> = cases.iter().flat_map(|case| case.live.sinks.values().cloned()).collect();
    let keys: Vec<KeyLive> = tenants
        .iter()
        .filter_map(|tenant| tenant.keys.as_ref().and_then(Observed::present))
        .flat_map(|keys| keys.values().cloned())
        .collect();
    let ledgers: Vec<LedgerLive> = cases.iter().map(|case| case.live.ledger.clone()).collect();
    let accounts: Vec<_> = cases.iter().map(|case| case.live.qlik.accounts.clone()).collect();
    let desired: Vec<Desired> = cases.iter().map(|case| case.desired.clone()).collect();
    let rest = (any::<[bool; 4]>(), 0_i64..40 * 24);
    (select(desired), select(ledgers), select(accounts), rest).prop_flat_map(
        move |(desired, ledger, accounts, (flags, hour))| {
            let addresses: Vec<Address> = desired.items.keys().cloned().collect();
            let count = addresses.len();
            let tenant = (
                proptest::option::weighted(0.9, select(tenants.clone())),
                proptest::collection::vec(key(keys.clone()), 0..5),
            );
            let sink = proptest::option::weighted(0.9, select(sinks.clone()));
            let remint = subsequence(addresses.clone(), 0..=count);
            let replace = subsequence(addresses.clone(), 0..=count);
            (proptest::collection::vec(tenant, count), proptest::collection::vec(sink, count), remint, replace)
                .prop_map(move |(tenants, sinks, remint, replace)| {
                    let mut live = Live {
                        clocks: BTreeMap::new(),
                        ledger: ledger.clone(),
                        ledger_forgets: flags[0],
                        ledger_lies_in: None,
                        qlik: QlikLive { accounts: accounts.clone(), tenants: BTreeMap::new() },
                        sinks: BTreeMap::new(),
                        stores: BTreeMap::new(),
                        imburse: ImburseLive::default(),
                        undeclared: BTreeMap::new(),
                        bound_since: BTreeSet::new(),
                    };
                    for ((address, (tenant, keys)), sink) in addresses.iter().zip(tenants).zip(sinks) {
                        if let (true, Some(mut tenant)) = (address.is_tenant(), tenant) {
                            if !keys.is_empty() {
                                tenant.keys = Some(Observed::Present(
                                    keys.into_iter().map(|key| (key.id.clone(), key)).collect(),
                                ));
                            }
                            live.qlik.tenants.insert(address.clone(), tenant);
                        } else if let (false, Some(sink)) = (address.is_tenant(), sink) {
                            live.sinks.insert(address.clone(), sink);
                        }
                    }
                    let wishes = Wishes {
                        remint: remint.into_iter().collect(),
                        replace: replace.into_iter().collect(),
                        unrehearsed: flags[1],
                        will_rehearse: flags[2],
                        unmanaged: flags[3],
                        ..Wishes::default()
                    };
                    let now = "2026-06-10T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour);
                    World { desired: desired.clone(), live, wishes, now }
                })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_plans_of_all_shards_merged_are_the_plan_of_one_run(world in worlds(), of in 1_u32..5) {
        let whole = plan(&world.desired, &world.live, &world.wishes, world.now);
        let parts = (1..=of).rev().map(|number| {
            let selection = Selection { shard: Shard::of(number, of), ..Selection::default() };
            let desired = world.desired.clone().select(selection).unwrap();
            let wishes = Wishes { limits: Limiting::WhenMerged, ..world.wishes.clone() };
            plan(&desired, &world.live, &wishes, world.now)
        });
        prop_assert_eq!(merge(parts.collect(), world.desired.limits), Some(whole));
    }

    #[test]
    fn every_plan_is_whole_ordered_and_the_same_again(world in worlds()) {
        let plan = world.plan();
        let bytes = |plan: &Plan| {
            let verdict = Verdict::of_plan(plan, 0);
            (text::plan(plan, &Look::PLAIN), json::plan(plan, &verdict))
        };
        prop_assert_eq!(bytes(&plan), bytes(&world.plan()));
        prop_assert!(plan.actions.windows(2).all(|pair| pair[0].address <= pair[1].address), "by address");
        for address in world.desired.items.keys() {
            let has_action = plan.actions.iter().any(|planned| planned.address == *address);
            let is_unchecked = plan.unchecked.iter().any(|unchecked| unchecked.address == *address);
            prop_assert!(has_action || is_unchecked, "nothing is said of {}", address);
        }
        for planned in &plan.actions {
            let declared = &world.desired.items[&planned.address];
            let of_grant = match &declared.spec {
                Spec::QlikTenant(tenant) => tenant.grants.at.as_ref(),
                Spec::QlikKey(_) | Spec::ImburseTenant(_) | Spec::ImburseKey(_) => None,
            };
            if matches!(planned.action, Action::Grant(_)) {
                prop_assert_eq!(of_grant, Some(&planned.at));
            } else if matches!(planned.action, Action::CreateObject(_)) {
                // At the first key that the user is to own.
                let mut keys = world.desired.qlik_keys(&planned.address);
                prop_assert!(keys.any(|(_, _, at)| *at == planned.at));
            } else {
                prop_assert_eq!(&declared.at, &planned.at);
            }
            if let Action::Refuse(refusal) = &planned.action {
                prop_assert!(!refusal.next.is_empty() && !refusal.why.raw().is_empty());
            }
        }
    }

    #[test]
    fn creations_stay_within_their_limits_and_what_was_begun_is_not_begun_again(world in worlds()) {
        let plan = world.plan();
        let counts = plan.counts();
        prop_assert!(counts.tenants_to_create <= usize::try_from(world.desired.limits.create_tenants).unwrap());
        prop_assert!(counts.keys_to_create + counts.keys_to_renew <= usize::try_from(world.desired.limits.mint_keys).unwrap());
        for planned in &plan.actions {
            let state = record(&world, &planned.address).map(|record| &record.state);
            let of_address = || plan.actions.iter().filter(|other| other.address.parent() == planned.address.parent());
            if let Action::CreateTenant(_) = planned.action {
                prop_assert!(matches!(state, None | Some(State::Free)), "it was begun");
                prop_assert!(!world.live.ledger_forgets);
                let Spec::QlikTenant(spec) = &world.desired.items[&planned.address].spec else { panic!("a key") };
                prop_assert!(spec.adopt.is_none());
                prop_assert!(of_address().all(|other| !matches!(other.action, Action::Refuse(_))), "nothing is spent in vain");
            }
            if let Some(Parent::MadeBefore(tenant)) = parent(&planned.action) {
                let made = |other: &&_| matches!(other, qlik_plan::plan::action::Planned { action: Action::CreateTenant(_), .. });
                prop_assert_eq!(of_address().filter(made).count(), 1, "{} is made", tenant);
            }
        }
    }

    #[test]
    fn only_our_own_keys_are_touched_and_none_that_is_delivered_is_lost(world in worlds()) {
        let plan = world.plan();
        for planned in &plan.actions {
            let tenant = planned.address.parent();
            let Some(name) = planned.address.key() else { continue };
            let found = |id: &str| {
                let Some(Observed::Present(keys)) = &world.live.qlik.tenants[&tenant].keys else { panic!("keys were not read") };
                keys[id].clone()
            };
            let held = world.live.sinks.get(&planned.address).and_then(|sink| sink.held());
            let ours = |key: &KeyLive| {
                let (Some(marker), LedgerLive::Present(facts)) = (&key.marker, &world.live.ledger) else { return false };
                let uid = KeyUid::of(&record(&world, &tenant).unwrap().uid, name);
                marker.is_of(&facts.id) && marker.uid == uid && key.created_by.raw() != "somebody-else"
            };
            match &planned.action {
                Action::Reclaim(reclaim) => {
                    let key = found(&reclaim.key_id);
                    prop_assert!(ours(&key), "{:?}", key);
                    let in_sink = held.is_some_and(|entry| entry.key_id == key.id);
                    prop_assert!(!in_sink || !key.is_live(world.now), "the sink's own key is revoked");
                    let successor = plan.actions.iter().any(|other| {
                        other.address == planned.address && matches!(other.action, Action::CreateKey(_) | Action::Renew(_))
                    });
                    prop_assert!(successor || (!reclaim.after_delivery && held.is_some()), "nothing comes in its place");
                    if key.marker.is_some_and(|marker| marker.letter == Letter::Delivered) {
                        prop_assert!(world.wishes.remint.contains(&planned.address), "only where a person asked");
                    }
                }
                Action::Mark(mark) => {
                    let key = found(&mark.key_id);
                    prop_assert!(ours(&key));
                    prop_assert_eq!(held.map(|entry| &entry.key_id), Some(&key.id));
                    prop_assert_eq!(key.marker.unwrap().letter, Letter::Undelivered);
                }
                Action::CreateKey(create) => {
                    // What is replaced may be in use, so the next plan must know it from a leftover.
                    let WhyMint::Replaced { key_id } = &create.why else { continue };
                    let letter = found(key_id).marker.map(|marker| marker.letter);
                    prop_assert!(letter != Some(Letter::Undelivered), "it would be taken for a leftover");
                }
                Action::CreateTenant(_)
                | Action::MoveGroup(_)
                | Action::Settle(_)
                | Action::Trust(_)
                | Action::CreateObject(_)
                | Action::Grant(_)
                | Action::Renew(_)
                | Action::Keep(_)
                | Action::Drift(_)
                | Action::Wait(_)
                | Action::Refuse(_) => {}
            }
        }
    }

    #[test]
    fn nobody_is_given_a_role_that_allows_what_is_not_declared(world in worlds()) {
        for planned in &world.plan().actions {
            let Action::Grant(Grant { what: Permission::ManageApiKeysByRole(by), parent: Parent::Exists(_), .. }) = &planned.action else { continue };
            let Spec::QlikTenant(tenant) = &world.desired.items[&planned.address].spec else { panic!("of a tenant") };
            let declared = tenant.grants.by_role().unwrap();
            let live = world.live.qlik.tenants.get(&planned.address).and_then(|live| live.holders.as_ref());
            let role = live.and_then(Observed::present).and_then(|holders| holders.role.as_ref()).and_then(Observed::present);
            if let (Some(role), false) = (role, by.to.is_empty() && by.groups.is_empty()) {
                prop_assert!(!role.built_in && by.also_allows == role.also_allows, "what the plan shows is what is given");
                prop_assert!(by.also_allows.iter().all(|also| declared.also_allows.contains(also.raw())), "{:?}", by);
            }
        }
    }

    #[test]
    fn what_differs_or_is_found_is_never_called_clean(world in worlds()) {
        let plan = world.plan();
        let amiss = !plan.findings.is_empty() || plan.actions.iter().any(|one| matches!(one.action, Action::Drift(_)));
        if amiss {
            prop_assert_ne!(Outcome::of_plan(&plan), Outcome::Clean);
            prop_assert_ne!(Outcome::of_plan(&plan).coarse(true), 0);
            prop_assert!(!summary::plan(&plan).contains("Nothing to do"));
        }
        // A sink's metadata says what a key was made as: that alone makes no other plan.
        let mut unsaid = world.clone();
        for sink in unsaid.live.sinks.values_mut() {
            if let Some(Observed::Present(entry)) = &mut sink.entry {
                entry.made_as = None;
            }
        }
        prop_assert_eq!(json::hash(&plan), json::hash(&unsaid.plan()));
    }

    #[test]
    fn nothing_is_sent_to_a_tenant_but_the_bound_or_adopted_one(world in worlds()) {
        for planned in world.plan().actions {
            let Some(Parent::Exists(at)) = parent(&planned.action) else { continue };
            let tenant = planned.address.parent();
            let bound = record(&world, &tenant).and_then(|record| record.state.binding());
            let TenantRead::Present(found) = &world.live.qlik.tenants[&tenant].tenant else {
                panic!("{:?}", world.live.qlik.tenants[&tenant].tenant);
            };
            prop_assert_eq!(&at.id, &found.id);
            if let Some(bound) = bound {
                prop_assert_eq!(&at.id, &bound.tenant_id);
                prop_assert_eq!(&at.hostname, &bound.hostname);
            }
        }
    }
}

#[test]
fn the_order_of_files_changes_nothing() {
    let settings = Source { name: "s.yaml".to_owned(), text: read(&root().join("settings.yaml")) };
    let settings = config::settings(&settings, Path::new("/estate")).unwrap();
    let file = |n: usize| Source {
        name: format!("t{n}.yaml"),
        text: format!(
            "version: 1\nqlik:\n  tenants:\n    t{n}:\n      account: us-oem\n      api_keys:\n        ci: {{ description: CI, owner: {{ client: {{}} }}, expires_in: PT12H, deliver_to: files }}\n"
        ),
    };
    let case = cases().into_iter().find(|case| case.folder.ends_with("create-tenant")).unwrap();
    let planned = |order: &[usize]| {
        let sources: Vec<Source> = order.iter().copied().map(file).collect();
        plan(&config::desired(&sources, &settings).unwrap(), &case.live, &case.wishes, case.now)
    };
    let first = planned(&[0, 1, 2, 3]);
    for order in [[3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1], [0, 3, 1, 2]] {
        assert_eq!(planned(&order), first);
    }
}

fn record<'a>(world: &'a World, address: &Address) -> Option<&'a qlik_plan::model::record::Record> {
    match &world.live.ledger {
        LedgerLive::Present(facts) => facts.records.get(&address.parent()),
        LedgerLive::Missing { .. } => None,
    }
}

fn parent(action: &Action) -> Option<Parent> {
    match action {
        Action::Settle(settle) => Some(settle.parent.clone()),
        Action::Trust(trust) => Some(trust.parent.clone()),
        Action::CreateObject(create) => Some(create.parent.clone()),
        Action::Grant(grant) => Some(grant.parent.clone()),
        Action::Mark(Mark { of: MarkOf::Qlik { parent, .. }, .. })
        | Action::Reclaim(Reclaim { of: ReclaimOf::Qlik { parent, .. }, .. }) => Some(Parent::Exists(parent.clone())),
        Action::CreateKey(create) => Some(create.parent.clone()),
        Action::Renew(renew) => Some(renew.create.parent.clone()),
        Action::CreateTenant(_)
        | Action::MoveGroup(_)
        | Action::Mark(_)
        | Action::Reclaim(_)
        | Action::Keep(_)
        | Action::Drift(_)
        | Action::Wait(_)
        | Action::Refuse(_) => None,
    }
}
