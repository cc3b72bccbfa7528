//! The decision about our live keys that are not the one in their sink. A leftover is one that does not say that it was
//! ever delivered. One rule for both vendors; `docs/models/keys.py` explores it.

use crate::model::desired::SinkFacts;
use crate::model::live::SinkEntry;
use crate::model::run::Life;

/// The facts known of a leftover beside a live key in the sink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Proofs {
    /// Nothing can bring it into a sink any more once another key is delivered over it.
    pub(super) revocable: bool,
    /// The metadata of the sink's key says that it was delivered over this one.
    pub(super) told: bool,
    /// The sink is of this machine alone, and the leftover's run is over: what the sink does not show never comes.
    pub(super) here_is_all: bool,
    /// The sink compares versions, and has gone on since the leftover was made.
    pub(super) moved_on: bool,
    /// The vendor says that the sink's key was made later. That proves nothing of the sink (two runs may have delivered in
    /// the other order, and a sink may show what it held before), but no better key can be made.
    pub(super) later: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A newer key is in the sink: the leftover is revoked, whatever else happens.
    Freed,
    /// The leftover is revoked once a successor was delivered, which is made for its sake.
    Superseded,
    /// Nothing is made for its sake; it is revoked if a successor is delivered for another reason.
    Spared,
    /// The leftover is not revoked: something may still bring it back.
    Kept,
}

impl Proofs {
    /// Collects the facts, apart from the vendor's own.
    pub(super) fn of(key_id: &str, entry: Option<&SinkEntry>, sink: &SinkFacts, life: Life) -> Self {
        // The vendors' documents write ids in either case.
        let names = |entry: &SinkEntry| entry.over.iter().any(|over| over.eq_ignore_ascii_case(key_id));
        Self {
            revocable: !sink.hidden && !sink.late && (sink.compares_versions || life == Life::Proven),
            told: entry.is_some_and(names),
            here_is_all: sink.local && life == Life::Proven,
            moved_on: false,
            later: false,
        }
    }

    pub(super) fn fate(self) -> Fate {
        let Self { revocable, told, here_is_all, moved_on, later } = self;
        match revocable {
            false => Fate::Kept,
            true if told || here_is_all || moved_on => Fate::Freed,
            true if later => Fate::Spared,
            true => Fate::Superseded,
        }
    }
}

/// Returns the reason for which a leftover is not revoked.
pub(super) fn why_kept(sink: &SinkFacts) -> &'static str {
    if sink.hidden {
        "minted for a sink of which every machine has its own, and may be in use on another machine"
    } else if sink.late {
        "minted for a sink that takes whatever arrives, however late, and may come to be in use there"
    } else {
        "minted by a run whose end is not proven, and may still arrive in the sink"
    }
}

/// The reason for which a leftover is not revoked that no successor is made for.
pub(super) const SPARED: &str = "a newer key is in the sink, and nothing proves that this one can no longer come there";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::marker::SinkHash;

    #[test]
    fn a_leftover_for_a_sink_that_takes_what_is_late_is_never_revoked() {
        let facts = |late, compares_versions| SinkFacts {
            kind: "stackone".to_owned(),
            hash: SinkHash::of("stackone", "x"),
            compares_versions,
            local: false,
            hidden: false,
            late,
            blind: true,
            half_blind: false,
        };
        for life in [Life::Alive, Life::OverByClock, Life::Proven] {
            assert_eq!(Proofs::of("k", None, &facts(true, false), life).fate(), Fate::Kept, "{life:?}");
        }
        assert_eq!(Proofs::of("k", None, &facts(false, false), Life::Proven).fate(), Fate::Superseded);
        assert_eq!(Proofs::of("k", None, &facts(false, true), Life::OverByClock).fate(), Fate::Superseded);
    }
}
