//! Every request of an apply is failed in turn, in every way; the tenant and its keys come out whole each time.
//!
//! `QLIK_PLAN_SWEEP=full` runs every point; without it a spread of them runs, in seconds. `docs/reliability.md` has the
//! commands and what they print.

mod actor;
mod judge;
mod point;
mod scene;
mod sweep;

use point::Point;
use scene::Scene;
use sweep::{Extent, sweep};

#[test]
fn whatever_request_a_kill_or_a_lost_answer_strikes_one_tenant_and_all_its_keys_come_out() {
    sweep("kill sweep: one tenant, two keys", &Point::kills(&Scene::fresh_with_two_keys()), Extent::asked());
}
