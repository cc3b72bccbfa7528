//! Every request of an apply is failed in turn, in every way; the tenant and its keys come out whole each time.
//!
//! `QLIK_PLAN_SWEEP=full` runs every point; without it a spread of them runs, in seconds. `docs/reliability.md` has the
//! commands and what they print.

mod ablation;
mod actor;
mod again;
mod call;
mod estate;
mod gate;
mod history;
mod judge;
mod locks;
mod meeting;
mod pair;
mod payments;
mod person;
mod place;
mod point;
mod random;
mod request;
mod rules;
mod scene;
mod second;
mod slain;
pub(crate) mod sweep;
mod throttled;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::{needs, service};

use again::Again;
use call::Broken;
use estate::Vendor;
use locks::Locked;
use meeting::{Meeting, Start};
use pair::Met;
use payments::Payment;
use person::Ground;
use point::{Point, Strike};
use request::{Struck, Trouble};
use scene::Scene;
use second::SecondHome;
use sweep::{Extent, sweep, sweep_some};

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
fn whatever_strikes_an_owner_or_a_role_in_the_making_there_is_one_of_each() {
    let scene = Scene::new_with_an_owner();
    let points = Point::each(&scene, Struck::all(&scene, &Trouble::ALL));
    sweep("requests: an owner and a role", &points, Extent::asked());
}

#[test]
fn whatever_strikes_a_renewal_the_keys_that_come_out_work() {
    let scene = Scene::renewal();
    let points = Point::each(&scene, Struck::all(&scene, &Trouble::ALL));
    sweep("requests: renewal of three keys", &points, Extent::asked());
}

#[test]
fn whatever_strikes_keys_with_two_homes_both_homes_come_to_hold_one_key() {
    let scene = Scene::new_with_two_keys().in_two_homes();
    let points = Point::each(&scene, Struck::all(&scene, &Trouble::ALL));
    sweep("requests: two homes a key", &points, Extent::asked());
    let scene = Scene::renewal().in_two_homes();
    let points = Point::each(&scene, Struck::all(&scene, &Trouble::ALL));
    sweep("requests: renewal, two homes a key", &points, Extent::asked());
}

#[test]
fn whatever_system_call_fails_both_homes_come_to_hold_one_key() {
    if !needs::programs(&["strace"]) {
        return;
    }
    let scene = Scene::new_with_two_keys().in_two_homes();
    sweep("system calls: two homes a key", &Point::each(&scene, Broken::all(&scene)), Extent::asked());
}

#[test]
fn whatever_request_is_struck_runners_bring_keys_into_a_folder_and_a_home_that_nobody_sees_into() {
    let Some(store) = service::s3().map(Arc::new) else { return };
    let scene = Scene::new_with_two_keys().on(&store).in_two_homes();
    let points = Point::each(&scene, Struck::all(&scene, &Trouble::ALL));
    sweep("requests, ledger in an object store, a home that nobody sees into", &points, Extent::asked());
    let scene = Scene::renewal().on(&store).in_two_homes();
    let points = Point::each(&scene, Struck::all(&scene, &Trouble::KILLS));
    sweep("kills, renewal, a home that nobody sees into", &points, Extent::asked());
    let scenes = [Scene::new_with_two_keys(), Scene::renewal()].map(|scene| scene.on(&store).in_two_homes());
    let strikes = |scene: &Scene| SecondHome::all(scene).into_iter().map(Strike::Second).collect();
    let points: Vec<Point> = scenes.iter().flat_map(|scene| Point::each(scene, strikes(scene))).collect();
    sweep("between two homes, one that nobody sees into", &points, Extent::asked());
}

#[test]
fn whatever_system_call_of_ledger_or_sink_fails_three_keys_come_out() {
    if !needs::programs(&["strace"]) {
        return;
    }
    let scene = Scene::new_with_three_keys();
    sweep("system calls: one tenant, three keys", &Point::each(&scene, Broken::all(&scene)), Extent::asked());
    let scene = Scene::renewal();
    sweep("system calls: renewal of three keys", &Point::each(&scene, Broken::all(&scene)), Extent::asked());
}

#[test]
fn whatever_is_wrong_with_a_request_runners_on_a_shared_ledger_make_one_estate() {
    let Some(store) = service::s3().map(Arc::new) else { return };
    let scene = Scene::new_with_three_keys().on(&store);
    let points = Point::each(&scene, Struck::all(&scene, &Trouble::ALL));
    sweep("requests, ledger in an object store", &points, Extent::asked());
}

#[test]
fn whatever_request_is_struck_keys_that_programs_store_come_out() {
    let Some(store) = service::s3().map(Arc::new) else { return };
    let scene = Scene::new_with_two_keys().on(&store).stored_by_programs();
    let points = Point::each(&scene, Struck::all(&scene, &Trouble::KILLS));
    sweep("kills, ledger in an object store, programs for a sink", &points, Extent::asked());
}

#[test]
fn wherever_one_run_stands_still_another_on_its_folder_makes_no_second_tenant() {
    let scene = Scene::new_with_two_keys();
    sweep("two runs on a folder", &Point::each(&scene, Met::all(&scene)), Extent::asked());
}

#[test]
fn wherever_two_runners_on_a_shared_ledger_stand_still_they_make_one_estate() {
    let Some(store) = service::s3().map(Arc::new) else { return };
    let scene = Scene::new_with_two_keys().on(&store);
    let before = pair::CONFLICTS.load(Ordering::SeqCst);
    sweep("two runners, one held", &Point::each(&scene, Met::all(&scene)), Extent::asked());
    sweep("two runners, both held", &Point::each(&scene, Met::crossed(&scene)), Extent::asked());
    let conflicts = pair::CONFLICTS.load(Ordering::SeqCst) - before;
    sweep::print(&format!(
        "two runners: {conflicts} writes of records refused by the store, because the other had been there"
    ));
    // A share of the points may have none of those in it.
    let share = matches!(Extent::asked(), Extent::Share { .. });
    assert!(conflicts > 0 || share, "the runners never met");
}

