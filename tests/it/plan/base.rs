//! What is live where everything is as declared, or nothing is there yet: the cases say what is different.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use qlik_plan::model::address::{Address, Name};
use qlik_plan::model::desired::Desired;
use qlik_plan::model::duration::Duration;
use qlik_plan::model::group::Group;
use qlik_plan::model::homes::Homes;
use qlik_plan::model::host::Label;
use qlik_plan::model::imburse::{self, ImburseKey, ImburseTenant};
use qlik_plan::model::live::{
    AccountLive, CallerLive, ConsentLive, GroupLive, HoldersLive, KeyLimitsLive, KeyLive, KeyStatus, LedgerFacts,
    LedgerLive, LicenceLive, Live, Observed, QlikLive, QlikTenantLive, RoleLive, SinkEntry, SinkLive, TenantLive,
    TenantRead, Writable,
};
use qlik_plan::model::marker::{KeyUid, Letter, Marker, Nonce};
use qlik_plan::model::place::Place;
use qlik_plan::model::record::{Binding, How, LedgerId, Record, Rehearsal, State, Uid};
use qlik_plan::model::run::{Life, RunId};
use qlik_plan::model::secret::Fingerprint;
use qlik_plan::model::spec::{Owner, QlikKey, QlikTenant, UserKey, Way};
use qlik_plan::model::untrusted::Untrusted;

/// How much of what is declared is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Base {
    /// All of it, and every key in its sink.
    Made,
    /// The tenants, set up and with all their grants, and none of the keys.
    Tenants,
    /// An empty ledger.
    Nothing,
}

/// What a run reads of an estate that is made so far and in which nothing else happened. Ids and hosts follow from the order in
/// which tenants and keys are declared.
pub(super) fn live(desired: &Desired, base: Base) -> Live {
    let mut live = Live {
        ledger: LedgerLive::Missing { place: PLACE.to_owned(), strict: false },
        ledger_forgets: false,
        ledger_lies_in: None,
        qlik: QlikLive::default(),
        sinks: [].into(),
        stores: [].into(),
        imburse: Default::default(),
        undeclared: [].into(),
        bound_since: [].into(),
        clocks: [].into(),
    };
    let mut facts = LedgerFacts {
        id: ledger(),
        place: PLACE.to_owned(),
        records: [].into(),
        runs: [(PROVEN, Life::Proven), (ALIVE, Life::Alive), (OVER_BY_CLOCK, Life::OverByClock)]
            .map(|(run, life)| (run_id(run), life))
            .into(),
        other_runs: Life::Proven,
        rehearsals: rehearsals(desired),
        marks_refused: Vec::new(),
        nearly_full: false,
    };
    for (_, tenant, _) in desired.qlik_tenants() {
        let account = AccountLive {
            licence: Some(Observed::Present(LicenceLive { status: "Ok".into(), valid: true })),
            organization: None,
            credentials: ways(desired, &tenant.account).map(|way| (way, CREDENTIAL.to_owned())).collect(),
        };
        live.qlik.accounts.insert(tenant.account.clone(), account);
    }
    for (address, homes) in desired.deliveries() {
        live.sinks.insert(address.clone(), looked(desired, homes, |_| Observed::Absent));
    }
    if base == Base::Nothing {
        for (_, tenant, _) in desired.imburse_tenants() {
            live.imburse.accounts.insert(tenant.account.clone(), imburse_account(desired, &tenant.account));
        }
    } else {
        for (number, (address, tenant, _)) in (0..).zip(as_written(desired.qlik_tenants())) {
            let made = Made::qlik(desired, address, tenant, number);
            facts.records.insert(address.clone(), made.record(4));
            let mut read = qlik_tenant(desired, address, tenant, &made.binding);
            if base == Base::Made {
                read.keys = Some(Observed::Present(qlik_keys(desired, address, &made, &mut live)));
            }
            live.qlik.tenants.insert(address.clone(), read);
        }
        for (number, (address, tenant, _)) in (0..).zip(as_written(desired.imburse_tenants())) {
            let made = Made::imburse(desired, address, tenant, number);
            facts.records.insert(address.clone(), made.record(2));
            let mut read = imburse_tenant(address, tenant, &made.binding);
            if base == Base::Made {
                read.keys = Some(Observed::Present(imburse_keys(desired, address, &made, &mut live)));
            }
            live.imburse.tenants.insert(address.clone(), read);
        }
    }
    live.ledger = LedgerLive::Present(facts);
    live
}

