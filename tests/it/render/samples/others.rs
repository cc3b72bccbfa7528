//! Owners who are made, grants through a role, and everything that is done and kept at Imburse.

use std::collections::BTreeSet;

use qlik_plan::model::host::Host;
use qlik_plan::model::imburse::{ImburseKey, PostalAddress, Shape};
use qlik_plan::model::marker::Letter;
use qlik_plan::model::origin::Origin;
use qlik_plan::model::spec::{Owner, User};
use qlik_plan::plan::action::{
    Action, Adopted, ByRole, CreateUser, Grant, Parent, Permission, Planned, RoleStep, TenantRef, WhyMint,
};
use qlik_plan::plan::imburse::action::{CreateKey, CreateTenant, Imburse, Keep, Mark, Reclaim};

use super::{account, name, planned};

/// One of each, with `word` wherever there is a text.
pub(crate) fn others(word: &str) -> Vec<Planned> {
    let there = || Parent::Exists(TenantRef { id: word.into(), hostname: word.into() });
    let user = User { id: None, subject: Some(word.into()), email: Some(word.into()), name: Some(word.into()) };
    let by_role = |step| ByRole {
        role: word.into(),
        step,
        to: vec![Owner::User(user.clone())],
        groups: vec![word.into()],
        also_allows: vec![word.into()],
    };
    let at_qlik = [
        Action::CreateUser(CreateUser { account: account(), parent: there(), user: user.clone() }),
        grant(there(), by_role(RoleStep::Make)),
        grant(there(), by_role(RoleStep::Extend)),
        grant(there(), by_role(RoleStep::Nothing)),
    ];
    let key = |deliver_as| ImburseKey {
        name: word.into(),
        roles: BTreeSet::from([word.to_owned()]),
        deliver_to: name("files"),
        deliver_as,
        adopt: None,
    };
    let mint = |why, shape| {
        Imburse::CreateKey(CreateKey { account: name("payments"), parent: there(), spec: key(shape), why })
    };
    let line = || Some(word.to_owned());
    let reclaim = |after_delivery, asked| {
        Imburse::Reclaim(Reclaim {
            account: name("payments"),
            tenant_id: word.into(),
            public_key: word.into(),
            letter: Letter::Undelivered,
            after_delivery,
            asked,
        })
    };
    let at_imburse = [
        Imburse::CreateTenant(CreateTenant {
            account: name("payments"),
            host: host(),
            name: word.into(),
            address: PostalAddress {
                street_address: line(),
                extended_address: line(),
                locality: line(),
                region: line(),
                post_code: line(),
                country: line(),
            },
            waits_for_approval: Some(true),
        }),
        mint(WhyMint::Missing, Shape::Imburse),
        mint(WhyMint::Dead { key_id: word.into(), state: word.into() }, Shape::Env),
        Imburse::Mark(Mark {
            account: name("payments"),
            tenant_id: word.into(),
            public_key: word.into(),
            name: word.into(),
            roles: BTreeSet::from([word.into()]),
        }),
        reclaim(true, false),
        reclaim(false, true),
        Imburse::Keep(Keep::Tenant { id: word.into(), name: word.into(), host: host(), adopted: Adopted::No }),
        Imburse::Keep(Keep::Key { public_key: word.into(), sink: name("files"), shape: Shape::Json }),
        Imburse::Keep(Keep::AdoptedKey { public_key: word.into() }),
    ];
    let at_qlik = at_qlik.into_iter().map(|action| planned("qlik/hooli", 61, action));
    let at_imburse = at_imburse.into_iter().zip(70..).map(|(action, line)| {
        let address = match action {
            Imburse::CreateTenant(_) => "imburse/new".to_owned(),
            Imburse::Keep(Keep::Tenant { .. }) => "imburse/old".to_owned(),
            Imburse::CreateKey(_) | Imburse::Mark(_) | Imburse::Reclaim(_) | Imburse::Keep(_) => {
                format!("imburse/old/k{line}")
            }
        };
        planned(&address, line, Action::Imburse(action))
    });
    at_qlik.chain(at_imburse).collect()
}

fn grant(parent: Parent, what: ByRole) -> Action {
    Action::Grant(Grant { account: account(), parent, what: Permission::ManageApiKeysByRole(what) })
}

fn host() -> Host {
    Host::of_origin(&Origin::parse("https://sandbox-api.imbursepayments.com").unwrap()).unwrap()
}
