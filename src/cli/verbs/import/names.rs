//! What a vendor calls its objects → names for desired state, each once.

use std::collections::BTreeSet;

use crate::model::address::{NAME_MAX, Name};

/// A name that is not taken yet, like the text; `otherwise` where the text has no letter or digit that a name may have.
pub(super) fn free(text: &str, otherwise: &str, taken: &mut BTreeSet<Name>) -> Option<Name> {
    let stem = Some(slug(text)).filter(|stem| !stem.is_empty()).unwrap_or_else(|| otherwise.to_owned());
    let numbered = |n: usize| {
        let end = if n == 1 { String::new() } else { format!("-{n}") };
        let room = NAME_MAX.saturating_sub(end.len());
        let stem: String = stem.chars().take(room).collect();
        Name::parse(&format!("{}{end}", stem.trim_end_matches('-'))).ok()
    };
    // As many numbers as there are names, and one: one of them is free.
    let name = (1..=taken.len() + 1).filter_map(numbered).find(|name| !taken.contains(name))?;
    taken.insert(name.clone());
    Some(name)
}

fn slug(text: &str) -> String {
    let lower = text.to_lowercase();
    let plain = lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect::<String>();
    plain.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_readable_and_each_is_given_once() {
        let mut taken = BTreeSet::new();
        let mut name = |text: &str| free(text, "tenant", &mut taken).unwrap().to_string();
        assert_eq!(name("Acme Corp. (EU)"), "acme-corp-eu");
        assert_eq!(name("acme corp eu"), "acme-corp-eu-2");
        assert_eq!(name("株式会社"), "tenant");
        assert_eq!(name("--"), "tenant-2");
        let long = "x".repeat(200);
        assert_eq!(name(&long).len(), NAME_MAX);
        assert_eq!(name(&long).len(), NAME_MAX);
    }
}
