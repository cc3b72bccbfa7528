//! The ledger's promises, each on a folder of its own.

mod parts;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::model::duration::Duration;
use crate::model::group::Group;
use crate::model::record::{Binding, How, Intent, State, Uid};
use crate::model::spec::Way;
use crate::model::untrusted::Untrusted;

use super::reading::read_directory_by;
use super::*;

/// Waits for a lock as long as a program does: other tests' readers hold one for an instant, and a busy machine makes
/// instants long.
fn patient() -> Access {
    Access { timeout: std::time::Duration::from_secs(60), ..Access::default() }
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

struct Estate {
    root: TempDir,
    ledger: Ledger,
}

impl Estate {
    /// A folder with no ledger in it.
    fn bare() -> Self {
        let root = TempDir::new().unwrap();
        let ledger = Ledger::at(
            &settings::Ledger::Directory { path: root.path().join("deep/ledger"), durable: false },
            &patient(),
        )
        .unwrap();
        Self { root, ledger }
    }

    fn new() -> Self {
        let estate = Self::bare();
        estate.ledger.init(id('a'), at(0)).unwrap();
        estate
    }

    fn directory(&self) -> &Directory {
        match &self.ledger {
            Ledger::Directory(directory) => directory,
            #[cfg(feature = "object-store")]
            Ledger::Bucket(_) => panic!("it is a folder"),
        }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().join("deep/ledger").join(below)
    }

    fn edit(&self, below: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(below)).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(self.path(below), text.replace(from, to)).unwrap();
    }

    fn facts(&self) -> LedgerFacts {
        self.ledger.read().unwrap().unwrap()
    }

    fn refusal(&self) -> LedgerError {
        let refusal = self.ledger.read().unwrap_err();
        assert!(!refusal.next().is_empty());
        refusal
    }
}

