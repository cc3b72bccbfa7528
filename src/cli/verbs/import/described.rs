//! What was read of tenants that exist → what desired state says of them, and what is left out with the reason.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::address::{Address, Name, RESERVED, Vendor};
use crate::model::imburse;
use crate::model::live::{KeyLive, LedgerLive, Live, Observed, TenantLive, TenantRead, Unreadable};
use crate::model::marker::Marker;
use crate::model::spec::KeyLimits;
use crate::model::untrusted::Untrusted;
use crate::render::existing::{Existing, ExistingKey};

use super::names;

/// So long may a declared name be.
const NAME_OF_TENANT_MAX: usize = 255;

/// Tenants to declare, and those that are left out, each with why and what to do.
pub(super) struct Described {
    pub(super) qlik: Vec<Existing>,
    pub(super) imburse: Vec<Existing>,
    pub(super) refused: Vec<(String, String)>,
}

impl Described {
    pub(super) fn of(
        (qlik, imburse): (Vec<Existing>, Vec<Existing>),
        live: &Live,
        take_over: bool,
        now: Timestamp,
    ) -> Self {
        let scene = Scene { live, take_over, now };
        let mut described = Self { qlik: Vec::new(), imburse: Vec::new(), refused: Vec::new() };
        for tenant in qlik {
            match scene.qlik(tenant) {
                Ok(tenant) => described.qlik.push(tenant),
                Err(refused) => described.refused.push(refused),
            }
        }
        for tenant in imburse {
            match scene.imburse(tenant) {
                Ok(tenant) => described.imburse.push(tenant),
                Err(refused) => described.refused.push(refused),
            }
        }
        described
    }
}

impl Described {
    /// Takes out each display name with which desired state is refused, as one with characters that nobody sees. `is_taken` says whether
    /// these tenants of both vendors can be declared.
    pub(super) fn leave_out_names(&mut self, is_taken: impl Fn(&[Existing], &[Existing]) -> bool) {
        for tenant in &mut self.qlik {
            without_name(tenant, |one| is_taken(one, &[]));
        }
        for tenant in &mut self.imburse {
            without_name(tenant, |one| is_taken(&[], one));
        }
    }
}

fn without_name(tenant: &mut Existing, is_taken: impl Fn(&[Existing]) -> bool) {
    if is_taken(std::slice::from_ref(tenant)) {
        return;
    }
    if let Some(name) = tenant.display_name.take() {
        tenant.remarks.push(format!("its name is not declared, since a declared one would be refused: {name}"));
    }
}

struct Scene<'a> {
    live: &'a Live,
    take_over: bool,
    now: Timestamp,
}

type Refused = (String, String);

