//! Flushes that are held in the middle, counted, and made to fail.

use std::io::ErrorKind;
use std::os::fd::AsRawFd as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::*;

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn threads(flushes: &Flushes) -> usize {
    flushes.threads.0.state().threads
}

#[test]
fn one_flush_after_the_other_takes_one_thread_and_many_at_once_take_no_more_than_the_limit() {
    let place = TempDir::new().unwrap();
    let flushes = Flushes::default();
    let file = |number: usize| File::create(place.path().join(number.to_string())).unwrap();
    for number in 0..100 {
        flushes.now(file(number)).unwrap();
        wait(flushes.file(file(number))).unwrap();
        wait(flushes.folder(place.path(), File::open(place.path()).unwrap())).unwrap();
    }
    assert_eq!(threads(&flushes), 1);
    wait(futures_util::future::join_all((0..100).map(|number| flushes.file(file(number)))));
    assert!((2..=THREADS_MAX).contains(&threads(&flushes)), "{}", threads(&flushes));
}

/// The first flush stands still until all have asked.
#[test]
fn whoever_asks_during_a_flush_of_a_folder_shares_the_next_one() {
    static GATE: OnceLock<()> = OnceLock::new();
    static FLUSHED: AtomicUsize = AtomicUsize::new(0);
    let place = TempDir::new().unwrap();
    let flushes = Flushes::ending(|_| {
        GATE.wait();
        FLUSHED.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let ask = || flushes.folder(place.path(), File::open(place.path()).unwrap());
    wait(async {
        let first = ask();
        let rest = futures_util::future::join_all((0..50).map(|_| ask()));
        let open = async {
            // Everybody before this was polled once, and waits.
            GATE.get_or_init(|| ());
        };
        let (first, rest, ()) = futures_util::join!(first, rest, open);
        first.unwrap();
        rest.into_iter().for_each(|outcome| outcome.unwrap());
    });
    // The first may have been taken up before the others asked, or with them.
    let flushed = FLUSHED.load(Ordering::SeqCst);
    assert!((1..=2).contains(&flushed), "{flushed} flushes for 51");
    assert!(flushes.threads.0.state().flushing.is_empty());
}

#[test]
fn a_flush_that_fails_fails_for_all_who_share_it_and_the_next_is_tried_anew() {
    let place = TempDir::new().unwrap();
    let broken = Flushes::ending(|_| Err(io::Error::from_raw_os_error(28)));
    let ask = || broken.folder(place.path(), File::open(place.path()).unwrap());
    for _ in 0..2 {
        for outcome in wait(futures_util::future::join_all((0..8).map(|_| ask()))) {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::StorageFull);
        }
    }
    let file = File::create(place.path().join("a")).unwrap();
    assert_eq!(broken.now(file).unwrap_err().kind(), ErrorKind::StorageFull);
}

/// What is flushed is the file that was given, and it comes back.
#[test]
fn the_file_comes_back() {
    let place = TempDir::new().unwrap();
    let file = File::create(place.path().join("a")).unwrap();
    let number = file.as_raw_fd();
    assert_eq!(wait(Flushes::default().file(file)).unwrap().as_raw_fd(), number);
}