fn id(digit: char) -> LedgerId {
    LedgerId::parse(&digit.to_string().repeat(32)).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn run_id(number: u8) -> RunId {
    RunId::new([number; 8])
}

fn run(number: u8) -> Run {
    Run {
        id: run_id(number),
        started: at(i64::from(number)),
        max_run: Duration::from_seconds(3_600),
        host: Untrusted::from("builder"),
        pid: 4_711,
        ended: None,
    }
}

fn acme() -> Address {
    "qlik/acme".parse().unwrap()
}

fn record(seq: u64, state: State) -> Record {
    Record { uid: Uid::new([7; 16]), address: acme(), formerly: Vec::new(), group: Group::default(), seq, state }
}

fn intent() -> State {
    State::Pending(Intent {
        nonce: Untrusted::from("n"),
        run: run_id(1),
        account: "us-oem".parse().unwrap(),
        region: Untrusted::from("us"),
        date: at(5),
        request: Untrusted::from("00"),
        baseline: Vec::new(),
    })
}

fn binding() -> State {
    State::Bound(Binding {
        tenant_id: Untrusted::from("T1"),
        hostname: Untrusted::from("x.us.qlikcloud.com"),
        account: "us-oem".parse().unwrap(),
        how: How::Created,
        at: at(6),
    })
}

fn rehearsal(owner: Way, failure: Option<&str>) -> Rehearsal {
    Rehearsal {
        account: "us-oem".parse().unwrap(),
        owner,
        credential: "c0".to_owned(),
        at: at(9),
        run: run_id(1),
        failure: failure.map(Untrusted::from),
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn where_there_is_no_ledger_nothing_is_read_opened_or_left_behind() {
    let estate = Estate::bare();
    assert!(estate.ledger.read().unwrap().is_none());
    assert!(matches!(estate.ledger.open(run(1)), Err(LedgerError::Missing { .. })));
    assert!(!estate.path("").exists());
}

#[test]
fn init_makes_a_ledger_once() {
    let estate = Estate::new();
    let head = fs::read_to_string(estate.path("ledger.json")).unwrap();
    assert_eq!(
        head,
        "{\n  \"format\": 1,\n  \"id\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\n  \"created\": \"2027-01-15T08:00:00Z\"\n}\n"
    );
    let facts = estate.facts();
    assert_eq!((facts.id, facts.other_runs, facts.records.len()), (id('a'), Life::Proven, 0));
    assert!(matches!(estate.ledger.init(id('b'), at(1)), Err(LedgerError::AlreadyThere { .. })));
    assert_eq!(estate.facts().id, id('a'));
}

#[test]
fn init_refuses_a_folder_with_other_files_and_finishes_one_that_was_cut_short() {
    let estate = Estate::bare();
    fs::create_dir_all(estate.path("tenants")).unwrap();
    fs::write(estate.path(".ledger.json.tmp"), "{").unwrap();
    fs::write(estate.path("lock"), "").unwrap();
    assert!(estate.ledger.read().unwrap().is_none());

    fs::write(estate.path("thesis.doc"), "").unwrap();
    let refusal = estate.ledger.init(id('a'), at(0)).unwrap_err();
    assert!(matches!(&refusal, LedgerError::NotEmpty { file, .. } if file == "thesis.doc"), "{refusal}");
    fs::remove_file(estate.path("thesis.doc")).unwrap();

    fs::write(estate.path("tenants/qlik.old.json"), "{}").unwrap();
    assert!(matches!(estate.ledger.init(id('a'), at(0)), Err(LedgerError::NotEmpty { .. })));
    fs::remove_file(estate.path("tenants/qlik.old.json")).unwrap();

    estate.ledger.init(id('a'), at(0)).unwrap();
    assert!(!estate.path(".ledger.json.tmp").exists());
}

#[test]
fn a_ledger_that_lost_its_head_is_damaged_and_not_absent() {
    let estate = Estate::new();
    wait(estate.ledger.open(run(1)).unwrap().create(&record(1, binding()))).unwrap();
    fs::remove_file(estate.path("ledger.json")).unwrap();
    assert!(matches!(estate.refusal(), LedgerError::Torn { .. }));
    assert!(matches!(estate.ledger.open(run(2)), Err(LedgerError::Torn { .. })));
    assert!(matches!(estate.ledger.init(id('b'), at(1)), Err(LedgerError::NotEmpty { .. })));
}

#[test]
fn two_runs_never_hold_one_ledger() {
    let estate = Estate::new();
    let held = estate.ledger.open(run(1)).unwrap();
    let Err(busy) = estate.ledger.open(run(2)) else { panic!("two runs hold one ledger") };
    assert!(matches!(&busy, LedgerError::Busy { run, pid: 4_711, .. } if *run == run_id(1)), "{busy}");
    assert!(busy.to_string().contains("process 4711 on builder, since 2027-01-15T08:00:01Z"), "{busy}");
    assert!(!estate.facts().runs.contains_key(&run_id(2)));

    fs::write(estate.path("holder.json"), "{\"run\":").unwrap();
    assert!(matches!(estate.ledger.open(run(2)), Err(LedgerError::BusyUnnamed { .. })));
    drop(held);
    assert_eq!(*estate.ledger.open(run(2)).unwrap().run(), run_id(2));
}

#[test]
fn a_reader_sees_a_run_alive_while_it_holds_the_lock_and_over_after() {
    let estate = Estate::new();
    drop(estate.ledger.open(run(1)).unwrap());
    let held = estate.ledger.open(run(2)).unwrap();

    let facts = estate.facts();
    assert_eq!((facts.life(&run_id(1)), facts.life(&run_id(2))), (Life::Proven, Life::Alive));
    assert_eq!(facts.other_runs, Life::Alive);
    let own = held.facts().unwrap();
    assert_eq!((own.life(&run_id(1)), own.life(&run_id(2)), own.other_runs), (Life::Proven, Life::Alive, Life::Proven));

    drop(held);
    let facts = estate.facts();
    assert_eq!((facts.life(&run_id(2)), facts.other_runs), (Life::Proven, Life::Proven));
}

#[test]
fn while_nobody_knows_who_holds_the_lock_every_run_that_did_not_end_may_be_alive() {
    let estate = Estate::new();
    drop(estate.ledger.open(run(1)).unwrap());
    estate.ledger.open(run(2)).unwrap().end(at(50)).unwrap();
    let _held = estate.ledger.open(run(3)).unwrap();
    fs::remove_file(estate.path("holder.json")).unwrap();

    let facts = estate.facts();
    let lives = [1, 2, 3].map(|number| facts.life(&run_id(number)));
    assert_eq!((lives, facts.other_runs), ([Life::Alive, Life::Proven, Life::Alive], Life::Alive));
}

#[test]
fn a_reader_at_work_turns_no_run_away() {
    let estate = Estate::new();
    drop(estate.ledger.open(run(1)).unwrap());
    let reader = fs::File::open(estate.path("alive")).unwrap();
    reader.lock_shared().unwrap();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| estate.ledger.open(run(2)).map(drop));
        drop(reader);
        run.join().unwrap().unwrap();
    });
}

