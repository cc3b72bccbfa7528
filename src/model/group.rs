//! The group that a tenant belongs to: one of several teams' parts of an estate.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::address::Name;

/// A group's name. Desired state without one is of the group `default`, and so is a record from before there were groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Name", into = "String")]
pub struct Group(Option<Name>);

/// The name of the group that is meant where none is named.
const DEFAULT: &str = "default";

impl Group {
    /// The group that is called `name`.
    pub fn named(name: Name) -> Self {
        Self(Some(name).filter(|name| name.as_str() != DEFAULT))
    }

    /// Returns whether it is the group of whatever names none.
    pub fn is_default(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the group's name.
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or(DEFAULT, Name::as_str)
    }
}

impl From<Name> for Group {
    fn from(name: Name) -> Self {
        Self::named(name)
    }
}

impl From<Group> for String {
    fn from(group: Group) -> Self {
        group.as_str().to_owned()
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
