//! The suffix in a key's description that makes the server our journal for keys.
//!
//! `<declared text> [qp1:<ledger 8>:<uid hash 8>:<sink hash 4>:<nonce 8>:<u|d>]`, all hexadecimal. Its format is final. Where the
//! vendor does not tell when a key was made and the sink numbers what it holds, `<over>:` stands before the letter, in decimal:
//! the number that the sink had when the key was made.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::address::Name;
use super::hex::hex_word;
use super::record::{LedgerId, Uid};
use super::run::ShortRunId;
use super::secret::hex;

hex_word!(
    /// Four digits for a sink's kind and resolved location.
    SinkHash, 4
);
hex_word!(
    /// Eight digits for a tenant's uid and a key's name: the same after `ledger mv`.
    KeyUid, 8
);
hex_word!(
    /// Eight digits: the short id of the minting run, then four at random.
    Nonce, 8
);

impl SinkHash {
    /// Hashes the kind of a sink and its resolved location.
    pub fn of(kind: &str, location: &str) -> Self {
        Self(prefix(&format!("{kind}\0{location}"), 4))
    }

    /// Hashes several sinks of one key, in whatever order.
    pub fn of_all<'a>(each: impl IntoIterator<Item = &'a Self>) -> Self {
        let each: BTreeSet<&str> = each.into_iter().map(|hash| hash.0.as_str()).collect();
        Self::of("several", &each.into_iter().collect::<Vec<_>>().join("\0"))
    }
}

impl KeyUid {
    /// Hashes a tenant's permanent id and a key's name.
    pub fn of(tenant: &Uid, key: &Name) -> Self {
        Self(prefix(&format!("{tenant}\0{key}"), 8))
    }
}

impl Nonce {
    /// Makes the nonce of a key that `run` is about to mint.
    pub fn new(run: &ShortRunId, random: [u8; 2]) -> Self {
        Self(format!("{run}{}", hex(&random)))
    }

    /// Returns the short id of the run that minted the key.
    pub fn run(&self) -> ShortRunId {
        ShortRunId::parse(self.0.get(..4).unwrap_or_default()).unwrap_or_else(ShortRunId::zero)
    }
}

fn prefix(text: &str, digits: usize) -> String {
    let mut word = hex(&Sha256::digest(text.as_bytes()));
    word.truncate(digits);
    word
}

/// The last letter of a marker: it says if the key is known to be in its sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Letter {
    /// Written as `u`: nobody has proven that the sink holds it.
    Undelivered,
    /// Written as `d`: its secret was read back from the sink.
    Delivered,
}

/// One marker, taken apart. It reads back as the text it came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// The first eight digits of the ledger's id.
    pub ledger: String,
    /// The tenant and the key that it was minted for.
    pub uid: KeyUid,
    /// The sink that it was minted for.
    pub sink: SinkHash,
    /// The minting run and a number at random, which tell one key from the next.
    pub nonce: Nonce,
    /// The number of the sink's newest version before the POST. The key's put is refused once that number is higher;
    /// `None` where the sink has no numbers or the vendor tells the time of minting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<u64>,
    /// The state of delivery when the marker was written.
    pub letter: Letter,
}

impl Marker {
    /// The marker at the end of a description, if there is one, and the text before it.
    pub fn split(description: &str) -> (&str, Option<Self>) {
        let Some(inside) = description.strip_suffix(']') else { return (description, None) };
        let Some((text, inside)) = inside.rsplit_once("[qp1:") else { return (description, None) };
        let words: Vec<&str> = inside.split(':').collect();
        let (ledger, uid, sink, nonce, over, letter) = match *words.as_slice() {
            [ledger, uid, sink, nonce, letter] => (ledger, uid, sink, nonce, None, letter),
            [ledger, uid, sink, nonce, over, letter] => match number(over) {
                Some(over) => (ledger, uid, sink, nonce, Some(over), letter),
                None => return (description, None),
            },
            _ => return (description, None),
        };
        let letter = match letter {
            "u" => Letter::Undelivered,
            "d" => Letter::Delivered,
            _ => return (description, None),
        };
        let parsed = KeyUid::parse(ledger).and(KeyUid::parse(uid)).zip(SinkHash::parse(sink)).zip(Nonce::parse(nonce));
        let Some(((uid, sink), nonce)) = parsed else { return (description, None) };
        let marker = Self { ledger: ledger.to_owned(), uid, sink, nonce, over, letter };
        (text.strip_suffix(' ').unwrap_or(text), Some(marker))
    }

    /// Returns whether a declared description holds something that reads, or begins to read, like a marker.
    pub fn is_in(text: &str) -> bool {
        text.contains("[qp1:")
    }

    /// Returns whether a run of this ledger wrote it, as far as eight digits tell.
    pub fn is_of(&self, ledger: &LedgerId) -> bool {
        self.ledger == ledger.short()
    }

    /// Returns the same marker with another letter.
    #[must_use]
    pub fn with_letter(&self, letter: Letter) -> Self {
        Self { letter, ..self.clone() }
    }

    /// The description to send.
    pub fn describe(&self, text: &str) -> String {
        format!("{text} {self}")
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.letter {
            Letter::Undelivered => 'u',
            Letter::Delivered => 'd',
        };
        write!(f, "[qp1:{}:{}:{}:{}:", self.ledger, self.uid, self.sink, self.nonce)?;
        if let Some(over) = self.over {
            write!(f, "{over}:")?;
        }
        write!(f, "{letter}]")
    }
}

/// Reads a decimal number that is written in its one canonical form, so that a marker reads back as it was written.
fn number(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|number| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_reads_as_it_was_written_and_nothing_else_does() {
        let text = "CI deploys [qp1:01234567:89abcdef:0a1b:c0ffee00:u]";
        let (plain, marker) = Marker::split(text);
        let marker = marker.unwrap();
        assert_eq!((plain, marker.letter), ("CI deploys", Letter::Undelivered));
        assert_eq!(marker.describe(plain), text);
        assert_eq!((marker.nonce.run().as_str(), marker.over), ("c0ff", None));
        let numbered = "CI deploys [qp1:01234567:89abcdef:0a1b:c0ffee00:17:d]";
        let (plain, marker) = Marker::split(numbered);
        let marker = marker.unwrap();
        assert_eq!((plain, marker.over, marker.letter), ("CI deploys", Some(17), Letter::Delivered));
        assert_eq!(marker.describe(plain), numbered);
        for other in [
            "CI deploys",
            "CI [qp1:01234567:89abcdef:0a1b:c0ffee00:x]",
            "CI [qp1:01234567:89abcdef:0a1b:c0ffee00:u] ",
            "CI [qp1:0123456:89abcdef:0a1b:c0ffee00:u]",
            "CI [qp1:01234567:89abcdef:0a1b:c0ffee00:u:u]",
            "CI [qp1:01234567:89abcdef:0a1b:c0ffee00:017:u]",
            "CI [qp1:01234567:89abcdef:0a1b:c0ffee00:-1:u]",
            "CI [qp1:01234567:89abcdef:0a1b:c0ffee00:1:2:u]",
            "]",
            "[qp1:]",
        ] {
            assert_eq!(Marker::split(other), (other, None));
        }
    }
}
