//! Which rule a test leaves out. Only a build with the feature `weaken` looks.

use crate::model::weak::Weak;

#[cfg(not(feature = "weaken"))]
pub(super) fn weak() -> Weak {
    Weak::default()
}

/// The one that `QLIK_PLAN_WEAKEN` names. A name that is none ends the program: a test of nothing would pass.
#[cfg(feature = "weaken")]
#[expect(clippy::panic, reason = "no build for users has this")]
pub(super) fn weak() -> Weak {
    use crate::model::weak::Weakness;

    let Ok(asked) = std::env::var("QLIK_PLAN_WEAKEN") else { return Weak::default() };
    match Weakness::ALL.into_iter().find(|(name, _)| *name == asked) {
        Some((_, weakness)) => Weak::by(weakness),
        None => panic!("QLIK_PLAN_WEAKEN={asked} names no weakness"),
    }
}
