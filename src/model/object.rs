//! Objects of a tenant that are made where they are missing, and never changed: one kind each, with what is sent of it.
//!
//! A new kind begins here: its word and its fields are all that counts, texts and documents say of it.

use serde::{Deserialize, Serialize};

use super::spec::User;

/// One object to be made, as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// A user of a tenant at Qlik who is to own keys. The subject is unique in its tenant.
    User(User),
    /// A space of a tenant at Qlik. Only tests have this kind.
    #[cfg(test)]
    Space(Space),
}

/// A declared space. Its name is unique in its tenant.
#[cfg(test)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// The name that people see.
    pub name: String,
    /// `shared`, `managed` or `data`, as the vendor says it.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The kind of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A user of a tenant at Qlik.
    User,
    /// A space of a tenant at Qlik.
    #[cfg(test)]
    Space,
}

impl ObjectKind {
    /// Every kind, in the order in which sentences count them.
    pub const ALL: &'static [Self] = &[
        Self::User,
        #[cfg(test)]
        Self::Space,
    ];

    /// The kind with its vendor, as types of resources are called.
    pub fn with_vendor(self) -> &'static str {
        match self {
            Self::User => "qlik_user",
            #[cfg(test)]
            Self::Space => "qlik_space",
        }
    }

    /// The word for one object of this kind, in sentences and documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            #[cfg(test)]
            Self::Space => "space",
        }
    }
}

impl Object {
    /// The object's kind.
    pub fn kind(&self) -> ObjectKind {
        match self {
            Self::User(_) => ObjectKind::User,
            #[cfg(test)]
            Self::Space(_) => ObjectKind::Space,
        }
    }

    /// The text that is unique among the tenant's objects of this kind.
    pub fn unique(&self) -> &str {
        match self {
            Self::User(user) => user.subject.as_deref().unwrap_or_default(),
            #[cfg(test)]
            Self::Space(space) => &space.name,
        }
    }

    /// The fields that are sent, by the names that desired state has. `None`: not declared.
    pub fn fields(&self) -> Vec<(&'static str, Option<&str>)> {
        match self {
            // Nobody is made of an id.
            Self::User(User { id: _, subject, email, name }) => {
                vec![("subject", subject.as_deref()), ("email", email.as_deref()), ("name", name.as_deref())]
            }
            #[cfg(test)]
            Self::Space(Space { name, kind }) => vec![("name", Some(name)), ("type", Some(kind))],
        }
    }
}
