//! A fact that actions rest on, in words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::address::Address;
use crate::model::untrusted::Untrusted;

/// One thing that was read, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub name: String,
    pub value: Untrusted,
}

/// Facts by the object that rests on them.
pub type Facts = BTreeMap<Address, Vec<Fact>>;

pub(in crate::plan) fn fact(name: &str, value: impl Into<String>) -> Fact {
    Fact { name: name.to_owned(), value: Untrusted::new(value) }
}
