//! Every request of an apply is failed in turn, in every way; the tenant and its keys come out whole each time.
//!
//! `QLIK_PLAN_SWEEP=full` runs every point; without it a spread of them runs, in seconds. `docs/reliability.md` has the
//! commands and what they print.

mod actor;
mod call;
mod judge;
mod point;
mod request;
mod scene;
mod sweep;

use call::Broken;
use point::Point;
use request::{Struck, Trouble};
use scene::Scene;
use sweep::{Extent, sweep};

#[test]
fn whatever_request_a_kill_or_a_lost_answer_strikes_one_tenant_and_all_its_keys_come_out() {
    let scene = Scene::new_with_two_keys();
    sweep("kills: one tenant, two keys", &Point::each(&scene, Struck::all(&scene, &Trouble::KILLS)), Extent::asked());
}

#[test]
fn whatever_is_wrong_with_a_request_or_its_answer_three_keys_come_out() {
    let scene = Scene::new_with_three_keys();
    let points = Point::each(&scene, Struck::all(&scene, &Trouble::ALL));
    sweep("requests: one tenant, three keys", &points, Extent::asked());
}

#[test]
fn whatever_strikes_a_renewal_the_keys_that_come_out_work() {
    let scene = Scene::renewal();
    let points = Point::each(&scene, Struck::all(&scene, &Trouble::ALL));
    sweep("requests: renewal of three keys", &points, Extent::asked());
}

#[test]
fn whatever_system_call_of_ledger_or_sink_fails_three_keys_come_out() {
    if !call::strace_is_here() {
        return sweep::skipped("system calls", "strace is not installed");
    }
    let scene = Scene::new_with_three_keys();
    sweep("system calls: one tenant, three keys", &Point::each(&scene, Broken::all(&scene)), Extent::asked());
    let scene = Scene::renewal();
    sweep("system calls: renewal of three keys", &Point::each(&scene, Broken::all(&scene)), Extent::asked());
}
