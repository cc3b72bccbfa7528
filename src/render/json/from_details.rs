//! From an action to its published details, field by field: a new field does not compile unnoticed.

use crate::model::address::{Name, Vendor};
use crate::model::marker;
use crate::model::spec::{self, KeyLimits, QlikKey};
use crate::plan::action;

use super::details::{
    Alias, ByRole, CreateKey, CreateTenant, Delivered, Details, Drift, DriftField, Grant, KeepKey, KeepTenant, Limits,
    Mark, MoveGroup, Owner, Permission, Reclaim, Renew, RoleStep, Settle, Shape, Trust, Wait,
};
use super::imburse;
use super::object;
use super::words::{Adopted, Cause, Letter, Parent, Tenant, User};

/// Nothing for a refusal, which is all words.
pub(super) fn details(vendor: Vendor, action: &action::Action) -> Option<Details> {
    Some(match action {
        action::Action::CreateTenant(create) => create_tenant(create),
        action::Action::Settle(settle) => Details::Settle(settle.into()),
        action::Action::MoveGroup(action::MoveGroup { from, to }) => {
            Details::MoveGroup(MoveGroup { from: from.to_string(), to: to.to_string() })
        }
        action::Action::Trust(action::Trust { account, parent }) => {
            Details::Trust(Trust { account: account.to_string(), tenant: parent.into() })
        }
        action::Action::Grant(action::Grant { account, parent, what }) => Details::Grant(Grant {
            account: account.to_string(),
            tenant: parent.into(),
            permission: match what {
                action::Permission::ManageApiKeysToEveryone => Permission::ManageApiKeysToEveryone,
                action::Permission::ManageApiKeysByRole(by) => Permission::ManageApiKeysByRole(by.into()),
            },
        }),
        action::Action::CreateObject(create) => Details::Object(object::created(create)),
        action::Action::Mark(mark) => self::mark(mark),
        action::Action::CreateKey(create) => create_key(create),
        action::Action::Renew(renew) => self::renew(renew)?,
        action::Action::Reclaim(reclaim) => self::reclaim(reclaim),
        action::Action::Keep(keep) => self::keep(vendor, keep),
        action::Action::Drift(action::Drift { fields, next: _, kept: _ }) => Details::Drift(Drift {
            fields: fields
                .iter()
                .map(|action::DriftField { field, declared, live }| DriftField {
                    field: field.clone(),
                    declared: declared.clone(),
                    live: live.raw().to_owned(),
                })
                .collect(),
        }),
        // Its `why` stands beside `kind`.
        action::Action::Wait(action::Wait { run, why: _ }) => Details::Wait(Wait { run: run.clone() }),
        action::Action::Refuse(_) => return None,
    })
}

fn keep(vendor: Vendor, keep: &action::Keep) -> Details {
    match keep {
        action::Keep::Tenant { id, of, adopted } => {
            let (id, adopted) = (id.raw().to_owned(), adopted.into());
            match of {
                action::KeptTenant::Qlik { hostname } => {
                    Details::KeepTenant(KeepTenant { id, hostname: hostname.raw().to_owned(), adopted })
                }
                action::KeptTenant::Imburse { name, host } => {
                    Details::Imburse(imburse::keep_tenant(id, name, host, adopted))
                }
            }
        }
        action::Keep::Key { key_id, expires, sink, shape, also } => match shape {
            action::KeyShape::Qlik(shape) => Details::KeepKey(KeepKey {
                key_id: key_id.clone(),
                expires: *expires,
                delivered: Some(delivered(sink, *shape)),
                also_delivered: also
                    .iter()
                    .filter_map(|(home, shape)| match shape {
                        action::KeyShape::Qlik(shape) => Some(delivered(home, *shape)),
                        action::KeyShape::Imburse(_) => None,
                    })
                    .collect(),
            }),
            action::KeyShape::Imburse(shape) => Details::Imburse(imburse::keep_key(key_id, sink, *shape, also)),
        },
        action::Keep::AdoptedKey { key_id, expires } => match vendor {
            Vendor::Qlik => Details::KeepKey(KeepKey {
                key_id: key_id.clone(),
                expires: *expires,
                delivered: None,
                also_delivered: Vec::new(),
            }),
            Vendor::Imburse => Details::Imburse(imburse::keep_adopted_key(key_id)),
        },
        action::Keep::Object(object) => Details::Object(object::kept(object)),
    }
}

