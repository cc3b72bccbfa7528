//! Owners who are made, grants through a role, and everything that is done and kept at Imburse.

use std::collections::{BTreeMap, BTreeSet};

use qlik_plan::model::group::Group;
use qlik_plan::model::homes::{Homes, Shapes};
use qlik_plan::model::host::Host;
use qlik_plan::model::imburse::{ImburseKey, PairShape, PostalAddress};
use qlik_plan::model::marker::Letter;
use qlik_plan::model::object::Object;
use qlik_plan::model::origin::Origin;
use qlik_plan::model::spec::{Owner, User};
use qlik_plan::plan::action::{
    Action, Adopted, ByRole, CreateKey, CreateObject, CreateTenant, Grant, Keep, KeptTenant, KeyShape, KeySpec, Mark,
    MarkOf, MoveGroup, NewTenant, Parent, Permission, Planned, Reclaim, ReclaimOf, RoleStep, TenantRef, WhyMint,
};

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
        Action::MoveGroup(MoveGroup { from: Group::named(name("wholesale")), to: Group::named(name("retail")) }),
        Action::CreateObject(CreateObject { account: account(), parent: there(), object: Object::User(user.clone()) }),
        grant(there(), by_role(RoleStep::Make)),
        grant(there(), by_role(RoleStep::Extend)),
        grant(there(), by_role(RoleStep::Nothing)),
    ];
    let key = |deliver_as: PairShape| ImburseKey {
        name: word.into(),
        roles: BTreeSet::from([word.to_owned()]),
        deliver_to: Homes::one(name("files")),
        deliver_as: Shapes::All(deliver_as),
        adopt: None,
    };
    let mint = |why, shape| {
        let spec = KeySpec::Imburse(key(shape));
        Action::CreateKey(CreateKey {
            account: name("payments"),
            parent: there(),
            spec,
            why,
            replaces: vec![word.into()],
        })
    };
    let line = || Some(word.to_owned());
    let reclaim = |after_delivery, asked| {
        Action::Reclaim(Reclaim {
            account: name("payments"),
            key_id: word.into(),
            letter: Letter::Undelivered,
            after_delivery,
            of: ReclaimOf::Imburse { tenant_id: word.into(), asked },
        })
    };
    let at_imburse = [
        Action::CreateTenant(CreateTenant {
            account: name("payments"),
            of: NewTenant::Imburse {
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
            },
        }),
        mint(WhyMint::Missing, PairShape::Imburse),
        mint(WhyMint::Dead { key_id: word.into(), state: word.into() }, PairShape::Env),
        Action::Mark(Mark {
            account: name("payments"),
            key_id: word.into(),
            description: word.into(),
            of: MarkOf::Imburse { tenant_id: word.into(), roles: BTreeSet::from([word.into()]) },
        }),
        reclaim(true, false),
        reclaim(false, true),
        Action::Keep(Keep::Tenant {
            id: word.into(),
            of: KeptTenant::Imburse { name: word.into(), host: host() },
            adopted: Adopted::No,
        }),
        Action::Keep(Keep::Key {
            key_id: word.into(),
            expires: None,
            sink: name("files"),
            shape: KeyShape::Imburse(PairShape::Json),
            also: BTreeMap::from([(name("vault"), KeyShape::Imburse(PairShape::Env))]),
        }),
        Action::Keep(Keep::AdoptedKey { key_id: word.into(), expires: None }),
    ];
    let at_qlik = at_qlik.into_iter().map(|action| planned("qlik/hooli", 61, action));
    let at_imburse = at_imburse.into_iter().zip(70..).map(|(action, line)| {
        let (is_new, is_tenant) =
            (matches!(action, Action::CreateTenant(_)), matches!(action, Action::Keep(Keep::Tenant { .. })));
        let address = match (is_new, is_tenant) {
            (true, _) => "imburse/new".to_owned(),
            (false, true) => "imburse/old".to_owned(),
            (false, false) => format!("imburse/old/k{line}"),
        };
        planned(&address, line, action)
    });
    at_qlik.chain(at_imburse).collect()
}

fn grant(parent: Parent, what: ByRole) -> Action {
    Action::Grant(Grant { account: account(), parent, what: Permission::ManageApiKeysByRole(what) })
}

fn host() -> Host {
    Host::of_origin(&Origin::parse("https://sandbox-api.imbursepayments.com").unwrap()).unwrap()
}
