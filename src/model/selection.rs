//! The part of an estate that one run looks at: chosen by address, by label, or as one of several shards.

use std::collections::BTreeMap;
use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::address::{Address, Name};

/// The part of an estate that a run looks at; by default, all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// `--only PATTERN`: with several, what any of them matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Pattern>,
    /// `--except PATTERN`: what none of them matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Pattern>,
    /// `--label KEY=VALUE`: tenants that have all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    /// `--shard K/N`: of what is left, the tenants of one of N runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// A part of a selection that chooses nothing, as it was written: a slip of whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle(pub String);

impl Selection {
    /// Returns whether it is the whole estate.
    pub fn is_everything(&self) -> bool {
        !self.is_by_choice() && self.shard.is_none()
    }

    /// Returns whether a person chose, so that nothing is said of what was not chosen.
    pub fn is_by_choice(&self) -> bool {
        !self.only.is_empty() || !self.except.is_empty() || !self.labels.is_empty()
    }

    /// Returns whether a run of this selection says what became of a tenant that nothing declares any more.
    pub fn judges(&self, tenant: &Address) -> bool {
        !self.is_by_choice() && self.shard.is_none_or(|shard| shard.has(tenant))
    }

    /// Returns whether an object is chosen, whichever shard it is of. A part of a tenant is, where its tenant is.
    pub(super) fn has(&self, address: &Address, labels: &BTreeMap<Name, Name>) -> bool {
        let tenant = address.parent();
        let matches = |pattern: &Pattern| pattern.matches(address) || pattern.matches(&tenant);
        (self.only.is_empty() || self.only.iter().any(matches))
            && !self.except.iter().any(matches)
            && self.labels.iter().all(|label| label.is_of(labels))
    }

    /// Returns the first part that chooses nothing of what is declared: objects, and the labels of those that are tenants. A shard may
    /// be empty.
    pub(super) fn idle<'a>(
        &self,
        declared: impl Iterator<Item = (&'a Address, &'a BTreeMap<Name, Name>)> + Clone,
    ) -> Option<Idle> {
        let patterns = self.only.iter().map(|it| ("--only", it)).chain(self.except.iter().map(|it| ("--except", it)));
        let idle = |pattern: &Pattern| !declared.clone().any(|(address, _)| pattern.matches(address));
        let mut patterns = patterns.filter(|(_, pattern)| idle(pattern));
        if let Some((option, pattern)) = patterns.next() {
            return Some(Idle(format!("{option} {pattern}")));
        }
        let label = self.labels.iter().find(|label| !declared.clone().any(|(_, labels)| label.is_of(labels)));
        label.map(|label| Idle(format!("--label {label}")))
    }
}

impl Selection {
    /// The same for all shards of a run together.
    pub fn of_all_shards(&self) -> Self {
        Self { shard: None, ..self.clone() }
    }
}

/// The options that say it, as a person writes them.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let only = self.only.iter().map(|pattern| format!("--only {pattern}"));
        let except = self.except.iter().map(|pattern| format!("--except {pattern}"));
        let labels = self.labels.iter().map(|label| format!("--label {label}"));
        let shard = self.shard.iter().map(|shard| format!("--shard {shard}"));
        let words: Vec<String> = only.chain(except).chain(labels).chain(shard).collect();
        f.write_str(&words.join(" "))
    }
}

/// A pattern for addresses: `qlik/acme-*`, `qlik/*/ci`. `*` and `?` stand for anything but `/`, `**` for anything.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    matcher: GlobMatcher,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.contains('/') {
            return Err("a pattern is written like an address, with a `/`".to_owned());
        }
        let glob = GlobBuilder::new(text).literal_separator(true).build().map_err(|error| error.kind().to_string())?;
        Ok(Self { text: text.to_owned(), matcher: glob.compile_matcher() })
    }

    /// Reads a pattern for the names that people see, in letters of any case: `Acme*`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn of_names(text: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(text).case_insensitive(true).build().map_err(|error| error.kind().to_string())?;
        Ok(Self { text: text.to_owned(), matcher: glob.compile_matcher() })
    }

    /// Returns whether a name is one of those that it stands for.
    pub fn matches_name(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }

    /// Returns whether an address is one of those that it stands for.
    pub fn matches(&self, address: &Address) -> bool {
        self.matcher.is_match(address.to_string())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A label that a tenant is to have: `tier=gold`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The label's name.
    pub key: Name,
    /// The value.
    pub value: Name,
}

