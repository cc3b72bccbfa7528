//! Deliberate weakenings of the protocols: a test shows with each that the rule is needed, and that its sweep would see it gone.
//!
//! No build without the feature `weaken` has any of them, and no release build can have the feature.

/// A rule left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// A tenant's record is written after its POST, and only if that went well.
    NoIntent,
    /// The intent is written, but after the POST.
    IntentAfterPost,
    /// Whatever went wrong with the POST, nothing was made.
    ErrorMeansNotCreated,
    /// A POST whose outcome is unknown is sent once more.
    BlindRetry,
    /// An intent whose run is over is no obstacle: nobody has seen a tenant.
    AutoClear,
    /// The intent is cleared when the tenant is there.
    IntentDeletedOnSuccess,
    /// Settled is what is about to be settled.
    SettledBeforeSent,
    /// Keys are minted under their plain description.
    NoMarker,
    /// The next run does not look for keys that an interrupted run minted.
    NoRecovery,
    /// A renewal begins by revoking the old key.
    RevokeBeforeRenewal,
    /// A key is marked as delivered, then delivered.
    MarkBeforeDelivery,
    /// A put is taken to have worked without reading it back.
    SuccessBeforeReadBack,
    /// Where there is no ledger, there never was one.
    MissingLedgerIsEmpty,
    /// Progress shows what is delivered.
    SecretInProgress,
    /// A shared ledger's records are written whatever stands there.
    NoCompareAndSwap,
    /// A folder's lock that another run holds is no obstacle.
    NoLock,
    /// A key that is not marked as delivered is revoked at once, though its run may be about to deliver it.
    RevokeInFlight,
    /// No key in a sink shows that a leftover was overtaken, but for what its metadata says.
    NeverOvertaken,
    /// The leftovers that the metadata in a sink lists are not looked at.
    EntryTellsNothing,
    /// A successor is made for a leftover although the sink's key is newer than it.
    LaterSparesNothing,
    /// Keys that were delivered and are in their sink no more are named by no plan.
    Unnamed,
}

impl Weakness {
    /// Every weakness with the word that chooses it.
    pub const ALL: [(&'static str, Self); 21] = [
        ("no-intent", Self::NoIntent),
        ("intent-after-post", Self::IntentAfterPost),
        ("error-means-not-created", Self::ErrorMeansNotCreated),
        ("blind-retry", Self::BlindRetry),
        ("auto-clear", Self::AutoClear),
        ("intent-deleted-on-success", Self::IntentDeletedOnSuccess),
        ("settled-before-sent", Self::SettledBeforeSent),
        ("no-marker", Self::NoMarker),
        ("no-recovery", Self::NoRecovery),
        ("revoke-before-renewal", Self::RevokeBeforeRenewal),
        ("mark-before-delivery", Self::MarkBeforeDelivery),
        ("success-before-read-back", Self::SuccessBeforeReadBack),
        ("missing-ledger-is-empty", Self::MissingLedgerIsEmpty),
        ("secret-in-progress", Self::SecretInProgress),
        ("no-compare-and-swap", Self::NoCompareAndSwap),
        ("no-lock", Self::NoLock),
        ("revoke-in-flight", Self::RevokeInFlight),
        ("never-overtaken", Self::NeverOvertaken),
        ("entry-tells-nothing", Self::EntryTellsNothing),
        ("later-spares-nothing", Self::LaterSparesNothing),
        ("unnamed", Self::Unnamed),
    ];
}

/// At most one rule left out; by default none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weak(Option<Weakness>);

impl Weak {
    /// Leaves out one rule.
    #[cfg(feature = "weaken")]
    #[must_use]
    pub fn by(weakness: Weakness) -> Self {
        Self(Some(weakness))
    }

    /// Returns whether this rule is left out. Without the feature `weaken` it never is.
    #[must_use]
    pub fn is(self, weakness: Weakness) -> bool {
        cfg!(feature = "weaken") && self.0 == Some(weakness)
    }
}
