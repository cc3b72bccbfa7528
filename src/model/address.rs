//! The name of a declared object: `qlik/acme`, `qlik/acme/stackone`. Identity, text form and order of making.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Words for other kinds of parts of a tenant: no key has one for a name, so that an address can say its kind.
pub const RESERVED: [&str; 5] = ["group", "key", "role", "space", "user"];

/// The longest name, in bytes. A name must fit one DNS label and one file name with room to spare.
pub const NAME_MAX: usize = 63;

/// A name in desired state or settings: `[a-z0-9][a-z0-9-]*`, at most 63 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// The reason for which a text is not a [`Name`] or an [`Address`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("a name may not be empty")]
    Empty,
    /// The text is longer than [`NAME_MAX`]. It holds the length in bytes.
    #[error("a name has at most 63 characters, this one has {0}")]
    TooLong(usize),
    /// The text has a character outside the grammar, or starts with a hyphen. It holds the first such character.
    #[error("a name consists of a-z, 0-9 and '-', and starts with a letter or digit; found {0:?}")]
    Character(char),
    /// The text has too few or too many slashes for an address, or a word for a kind that no part has.
    #[error("an address is VENDOR/TENANT or VENDOR/TENANT/KEY, as in qlik/acme/ci")]
    Shape,
    /// The address begins with a word that is no vendor.
    #[error("no vendor is called {0:?}; known: qlik, imburse")]
    Vendor(String),
}

impl Name {
    /// Parses a name.
    ///
    /// # Errors
    /// Says which rule of the grammar the text breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let first = text.chars().next().ok_or(NameError::Empty)?;
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !letter(first) {
            return Err(NameError::Character(first));
        }
        if let Some(bad) = text.chars().find(|&c| !letter(c) && c != '-') {
            return Err(NameError::Character(bad));
        }
        if text.len() > NAME_MAX {
            return Err(NameError::TooLong(text.len()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The company in whose cloud an object lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// Qlik Cloud.
    Qlik,
    /// Imburse Payments.
    Imburse,
}

impl Vendor {
    /// Returns the word that addresses begin with.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qlik => "qlik",
            Self::Imburse => "imburse",
        }
    }
}

/// A declared part of a tenant: its kind and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// An API key. An address names it without a word for its kind: `qlik/acme/ci`.
    Key(Name),
    /// A space. Only tests have this kind, to show what a new one costs: `qlik/acme/space/finance`.
    #[cfg(test)]
    Space(Name),
}

impl Part {
    /// The part that a third of an address names, or a word for its kind and its name.
    fn of(kind: Option<&str>, name: &str) -> Result<Self, NameError> {
        match kind {
            None => Name::parse(name).map(Self::Key),
            #[cfg(test)]
            Some("space") => Name::parse(name).map(Self::Space),
            Some(_) => Err(NameError::Shape),
        }
    }

    /// Returns the last segment of an address.
    fn text(&self) -> String {
        match self {
            Self::Key(name) => name.to_string(),
            #[cfg(test)]
            Self::Space(name) => format!("space/{name}"),
        }
    }
}

/// `VENDOR/TENANT[/PART]`. Its order is the order of making and of printing: a tenant stands before its parts, and of them its keys
/// stand first.
#[derive(Clone, Debug)]
#[cfg_attr(not(test), derive(PartialEq, Eq, PartialOrd, Ord, Hash))]
pub struct Address {
    /// The vendor whose cloud it lives in.
    pub vendor: Vendor,
    /// The tenant that it is or lies in, by its name in desired state.
    pub tenant: Name,
    /// The part of the tenant; `None` for the tenant itself.
    pub part: Option<Part>,
}

#[cfg(test)]
super::steps::counted!(Address, |address| (address.vendor, &address.tenant, &address.part));

impl Address {
    /// Makes the address of a tenant.
    pub fn tenant(vendor: Vendor, tenant: Name) -> Self {
        Self { vendor, tenant, part: None }
    }

    /// The key `name` of this address's tenant.
    pub fn with_key(&self, name: Name) -> Self {
        Self { part: Some(Part::Key(name)), ..self.parent() }
    }

    /// The space `name` of this address's tenant.
    #[cfg(test)]
    pub fn with_space(&self, name: Name) -> Self {
        Self { part: Some(Part::Space(name)), ..self.parent() }
    }

    /// The tenant that this address names or lies in.
    pub fn parent(&self) -> Self {
        Self { vendor: self.vendor, tenant: self.tenant.clone(), part: None }
    }

    /// Returns whether it names a tenant and no part of one.
    pub fn is_tenant(&self) -> bool {
        self.part.is_none()
    }

    /// Returns the name of the key; `None` where it names no key.
    pub fn key(&self) -> Option<&Name> {
        match self.part.as_ref()? {
            Part::Key(name) => Some(name),
            #[cfg(test)]
            Part::Space(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenant = format!("{}/{}", self.vendor.as_str(), self.tenant);
        match &self.part {
            None => f.pad(&tenant),
            Some(part) => f.pad(&format!("{tenant}/{}", part.text())),
        }
    }
}

impl FromStr for Address {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let mut words = text.split('/');
        let (Some(vendor), Some(tenant), third, fourth, None) =
            (words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            return Err(NameError::Shape);
        };
        let vendor = match vendor {
            "qlik" => Vendor::Qlik,
            "imburse" => Vendor::Imburse,
            other => return Err(NameError::Vendor(other.to_owned())),
        };
        let part = match (third, fourth) {
            (None, _) => None,
            (Some(name), None) => Some(Part::of(None, name)?),
            (Some(kind), Some(name)) => Some(Part::of(Some(kind), name)?),
        };
        Ok(Self { vendor, tenant: Name::parse(tenant)?, part })
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_it_prints_and_sorts_a_tenant_before_its_keys() {
        let mut all: Vec<Address> =
            ["qlik/b", "qlik/a/z", "qlik/a", "qlik/a-b"].iter().map(|t| t.parse().unwrap()).collect();
        all.sort();
        let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["qlik/a", "qlik/a/z", "qlik/a-b", "qlik/b"]);
    }

    #[test]
    fn an_address_has_a_vendor_a_tenant_and_at_most_a_part_of_a_known_kind() {
        for bad in ["qlik", "qlik/a/role/b", "qlik/a/key/b", "qlik/a/b/c/d", "qlik/a/", "qlik//a", "s3/a"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_outside_the_grammar_are_refused() {
        for bad in ["", "-a", "A", "a_b", "a/b", "ä", &"a".repeat(64)] {
            assert!(Name::parse(bad).is_err(), "{bad}");
        }
        assert!(Name::parse(&"a".repeat(63)).is_ok());
    }
}