impl From<&action::Adopted> for Adopted {
    fn from(adopted: &action::Adopted) -> Self {
        match adopted {
            action::Adopted::No => Self::No,
            action::Adopted::ToRecord { account } => Self::ToRecord(account.to_string()),
            action::Adopted::Recorded => Self::Recorded,
        }
    }
}

impl From<marker::Letter> for Letter {
    fn from(letter: marker::Letter) -> Self {
        match letter {
            marker::Letter::Undelivered => Self::Undelivered,
            marker::Letter::Delivered => Self::Delivered,
        }
    }
}

fn create_tenant(create: &action::CreateTenant) -> Details {
    let action::CreateTenant { account, of } = create;
    match of {
        action::NewTenant::Qlik { region } => Details::CreateTenant(CreateTenant {
            account: account.to_string(),
            region: region.label.to_string(),
            register: region.register().as_str().to_owned(),
        }),
        action::NewTenant::Imburse { host, name, address, waits_for_approval } => {
            Details::Imburse(imburse::create_tenant(account, host, name, address, *waits_for_approval))
        }
    }
}

impl From<&action::Settle> for Settle {
    fn from(settle: &action::Settle) -> Self {
        let action::Settle { account, parent, parts } = settle;
        let mut out = Self {
            account: account.to_string(),
            tenant: parent.into(),
            display_name: None,
            alias: None,
            api_key_limits: None,
        };
        for part in parts {
            match part {
                action::SettlePart::Name(name) => out.display_name = Some(name.clone()),
                action::SettlePart::Alias { label, host } => {
                    out.alias = Some(Alias { label: label.to_string(), host: host.clone() });
                }
                action::SettlePart::Limits(KeyLimits { max_expiry, max_keys_per_user }) => {
                    out.api_key_limits = Some(Limits {
                        max_expiry: max_expiry.map(|limit| limit.to_string()),
                        max_keys_per_user: *max_keys_per_user,
                    });
                }
            }
        }
        out
    }
}

fn mark(mark: &action::Mark) -> Details {
    let action::Mark { account, key_id, description, of } = mark;
    let (account, key_id, text) = (account.to_string(), key_id.clone(), description.raw().to_owned());
    match of {
        action::MarkOf::Qlik { parent, owner } => {
            Details::Mark(Mark { account, tenant: parent.into(), owner: owner.into(), key_id, description: text })
        }
        action::MarkOf::Imburse { tenant_id, roles } => {
            Details::Imburse(imburse::mark(account, tenant_id, key_id, text, roles))
        }
    }
}

fn create_key(create: &action::CreateKey) -> Details {
    let action::CreateKey { account, parent, spec, why, replaces: _ } = create;
    match spec {
        action::KeySpec::Qlik(spec) => Details::CreateKey(minted(account, parent, spec, why)),
        action::KeySpec::Imburse(spec) => Details::Imburse(imburse::create_key(account, parent, spec, why)),
    }
}

/// Nothing for a key that has no end, which is never due.
fn renew(renew: &action::Renew) -> Option<Details> {
    let action::Renew { create: action::CreateKey { account, parent, spec, why, replaces: _ }, key_id, expires } =
        renew;
    match spec {
        action::KeySpec::Qlik(spec) => {
            let successor = minted(account, parent, spec, why);
            Some(Details::Renew(Renew { key_id: key_id.clone(), expires: *expires, successor }))
        }
        action::KeySpec::Imburse(_) => None,
    }
}

fn delivered(home: &Name, shape: spec::Shape) -> Delivered {
    Delivered { sink: home.to_string(), shape: shape.into() }
}

