//! One world, both vendors: the planner's decisions about a key, side by side, over every small world there is.
//!
//! What our protocol decides must be the same at both vendors. Where it is not, the difference is listed here by name, with
//! the fact of the vendor that it comes from; a difference without a name fails the test. The small worlds: up to two keys of ours
//! and a stranger, every kind of sink, what it shows, what a person asked for, and what is known of the runs that made the keys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use qlik_plan::config::{self, Source};
use qlik_plan::model::address::Address;
use qlik_plan::model::desired::{Desired, SinkFacts};
use qlik_plan::model::group::Group;
use qlik_plan::model::imburse;
use qlik_plan::model::live::{
    CallerLive, ConsentLive, KeyLimitsLive, KeyLive, KeyStatus, LedgerFacts, LedgerLive, Live, Observed, QlikLive,
    QlikTenantLive, RoleLive, SinkEntry, SinkLive, TenantLive, TenantRead, Writable,
};
use qlik_plan::model::marker::{KeyUid, Letter, Marker, Nonce, SinkHash};
use qlik_plan::model::record::{Binding, How, LedgerId, Record, State, Uid};
use qlik_plan::model::run::{Life, RunId};
use qlik_plan::model::spec::Owner;
use qlik_plan::plan::action::{Action, Keep, Plan, WhyMint};
use qlik_plan::plan::{Wishes, plan};

use super::{read, root};

const DESIRED: &str = r"version: 1
qlik:
  tenants:
    t:
      account: us-oem
      display_name: T
      api_key_limits: { max_expiry: P365D, max_keys_per_user: 100 }
      grants: { manage_api_keys: { everyone: {} } }
      api_keys: { k: { description: K, owner: { client: {} }, expires_in: P100D, renew_before: P1D, deliver_to: files } }
imburse:
  tenants:
    t:
      account: pay
      display_name: T
      address: { street_address: 1 High Street, locality: London, post_code: SW1A 1AA, country: GB }
      api_keys: { k: { name: K, roles: [tenant-admin], deliver_to: files } }
";

const NOW: &str = "2026-07-01T12:00:00Z";
const LEDGER: &str = "0123456789abcdef0123456789abcdef";
const UID: &str = "aaaa0000aaaa0000aaaa0000aaaa0000";
const OTHER_SINK: &str = "0ff0";

/// A sink by what the planner knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    /// Read and written within this machine, and a put ends with its run.
    File,
    /// The same, of which every machine has its own.
    Hidden,
    Vault,
    /// It tells what it holds, and its puts compare no versions.
    Command,
    /// Nobody can look into it.
    Blind,
}

/// A key of ours at the vendor, as its marker has it. They were made in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Minted {
    delivered: bool,
    /// Made for the sink that settings name now.
    here: bool,
    run: Life,
}

/// What the sink shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shown {
    NotLooked,
    Empty,
    Holds(usize),
    /// A key that lives no more.
    HoldsDead,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    None,
    Remint,
    Replace,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    home: Home,
    shown: Shown,
    wish: Wish,
    /// How many keys of the same text have no marker.
    strangers: usize,
    keys: Vec<Minted>,
}

/// What a plan says of the key, with keys by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    waits: bool,
    refuses: Option<&'static str>,
    mints: Option<String>,
    keeps: Option<usize>,
    marks: Option<usize>,
    reclaims: Vec<(usize, bool)>,
    /// Named by a notice.
    names: BTreeSet<usize>,
    unchecked: usize,
}

fn id(number: usize) -> String {
    format!("6b000000-0000-4000-8000-00000000000{number}")
}

const STRANGER: usize = 8;
const DEAD: usize = 9;