#[test]
fn a_reader_never_takes_a_run_at_work_for_one_that_is_over() {
    let estate = Estate::new();
    wait(estate.ledger.open(run(0)).unwrap().create(&record(0, State::Free))).unwrap();
    std::thread::scope(|scope| {
        let runs = scope.spawn(|| {
            for number in 1..16 {
                let held = estate.ledger.open(run(number)).unwrap();
                let State::Pending(intent) = intent() else { unreachable!() };
                let pending = State::Pending(Intent { run: run_id(number), ..intent });
                let seq = u64::from(number) * 2;
                wait(held.swap(seq - 2, &record(seq - 1, pending))).unwrap();
                wait(held.swap(seq - 1, &record(seq, State::Free))).unwrap();
                held.end(at(60)).unwrap();
            }
        });
        // An intent stands only while its run holds the lock.
        while !runs.is_finished() {
            let facts = estate.facts();
            if let State::Pending(intent) = &facts.records[&acme()].state {
                assert_eq!(facts.life(&intent.run), Life::Alive);
            }
        }
    });
}

#[test]
fn a_run_that_begins_or_ends_under_a_readers_eyes_is_not_misjudged() {
    let estate = Estate::new();
    drop(estate.ledger.open(run(0)).unwrap());
    let mut held = None;
    let facts = read_directory_by(estate.directory(), |directory| {
        held.get_or_insert_with(|| estate.ledger.open(run(1)).unwrap());
        Contents::read(directory)
    });
    assert_eq!(facts.unwrap().unwrap().life(&run_id(1)), Life::Alive);
    drop(held);

    // Where runs come and go at every look, nothing is claimed of those that did not end.
    let mut number = 1;
    let facts = read_directory_by(estate.directory(), |directory| {
        number += 1;
        drop(estate.ledger.open(run(number)).unwrap());
        Contents::read(directory)
    });
    let facts = facts.unwrap().unwrap();
    assert_eq!((facts.life(&run_id(0)), facts.other_runs), (Life::Alive, Life::Alive));
}

/// A store has no lock: a run may finish between a reader's look at its record and the look at its run.
#[cfg(feature = "object-store")]
#[test]
fn a_run_that_ends_between_two_looks_at_a_store_leaves_nothing_in_doubt() {
    let estate = Estate::new();
    let held = estate.ledger.open(run(1)).unwrap();
    wait(held.create(&record(0, State::Free))).unwrap();
    let State::Pending(intent) = intent() else { unreachable!() };
    wait(held.swap(0, &record(1, State::Pending(Intent { run: run_id(1), ..intent })))).unwrap();
    let mut held = Some(held);
    let ours = Alive::Clock { now: Some(at(1)), ours: None };
    let contents = read_whole(|| {
        let contents = Contents::read(estate.directory())?.unwrap();
        let Some(held) = held.take() else { return Ok(Some(contents)) };
        // What the reader saw of the record is of before; the run's end is of after.
        wait(held.swap(1, &record(2, State::Free)))?;
        held.end(at(60))?;
        let mut seen = Contents::read(estate.directory())?.unwrap();
        seen.records = contents.records;
        Ok(Some(seen))
    });
    let facts = contents.unwrap().unwrap().judged("store".to_owned(), &ours);
    assert!(matches!(facts.records[&acme()].state, State::Free), "{:?}", facts.records[&acme()].state);
    assert_eq!(facts.life(&run_id(1)), Life::Proven);
}

