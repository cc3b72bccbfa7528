//! Objects as JSON, in the names and with the members of each generation of the vendor's documents.

use serde_json::{Value, json};

use super::state::{Account, Address, Key, Standing, Tenant};
use super::switches::{Shape, Switches, Words};

fn address(address: &Address, shape: Shape) -> Value {
    let second = match shape {
        Shape::Current => "extendedAddress",
        Shape::Of2019 => "extendedStreetAddress",
    };
    let mut shown = json!({
        "streetAddress": address.street_address,
        "locality": address.locality,
        "region": address.region,
        "postCode": address.post_code,
        "country": address.country,
    });
    shown[second] = json!(address.extended_address);
    shown
}

pub(super) fn tenant(tenant: &Tenant, account_id: &str, shape: Shape, switches: &Switches) -> Value {
    let mut shown = json!({
        "tenantId": tenant.tenant_id,
        "accountId": account_id,
        "name": tenant.name,
        "address": address(&tenant.address, shape),
    });
    if shape == Shape::Current {
        let on = |event: &Option<(jiff::Timestamp, String)>| event.as_ref().map(|(at, _)| format!("{at:.3}"));
        let by = |event: &Option<(jiff::Timestamp, String)>| event.as_ref().map(|(_, who)| who.clone());
        // Where nobody has to approve, the vendor may say that it approved itself, or nothing.
        let itself =
            (!tenant.needs_approval && switches.approves_itself).then(|| (tenant.created, tenant.created_by.clone()));
        let approved = tenant.approved.clone().or(itself);
        shown["status"] = Value::from(word(tenant.standing(), switches.words));
        shown["statusDetails"] = json!({
            "createdOn": format!("{:.3}", tenant.created),
            "createdBy": tenant.created_by,
            "approvedOn": on(&approved),
            "approvedBy": by(&approved),
            "rejectedOn": on(&tenant.rejected),
            "rejectionReason": tenant.rejection_reason,
            "rejectedBy": by(&tenant.rejected),
            "deletedOn": on(&tenant.deleted),
            "deletedBy": by(&tenant.deleted),
        });
    }
    shown
}

fn word(standing: Standing, words: Words) -> &'static str {
    match (words, standing) {
        (Words::Same, _) => "Active",
        (Words::Title, Standing::Pending) => "Pending",
        (Words::Title, Standing::Approved) => "Approved",
        (Words::Title, Standing::Rejected) => "Rejected",
        (Words::Title, Standing::Deleted) => "Deleted",
        (Words::Upper, Standing::Pending) => "PENDING_APPROVAL",
        (Words::Upper, Standing::Approved) => "ACTIVE",
        (Words::Upper, Standing::Rejected) => "REJECTED",
        (Words::Upper, Standing::Deleted) => "DELETED",
    }
}

pub(super) fn account(account: &Account, usage: i64, shape: Shape) -> Value {
    let flag = match shape {
        Shape::Current => "tenantCreationApprovalRequired",
        Shape::Of2019 => "tenantCreationRequiresApproval",
    };
    let start = account.created.strftime("%Y-%m-%dT00:00:00Z").to_string();
    let mut shown = json!({
        "accountId": account.account_id,
        "imburseAccountRef": "SANDBOX",
        "companyName": account.company,
        "billingContactFirstName": "Sandbox",
        "billingContactLastName": "Account",
        "billingContactAddress": address(&Address::default(), Shape::Current),
        "license": {
            "licenseId": "00000000-0000-4000-8000-000000000000",
            "licenseName": "Sandbox",
            "maxTenants": account.max_tenants,
            "maxTransactions": -1,
            "maxCollectApps": -1,
            "maxPayoutApps": -1,
            "licensePeriodStartDate": start,
            "licensePeriodEndDate": Value::Null,
            "tenantUsage": usage,
            "enableMandates": false,
        },
    });
    shown[flag] = Value::from(account.approval_required);
    shown
}

/// Whose a key is, for the generation that says so in every key.
pub(super) struct Owner<'a> {
    pub(super) account_id: &'a str,
    pub(super) tenant_id: Option<&'a str>,
}

pub(super) fn key(key: &Key, owner: &Owner<'_>, shape: Shape) -> Value {
    match shape {
        Shape::Current => json!({
            "identity": key.identity,
            "name": key.name,
            "publicKey": key.public_key,
            "roles": key.roles,
        }),
        Shape::Of2019 => json!({
            "tenantId": owner.tenant_id,
            "accountId": owner.account_id,
            "name": key.name,
            "publicKey": key.public_key,
            "roles": key.roles,
        }),
    }
}
