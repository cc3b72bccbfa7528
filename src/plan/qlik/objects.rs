//! The objects of a tenant that are made where they are missing, one kind after the other.

use crate::model::object::Object;
use crate::plan::action::{Action, CreateObject, Parent};

use super::ground::{Ground, Qlik};
use super::slots::Slots;

#[cfg(test)]
use crate::model::{live::Observed, spec::Spec};
#[cfg(test)]
use crate::plan::{
    action::{Keep, Plan, Wait},
    limit::depends,
    refusal::{Code, Refusal},
    scene::push,
};

/// The objects that are made for the tenant: the owners that the planned keys need and who are not there, by subject.
pub(super) fn missing(tenant: &Qlik<'_>, ground: &Ground<'_>, slots: &Slots, own: &mut Vec<Action>) {
    let parent = match ground {
        Ground::Exists { at, .. } => Parent::Exists(at.clone()),
        Ground::MadeBefore { .. } | Ground::Refused | Ground::Waiting => Parent::MadeBefore(tenant.address.clone()),
    };
    own.extend(slots.to_make.values().map(|(user, _)| {
        let (account, parent) = (tenant.spec.account.clone(), parent.clone());
        Action::CreateObject(CreateObject { account, parent, object: Object::User(user.clone()) })
    }));
}

/// Plans each declared space: it is there, or it is made. Only tests have this kind.
#[cfg(test)]
pub(super) fn spaces(tenant: &Qlik<'_>, ground: &Ground<'_>, plan: &mut Plan) {
    let (scene, items) = (tenant.scene, &tenant.scene.desired.items);
    for (address, declared) in
        items.range(tenant.address.clone()..).take_while(|(at, _)| at.parent() == *tenant.address)
    {
        let Spec::QlikSpace(space) = &declared.spec else { continue };
        let object = Object::Space(space.clone());
        let create = |parent| {
            let account = tenant.spec.account.clone();
            Action::CreateObject(CreateObject { account, parent, object: object.clone() })
        };
        let action = match ground {
            Ground::Refused => Action::Refuse(depends(&tenant.address.to_string())),
            Ground::Waiting => Action::Wait(Wait { run: None, why: format!("its tenant {} waits", tenant.address) }),
            Ground::MadeBefore { .. } => create(Parent::MadeBefore(tenant.address.clone())),
            Ground::Exists { at, live, .. } => match &live.spaces {
                Some(Observed::Present(there)) if there.contains(&space.name) => Action::Keep(Keep::Object(object)),
                Some(Observed::Present(_) | Observed::Absent) => create(Parent::Exists(at.clone())),
                Some(Observed::Unreadable(unreadable)) => Action::Refuse(unreadable.into()),
                None => {
                    Action::Refuse(Refusal::new(Code::Unreadable, "the tenant's spaces were not read", "plan again"))
                }
            },
        };
        push(plan, scene, address, action);
    }
}