#[test]
fn a_lock_dies_with_its_process() {
    let estate = Estate::new();
    drop(estate.ledger.open(run(1)).unwrap());
    // Another process that holds both locks, as a run does, until it is killed: what is locked here is open there alone.
    let locked = |name: &str| {
        let file = fs::File::options().read(true).write(true).open(estate.path(name)).unwrap();
        file.lock().unwrap();
        std::process::Stdio::from(file)
    };
    let mut child = std::process::Command::new("cat")
        .stdin(std::process::Stdio::piped())
        .stdout(locked("lock"))
        .stderr(locked("alive"))
        .spawn()
        .unwrap();
    assert!(matches!(estate.ledger.open(run(2)), Err(LedgerError::Busy { .. })));
    assert_eq!(estate.facts().life(&run_id(1)), Life::Alive);

    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(estate.facts().life(&run_id(1)), Life::Proven);
    estate.ledger.open(run(2)).unwrap();
}

#[test]
fn a_run_is_on_disk_before_it_can_do_anything_and_its_end_after() {
    let estate = Estate::new();
    let held = estate.ledger.open(run(1)).unwrap();
    let file = format!("runs/{}.json", run_id(1));
    let text = fs::read_to_string(estate.path(&file)).unwrap();
    assert!(text.contains("\"ended\": null"), "{text}");
    held.end(at(60)).unwrap();
    let text = fs::read_to_string(estate.path(&file)).unwrap();
    assert!(text.contains("\"ended\": \"2027-01-15T08:01:00Z\""), "{text}");
    assert!(matches!(estate.ledger.open(run(1)), Err(LedgerError::Conflict { .. })));
}

#[test]
fn a_record_is_created_once_and_swapped_only_by_its_successor() {
    let estate = Estate::new();
    let held = estate.ledger.open(run(1)).unwrap();
    let conflicts = |result: Result<(), LedgerError>| matches!(result, Err(LedgerError::Conflict { .. }));
    assert!(conflicts(wait(held.swap(0, &record(1, State::Free)))), "nothing is there yet");
    wait(held.create(&record(1, intent()))).unwrap();
    assert!(conflicts(wait(held.create(&record(1, State::Free)))));
    assert!(conflicts(wait(held.swap(2, &record(3, State::Free)))), "an older seq is there");
    assert!(conflicts(wait(held.swap(0, &record(1, State::Free)))), "a newer seq is there");
    assert!(conflicts(wait(held.swap(1, &record(3, State::Free)))), "a seq is skipped");
    let stranger = Record { uid: Uid::new([8; 16]), ..record(2, State::Free) };
    assert!(conflicts(wait(held.swap(1, &stranger))), "another uid");
    assert_eq!(estate.facts().records[&acme()], record(1, intent()));

    wait(held.swap(1, &record(2, binding()))).unwrap();
    assert_eq!(estate.facts().records[&acme()], record(2, binding()));
    assert_eq!(
        fs::read_to_string(estate.path("tenants/qlik.acme.json")).unwrap(),
        r#"{
  "format": 1,
  "ledger": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "record": {
    "uid": "07070707070707070707070707070707",
    "address": "qlik/acme",
    "seq": 2,
    "state": {
      "bound": {
        "tenant_id": "T1",
        "hostname": "x.us.qlikcloud.com",
        "account": "us-oem",
        "how": "created",
        "at": "2027-01-15T08:00:06Z"
      }
    }
  }
}
"#
    );
}

#[test]
fn many_tasks_of_one_run_create_and_swap_without_losing_one() {
    let estate = Estate::new();
    let held = estate.ledger.open(run(1)).unwrap();
    let created: usize = std::thread::scope(|scope| {
        let tasks: Vec<_> =
            (0..8).map(|_| scope.spawn(|| usize::from(wait(held.create(&record(1, State::Free))).is_ok()))).collect();
        tasks.into_iter().map(|task| task.join().unwrap()).sum()
    });
    assert_eq!(created, 1);
}

#[test]
fn the_latest_rehearsal_of_each_account_and_owner_stands() {
    let estate = Estate::new();
    let held = estate.ledger.open(run(1)).unwrap();
    wait(held.rehearsed(&rehearsal(Way::Client, Some("trust the client")))).unwrap();
    wait(held.rehearsed(&rehearsal(Way::Client, None))).unwrap();
    let named = rehearsal(Way::Configured("client".parse().unwrap()), None);
    wait(held.rehearsed(&named)).unwrap();
    assert_eq!(held.facts().unwrap().rehearsals, [rehearsal(Way::Client, None), named]);
}

