//! A vendor's key as the decision table sees it: what both vendors tell of a key, and what only one does.

use jiff::Timestamp;

use crate::model::imburse::ListedKey;
use crate::model::live::KeyLive;
use crate::model::marker::{Letter, Marker, SinkHash};
use crate::model::untrusted::Untrusted;

/// A key that the vendor shows.
pub(crate) trait Candidate: Sized {
    fn id(&self) -> &str;
    /// Returns the text that people read, without the marker: a description, or a name.
    fn text(&self) -> &Untrusted;
    fn marker(&self) -> Option<&Marker>;
    /// Returns the user whose credentials made it. `None`: the vendor does not tell.
    fn created_by(&self) -> Option<&Untrusted>;
    /// `None`: the vendor does not tell.
    fn created(&self) -> Option<Timestamp>;
    /// `None`: it has no end.
    fn expiry(&self) -> Option<Timestamp>;
    fn is_live(&self, now: Timestamp) -> bool;

    /// Documents of both vendors write ids in either case.
    fn has_id(&self, id: &str) -> bool {
        self.id().eq_ignore_ascii_case(id)
    }

    /// The id, safe to print.
    fn shown(&self) -> Untrusted {
        Untrusted::from(self.id())
    }

    fn letter(&self) -> Option<Letter> {
        self.marker().map(|marker| marker.letter)
    }

    /// Returns whether it was made for this sink.
    fn is_for(&self, sink: &SinkHash) -> bool {
        self.marker().is_some_and(|marker| marker.sink == *sink)
    }

    /// The run that made it, as far as its marker tells.
    fn run(&self) -> Option<String> {
        self.marker().map(|marker| marker.nonce.run().to_string())
    }
}

impl Candidate for KeyLive {
    fn id(&self) -> &str {
        &self.id
    }

    fn text(&self) -> &Untrusted {
        &self.text
    }

    fn marker(&self) -> Option<&Marker> {
        self.marker.as_ref()
    }

    fn created_by(&self) -> Option<&Untrusted> {
        Some(&self.created_by)
    }

    fn created(&self) -> Option<Timestamp> {
        self.created
    }

    fn expiry(&self) -> Option<Timestamp> {
        self.expiry
    }

    fn is_live(&self, now: Timestamp) -> bool {
        Self::is_live(self, now)
    }
}

impl Candidate for ListedKey {
    fn id(&self) -> &str {
        &self.public_key
    }

    fn text(&self) -> &Untrusted {
        &self.text
    }

    fn marker(&self) -> Option<&Marker> {
        self.marker.as_ref()
    }

    fn created_by(&self) -> Option<&Untrusted> {
        None
    }

    fn created(&self) -> Option<Timestamp> {
        None
    }

    fn expiry(&self) -> Option<Timestamp> {
        None
    }

    /// A key that is deleted is listed no more, and none ever ends by itself.
    fn is_live(&self, _now: Timestamp) -> bool {
        true
    }
}
