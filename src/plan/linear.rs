//! Planning takes steps in proportion to the estate: four times the tenants take hardly more than four times the comparisons.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::config::{self, Source};
use crate::model::desired::Desired;
use crate::model::live::Live;
use crate::model::steps::taken;
use crate::plan::{Wishes, plan};

const SETTINGS: &str = "version: 1
accounts:
  us-oem:
    vendor: qlik
    region: us
    source_tenant: mycorp
    client: { id: { env: QLIK_CLIENT_ID }, secret: { env: QLIK_CLIENT_SECRET } }
    key_client: { id: { env: QLIK_KEY_CLIENT_ID }, secret: { env: QLIK_KEY_CLIENT_SECRET } }
    organization_client: { id: { env: QLIK_ORG_ID }, secret: { env: QLIK_ORG_SECRET } }
  pay:
    vendor: imburse
    base_url: https://sandbox-api.imbursepayments.com
    account_id: ac000000-0000-4000-8000-000000000001
    account_key: { public: { env: IMBURSE_PUBLIC_KEY }, private: { env: IMBURSE_PRIVATE_KEY } }
sinks:
  files: { kind: file, directory: ./secrets }
ledger: { kind: directory, path: .qlik-plan/ledger }
limits: { create_tenants: 100000, mint_keys: 100000 }
";

/// `tenants` tenants at each vendor, with two keys each at Qlik and one at Imburse.
fn desired(tenants: usize) -> Desired {
    let settings = Source { name: "settings.yaml".to_owned(), text: SETTINGS.to_owned() };
    let settings = config::settings(&settings, Path::new("/estate")).unwrap();
    let mut text = "version: 1\nqlik:\n  tenants:\n".to_owned();
    let grants = "{ manage_api_keys: { everyone: {} } }";
    let key = "owner: { client: {} }, expires_in: PT12H, deliver_to: files";
    for n in 0..tenants {
        let keys = format!("ci: {{ description: CI, {key} }}, bi: {{ description: BI, {key} }}");
        writeln!(
            text,
            "    q{n:05}: {{ account: us-oem, display_name: Qlik {n}, alias: q{n:05}-retail, grants: {grants}, api_keys: {{ {keys} }} }}"
        )
        .unwrap();
    }
    text += "imburse:\n  tenants:\n";
    for n in 0..tenants {
        let address = "{ street_address: 1 High Street, locality: Leeds, post_code: LS1 1AA, country: GB }";
        let keys = "admin: { name: Admin, roles: [tenant-admin], deliver_to: files }";
        writeln!(
            text,
            "    i{n:05}: {{ account: pay, display_name: Imburse {n}, address: {address}, api_keys: {{ {keys} }} }}"
        )
        .unwrap();
    }
    config::desired(&[Source { name: "all.yaml".to_owned(), text }], &settings)
        .unwrap_or_else(|report| panic!("{report}"))
}

/// Nothing is there but the tenants of others, as many as there are declared.
fn nothing(tenants: usize) -> Value {
    let others: Vec<Value> = (0..tenants)
        .map(|n| json!({ "id": format!("7e000000-0000-4000-8000-{n:012}"), "name": format!("Other {n}"), "status": "APPROVED" }))
        .collect();
    let account = json!({
        "account_id": "ac000000-0000-4000-8000-000000000001", "company_name": "Corp", "licence": "Full",
        "tenant_creation_approval_required": false, "max_tenants": null, "tenant_usage": tenants,
    });
    json!({
        "ledger": { "missing": { "place": "/ledger", "strict": false } },
        "accounts": { "us-oem": { "licence": { "present": { "status": "Ok", "valid": true } }, "organization": { "present": [] } } },
        "imburse": { "accounts": { "pay": { "tenants": { "present": others }, "account": { "present": account } } } },
    })
}

/// A half is recorded and listed, a few of it no longer declared; another half is to be made.
fn half(tenants: usize) -> Value {
    let mut live = nothing(tenants);
    let (mut records, mut found, mut listed) = (json!({}), json!({}), Vec::new());
    for n in (0..tenants).step_by(2).chain(tenants..tenants + 5) {
        let (address, id, host) =
            (format!("qlik/q{n:05}"), format!("tenant-{n}"), format!("host{n:05}.us.qlikcloud.com"));
        let binding = json!({
            "tenant_id": id, "hostname": host, "account": "us-oem", "how": "created", "at": "2026-06-01T12:00:00Z",
        });
        records[&address] = json!({
            "uid": format!("{n:032x}"), "address": address, "seq": 4, "state": { "settled": binding },
        });
        let tenant = json!({
            "id": id, "name": format!("Qlik {n}"), "hostnames": [host, format!("q{n:05}-retail.us.qlikcloud.com")], "status": "active",
        });
        found[&address] = json!({ "tenant": { "present": tenant }, "keys": { "present": {} } });
        listed.push(tenant);
    }
    live["ledger"] = json!({ "present": {
        "id": "0".repeat(32), "place": "/ledger", "records": records, "runs": {}, "other_runs": "proven",
    } });
    live["tenants"] = found;
    live["accounts"]["us-oem"]["organization"] = json!({ "present": listed });
    live
}

fn steps(tenants: usize, live: fn(usize) -> Value) -> u64 {
    let (desired, mut live): (Desired, Live) = (desired(tenants), serde_json::from_value(live(tenants)).unwrap());
    let sinks = desired
        .deliveries()
        .map(|(address, _)| (address.clone(), serde_json::from_value(json!({ "entry": "absent" })).unwrap()));
    live.sinks = sinks.collect();
    let wishes = Wishes { unrehearsed: true, unmanaged: true, ..Wishes::default() };
    let (plan, steps) = taken(|| plan(&desired, &live, &wishes, "2026-07-01T12:00:00Z".parse().unwrap()));
    let counts = plan.counts();
    assert!(
        counts.tenants_to_create >= tenants && counts.keys_to_create >= 2 * tenants,
        "{counts:?} {:?}",
        plan.actions.iter().find(|one| matches!(one.action, crate::plan::action::Action::Refuse(_)))
    );
    steps
}

/// A look at every other object for each would take sixteen times the steps. What remains above four is the depth of the maps.
#[test]
fn four_times_the_estate_takes_hardly_more_than_four_times_the_steps() {
    for (name, live) in [("nothing is there", nothing as fn(usize) -> Value), ("a half is there", half)] {
        let (few, many) = (steps(250, live), steps(1_000, live));
        assert!(many * 10 <= few * 52, "{name}: {few} steps for 250 tenants a vendor, {many} for 1,000");
    }
}