#[test]
fn a_newer_format_is_refused_and_not_taken_for_a_torn_file() {
    let estate = Estate::new();
    wait(estate.ledger.open(run(1)).unwrap().create(&record(1, State::Free))).unwrap();
    estate.edit("tenants/qlik.acme.json", "\"format\": 1,", "\"format\": 2, \"shape\": {},");
    let refusal = estate.refusal();
    assert!(
        matches!(&refusal, LedgerError::NewerFormat { file, found: 2 } if file.ends_with("qlik.acme.json")),
        "{refusal}"
    );
    assert!(matches!(estate.ledger.open(run(2)), Err(LedgerError::NewerFormat { .. })));
}

#[test]
fn a_file_that_is_not_whole_is_named_and_never_guessed() {
    for (from, to) in [
        ("\"seq\": 1,", "\"seq\": 1, \"note\": 1,"),
        ("\"seq\": 1,", "\"seq\": 1, \"seq\": 1,"),
        ("\"seq\": 1,", "\"seq\": \"1\","),
        ("\"format\": 1", "\"format\": 0"),
        ("\"format\": 1", "\"form\": 1"),
        ("\"free\"", "\"freed\""),
        ("qlik/acme", "qlik/ACME"),
        ("}\n}", "}\n"),
        ("}\n}", "}\n} x"),
    ] {
        let estate = Estate::new();
        wait(estate.ledger.open(run(1)).unwrap().create(&record(1, State::Free))).unwrap();
        estate.edit("tenants/qlik.acme.json", from, to);
        let refusal = estate.refusal();
        assert!(
            matches!(&refusal, LedgerError::Torn { file, .. } if file.ends_with("tenants/qlik.acme.json")),
            "{refusal}"
        );
        assert!(refusal.next().contains("restore"));
    }
    let estate = Estate::new();
    fs::write(estate.path("ledger.json"), "").unwrap();
    assert!(matches!(estate.refusal(), LedgerError::Torn { .. }));
    let estate = Estate::new();
    drop(estate.ledger.open(run(1)).unwrap());
    estate.edit(&format!("runs/{}.json", run_id(1)), "\"pid\"", "\"extra\": 1, \"pid\"");
    assert!(matches!(estate.refusal(), LedgerError::Torn { .. }));
}

#[test]
fn a_file_that_belongs_elsewhere_is_named_and_never_taken() {
    let spoil: [&dyn Fn(&Estate); 10] = [
        &|e| e.edit("tenants/qlik.acme.json", &"a".repeat(32), &"b".repeat(32)),
        &|e| e.edit("tenants/qlik.acme.json", "qlik/acme", "qlik/other"),
        &|e| e.edit("tenants/qlik.acme.json", "qlik/acme", "qlik/acme/ci"),
        &|e| fs::rename(e.path("tenants/qlik.acme.json"), e.path("tenants/qlik.acme (1).json")).unwrap(),
        &|e| fs::write(e.path("tenants/qlik.acme.json~"), "").unwrap(),
        &|e| fs::write(e.path("notes.txt"), "").unwrap(),
        &|e| fs::create_dir(e.path("tenants/x.json")).unwrap(),
        &|e| fs::rename(e.path(&format!("runs/{}.json", run_id(1))), e.path("runs/0000000000000000.json")).unwrap(),
        &|e| fs::rename(e.path("rehearsals/us-oem.client.json"), e.path("rehearsals/uk.client.json")).unwrap(),
        &|e| {
            let text = fs::read_to_string(e.path("tenants/qlik.acme.json")).unwrap();
            fs::write(e.path("tenants/qlik.copy.json"), text.replace("qlik/acme", "qlik/copy")).unwrap();
        },
    ];
    for spoil in spoil {
        let estate = Estate::new();
        let held = estate.ledger.open(run(1)).unwrap();
        wait(held.create(&record(1, State::Free))).unwrap();
        wait(held.rehearsed(&rehearsal(Way::Client, None))).unwrap();
        drop(held);
        estate.facts();
        spoil(&estate);
        let refusal = estate.refusal();
        assert!(matches!(refusal, LedgerError::Foreign { .. }), "{refusal}");
    }
}

