//! The objects of a tenant that are made where they are missing, one kind after the other.

use crate::model::object::Object;
use crate::plan::action::{Action, CreateObject, Parent};

use super::ground::{Ground, Qlik};
use super::slots::Slots;

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
