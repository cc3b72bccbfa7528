//! A fact that actions rest on, in words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::address::Address;
use crate::model::untrusted::Untrusted;

/// One thing that was read, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The name of the fact within its object, for comparing two plans.
    pub name: String,
    /// The value, in words.
    pub value: Untrusted,
}

/// Facts by the object that rests on them.
pub type Facts = BTreeMap<Address, Vec<Fact>>;

pub(in crate::plan) fn fact(name: &str, value: impl Into<String>) -> Fact {
    Fact { name: name.to_owned(), value: Untrusted::new(value) }
}