#[test]
fn a_link_in_a_records_place_is_not_followed() {
    let estate = Estate::new();
    wait(estate.ledger.open(run(1)).unwrap().create(&record(1, State::Free))).unwrap();
    let real = estate.path("tenants/qlik.acme.json");
    let aside = estate.root.path().join("aside.json");
    fs::rename(&real, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &real).unwrap();
    assert!(matches!(estate.refusal(), LedgerError::Io { .. }));
}

#[test]
fn a_write_that_was_cut_short_changes_nothing_and_is_swept_away() {
    let estate = Estate::new();
    wait(estate.ledger.open(run(1)).unwrap().create(&record(1, State::Free))).unwrap();
    fs::write(estate.path("tenants/.qlik.acme.json.tmp"), "{\"format\":").unwrap();
    assert_eq!(estate.facts().records[&acme()], record(1, State::Free));
    let held = estate.ledger.open(run(2)).unwrap();
    assert!(!estate.path("tenants/.qlik.acme.json.tmp").exists());
    wait(held.swap(1, &record(2, State::Free))).unwrap();
}

#[test]
fn after_one_failed_fsync_nothing_more_is_written() {
    let estate = Estate::new();
    let mut held = estate.ledger.open(run(1)).unwrap();
    wait(held.create(&record(1, intent()))).unwrap();
    match &mut held.store {
        Store::Folder(locked) => locked.break_disk(),
        #[cfg(feature = "object-store")]
        Store::Bucket { .. } => panic!("it is a folder"),
    }
    let first = wait(held.swap(1, &record(2, binding()))).unwrap_err();
    assert!(matches!(first, LedgerError::FsyncFailed { .. }), "{first}");
    assert!(first.next().contains("free some space"), "{}", first.next());
    for later in [wait(held.swap(1, &record(2, binding()))), wait(held.rehearsed(&rehearsal(Way::Client, None)))] {
        assert!(matches!(later, Err(LedgerError::Stopped { .. })));
    }
    assert!(matches!(held.end(at(60)), Err(LedgerError::Stopped { .. })));
    // The intent stands, its run did not say `ended`, and the lock is free.
    let facts = estate.facts();
    assert_eq!(facts.records[&acme()], record(1, intent()));
    estate.ledger.open(run(2)).unwrap();
}

#[test]
fn the_newest_ended_runs_are_kept_and_every_run_that_did_not_end() {
    let estate = Estate::new();
    drop(estate.ledger.open(run(0)).unwrap());
    let bytes = |number: u16| {
        let [high, low] = number.to_be_bytes();
        let id = RunId::new([1, high, low, 0, 0, 0, 0, 0]);
        let run = Run { id: id.clone(), started: at(i64::from(number)), ended: Some(at(9_999)), ..run(0) };
        (format!("runs/{id}.json"), format::run_file(&super::tests::id('a'), &run).unwrap())
    };
    for number in 1..=203 {
        let (file, bytes) = bytes(number);
        fs::write(estate.path(&file), bytes).unwrap();
    }
    let held = estate.ledger.open(run(2)).unwrap();
    let runs = held.facts().unwrap().runs;
    assert_eq!(runs.len(), 202);
    assert!(runs.contains_key(&run_id(0)) && runs.contains_key(&run_id(2)));
    assert!(!estate.path(&bytes(3).0).exists() && estate.path(&bytes(4).0).exists());
}