impl Label {
    fn is_of(&self, labels: &BTreeMap<Name, Name>) -> bool {
        labels.get(&self.key) == Some(&self.value)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

/// One of several runs that share an estate: `2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which it is, from 1.
    number: u32,
    /// How many there are.
    of: u32,
}

/// The most shards that an estate is shared by: their tenants are found by a look at each.
const SHARDS_MAX: u32 = 1000;

impl Shard {
    /// The shard `number`, from 1, of `of`. `None`: there is no such shard.
    pub fn of(number: u32, of: u32) -> Option<Self> {
        (1..=of.min(SHARDS_MAX)).contains(&number).then_some(Self { number, of }).filter(|shard| shard.of <= SHARDS_MAX)
    }

    /// Which it is, from 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.of
    }

    /// The part of a number that this shard may use up, so that all shards together use no more.
    pub fn share(self, of_all: u32) -> u32 {
        of_all / self.of + u32::from(self.number <= of_all % self.of)
    }

    /// Returns whether a tenant is this shard's. A rendezvous hash: a new tenant moves no other, and one more shard takes its part from
    /// each of the others and moves nothing between them.
    pub fn has(self, tenant: &Address) -> bool {
        let digest = Sha256::digest(tenant.parent().to_string());
        let seed = digest.iter().take(8).fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        let winner = (1..=self.of).max_by_key(|number| mixed(seed ^ mixed(u64::from(*number))));
        winner == Some(self.number)
    }
}

/// The last step of SplitMix64, which turns any number into one that looks drawn by lot.
fn mixed(word: u64) -> u64 {
    let word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ word >> 31
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(n: usize) -> Address {
        format!("qlik/tenant-{n}").parse().unwrap()
    }

    fn shard_of(tenant: &Address, of: u32) -> u32 {
        let mine: Vec<u32> =
            (1..=of).filter(|number| Shard::of(*number, of).is_some_and(|shard| shard.has(tenant))).collect();
        assert_eq!(mine.len(), 1, "{tenant} is of shards {mine:?}");
        mine[0]
    }

    #[test]
    fn every_tenant_is_of_one_shard_and_one_more_shard_moves_only_what_it_takes() {
        for of in 1..9 {
            let mut moved = 0_usize;
            let mut sizes = vec![0_usize; 10];
            for n in 0..2000 {
                let tenant = tenant(n);
                let (before, after) = (shard_of(&tenant, of), shard_of(&tenant, of + 1));
                sizes[after as usize] += 1;
                if before != after {
                    assert_eq!(after, of + 1, "{tenant} goes from {before} to {after}");
                    moved += 1;
                }
            }
            let share = 2000 / (of as usize + 1);
            assert!(moved.abs_diff(share) < share / 4 + 20, "{of}: {moved} moved, a share is {share}");
            for size in &sizes[1..=of as usize + 1] {
                assert!(size.abs_diff(share) < share / 4 + 20, "{of}: {sizes:?}");
            }
        }
    }

    #[test]
    fn the_shares_of_a_number_are_the_number() {
        for (all, of) in [(0, 3), (2, 5), (20, 4), (21, 4), (23, 4)] {
            let shares = (1..=of).map(|number| Shard::of(number, of).unwrap().share(all));
            assert_eq!(shares.sum::<u32>(), all, "{all} over {of}");
        }
    }

    #[test]
    fn a_key_is_of_its_tenants_shard() {
        let (tenant, key): (Address, Address) = ("qlik/acme".parse().unwrap(), "qlik/acme/ci".parse().unwrap());
        for number in 1..=5 {
            let shard = Shard::of(number, 5).unwrap();
            assert_eq!(shard.has(&tenant), shard.has(&key));
        }
    }

    #[test]
    fn which_shard_has_a_tenant_is_for_ever() {
        let shards: Vec<u32> = (0..8).map(|n| shard_of(&tenant(n), 4)).collect();
        assert_eq!(shards, [2, 1, 2, 1, 3, 2, 4, 2], "runs of different releases share an estate");
    }

    #[test]
    fn there_is_no_shard_outside_of_the_count() {
        for (number, of) in [(0, 4), (5, 4), (1, 0), (1, SHARDS_MAX + 1), (SHARDS_MAX + 1, SHARDS_MAX + 1)] {
            assert_eq!(Shard::of(number, of), None, "{number}/{of}");
        }
        assert!(Shard::of(4, 4).is_some());
    }
}