fn as_written<'a, T>(tenants: impl Iterator<Item = (&'a Address, T, &'a Place)>) -> Vec<(&'a Address, T, &'a Place)> {
    let mut tenants: Vec<_> = tenants.collect();
    tenants.sort_by_key(|(_, _, at)| at.line);
    tenants
}

const PLACE: &str = "/estate/.qlik-plan/ledger";
const CREDENTIAL: &str = "c0ffee00c0ffee00";
const PROVEN: u8 = 0x0a;
const ALIVE: u8 = 0x1b;
const OVER_BY_CLOCK: u8 = 0x2c;
const TENANTS_MADE: &str = "2026-06-01T08:00:00Z";

fn ledger() -> LedgerId {
    LedgerId::new([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef])
}

/// `0a0a000000000001`, `1b1b000000000002`, `2c2c000000000003`.
fn run_id(run: u8) -> RunId {
    RunId::new([run, run, 0, 0, 0, 0, 0, (run >> 4) + 1])
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A tenant of ours as the ledger binds it.
struct Made {
    address: Address,
    uid: Uid,
    group: Group,
    binding: Binding,
}

impl Made {
    fn qlik(desired: &Desired, address: &Address, tenant: &QlikTenant, number: u8) -> Self {
        let label = tenant.adopt.clone().unwrap_or_else(|| Label::parse(&format!("xzoau8xi93gyfo{number}")).unwrap());
        let binding = Binding {
            tenant_id: format!("4f3a-{}-tenant-id", address.tenant).into(),
            hostname: desired.qlik[&tenant.account].region.host(&label).as_str().into(),
            account: tenant.account.clone(),
            how: if tenant.adopt.is_some() { How::Adopted } else { How::Created },
            at: time(TENANTS_MADE),
        };
        Self { address: address.clone(), uid: uid(number), group: desired.items[address].group.clone(), binding }
    }

    fn imburse(desired: &Desired, address: &Address, tenant: &ImburseTenant, number: u8) -> Self {
        let id = || format!("7e000000-0000-4000-8000-{:012}", number + 1);
        let binding = Binding {
            tenant_id: tenant.adopt.clone().unwrap_or_else(id).into(),
            hostname: desired.imburse[&tenant.account].host.as_str().into(),
            account: tenant.account.clone(),
            how: if tenant.adopt.is_some() { How::Adopted } else { How::Created },
            at: time(TENANTS_MADE),
        };
        Self { address: address.clone(), uid: uid(number), group: desired.items[address].group.clone(), binding }
    }

    fn record(&self, seq: u64) -> Record {
        let state = State::Settled(self.binding.clone());
        Record {
            uid: self.uid.clone(),
            address: self.address.clone(),
            formerly: Vec::new(),
            group: self.group.clone(),
            seq,
            state,
        }
    }

    /// The marker of a key that was delivered.
    fn marker(&self, desired: &Desired, key: &Name, homes: &Homes) -> Marker {
        Marker {
            ledger: ledger().short().to_owned(),
            uid: KeyUid::of(&self.uid, key),
            sink: desired.sink_facts(homes).unwrap().hash,
            nonce: Nonce::new(&run_id(PROVEN).short(), [0xbe, 0xef]),
            over: None,
            letter: Letter::Delivered,
        }
    }
}

/// `aaaa0000aaaa0000…`, `bbbb0000bbbb0000…` and so on.
fn uid(number: u8) -> Uid {
    let digits = 0xaa_u8.wrapping_add(number.wrapping_mul(0x11));
    Uid::new(std::array::from_fn(|at| if at % 4 < 2 { digits } else { 0 }))
}

// ---- Qlik. ----------------------------------------------------------------------------------------------------------

/// The ways of owning that an account's keys need, and that of its key client in any case.
fn ways(desired: &Desired, account: &Name) -> impl Iterator<Item = Way> {
    let tenants = desired.qlik_tenants().filter(|(_, tenant, _)| tenant.account == *account);
    let owners = tenants.flat_map(|(address, _, _)| desired.qlik_keys(address)).map(|(_, key, _)| key.owner.way());
    owners.chain([Way::Client]).collect::<BTreeSet<Way>>().into_iter()
}

fn rehearsals(desired: &Desired) -> Vec<Rehearsal> {
    let accounts: BTreeSet<&Name> = desired.qlik_tenants().map(|(_, tenant, _)| &tenant.account).collect();
    let passed = |account: &Name, owner| Rehearsal {
        account: account.clone(),
        owner,
        credential: CREDENTIAL.to_owned(),
        at: time("2026-06-01T07:00:00Z"),
        run: run_id(PROVEN),
        failure: None,
    };
    accounts.into_iter().flat_map(|account| ways(desired, account).map(move |way| passed(account, way))).collect()
}

/// As a person would call it: `user-of-key-client`, `user-of-release-bot`, `user-stackone`.
fn user_id(owner: &Owner) -> String {
    match owner {
        Owner::Client => "user-of-key-client".to_owned(),
        Owner::Configured(name) => format!("user-of-{name}"),
        Owner::User(user) => match user.key() {
            UserKey::Id(id) => id.to_owned(),
            UserKey::Subject(subject) => format!("user-{}", subject.rsplit('|').next().unwrap_or(subject)),
            UserKey::Email(email) => format!("user-{}", email.split('@').next().unwrap_or(email)),
        },
    }
}

fn qlik_tenant(desired: &Desired, address: &Address, tenant: &QlikTenant, bound: &Binding) -> TenantLive {
    let region = &desired.qlik[&tenant.account].region;
    let alias = tenant.alias.iter().map(|alias| Untrusted::from(region.host(alias).as_str()));
    let by_role = tenant.grants.by_role();
    let mut owners: Vec<Owner> = desired.qlik_keys(address).map(|(_, key, _)| key.owner.clone()).collect();
    owners.extend(by_role.iter().flat_map(|role| role.users.iter().cloned().map(Owner::User)));
    let mut met = BTreeSet::new();
    owners.retain(|owner| met.insert(owner.clone()));
    let caller = |owner: &Owner| CallerLive {
        user_id: user_id(owner).into(),
        tenant_id: bound.tenant_id.clone(),
        manages_api_keys: by_role.is_some(),
        groups: Vec::new(),
        status: if owner.user().is_some() { "active".into() } else { Untrusted::default() },
    };
    let role = |id: &str, manages_api_keys| RoleLive {
        id: id.into(),
        can_edit: true,
        manages_api_keys,
        also_allows: Vec::new(),
        built_in: false,
    };
    let group = || Observed::Present(GroupLive { id: "group-1".into(), has_role: true });
    let holders = by_role.map(|grant| HoldersLive {
        role: Some(Observed::Present(role("role-1", true))),
        held_by: owners.clone(),
        inactive: Vec::new(),
        groups: grant.groups.iter().map(|name| (name.clone(), group())).collect(),
    });
    let limits = tenant.api_key_limits;
    TenantLive {
        tenant: TenantRead::Present(QlikTenantLive {
            id: bound.tenant_id.clone(),
            name: tenant.display_name.as_deref().unwrap_or(address.tenant.as_str()).into(),
            hostnames: std::iter::once(bound.hostname.clone()).chain(alias).collect(),
            status: "active".into(),
            created: None,
        }),
        keys: Some(Observed::Present([].into())),
        looked_up: [].into(),
        limits: Some(Observed::Present(KeyLimitsLive {
            max_expiry: limits.max_expiry.unwrap_or(Duration::from_seconds(30 * 86_400)),
            max_keys_per_user: limits.max_keys_per_user.unwrap_or(10),
        })),
        user_default: Some(Observed::Present(role("role-user-default", tenant.grants.to_everyone()))),
        holders: holders.map(Observed::Present),
        key_client: Some(Observed::Present(ConsentLive { trusted: true })),
        callers: owners.iter().map(|owner| (owner.clone(), Observed::Present(caller(owner)))).collect(),
    }
}

/// `key-1`, `key-2` and so on, each in its sink.
fn qlik_keys(desired: &Desired, address: &Address, made: &Made, live: &mut Live) -> BTreeMap<String, KeyLive> {
    let mut keys = BTreeMap::new();
    for (number, (key, spec, _)) in (1..).zip(desired.qlik_keys(address)) {
        let id = spec.adopt.clone().unwrap_or_else(|| format!("key-{number}"));
        let name = key.key().unwrap();
        let read = qlik_key(desired, made, name, spec, id);
        if let Some(marker) = &read.marker {
            let entry = SinkEntry {
                expiry: read.expiry,
                owner: read.sub.clone(),
                ..entry(made, name, &read.id, marker, read.created.unwrap() + SignedDuration::from_secs(5))
            };
            deliver(desired, live, key, &spec.deliver_to, entry);
        }
        keys.insert(read.id.clone(), read);
    }
    keys
}

fn qlik_key(desired: &Desired, made: &Made, name: &Name, spec: &QlikKey, id: String) -> KeyLive {
    let lives = SignedDuration::from_secs(i64::try_from(spec.expires_in.seconds()).unwrap());
    // None is due at noon of 1 July.
    let short = lives <= SignedDuration::from_hours(3 * 24);
    let created = time(if short { "2026-07-01T06:00:00Z" } else { "2026-06-28T12:00:00Z" });
    KeyLive {
        id,
        text: spec.description.as_str().into(),
        marker: spec.adopt.is_none().then(|| made.marker(desired, name, &spec.deliver_to)),
        status: KeyStatus::Active,
        sub: user_id(&spec.owner).into(),
        created_by: user_id(&spec.owner).into(),
        created: Some(created),
        expiry: Some(created + lives),
    }
}

// ---- Imburse. -------------------------------------------------------------------------------------------------------

fn imburse_tenant(address: &Address, tenant: &ImburseTenant, bound: &Binding) -> imburse::TenantLive {
    let name = tenant.display_name.as_deref().unwrap_or(address.tenant.as_str());
    let declared = tenant.address.clone().unwrap_or_default();
    let field = |field: &Option<String>| Untrusted::from(field.as_deref().unwrap_or_default());
    let address = imburse::TenantAddress {
        street_address: field(&declared.street_address),
        extended_address: field(&declared.extended_address),
        locality: field(&declared.locality),
        region: field(&declared.region),
        post_code: field(&declared.post_code),
        country: field(&declared.country),
    };
    imburse::TenantLive {
        tenant: imburse::TenantRead::Present(Box::new(customer(bound.tenant_id.raw(), name, address))),
        keys: Some(Observed::Present([].into())),
        looked_up: [].into(),
    }
}

fn customer(id: &str, name: &str, address: imburse::TenantAddress) -> imburse::ListedTenant {
    let details = imburse::StatusDetails { created_on: Some(TENANTS_MADE.into()), ..Default::default() };
    imburse::ListedTenant { id: id.into(), name: name.into(), status: "Approved".into(), address, details }
}

/// `6b…1`, `6b…2` and so on, each in its sink.
fn imburse_keys(
    desired: &Desired,
    address: &Address,
    made: &Made,
    live: &mut Live,
) -> BTreeMap<String, imburse::ListedKey> {
    let mut keys = BTreeMap::new();
    for (number, (key, spec, _)) in (1..).zip(desired.imburse_keys(address)) {
        let ImburseKey { name, roles, deliver_to, deliver_as: _, adopt } = spec;
        let public_key = adopt.clone().unwrap_or_else(|| format!("6b000000-0000-4000-8000-{number:012}"));
        let declared = key.key().unwrap();
        let marker = adopt.is_none().then(|| made.marker(desired, declared, deliver_to));
        if let Some(marker) = &marker {
            let entry = entry(made, declared, &public_key, marker, time("2026-06-02T08:00:00Z"));
            deliver(desired, live, key, deliver_to, entry);
        }
        let roles = roles.iter().map(|role| role.as_str().into()).collect();
        keys.insert(public_key.clone(), imburse::ListedKey { public_key, text: name.as_str().into(), marker, roles });
    }
    keys
}

/// An account with customers of others, two of them with a name much like a declared one.
fn imburse_account(desired: &Desired, account: &Name) -> imburse::AccountLive {
    let address = imburse::TenantAddress {
        street_address: "1 High Street".into(),
        locality: "London".into(),
        post_code: "SW1A 1AA".into(),
        country: "GB".into(),
        ..Default::default()
    };
    let names = (100..123).map(|number| (number, format!("Customer {:02}", number - 100)));
    let names = names.chain([(200, "UK Retail Ltd".to_owned()), (201, "UK".to_owned())]);
    let tenant = |(number, name): (u32, String)| {
        customer(&format!("7e000000-0000-4000-8000-{number:012}"), &name, address.clone())
    };
    imburse::AccountLive {
        tenants: Some(Observed::Present(names.map(tenant).collect())),
        account: Some(imburse::AccountRead::Present(imburse::AccountDetails {
            account_id: desired.imburse[account].account_id.as_str().into(),
            company_name: "Acme Holdings".into(),
            tenant_creation_approval_required: false,
            licence: "Standard".into(),
            max_tenants: Some(50),
            tenant_usage: 2,
            key_roles: Some(["account-admin".into()].into()),
        })),
    }
}

// ---- Sinks. ---------------------------------------------------------------------------------------------------------

/// What stands beside a secret: the marker as it was when the key was made.
fn entry(made: &Made, name: &Name, key_id: &str, marker: &Marker, delivered: Timestamp) -> SinkEntry {
    SinkEntry {
        ledger: ledger(),
        uid: made.uid.clone(),
        key: name.clone(),
        key_id: key_id.to_owned(),
        fingerprint: Fingerprint::of(b"not looked at by a plan"),
        marker: marker.with_letter(Letter::Undelivered),
        tenant_id: made.binding.tenant_id.clone(),
        owner: Untrusted::default(),
        expiry: None,
        delivered,
        over: Vec::new(),
        replaced: Vec::new(),
        made_as: None,
    }
}

fn deliver(desired: &Desired, live: &mut Live, key: &Address, homes: &Homes, entry: SinkEntry) {
    *live.sinks.get_mut(key).unwrap() = looked(desired, homes, |_| Observed::Present(entry.clone()));
}

/// What a key's sinks show, those of them that can be looked into.
pub(super) fn looked(desired: &Desired, homes: &Homes, shows: impl Fn(&Name) -> Observed<SinkEntry>) -> SinkLive {
    let one = |name: &Name| SinkLive {
        entry: (!desired.sinks[name].blind).then(|| shows(name)),
        writable: Some(Writable::Yes),
        ..SinkLive::default()
    };
    match homes.are_several() {
        false => one(homes.first()),
        true => {
            let each = desired.in_order(homes).into_iter().map(|name| (name.clone(), one(name)));
            SinkLive::of_homes(each.collect(), &desired.sink_facts(homes).unwrap().hash)
        }
    }
}
