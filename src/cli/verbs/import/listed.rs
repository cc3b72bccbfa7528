//! Tenants that exist and that nobody declares or records here, account by account.

use std::collections::BTreeSet;

use crate::model::address::Name;
use crate::model::desired::Desired;
use crate::model::host::Label;
use crate::model::imburse::Standing;
use crate::model::live::LedgerLive;
use crate::model::settings::Settings;
use crate::provider::http::ReadError;

use super::super::super::estate::Estate;
use super::super::super::exit::Problem;

/// One tenant to import, as far as a list tells of it.
pub(super) struct Listed {
    pub(super) account: Name,
    /// The first label of its host at Qlik, its id at Imburse.
    pub(super) id: String,
    /// The name that people see; empty where only a host is known.
    pub(super) called: String,
}

/// What manages tenants already: the ledger, and desired state.
pub(super) struct Managed {
    /// Ids and hosts, in lower case.
    known: BTreeSet<String>,
}

impl Managed {
    pub(super) fn of(ledger: &LedgerLive, desired: &Desired, settings: &Settings) -> Self {
        let mut known = BTreeSet::new();
        if let LedgerLive::Present(facts) = ledger {
            for binding in facts.records.values().filter_map(|record| record.state.binding()) {
                known.extend([binding.tenant_id.raw(), binding.hostname.raw()].map(str::to_ascii_lowercase));
            }
        }
        for (_, tenant, _) in desired.qlik_tenants() {
            let Some(account) = settings.qlik.get(&tenant.account) else { continue };
            let labels = tenant.adopt.iter().chain(&tenant.alias);
            known.extend(labels.map(|label| account.region.host(label).to_string()));
        }
        for (_, tenant, _) in desired.imburse_tenants() {
            known.extend(tenant.adopt.iter().map(|id| id.to_ascii_lowercase()));
        }
        Self { known }
    }

    fn has(&self, id: &str) -> bool {
        self.known.contains(&id.to_ascii_lowercase())
    }
}

/// The tenants of a Qlik account's organization in its region, or those that a person named.
pub(super) async fn at_qlik(
    estate: &Estate,
    settings: &Settings,
    account: &Name,
    named: &[Label],
    managed: &Managed,
) -> Result<Vec<Listed>, Problem> {
    let Some(facts) = settings.qlik.get(account) else { return Ok(Vec::new()) };
    let apart = |label: &Label| facts.ignore_tenants.contains(label) || facts.source_tenant.as_ref() == Some(label);
    let one = |label: &Label, called: &str| Listed {
        account: account.clone(),
        id: label.to_string(),
        called: called.to_owned(),
    };
    if !named.is_empty() || !estate.qlik.lists_tenants(account) {
        let free = |label: &&Label| !managed.has(facts.region.host(label).as_str());
        return Ok(named.iter().filter(free).map(|label| one(label, label.as_str())).collect());
    }
    let listed = estate.qlik.organization_tenants(account).await.map_err(unread)?;
    let mut found = Vec::new();
    for tenant in listed.iter().filter(|tenant| tenant.is_active() && !managed.has(tenant.id.raw())) {
        let hosts = || tenant.hostnames.iter().map(|host| host.raw());
        let labels: Vec<Label> =
            hosts().filter_map(|host| Label::parse(facts.region.accept(host)?.label()).ok()).collect();
        if let Some(label) = labels.first()
            && !labels.iter().any(apart)
            && !hosts().any(|host| managed.has(host))
        {
            found.push(one(label, tenant.name.raw()));
        }
    }
    Ok(sorted(found))
}

/// The tenants of an Imburse account.
pub(super) async fn at_imburse(
    estate: &Estate,
    settings: &Settings,
    account: &Name,
    managed: &Managed,
) -> Result<Vec<Listed>, Problem> {
    let Some(facts) = settings.imburse.get(account) else { return Ok(Vec::new()) };
    let apart = |id: &str| facts.ignore_tenants.iter().any(|ignored| ignored.eq_ignore_ascii_case(id));
    let listed = estate.imburse.list_tenants(account).await.map_err(unread)?;
    let mut found = Vec::new();
    for tenant in listed {
        let stands = match tenant.standing() {
            Standing::Usable | Standing::Pending => true,
            Standing::Rejected | Standing::Deleted => false,
        };
        let id = tenant.id.raw();
        if stands && !apart(id) && !managed.has(id) {
            found.push(Listed { account: account.clone(), id: id.to_owned(), called: tenant.name.raw().to_owned() });
        }
    }
    Ok(sorted(found))
}

/// The vendor's list may have another order every day.
fn sorted(mut found: Vec<Listed>) -> Vec<Listed> {
    found.sort_by(|one, other| (&one.called, &one.id).cmp(&(&other.called, &other.id)));
    found
}

fn unread(error: ReadError) -> Problem {
    let unreadable = error.unreadable();
    Problem::new(unreadable.why.to_string(), unreadable.next)
}