#[test]
fn what_git_keeps_of_a_ledger_is_a_ledger_again() {
    let estate = Estate::new();
    let held = estate.ledger.open(run(1)).unwrap();
    wait(held.create(&record(1, binding()))).unwrap();
    held.end(at(60)).unwrap();
    let git = |arguments: &[&str]| {
        let output =
            std::process::Command::new("git").args(arguments).current_dir(estate.root.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    assert_eq!(git(&["ls-files"]), "", "a new ledger is left out of a commit");
    // As ledgers of 0.1.0 have it, which may be in somebody's history.
    fs::write(estate.path(".gitignore"), "/lock\n/alive\n/holder.json\n.*.tmp\n").unwrap();
    git(&["add", "."]);
    let listed = git(&["ls-files"]);
    assert!(listed.contains("deep/ledger/tenants/qlik.acme.json"), "{listed}");
    for machine in ["lock", "alive", "holder.json", "rehearsals"] {
        assert!(!listed.contains(machine), "{listed}");
    }
    git(&["checkout-index", "-a", "--prefix=copy/"]);
    let copy = Ledger::at(
        &settings::Ledger::Directory { path: estate.root.path().join("copy/deep/ledger"), durable: false },
        &patient(),
    )
    .unwrap();
    assert_eq!(copy.read().unwrap().unwrap().records, estate.facts().records);
    wait(copy.open(run(2)).unwrap().rehearsed(&rehearsal(Way::Client, None))).unwrap();
}

fn under_umask() {
    for umask in [0o002, 0o000, 0o377] {
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        let estate = Estate::bare();
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(umask));
        estate.ledger.init(id('a'), at(0)).unwrap();
        let held = estate.ledger.open(run(1)).unwrap();
        wait(held.create(&record(1, State::Free))).unwrap();
        wait(held.rehearsed(&rehearsal(Way::Client, None))).unwrap();
        for folder in ["../../deep", "", "tenants", "runs", "rehearsals"] {
            assert_eq!(mode(&estate.path(folder)), 0o700, "{folder} with umask {umask:o}");
        }
        let run = format!("runs/{}.json", run_id(1));
        for file in ["ledger.json", "holder.json", "tenants/qlik.acme.json", "rehearsals/us-oem.client.json", &run] {
            assert_eq!(mode(&estate.path(file)), 0o600, "{file} with umask {umask:o}");
        }
        for lock in ["lock", "alive"] {
            assert_eq!(mode(&estate.path(lock)), 0o600, "{lock} with umask {umask:o}");
        }
    }
}

/// The umask belongs to the process, so this test runs itself again in one of its own.
#[test]
#[expect(clippy::disallowed_methods, reason = "tells the process of its own from the first")]
fn files_are_ours_alone_whatever_the_umask() {
    const ALONE: &str = "QLIK_PLAN_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return under_umask();
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ledger::tests::files_are_ours_alone_whatever_the_umask", "--test-threads=1"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// The successor takes the place that was set aside before the request: no new file, and no larger one.
#[test]
fn what_follows_an_intent_is_written_into_space_that_was_there_before() {
    use std::os::unix::fs::MetadataExt as _;

    let estate = Estate::new();
    let held = estate.ledger.open(run(1)).unwrap();
    let pending = record(1, intent());
    wait(held.create(&pending)).unwrap();
    let spare = estate.path("tenants/.qlik.acme.json.next.tmp");
    let (aside, intent) = (fs::metadata(&spare).unwrap(), fs::metadata(estate.path("tenants/qlik.acme.json")).unwrap());
    assert!(aside.len() >= intent.len() + 1_024, "{} of {}", aside.len(), intent.len());
    assert_eq!(aside.permissions().mode() & 0o777, 0o600);
    let bound = record(2, binding());
    wait(held.swap(1, &bound)).unwrap();
    assert_eq!(fs::metadata(estate.path("tenants/qlik.acme.json")).unwrap().ino(), aside.ino());
    assert!(!spare.exists());
    assert_eq!(wait(held.record(&bound.address)).unwrap(), Some(bound));

    // One that a killed run left is swept away, and one that somebody took away is not missed.
    let held = {
        fs::write(estate.path("tenants/.qlik.beta.json.next.tmp"), "   ").unwrap();
        drop(held);
        estate.ledger.open(run(2)).unwrap()
    };
    assert!(!estate.path("tenants/.qlik.beta.json.next.tmp").exists());
    let again = record(3, State::Free);
    wait(held.swap(2, &again)).unwrap();
    wait(held.swap(3, &Record { seq: 4, ..pending })).unwrap();
    fs::remove_file(&spare).unwrap();
    let bound = record(5, binding());
    wait(held.swap(4, &bound)).unwrap();
    assert_eq!(wait(held.record(&bound.address)).unwrap(), Some(bound));
}
