//! The sinks that one key is delivered to, and the shape of its payload in each. A key counts as delivered once all have it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::address::Name;

/// The sinks of one key, by their names in settings. Never empty; in the order of names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Homes {
    first: Name,
    others: BTreeSet<Name>,
}

impl Homes {
    /// Makes the homes of a key that is delivered to one sink.
    pub fn one(name: Name) -> Self {
        Self { first: name, others: BTreeSet::new() }
    }

    /// Makes homes of names; `None` where there is none.
    pub fn of(names: impl IntoIterator<Item = Name>) -> Option<Self> {
        let mut others: BTreeSet<Name> = names.into_iter().collect();
        let first = others.pop_first()?;
        Some(Self { first, others })
    }

    /// The first by name.
    pub fn first(&self) -> &Name {
        &self.first
    }

    /// All but the first.
    pub fn others(&self) -> impl Iterator<Item = &Name> {
        self.others.iter()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Name> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Returns whether there is more than one.
    pub fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// Returns whether the sink is one of them.
    pub fn contain(&self, name: &Name) -> bool {
        self.first == *name || self.others.contains(name)
    }

    /// Returns words that stand in a sentence for one thing: `sink files`, or `each of the sinks files and vault`.
    pub fn named(&self) -> String {
        match self.are_several() {
            false => format!("sink {}", self.first),
            true => format!("each of the sinks {self}"),
        }
    }
}

impl fmt::Display for Homes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.first.as_str())?;
        let last = self.others.last();
        self.others.iter().try_for_each(|name| write!(f, "{}{name}", if Some(name) == last { " and " } else { ", " }))
    }
}

/// Homes as they are written down: a name alone, or a list.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    One(Name),
    Several(Vec<Name>),
}

impl From<Homes> for Written {
    fn from(homes: Homes) -> Self {
        match homes.are_several() {
            false => Self::One(homes.first),
            true => Self::Several(homes.iter().cloned().collect()),
        }
    }
}

impl TryFrom<Written> for Homes {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written::One(name) => Some(Self::one(name)),
            Written::Several(names) => Self::of(names),
        }
        .ok_or("a key is delivered to at least one sink")
    }
}

/// The shape of a key's payload, sink by sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Shapes<S> {
    /// The same everywhere.
    All(S),
    /// One for each, by the sink's name in settings; the vendor's usual shape in a sink that is not named.
    Each(BTreeMap<Name, S>),
}

impl<S: Copy + Default> Shapes<S> {
    /// Returns the shape of the payload in one sink.
    pub fn of(&self, home: &Name) -> S {
        match self {
            Self::All(shape) => *shape,
            Self::Each(each) => each.get(home).copied().unwrap_or_default(),
        }
    }
}

impl<S: Default> Default for Shapes<S> {
    fn default() -> Self {
        Self::All(S::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::spec::Shape;

    fn homes(names: &[&str]) -> Homes {
        Homes::of(names.iter().map(|name| Name::parse(name).unwrap())).unwrap()
    }

    #[test]
    fn one_home_is_written_as_a_name_and_several_as_a_list() {
        for (names, written, said, named) in [
            (&["files"][..], r#""files""#, "files", "sink files"),
            (&["vault", "files"], r#"["files","vault"]"#, "files and vault", "each of the sinks files and vault"),
            (&["c", "a", "b"], r#"["a","b","c"]"#, "a, b and c", "each of the sinks a, b and c"),
        ] {
            let homes = homes(names);
            assert_eq!(serde_json::to_string(&homes).unwrap(), written);
            assert_eq!(serde_json::from_str::<Homes>(written).unwrap(), homes);
            assert_eq!((homes.to_string().as_str(), homes.named().as_str()), (said, named));
        }
        assert!(serde_json::from_str::<Homes>("[]").is_err());
    }

    #[test]
    fn a_shape_is_for_all_homes_or_for_each() {
        let name = |name| Name::parse(name).unwrap();
        let read = |text| serde_json::from_str::<Shapes<Shape>>(text).unwrap();
        assert_eq!(read(r#""env""#).of(&name("vault")), Shape::Env);
        let each = read(r#"{"vault":"json"}"#);
        assert_eq!((each.of(&name("vault")), each.of(&name("files"))), (Shape::Json, Shape::Token));
        assert_eq!(serde_json::to_string(&each).unwrap(), r#"{"vault":"json"}"#);
    }
}