fn worlds() -> Vec<World> {
    let mut minted = Vec::new();
    for delivered in [false, true] {
        for here in [false, true] {
            minted.extend([Life::Proven, Life::OverByClock, Life::Alive].map(|run| Minted { delivered, here, run }));
        }
    }
    let mut estates = vec![vec![]];
    estates.extend(minted.iter().map(|one| vec![*one]));
    estates.extend(minted.iter().flat_map(|one| minted.iter().map(|two| vec![*one, *two])));
    let mut worlds = Vec::new();
    for home in [Home::File, Home::Hidden, Home::Vault, Home::Command, Home::Blind] {
        for keys in &estates {
            let shown: Vec<Shown> = match home {
                Home::Blind => vec![Shown::NotLooked],
                Home::File | Home::Hidden | Home::Vault | Home::Command => {
                    [Shown::NotLooked, Shown::Empty, Shown::HoldsDead]
                        .into_iter()
                        .chain((0..keys.len()).filter(|number| keys[*number].here).map(Shown::Holds))
                        .collect()
                }
            };
            for shown in shown {
                for wish in [Wish::None, Wish::Remint, Wish::Replace] {
                    // Of two, it matters only that there are several.
                    for strangers in 0..=if keys.len() > 1 { 1 } else { 2 } {
                        worlds.push(World { home, shown, wish, strangers, keys: keys.clone() });
                    }
                }
            }
        }
    }
    worlds
}

/// What does not change from world to world.
struct Base {
    desired: Desired,
    qlik: (Address, Address),
    imburse: (Address, Address),
    now: Timestamp,
}

impl Base {
    fn new() -> Self {
        let settings = Source { name: "s.yaml".to_owned(), text: read(&root().join("settings.yaml")) };
        let settings = config::settings(&settings, Path::new("/estate")).unwrap();
        let source = Source { name: "d.yaml".to_owned(), text: DESIRED.to_owned() };
        let desired = config::desired(&[source], &settings).unwrap();
        let address = |text: &str| serde_json::from_value(serde_json::json!(text)).unwrap();
        Self {
            desired,
            qlik: (address("qlik/t"), address("qlik/t/k")),
            imburse: (address("imburse/t"), address("imburse/t/k")),
            now: NOW.parse().unwrap(),
        }
    }

    fn sink(&self) -> SinkHash {
        self.desired.sinks.values().next().unwrap().hash.clone()
    }

    fn marker(&self, number: usize, key: Minted) -> Marker {
        let run = match key.run {
            Life::Proven => "0a0a",
            Life::OverByClock => "2c2c",
            Life::Alive => "1b1b",
        };
        Marker {
            ledger: LEDGER[..8].to_owned(),
            uid: KeyUid::of(&uid(), self.qlik.1.key().cloned().as_ref().unwrap()),
            sink: if key.here { self.sink() } else { SinkHash::parse(OTHER_SINK).unwrap() },
            nonce: Nonce::parse(&format!("{run}000{number}")).unwrap(),
            letter: if key.delivered { Letter::Delivered } else { Letter::Undelivered },
            over: u64::try_from(number).ok(),
        }
    }

    fn entry(&self, number: usize, marker: Marker) -> SinkEntry {
        serde_json::from_value(serde_json::json!({
            "ledger": LEDGER, "uid": UID, "key": "k", "key_id": id(number),
            "fingerprint": "0".repeat(64), "marker": marker, "tenant_id": "x", "owner": "bot", "expiry": null,
            "delivered": "2026-06-01T08:00:00Z",
        }))
        .unwrap()
    }

