//! Why a key is minted, in words.

use crate::model::untrusted::escape;
use crate::plan::action::WhyMint;

/// Why a key is minted, where that is not simply that there is none.
pub(super) fn why_mint(why: &WhyMint) -> Option<String> {
    match why {
        WhyMint::Missing => None,
        WhyMint::Dead { key_id, state } => {
            Some(format!("the sink holds key {}, which is {}", escape(key_id), escape(state)))
        }
        WhyMint::Supersede { key_id } => {
            Some(format!("key {} was minted and never delivered; a successor comes first", escape(key_id)))
        }
        WhyMint::Asked => Some("asked for with --remint".into()),
        WhyMint::Replaced { key_id } => {
            Some(format!("takes the place of key {}, which works and stays; asked for with --replace", escape(key_id)))
        }
    }
}
