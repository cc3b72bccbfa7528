//! The name of each key in a store, as a template of settings: no two keys have the same.

use std::fmt;

use super::super::address::Address;

/// The path of each key in a store, with `{vendor}`, `{tenant}` and `{key}`, each a whole segment and each once: so no two
/// keys have the same path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate {
    text: String,
    /// The text between segments. It is within none.
    between: &'static str,
}

impl PathTemplate {
    /// The segments that stand for a part of an address.
    pub const PLACES: [&str; 3] = ["{vendor}", "{tenant}", "{key}"];

    /// Parses a template with slashes; `literal` says which segments may stand between the places.
    pub fn parse(text: &str, literal: impl Fn(&str) -> bool) -> Option<Self> {
        Self::parted(text, "/", literal)
    }

    /// Parses a template with dots, as host names have them.
    pub fn dotted(text: &str, literal: impl Fn(&str) -> bool) -> Option<Self> {
        Self::parted(text, ".", literal)
    }

    /// Parses a template with underscores, which no name has.
    pub fn underscored(text: &str, literal: impl Fn(&str) -> bool) -> Option<Self> {
        Self::parted(text, "_", literal)
    }

    /// Parses a template with two hyphens between, for names that have letters, digits and hyphens alone.
    pub fn dashed(text: &str, literal: impl Fn(&str) -> bool) -> Option<Self> {
        Self::parted(text, "--", literal)
    }

    fn parted(text: &str, between: &'static str, literal: impl Fn(&str) -> bool) -> Option<Self> {
        let segments: Vec<&str> = text.split(between).collect();
        let once = |place: &str| segments.iter().filter(|segment| **segment == place).count() == 1;
        let fits = |segment: &&str| Self::PLACES.contains(segment) || literal(segment);
        let is_one = Self::PLACES.into_iter().all(once) && segments.iter().all(fits);
        is_one.then(|| Self { text: text.to_owned(), between })
    }

    /// Returns the path of one key.
    pub fn path(&self, address: &Address) -> String {
        let key = address.key().map(ToString::to_string).unwrap_or_default();
        self.fill(|place| match place {
            "{vendor}" => address.vendor.as_str().to_owned(),
            "{tenant}" => address.tenant.to_string(),
            _ => key.clone(),
        })
    }

    /// Returns the pattern of all paths, with `any` where a segment differs between keys.
    pub fn any(&self, any: &str) -> String {
        self.fill(|_| any.to_owned())
    }

    fn fill(&self, with: impl Fn(&str) -> String) -> String {
        let segment = |segment: &str| if Self::PLACES.contains(&segment) { with(segment) } else { segment.to_owned() };
        let segments: Vec<String> = self.text.split(self.between).map(segment).collect();
        segments.join(self.between)
    }

    /// Returns the template as settings write it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