#[test]
fn whatever_is_wrong_with_a_request_to_imburse_one_tenant_and_two_keys_come_out() {
    sweep("requests: Imburse, one tenant, two keys", &Payment::all(&Ground::Folders), Extent::asked());
}

#[test]
fn whatever_is_wrong_with_a_request_to_imburse_runners_that_keep_nothing_make_one_estate() {
    let (Some(store), Some(vault)) = (service::s3().map(Arc::new), service::openbao().map(Arc::new)) else { return };
    let ground = Ground::Services { store, vault };
    sweep("requests: Imburse, object store and vault", &Payment::all(&ground), Extent::asked());
}

#[test]
fn wherever_a_runner_at_imburse_stands_still_no_key_that_it_may_deliver_is_deleted() {
    let (Some(store), Some(vault)) = (service::s3().map(Arc::new), service::openbao().map(Arc::new)) else { return };
    let ground = Ground::Services { store, vault };
    for (name, start) in [("new", Start::Nothing), ("a dead key", Start::Dead)] {
        sweep(&format!("two runners at Imburse, {name}"), &Meeting::all(&ground, start), Extent::asked());
    }
}

#[test]
fn however_a_connection_ends_and_whoever_says_429_keys_come_out() {
    let scene = Scene::new_with_three_keys();
    let points = Point::each(&scene, Struck::all(&scene, &Trouble::ENDS));
    sweep_some("ends of connections: one tenant, three keys", &points, Extent::asked(), 4);
    let points = Payment::with(&Ground::Folders, &Trouble::ENDS);
    sweep_some("ends of connections: Imburse", &points, Extent::asked(), 4);
}

#[test]
fn whatever_strikes_what_is_asked_for_again_after_a_429_there_is_one_of_each() {
    let scene = Scene::new_with_an_owner();
    let points = Point::each(&scene, Struck::throttled(&scene));
    sweep_some("asked again after 429: one tenant, an owner and a role", &points, Extent::asked(), 6);
    sweep_some("asked again after 429: Imburse", &Payment::throttled(&Ground::Folders), Extent::asked(), 4);
}

#[test]
fn whatever_happens_to_the_record_between_a_429_and_the_next_request_there_is_one_tenant() {
    let scene = Scene::new_with_two_keys().throttled();
    if needs::programs(&["strace"]) {
        let points = Point::each(&scene, Broken::of_records(&scene));
        sweep_some("system calls on the record, a 429", &points, Extent::asked(), 6);
    }
    let Some(store) = service::s3().map(Arc::new) else { return };
    let scene = Scene::new_with_two_keys().on(&store).throttled();
    let points = Point::each(&scene, Met::around_the_creation(&scene));
    sweep_some("two runners, one held, a 429", &points, Extent::asked(), 3);
}

#[test]
fn a_ledger_that_is_lost_makes_no_second_tenant() {
    let point = Point::new(&Scene::new_without_alias(), vec![Strike::LedgerLost]);
    sweep("a lost ledger", &[point], Extent::Full);
}

#[test]
fn two_troubles_drawn_by_lot_and_time_between_them_change_nothing() {
    let (seed, stories) = drawn(12);
    let points = random::stories(seed, usize::try_from(stories).unwrap());
    sweep(&format!("stories by lot, seeds {seed} to {}", seed + stories - 1), &points, Extent::Full);
}

#[test]
fn the_same_trouble_again_and_again_makes_no_leftover_multiply() {
    // The programs of its sink know what they hold by it.
    if !needs::programs(&["sha256sum"]) {
        return;
    }
    for (name, vendor) in [("Qlik", Vendor::Qlik), ("Imburse", Vendor::Imburse)] {
        sweep(&format!("the same trouble again, {name}"), &Again::all(vendor), Extent::asked());
    }
}

#[test]
fn whatever_request_is_struck_in_run_after_run_keys_come_out() {
    for (name, vendor) in [("Qlik", Vendor::Qlik), ("Imburse", Vendor::Imburse)] {
        sweep(&format!("the same request again, {name}"), &Again::by_number(vendor), Extent::asked());
    }
}

#[test]
fn wherever_another_process_keeps_a_lock_keys_come_out() {
    for (name, vendor) in [("Qlik", Vendor::Qlik), ("Imburse", Vendor::Imburse)] {
        sweep(&format!("a lock that is kept, {name}"), &Locked::all(vendor), Extent::asked());
    }
}

#[test]
fn whatever_kills_are_drawn_ten_tenants_and_all_their_keys_come_out() {
    let (seed, stories) = drawn(3);
    let name = format!("kills by lot, ten tenants, seeds {seed} to {}", seed + stories - 1);
    sweep(&name, &slain::stories(seed, stories), Extent::Full);
}

#[test]
fn whatever_history_is_drawn_what_is_there_is_what_a_small_model_says() {
    let (seed, histories) = drawn(8);
    sweep::histories(seed, histories);
}

/// The first seed, and how many are played.
fn drawn(few: u64) -> (u64, u64) {
    let number = |name: &str, otherwise: u64| sweep::variable(name).map_or(otherwise, |text| text.parse().unwrap());
    (number("QLIK_PLAN_SEED", 1), number("QLIK_PLAN_STORIES", few))
}
