//! Stories drawn by lot: two applies struck, and time that passes between them.

use super::point::{Point, Strike};
use super::request::{Struck, Trouble};
use super::scene::Scene;

/// The stories of a seed; the same for the same seed.
pub(super) fn stories(seed: u64, count: usize) -> Vec<Point> {
    let seeds = (0..count).map(|index| seed.wrapping_add(index as u64));
    seeds.map(|seed| story(&mut Lot(seed)).drawn(seed)).collect()
}

fn story(lot: &mut Lot) -> Point {
    let scene = match lot.draw(3) {
        0 => Scene::new_with_two_keys(),
        1 => Scene::new_with_three_keys(),
        _ => Scene::renewal(),
    };
    let mut strikes = vec![struck(lot)];
    // Short, longer than a rehearsal's key, longer than an intent is waited for, and so long that keys are due or dead.
    match lot.draw(6) {
        0 => strikes.push(Strike::Clock("PT1M")),
        1 => strikes.push(Strike::Clock("PT20M")),
        2 => strikes.push(Strike::Clock("PT3H")),
        3 => strikes.push(Strike::Clock("P6DT2H")),
        4 => strikes.push(Strike::Clock("P8D")),
        _ => {}
    }
    strikes.push(struck(lot));
    Point::new(&scene, strikes)
}

fn struck(lot: &mut Lot) -> Strike {
    // The slow ones show nothing that the late ones do not, and take seconds each.
    let quick: Vec<Trouble> = Trouble::ALL.into_iter().filter(|trouble| *trouble != Trouble::Slow).collect();
    let trouble = quick[lot.draw(quick.len())];
    Strike::Request(Struck { n: 1 + lot.draw(MOST) as u64, request: String::new(), throttled: None, trouble })
}

/// No apply of these scenes sends more requests.
const MOST: usize = 42;

/// SplitMix64: small, and the same on every machine.
pub(super) struct Lot(pub(super) u64);

impl Lot {
    pub(super) fn draw(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % below as u64).unwrap()
    }
}