    fn desired(&self, home: Home) -> Desired {
        let mut desired = self.desired.clone();
        for sink in desired.sinks.values_mut() {
            let hash = sink.hash.clone();
            let (kind, [compares_versions, local, hidden, blind]) = match home {
                Home::File => ("file", [false, true, false, false]),
                Home::Hidden => ("file", [false, true, true, false]),
                Home::Vault => ("vault", [true, false, false, false]),
                Home::Command => ("command", [false, false, false, false]),
                Home::Blind => ("command", [false, false, false, true]),
            };
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
        desired
    }

    fn live(&self, world: &World) -> Live {
        let record = |address: &Address, tenant: &str, host: &str, account: &str| Record {
            uid: uid(),
            address: address.clone(),
            formerly: Vec::new(),
            group: Group::default(),
            seq: 2,
            state: State::Settled(Binding {
                tenant_id: tenant.into(),
                hostname: host.into(),
                account: serde_json::from_value(serde_json::json!(account)).unwrap(),
                how: How::Created,
                at: self.now,
            }),
        };
        let run = |text: &str| RunId::parse(text).unwrap();
        let ledger = LedgerFacts {
            id: LedgerId::parse(LEDGER).unwrap(),
            place: "/estate/ledger".to_owned(),
            records: BTreeMap::from([
                (self.qlik.0.clone(), record(&self.qlik.0, "tq", "host1.us.qlikcloud.com", "us-oem")),
                (self.imburse.0.clone(), record(&self.imburse.0, "ti", "sandbox-api.imbursepayments.com", "pay")),
            ]),
            runs: BTreeMap::from([
                (run("0a0a000000000001"), Life::Proven),
                (run("1b1b000000000002"), Life::Alive),
                (run("2c2c000000000003"), Life::OverByClock),
            ]),
            other_runs: Life::Proven,
            rehearsals: Vec::new(),
            marks_refused: Vec::new(),
            nearly_full: false,
        };
        let created = |number: usize| self.now - SignedDuration::from_hours(24 * (20 - i64::try_from(number).unwrap()));
        let qlik_key = |number: usize, marker: Option<Marker>| KeyLive {
            id: id(number),
            text: "K".into(),
            created_by: if marker.is_some() { "bot".into() } else { "somebody".into() },
            marker,
            status: KeyStatus::Active,
            sub: "bot".into(),
            created: Some(created(number)),
            expiry: Some(created(number) + SignedDuration::from_hours(24 * 100)),
        };
        let imburse_key = |number: usize, marker: Option<Marker>| imburse::ListedKey {
            public_key: id(number),
            text: "K".into(),
            marker,
            roles: BTreeSet::from(["tenant-admin".into()]),
        };
        let markers: Vec<(usize, Option<Marker>)> = world
            .keys
            .iter()
            .enumerate()
            .map(|(number, key)| (number, Some(self.marker(number, *key))))
            .chain((0..world.strangers).map(|one| (STRANGER - one, None)))
            .collect();
        let role = RoleLive {
            id: "r".into(),
            can_edit: true,
            manages_api_keys: true,
            built_in: true,
            also_allows: Vec::new(),
        };
        let caller = CallerLive {
            user_id: "bot".into(),
            tenant_id: "tq".into(),
            manages_api_keys: true,
            groups: Vec::new(),
            status: "active".into(),
        };
        let limits = KeyLimitsLive {
            max_expiry: qlik_plan::model::duration::Duration::from_seconds(365 * 86_400),
            max_keys_per_user: 100,
        };
        let qlik = TenantLive {
            tenant: TenantRead::Present(QlikTenantLive {
                id: "tq".into(),
                name: "T".into(),
                hostnames: vec!["host1.us.qlikcloud.com".into()],
                status: "active".into(),
                created: None,
            }),
            keys: Some(Observed::Present(markers.iter().map(|(n, m)| (id(*n), qlik_key(*n, m.clone()))).collect())),
            looked_up: BTreeMap::from([(id(DEAD), Observed::Absent)]),
            limits: Some(Observed::Present(limits)),
            user_default: Some(Observed::Present(role)),
            holders: None,
            key_client: Some(Observed::Present(ConsentLive { trusted: true })),
            callers: vec![(Owner::Client, Observed::Present(caller))],
        };
        let tenant = serde_json::from_value(serde_json::json!({
            "id": "ti", "name": "T", "status": "Approved",
            "address": { "street_address": "1 High Street", "extended_address": "", "locality": "London", "region": "",
                         "post_code": "SW1A 1AA", "country": "GB" },
        }))
        .unwrap();
        let imburse = imburse::TenantLive {
            tenant: imburse::TenantRead::Present(Box::new(tenant)),
            keys: Some(Observed::Present(markers.iter().map(|(n, m)| (id(*n), imburse_key(*n, m.clone()))).collect())),
            looked_up: BTreeMap::from([(id(DEAD), Observed::Absent)]),
        };
        let entry = match world.shown {
            Shown::NotLooked => None,
            Shown::Empty => Some(Observed::Absent),
            Shown::Holds(number) => {
                Some(Observed::Present(self.entry(number, self.marker(number, world.keys[number]))))
            }
            Shown::HoldsDead => {
                let dead = Minted { delivered: true, here: true, run: Life::Proven };
                Some(Observed::Present(self.entry(DEAD, self.marker(DEAD, dead))))
            }
        };
        // Versions count from one; a key's marker says over which it was minted.
        let number = match (world.home, world.shown) {
            (Home::Vault, Shown::Holds(number)) => u64::try_from(number + 1).ok(),
            (Home::File | Home::Hidden | Home::Command | Home::Blind, _)
            | (Home::Vault, Shown::NotLooked | Shown::Empty | Shown::HoldsDead) => None,
        };
        let sink = SinkLive {
            entry,
            number,
            writable: Some(Writable::Yes),
            until: None,
            deleted: None,
            trouble: None,
            tracked: None,
            homes: BTreeMap::new(),
        };
        let mut live = Live {
            clocks: BTreeMap::new(),
            ledger: LedgerLive::Present(ledger),
            ledger_forgets: false,
            ledger_lies_in: None,
            stores: BTreeMap::new(),
            undeclared: BTreeMap::new(),
            bound_since: BTreeSet::new(),
            qlik: QlikLive { tenants: BTreeMap::from([(self.qlik.0.clone(), qlik)]), ..QlikLive::default() },
            sinks: BTreeMap::from([(self.qlik.1.clone(), sink.clone()), (self.imburse.1.clone(), sink)]),
            imburse: imburse::ImburseLive::default(),
        };
        live.imburse.tenants.insert(self.imburse.0.clone(), imburse);
        live
    }

    /// What the plan of a world says of the key at Qlik and of the key at Imburse.
    fn both(&self, world: &World) -> [Said; 2] {
        let asked = || BTreeSet::from([self.qlik.1.clone(), self.imburse.1.clone()]);
        let mut wishes = Wishes { unrehearsed: true, ..Wishes::default() };
        match world.wish {
            Wish::None => {}
            Wish::Remint => wishes.remint = asked(),
            Wish::Replace => wishes.replace = asked(),
        }
        let plan = plan(&self.desired(world.home), &self.live(world), &wishes, self.now);
        [said(&plan, &self.qlik.1), said(&plan, &self.imburse.1)]
    }
}

fn uid() -> Uid {
    Uid::parse(UID).unwrap()
}

fn number(id: &str) -> usize {
    id[id.len() - 1..].parse().unwrap()
}

fn why(why: &WhyMint) -> String {
    match why {
        WhyMint::Missing => "missing".to_owned(),
        WhyMint::Dead { key_id, .. } => format!("dead {}", number(key_id)),
        WhyMint::Supersede { key_id } => format!("supersede {}", number(key_id)),
        WhyMint::Asked => "asked".to_owned(),
        WhyMint::Replaced { key_id } => format!("replaced {}", number(key_id)),
    }
}

fn said(plan: &Plan, address: &Address) -> Said {
    let mut said =
        Said { unchecked: plan.unchecked.iter().filter(|one| one.address == *address).count(), ..Said::default() };
    for planned in plan.actions.iter().filter(|planned| planned.address == *address) {
        match &planned.action {
            Action::Wait(_) => said.waits = true,
            Action::Refuse(refusal) => said.refuses = Some(refusal.code.as_str()),
            Action::CreateKey(create) => said.mints = Some(why(&create.why)),
            Action::Renew(renew) => said.mints = Some(format!("renewal {}", number(&renew.key_id))),
            Action::Mark(mark) => said.marks = Some(number(&mark.key_id)),
            Action::Reclaim(reclaim) => said.reclaims.push((number(&reclaim.key_id), reclaim.after_delivery)),
            Action::Keep(Keep::Key { key_id, .. } | Keep::AdoptedKey { key_id, .. }) => {
                said.keeps = Some(number(key_id))
            }
            other @ (Action::CreateTenant(_)
            | Action::MoveGroup(_)
            | Action::Settle(_)
            | Action::Trust(_)
            | Action::CreateObject(_)
            | Action::Grant(_)
            | Action::Keep(Keep::Tenant { .. })
            | Action::Keep(Keep::Object(_))
            | Action::Drift(_)) => panic!("{other:?}"),
        }
    }
    let notices = plan.notices.iter().filter(|notice| notice.address.as_ref() == Some(address)).map(|one| &one.text);
    let findings = plan.findings.iter().filter(|found| found.address.as_ref() == Some(address)).map(|one| &one.why);
    for text in notices.chain(findings) {
        said.names.extend((0..10).filter(|number| text.raw().contains(&id(*number))));
    }
    said
}

/// What only one vendor's facts explain: the name of the fact, and whether it explains what the plans of a world say.
type Reason = (&'static str, fn(&World, &Said, &Said) -> bool);

const REASONS: [Reason; 5] = [
    // `Policy::ends`: what is not revoked ends by itself at Qlik, and at Imburse only when a person says so.
    ("a leftover that cannot be revoked is left to expire, or a person is asked", |world, qlik, imburse| {
        qlik.refuses != Some("QP0331")
            && imburse.refuses == Some("QP0331")
            && leftovers(world, qlik.keeps).next().is_some()
    }),
    (
        "a leftover that nobody can see beside a good key is superseded where a person asks for it",
        |world, _, imburse| {
            world.home == Home::Blind
                && world.wish == Wish::Remint
                && leftovers(world, None).next().is_some()
                && imburse.mints.as_ref().is_some_and(|why| why.starts_with("supersede"))
        },
    ),
    // `Policy::ages`: Qlik tells when a key was made.
    ("of several delivered keys, the newest is taken to be in the sink, or nobody knows which", |world, _, _| {
        let unseen = matches!(world.shown, Shown::NotLooked);
        unseen && world.keys.iter().filter(|key| key.delivered && key.here).count() > 1
    }),
    ("what nobody can look into is replaced where ages tell afterwards which key is which", |world, _, imburse| {
        world.home == Home::Blind && world.wish == Wish::Replace && imburse.refuses == Some("QP0307")
    }),
    ("no successor is made for a leftover that is older than the sink's key", |world, qlik, imburse| {
        let Shown::Holds(good) = world.shown else { return false };
        let older = leftovers(world, Some(good)).any(|leftover| leftover < good);
        older && qlik.mints.is_none() && imburse.mints.is_some()
    }),
];

/// Keys for this sink that were never marked as delivered, but for the one in it.
fn leftovers(world: &World, good: Option<usize>) -> impl Iterator<Item = usize> {
    let leftover = move |(number, key): &(usize, &Minted)| key.here && !key.delivered && Some(*number) != good;
    world.keys.iter().enumerate().filter(leftover).map(|(number, _)| number)
}

#[test]
fn both_vendors_keys_are_judged_alike_but_for_named_reasons() {
    let base = Base::new();
    let mut explained: BTreeMap<&'static str, usize> = REASONS.iter().map(|(reason, _)| (*reason, 0)).collect();
    let worlds = worlds();
    for world in &worlds {
        let [qlik, imburse] = base.both(world);
        if qlik == imburse {
            continue;
        }
        let reason = REASONS.iter().find(|(_, explains)| explains(world, &qlik, &imburse));
        let (reason, _) = reason.unwrap_or_else(|| panic!("{world:#?}\nQlik: {qlik:?}\nImburse: {imburse:?}"));
        *explained.entry(reason).or_default() += 1;
    }
    say(&format!("{} worlds of a key, judged at both vendors", worlds.len()));
    for (reason, count) in &explained {
        say(&format!("{count} differ: {reason}"));
    }
    assert!(explained.values().all(|count| *count > 0), "a reason explains nothing any more");
}

#[expect(clippy::print_stderr, reason = "the list is what the referee is for")]
fn say(line: &str) {
    eprintln!("{line}");
}