impl Scene<'_> {
    /// Fails with the reason for which the tenant is left out, and what to do about it.
    fn qlik(&self, mut tenant: Existing) -> Result<Existing, Refused> {
        let called = tenant.adopt.1.clone();
        let address = Address::tenant(Vendor::Qlik, tenant.name.clone());
        let Some(TenantLive { tenant: read, keys, limits, user_default, .. }) = self.live.qlik.tenants.get(&address)
        else {
            return Err(left_out(&called, "it was not read", "import again"));
        };
        let present = match read {
            TenantRead::Present(present) => present,
            TenantRead::Gone(unreadable) | TenantRead::Unreadable(unreadable) => {
                return Err(unread(&called, unreadable));
            }
            TenantRead::Disabled => {
                return Err(left_out(
                    &called,
                    "it is deactivated",
                    "reactivate it in My Qlik, or leave it out for good: ignore_tenants in settings",
                ));
            }
            TenantRead::Nowhere | TenantRead::ByAlias(_) | TenantRead::Other { .. } => {
                return Err(left_out(
                    &called,
                    "another tenant answers there",
                    "name it by its own host, the first of its hostnames",
                ));
            }
        };
        let keys = listed(&called, keys.as_ref())?;
        tenant.display_name = declarable(&present.name);
        // A host that a person chose leads to it as well; it is compared where it is declared.
        let label = |host: &Untrusted| host.raw().split('.').next().unwrap_or_default().to_owned();
        tenant.alias = present.alias().map(label).filter(|alias| !alias.is_empty());
        if let Some(host) = present.hostnames.first() {
            tenant.adopt.1 = label(host);
        }
        if let Some(Observed::Present(limits)) = limits {
            tenant.limits =
                KeyLimits { max_expiry: Some(limits.max_expiry), max_keys_per_user: Some(limits.max_keys_per_user) };
        }
        if let Some(Observed::Present(role)) = user_default
            && role.manages_api_keys
        {
            tenant.remarks.push("everybody may manage API keys here; say so with grants: if that is meant".to_owned());
        }
        let mut taken = reserved();
        // By what people call them, so that names do not depend on ids.
        let mut live: Vec<&KeyLive> = keys.values().filter(|key| key.is_live(self.now)).collect();
        live.sort_by(|one, other| (&one.text, &one.id).cmp(&(&other.text, &other.id)));
        for KeyLive { id, text, marker, expiry, .. } in live {
            self.is_anothers(&called, text, marker.as_ref())?;
            let ends = expiry.map(|at| format!(", ends {at:.0}")).unwrap_or_default();
            let name = names::free(text.raw(), "key", &mut taken);
            tenant.keys.extend(name.map(|name| ExistingKey {
                name,
                adopt: ("key_id", id.clone()),
                remark: format!("{text}{ends}"),
            }));
        }
        Ok(tenant)
    }

    fn imburse(&self, mut tenant: Existing) -> Result<Existing, Refused> {
        let called = tenant.adopt.1.clone();
        let address = Address::tenant(Vendor::Imburse, tenant.name.clone());
        let Some(imburse::TenantLive { tenant: read, keys, .. }) = self.live.imburse.tenants.get(&address) else {
            return Err(left_out(&called, "it was not read", "import again"));
        };
        let present = match read {
            imburse::TenantRead::Present(present) => present,
            imburse::TenantRead::Gone(unreadable) | imburse::TenantRead::Unreadable(unreadable) => {
                return Err(unread(&called, unreadable));
            }
            imburse::TenantRead::Nowhere => {
                return Err(left_out(&called, "it was not found by its id", "import again"));
            }
        };
        let keys = listed(&called, keys.as_ref())?;
        tenant.display_name = declarable(&present.name);
        let mut taken = reserved();
        let mut sorted: Vec<&imburse::ListedKey> = keys.values().collect();
        sorted.sort_by(|one, other| (&one.text, &one.public_key).cmp(&(&other.text, &other.public_key)));
        for imburse::ListedKey { public_key, text, marker, roles } in sorted {
            self.is_anothers(&called, text, marker.as_ref())?;
            let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
            let name = names::free(text.raw(), "key", &mut taken);
            tenant.keys.extend(name.map(|name| ExistingKey {
                name,
                adopt: ("public_key", public_key.clone()),
                remark: format!("{text}, {}", roles.join(", ")),
            }));
        }
        Ok(tenant)
    }

    /// A key that carries the marker of a ledger shows that somebody manages the tenant with it.
    fn is_anothers(&self, tenant: &str, key: &Untrusted, marker: Option<&Marker>) -> Result<(), Refused> {
        let Some(marker) = marker.filter(|_| !self.take_over) else { return Ok(()) };
        let whose = match &self.live.ledger {
            LedgerLive::Present(facts) if marker.is_of(&facts.id) => "this ledger".to_owned(),
            LedgerLive::Present(_) | LedgerLive::Missing { .. } => format!("another ledger ({})", marker.ledger),
        };
        Err(left_out(
            tenant,
            &format!("its key \"{key}\" was made with {whose}, which manages it"),
            "manage it with that ledger; or, if nobody does any more: --take-over",
        ))
    }
}

fn listed<'a, K>(called: &str, keys: Option<&'a Observed<K>>) -> Result<&'a K, Refused> {
    match keys {
        Some(Observed::Present(keys)) => Ok(keys),
        Some(Observed::Unreadable(unreadable)) => Err(unread(called, unreadable)),
        Some(Observed::Absent) | None => Err(left_out(called, "its keys were not listed", "import again")),
    }
}

fn reserved() -> BTreeSet<Name> {
    RESERVED.iter().filter_map(|word| Name::parse(word).ok()).collect()
}

fn declarable(name: &Untrusted) -> Option<String> {
    let name = name.raw();
    (!name.trim().is_empty() && name.chars().count() <= NAME_OF_TENANT_MAX).then(|| name.to_owned())
}

fn left_out(called: &str, why: &str, next: &str) -> Refused {
    (format!("{called} is left out: {why}"), next.to_owned())
}

fn unread(called: &str, unreadable: &Unreadable) -> Refused {
    left_out(called, &unreadable.why.to_string(), &unreadable.next)
}
