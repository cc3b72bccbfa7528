//! In what the decision table differs from vendor to vendor: the facts of a vendor that it rests on, and the vendor's words.
//! `tests/it/plan/referee.rs` holds both policies to the same worlds, and names each difference.

/// A vendor's facts, and its words.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The vendor tells when a key was made, so of two keys one is known to be the newer. Where it does not, only the sink's
    /// own numbers tell.
    pub(crate) ages: bool,
    /// A key ends by itself, so one that cannot be revoked is left to expire. Where it does not, a person is asked.
    pub(crate) ends: bool,
    /// The verb for making a key: it is minted, or made.
    pub(super) makes: &'static str,
    pub(in crate::plan) made: &'static str,
    /// The words for what may have ended a key, and for what this program does to end one.
    pub(super) ended: &'static str,
    pub(in crate::plan) ends_it: &'static str,
    /// The vendor's word for the text that people read of a key.
    pub(super) text: &'static str,
    /// The words for adopting a key, and for what its holder keeps.
    pub(super) adopt: &'static str,
    pub(super) secret: &'static str,
}

impl Policy {
    /// Returns the reason for which a delivered key that is not in its sink is not revoked: beside another key in the
    /// sink, or beside none.
    pub(super) fn why_delivered(&self, beside: bool, blind: bool) -> &'static str {
        match (self.ends, beside, blind) {
            // Only a person can tell whether it is in use.
            (true, false, _) => "it was delivered; revoke it in the tenant if nobody uses it",
            (true, true, true) => "it was delivered, and so was a newer key",
            (true, true, false) => "it was delivered once, and another key is in the sink now",
            (false, _, true) => {
                "it was delivered, as others were, nobody can see which of them is in the sink, and it does not expire"
            }
            (false, true, false) => "it was delivered once, another key is in the sink now, and it does not expire",
            (false, false, false) => "it was delivered once, is not in the sink any more, and does not expire",
        }
    }

    /// Returns the reason for which a key that one of several sinks has, or had, is not revoked. `now`: it is there still.
    pub(super) fn why_replaced(&self, now: bool) -> &'static str {
        match (self.ends, now) {
            (true, true) => "some of its sinks have it and others do not, so it may be in use",
            (true, false) => "one of its sinks had it until another key replaced it there, so it may be in use",
            (false, true) => "some of its sinks have it and others do not, so it may be in use, and it does not expire",
            (false, false) => {
                "one of its sinks had it until another key replaced it there, so it may be in use, and it does not expire"
            }
        }
    }

    /// Returns the reason for which a key that was made for another sink is not touched.
    pub(super) fn why_elsewhere(&self, hidden: bool) -> &'static str {
        match (self.ends, hidden) {
            (true, true) => "minted for another sink than this machine's, and may be in use on another machine",
            (true, false) => "minted for another sink than settings name now",
            (false, _) => "it was made for another sink than settings name now, and it does not expire",
        }
    }
}

pub(crate) const QLIK: Policy = Policy {
    ages: true,
    ends: true,
    makes: "mints",
    made: "minted",
    ended: "revoked or deleted",
    ends_it: "revoked",
    text: "description",
    adopt: "key_id",
    secret: "secret",
};

pub(crate) const IMBURSE: Policy = Policy {
    ages: false,
    ends: false,
    makes: "makes",
    made: "made",
    ended: "deleted",
    ends_it: "deleted",
    text: "name",
    adopt: "public_key",
    secret: "private key",
};
