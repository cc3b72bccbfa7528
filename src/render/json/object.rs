//! The published format of a tenant's objects that are made where they are missing, and the way there. It grows by addition only.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::object::{self, ObjectKind};
use crate::plan::action;

use super::words::{Parent, User};

/// What an action is about.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Object {
    Tenant,
    Key,
    /// A user of the tenant that `address` names.
    User,
    #[cfg(test)]
    Space,
}

/// What is said of an object.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ObjectDetails {
    CreateUser(CreateUser),
    KeepObject(KeepObject),
    #[cfg(test)]
    CreateSpace(CreateSpace),
}

/// A space that is made. Only tests have this kind.
#[cfg(test)]
#[derive(Serialize, JsonSchema)]
pub(super) struct CreateSpace {
    account: String,
    tenant: Parent,
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// A user who is made, because keys are declared to be theirs.
#[derive(Serialize, JsonSchema)]
pub(super) struct CreateUser {
    account: String,
    tenant: Parent,
    user: User,
}

/// A declared object that is there.
#[derive(Serialize, JsonSchema)]
pub(super) struct KeepObject {
    object: Object,
    /// Its declared fields.
    fields: BTreeMap<&'static str, String>,
}

/// The making of an object, as a step.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ObjectStep {
    CreateUser,
    #[cfg(test)]
    CreateSpace,
}

/// The number of objects by what is done about them.
#[derive(Serialize, JsonSchema)]
pub(super) struct ObjectCounts {
    users_to_create: usize,
    #[cfg(test)]
    spaces_to_create: usize,
}

impl From<ObjectKind> for Object {
    fn from(kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::User => Self::User,
            #[cfg(test)]
            ObjectKind::Space => Self::Space,
        }
    }
}

impl From<ObjectKind> for ObjectStep {
    fn from(kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::User => Self::CreateUser,
            #[cfg(test)]
            ObjectKind::Space => Self::CreateSpace,
        }
    }
}

impl From<&BTreeMap<ObjectKind, usize>> for ObjectCounts {
    fn from(counts: &BTreeMap<ObjectKind, usize>) -> Self {
        let of = |kind| counts.get(&kind).copied().unwrap_or(0);
        Self {
            users_to_create: of(ObjectKind::User),
            #[cfg(test)]
            spaces_to_create: of(ObjectKind::Space),
        }
    }
}

pub(super) fn created(create: &action::CreateObject) -> ObjectDetails {
    let action::CreateObject { account, parent, object } = create;
    let (account, tenant) = (account.to_string(), parent.into());
    match object {
        object::Object::User(user) => ObjectDetails::CreateUser(CreateUser { account, tenant, user: user.into() }),
        #[cfg(test)]
        object::Object::Space(object::Space { name, kind }) => {
            ObjectDetails::CreateSpace(CreateSpace { account, tenant, name: name.clone(), kind: kind.clone() })
        }
    }
}

pub(super) fn kept(object: &object::Object) -> ObjectDetails {
    let declared = object.fields().into_iter().filter_map(|(field, value)| Some((field, value?.to_owned())));
    ObjectDetails::KeepObject(KeepObject { object: object.kind().into(), fields: declared.collect() })
}