fn minted(account: &Name, parent: &action::Parent, spec: &QlikKey, why: &action::WhyMint) -> CreateKey {
    // An adopted key is never minted.
    let QlikKey { description, owner, expires_in, renew_before, deliver_to, deliver_as, adopt: _ } = spec;
    CreateKey {
        account: account.to_string(),
        tenant: parent.into(),
        description: description.clone(),
        owner: owner.into(),
        expires_in: expires_in.to_string(),
        renew_before: renew_before.to_string(),
        deliver_to: deliver_to.first().to_string(),
        deliver_as: deliver_as.of(deliver_to.first()).into(),
        also_deliver_to: deliver_to.others().map(|home| delivered(home, deliver_as.of(home))).collect(),
        cause: why.into(),
    }
}

impl From<&action::WhyMint> for Cause {
    fn from(why: &action::WhyMint) -> Self {
        match why {
            action::WhyMint::Missing => Self::Missing,
            action::WhyMint::Dead { key_id, state } => Self::Dead { key_id: key_id.clone(), state: state.clone() },
            action::WhyMint::Supersede { key_id } => Self::Supersede { key_id: key_id.clone() },
            action::WhyMint::Asked => Self::Asked,
            action::WhyMint::Replaced { key_id } => Self::Replaced { key_id: key_id.clone() },
        }
    }
}

fn reclaim(reclaim: &action::Reclaim) -> Details {
    let action::Reclaim { account, key_id, letter, after_delivery, of } = reclaim;
    let (account, key_id, letter, after_delivery) =
        (account.to_string(), key_id.clone(), (*letter).into(), *after_delivery);
    match of {
        action::ReclaimOf::Qlik { parent, owner, created, expires } => Details::Reclaim(Reclaim {
            account,
            tenant: parent.into(),
            owner: owner.into(),
            key_id,
            created: *created,
            expires: *expires,
            letter,
            after_delivery,
        }),
        action::ReclaimOf::Imburse { tenant_id, asked } => {
            Details::Imburse(imburse::reclaim(account, tenant_id, key_id, letter, after_delivery, *asked))
        }
    }
}

impl From<&action::Parent> for Parent {
    fn from(parent: &action::Parent) -> Self {
        match parent {
            action::Parent::Exists(tenant) => Self::Exists(tenant.into()),
            action::Parent::MadeBefore(address) => Self::MadeBefore(address.to_string()),
        }
    }
}

impl From<&action::TenantRef> for Tenant {
    fn from(tenant: &action::TenantRef) -> Self {
        let action::TenantRef { id, hostname } = tenant;
        Self { id: id.raw().to_owned(), hostname: hostname.raw().to_owned() }
    }
}

impl From<&spec::Owner> for Owner {
    fn from(owner: &spec::Owner) -> Self {
        match owner {
            spec::Owner::Client => Self::Client,
            spec::Owner::Configured(name) => Self::Configured(name.to_string()),
            spec::Owner::User(user) => Self::User(user.into()),
        }
    }
}

impl From<&spec::User> for User {
    fn from(user: &spec::User) -> Self {
        let spec::User { id, subject, email, name } = user;
        Self { id: id.clone(), subject: subject.clone(), email: email.clone(), name: name.clone() }
    }
}

impl From<&action::ByRole> for ByRole {
    fn from(by: &action::ByRole) -> Self {
        let action::ByRole { role, step, to, groups, also_allows } = by;
        Self {
            role: role.clone(),
            step: match step {
                action::RoleStep::Nothing => RoleStep::Nothing,
                action::RoleStep::Make => RoleStep::Make,
                action::RoleStep::Extend => RoleStep::Extend,
            },
            users: to.iter().map(Owner::from).collect(),
            groups: groups.clone(),
            also_allows: also_allows.iter().map(|also| also.raw().to_owned()).collect(),
        }
    }
}

impl From<spec::Shape> for Shape {
    fn from(shape: spec::Shape) -> Self {
        match shape {
            spec::Shape::Token => Self::Token,
            spec::Shape::Env => Self::Env,
            spec::Shape::Json => Self::Json,
            spec::Shape::QlikCli => Self::QlikCli,
            spec::Shape::Stackone => Self::Stackone,
        }
    }
}
