//! Planning from a snapshot: what it lacks was not looked at. It is taken as it usually is, and listed as unchecked.
//!
//! A change under review declares things that nobody had when the snapshot was taken. Refusing them for that would say
//! nothing about them; what was read and forbids them still does.

use crate::model::desired::Desired;
use crate::model::live::Live;

use super::action::Unchecked;
use super::{imburse, qlik};

/// The live state with its gaps filled, and what was filled.
pub(super) fn fill(desired: &Desired, live: &Live) -> (Live, Vec<Unchecked>) {
    let mut filled = live.clone();
    let mut unchecked = Vec::new();
    qlik::assume::fill(desired, &mut filled, &mut unchecked);
    imburse::assume::fill(desired, &mut filled, &mut unchecked);
    (filled, unchecked)
}
