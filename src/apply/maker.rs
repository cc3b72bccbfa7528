//! The vendor's part in a key's way to its sink: a trait, and the words of its answers.

use jiff::Timestamp;

use crate::model::address::Name;
use crate::model::live::MadeAs;
use crate::model::marker::Marker;
use crate::model::untrusted::Untrusted;
use crate::provider::http::{Outcome, ReadError};
use crate::sink::payload::Payload;

use super::event::Failure;

/// One key of one vendor: what it is, and how the vendor is asked.
pub(super) trait Maker {
    /// A new key, its secret in it: from the vendor's reply to the verified delivery it is in this process and nowhere else.
    type Minted;

    /// The words that the vendor's users know.
    const WORDS: Words;

    /// True if the vendor tells when a key was made. Otherwise the marker says what the key was made over.
    const TELLS_AGE: bool;

    /// Returns the declared text, without a marker.
    fn text(&self) -> &str;
    fn id<'m>(&self, minted: &'m Self::Minted) -> &'m str;
    fn expiry(&self, minted: &Self::Minted) -> Option<Timestamp>;
    fn owner(&self, minted: &Self::Minted) -> Untrusted;
    /// Returns what one sink gets.
    fn payload(&self, minted: &Self::Minted, home: &Name) -> Payload;
    /// Returns the facts that only the declaration tells later on.
    fn made_as(&self, home: &Name) -> MadeAs;

    /// The one POST; `text` carries the marker.
    async fn make(&self, text: &str) -> Outcome<Self::Minted>;

    /// The live key with exactly this marker. Any other, however like it, may be somebody's.
    async fn find(&self, marker: &Marker) -> Result<Option<String>, ReadError>;

    async fn revoke(&self, id: &str) -> Outcome<()>;

    /// Asks something with the new key itself.
    ///
    /// # Errors
    /// `Unauthorized` and `Disabled` mean that the key is of no use; anything else, that it could not be tried from here.
    async fn try_out(&self, minted: &Self::Minted) -> Result<Tried, ReadError>;

    /// Changes the key's text.
    ///
    /// # Errors
    /// Our own trouble, with nothing that speaks of the vendor's answer.
    async fn mark(&self, minted: &Self::Minted, text: &str) -> Result<Outcome<Marked>, Failure>;

    /// Asks the vendor for this one key, and returns whether it has it.
    async fn lives(&self, id: &str) -> Result<bool, ReadError>;
}

/// How one vendor's users speak of keys.
pub(super) struct Words {
    pub(super) made: &'static str,
    pub(super) revokes: &'static str,
    pub(super) revoked: &'static str,
    /// The step to take about a new key that does not work.
    pub(super) useless: &'static str,
}

/// The answer to a first request with the new key.
pub(super) enum Tried {
    Works,
    /// The key works, and something is worth saying.
    Noted(String),
    /// The key is not the one that was asked for.
    Wrong(Failure),
}

/// The outcome of marking a key, where the vendor was understood.
pub(super) enum Marked {
    Done,
    /// The vendor changes no keys here, and that is remembered: what the sink holds decides.
    Never(String),
}
