//! What the file sink keeps and refuses, each on a folder of its own.

mod git;

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use tempfile::TempDir;

use crate::model::live::Writable;
use crate::model::marker::{KeyUid, Letter, Marker, Nonce};
use crate::model::record::{LedgerId, Uid};
use crate::model::secret::Secret;
use crate::model::settings;
use crate::model::spec::Shape;
use crate::sink::access::Access;
use crate::sink::payload::{Parts, render};
use crate::sink::{self, Sink};

use super::*;

/// A sink that is asked without a runtime around it.
struct Still(Sink);

#[derive(Debug, PartialEq)]
struct Look {
    entry: Observed<SinkEntry>,
    version: Version,
    at: Address,
}

impl Still {
    fn look(&self, address: &Address, formerly: &[Address]) -> Look {
        let sink::Look { entry, version, at, .. } = at_once(self.0.look(address, formerly));
        Look { entry: entry.unwrap(), version, at }
    }

    fn place(&self, address: &Address) -> String {
        self.0.place(address)
    }

    fn preflight(&self, address: &Address) -> Writable {
        at_once(self.0.preflight(address))
    }

    fn put(&self, address: &Address, version: &Version, payload: &Payload, entry: &SinkEntry) -> Put {
        at_once(self.0.put(address, version, payload, entry))
    }

    fn read_back(&self, address: &Address, entry: &SinkEntry) -> ReadBack {
        at_once(self.0.read_back(address, entry))
    }
}

/// A folder makes nobody wait, save for the instant in which a program that another test starts has its lock open.
fn patient() -> Access {
    Access { timeout: std::time::Duration::from_secs(60), ..Access::default() }
}

fn at_once<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

struct Place {
    root: TempDir,
    sink: Still,
}

impl Place {
    fn new() -> Self {
        Self::below("secrets")
    }

    fn below(directory: &str) -> Self {
        let root = TempDir::new().unwrap();
        let directory = root.path().join(directory);
        let sink = Still(Sink::of(&settings::Sink::File { directory, durable: false, shared: false }, patient()));
        Self { root, sink }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().join("secrets").join(below)
    }

    fn file(&self) -> &FileSink {
        match &self.sink.0 {
            Sink::File(file) => file,
            Sink::Command(_)
            | Sink::Vault(_)
            | Sink::Aws(_)
            | Sink::Kubernetes(_)
            | Sink::Azure(_)
            | Sink::Gcp(_)
            | Sink::StackOne(_)
            | Sink::GitLab(_)
            | Sink::GitHub(_) => {
                unreachable!()
            }
        }
    }

    fn look(&self) -> Look {
        self.sink.look(&ci(), &[])
    }

    fn put(&self, version: &Version, number: u8) -> Put {
        self.sink.put(&ci(), version, &payload(number), &entry(number))
    }

    /// The refusal of preflight; a put must be refused alike and leave nothing.
    fn refusal(&self) -> Unreadable {
        let Writable::No(why) = self.sink.preflight(&ci()) else { panic!("preflight sees no obstacle") };
        assert!(!why.next.is_empty());
        assert_eq!(self.put(&self.look().version, 1), Put::Refused(why.clone()));
        why
    }
}

fn ci() -> Address {
    "qlik/acme/ci".parse().unwrap()
}

fn token(number: u8) -> String {
    format!("eyJ.token.{number}")
}

fn payload(number: u8) -> Payload {
    let parts = Parts {
        tenant: "x",
        region: "us",
        server: "https://x.us.qlikcloud.com",
        key_id: "k",
        description: "CI",
        expiry: None,
    };
    render(Shape::Token, &parts, &Secret::new(token(number)))
}

fn entry(number: u8) -> SinkEntry {
    let ledger = LedgerId::new([number; 16]);
    let uid = Uid::new([3; 16]);
    let key = ci().key().cloned().unwrap();
    SinkEntry {
        fingerprint: payload(number).fingerprint(),
        marker: Marker {
            ledger: ledger.short().to_owned(),
            uid: KeyUid::of(&uid, &key),
            sink: SinkHash::of("file", "/x"),
            nonce: Nonce::parse("c0ffee00").unwrap(),
            over: None,
            letter: Letter::Delivered,
        },
        ledger,
        uid,
        key,
        key_id: format!("key-{number}"),
        tenant_id: Untrusted::from("T"),
        owner: Untrusted::from("U"),
        expiry: None,
        delivered: "2027-01-15T08:00:00Z".parse().unwrap(),
        over: Vec::new(),
        replaced: Vec::new(),
        made_as: None,
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_key_is_stored_found_read_back_and_replaced() {
    let place = Place::new();
    assert_eq!(place.look(), Look { entry: Observed::Absent, version: Version::Nothing, at: ci() });
    assert_eq!(place.sink.preflight(&ci()), Writable::Yes);
    assert!(!place.path("").exists(), "looking makes nothing");
    assert_eq!(place.sink.read_back(&ci(), &entry(1)), ReadBack::Absent);

    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    assert_eq!(fs::read_to_string(place.path("qlik/acme/ci")).unwrap(), "eyJ.token.1");
    assert_eq!(place.sink.place(&ci()), place.path("qlik/acme/ci").to_string_lossy());
    let look = place.look();
    assert_eq!(look.entry, Observed::Present(entry(1)));
    assert_eq!(place.sink.read_back(&ci(), &entry(1)), ReadBack::Same);
    assert!(matches!(place.sink.read_back(&ci(), &entry(2)), ReadBack::Other(why) if why.contains("key-1")));

    assert_eq!(place.put(&look.version, 2), Put::Stored);
    assert_eq!(place.look().entry, Observed::Present(entry(2)));
    let mut names: Vec<_> =
        fs::read_dir(place.path("qlik/acme")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".ci.meta.json", "ci"]);
}

#[test]
fn the_metadata_says_nothing_of_the_secret_but_its_fingerprint() {
    let place = Place::new();
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    let text = fs::read_to_string(place.path("qlik/acme/.ci.meta.json")).unwrap();
    assert!(!text.contains("eyJ") && text.contains(payload(1).fingerprint().as_str()));
    assert!(text.starts_with("{\n  \"format\": 1,\n  \"entries\": [\n    {\n      \"ledger\": \""), "{text}");
    assert!(text.ends_with("}\n"));
}

#[test]
fn a_put_that_expects_something_else_stores_nothing() {
    let place = Place::new();
    assert_eq!(place.put(&Version::Payload(payload(9).fingerprint()), 1), Put::Conflict);
    assert_eq!(place.put(&Version::Unknown, 1), Put::Conflict);
    assert_eq!(place.look().entry, Observed::Absent);
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    assert_eq!(place.put(&Version::Nothing, 2), Put::Conflict);
    assert_eq!(place.put(&Version::Payload(payload(9).fingerprint()), 2), Put::Conflict);
    assert_eq!(place.look().entry, Observed::Present(entry(1)));
    assert_eq!(place.sink.read_back(&ci(), &entry(1)), ReadBack::Same);
}

#[test]
fn a_payload_that_appears_after_the_journal_was_written_is_not_replaced() {
    let place = Place::new();
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    let version = place.look().version;
    let spot = place.file().spot(&ci()).unwrap();
    at_once(place.file().journal(&spot, &entry(2), Some(entry(1)))).unwrap();
    fs::write(&spot.payload, "somebody else's").unwrap();
    assert_eq!(at_once(place.file().deliver(&spot, &version, &payload(2))), Err(Put::Conflict));
    assert_eq!(fs::read_to_string(&spot.payload).unwrap(), "somebody else's");
    assert!(!spot.payload_temporary.exists());
}

#[test]
fn metadata_that_does_not_describe_the_payload_is_refused() {
    let place = Place::new();
    assert!(matches!(place.sink.put(&ci(), &Version::Nothing, &payload(1), &entry(2)), Put::Refused(_)));
    let tenant = ci().parent();
    assert!(matches!(place.sink.put(&tenant, &Version::Nothing, &payload(1), &entry(1)), Put::Refused(_)));
    assert!(!place.path("").exists());
}

#[test]
fn a_put_cut_short_between_its_steps_leaves_the_old_key_in_force() {
    let place = Place::new();
    let spot = place.file().spot(&ci()).unwrap();
    at_once(disk::make_folder(&spot.folder, &Flushes::default())).unwrap();
    // The first put of all.
    at_once(place.file().journal(&spot, &entry(1), None)).unwrap();
    assert_eq!(place.look().entry, Observed::Absent);
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    // A later one, its temporary half-written.
    at_once(place.file().journal(&spot, &entry(2), Some(entry(1)))).unwrap();
    fs::write(&spot.payload_temporary, "eyJ.tok").unwrap();
    fs::write(&spot.journal_temporary, "{").unwrap();
    assert_eq!(place.look().entry, Observed::Present(entry(1)));
    assert!(matches!(place.sink.read_back(&ci(), &entry(2)), ReadBack::Other(_)));
    // The next put clears the remains, and the key that never came is forgotten.
    assert_eq!(place.put(&place.look().version, 3), Put::Stored);
    assert!(!spot.payload_temporary.exists() && !spot.journal_temporary.exists());
    assert_eq!(journal::read(&spot.journal).unwrap().unwrap(), [entry(3), entry(1)]);
    // Cut short after the rename: the new key is in force.
    at_once(place.file().journal(&spot, &entry(4), Some(entry(3)))).unwrap();
    at_once(place.file().deliver(&spot, &Version::Payload(payload(3).fingerprint()), &payload(4))).unwrap();
    assert_eq!(place.look().entry, Observed::Present(entry(4)));
}

#[test]
fn a_payload_or_metadata_that_we_did_not_write_is_never_replaced() {
    type Spoil<'a> = (&'a dyn Fn(&Place), &'a str);
    let spoil: [Spoil<'_>; 7] = [
        (&|p| fs::write(p.path("qlik/acme/ci"), "mine").unwrap(), "did not write"),
        (&|p| fs::write(p.path("qlik/acme/ci"), vec![b'x'; 2 << 20]).unwrap(), "did not write"),
        (&|p| fs::remove_file(p.path("qlik/acme/.ci.meta.json")).unwrap(), ".ci.meta.json is missing"),
        (&|p| fs::write(p.path("qlik/acme/.ci.meta.json"), "{\"format\": 1, \"ent").unwrap(), "no whole metadata"),
        (&|p| fs::write(p.path("qlik/acme/.ci.meta.json"), "{\"format\": 2}").unwrap(), "format 2"),
        (
            &|p| fs::write(p.path("qlik/acme/.ci.meta.json"), "{\"format\":1,\"entries\":[],\"x\":1}").unwrap(),
            "no whole",
        ),
        (
            &|p| {
                for name in ["ci", ".ci.meta.json"] {
                    let text = fs::read_to_string(p.path("qlik/acme").join(name)).unwrap();
                    fs::write(p.path("qlik/acme").join(name), text.replace("\"key\": \"ci\"", "\"key\": \"cd\""))
                        .unwrap();
                }
            },
            "holds the key cd",
        ),
    ];
    for (spoil, words) in spoil {
        let place = Place::new();
        assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
        spoil(&place);
        let before = fs::read(place.path("qlik/acme/ci")).unwrap();
        let look = place.look();
        assert_eq!(look.version, Version::Unknown);
        let Observed::Unreadable(why) = look.entry else { panic!("{words}") };
        assert!(why.why.raw().contains(words), "{}", why.why);
        assert!(!why.why.raw().contains("eyJ"));
        assert_eq!(place.refusal(), why);
        assert_eq!(fs::read(place.path("qlik/acme/ci")).unwrap(), before);
    }
}

#[test]
fn metadata_that_holds_a_secret_by_mistake_is_not_quoted() {
    let place = Place::new();
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    fs::write(place.path("qlik/acme/.ci.meta.json"), "{\"format\": \"eyJhbGciOi\"}").unwrap();
    assert!(!place.refusal().why.raw().contains("eyJ"));
}

#[test]
fn a_key_is_found_under_the_name_its_tenant_had_before() {
    let place = Place::new();
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    let new: Address = "qlik/acme-corp/ci".parse().unwrap();
    let formerly = [ci().parent(), "qlik/between".parse().unwrap()];
    let look = place.sink.look(&new, &formerly);
    assert_eq!(look, Look { entry: Observed::Present(entry(1)), version: Version::Nothing, at: ci() });
    assert_eq!(place.sink.look(&new, &[ci()]), look);
    assert_eq!(place.sink.put(&new, &look.version, &payload(2), &entry(2)), Put::Stored);
    let look = place.sink.look(&new, &formerly);
    assert_eq!((look.entry, look.at), (Observed::Present(entry(2)), new));
}

#[test]
fn links_are_refused_wherever_they_stand() {
    for link in
        ["secrets", "secrets/qlik", "secrets/qlik/acme", "secrets/qlik/acme/ci", "secrets/qlik/acme/.ci.meta.json"]
    {
        for dangling in [false, true] {
            let place = Place::new();
            assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
            let link = place.root.path().join(link);
            let aside = place.root.path().join("aside");
            fs::rename(&link, &aside).unwrap();
            symlink(if dangling { place.root.path().join("nowhere") } else { aside }, &link).unwrap();
            let why = place.refusal();
            assert!(why.why.raw().contains("symbolic link"), "{}", why.why);
            assert!(!place.root.path().join("nowhere").exists());
        }
    }
    let place = Place::below("secrets/");
    fs::create_dir(place.root.path().join("aside")).unwrap();
    symlink("aside", place.root.path().join("secrets")).unwrap();
    assert!(place.refusal().why.raw().contains("symbolic link"));
}

#[test]
fn a_link_in_the_temporarys_place_is_removed_and_not_followed() {
    let place = Place::new();
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    let victim = place.root.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    symlink(&victim, place.path("qlik/acme/.ci.tmp")).unwrap();
    assert_eq!(place.put(&place.look().version, 2), Put::Stored);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    assert!(!place.path("qlik/acme/ci").symlink_metadata().unwrap().is_symlink());
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    for below in ["", "qlik", "qlik/acme"] {
        for bits in [0o770, 0o702, 0o1777] {
            let place = Place::new();
            assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
            chmod(&place.path(below), bits);
            let why = place.refusal();
            assert!(why.next.starts_with("chmod go-w "), "{}", why.next);
            chmod(&place.path(below), 0o755);
            assert_eq!(place.sink.preflight(&ci()), Writable::Yes);
        }
    }
}

#[test]
fn a_folder_above_may_be_a_groups_or_sticky_but_not_everybodys() {
    let place = Place::below("above/secrets");
    let above = place.root.path().join("above");
    fs::create_dir(&above).unwrap();
    chmod(&above, 0o777);
    assert!(place.refusal().why.raw().contains("everybody may write"));
    for fine in [0o775, 0o1777, 0o755] {
        chmod(&above, fine);
        assert_eq!(place.sink.preflight(&ci()), Writable::Yes);
    }
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    // Also where a link above leads.
    let real = place.root.path().join("real");
    fs::rename(&above, &real).unwrap();
    symlink(&real, &above).unwrap();
    assert_eq!(place.sink.preflight(&ci()), Writable::Yes);
    chmod(&real, 0o777);
    assert!(matches!(place.sink.preflight(&ci()), Writable::No(_)));
}

#[test]
fn what_stands_in_the_way_is_named() {
    let place = Place::new();
    fs::create_dir_all(place.path("qlik/acme/ci")).unwrap();
    assert!(place.refusal().why.raw().contains("no file"));
    let place = Place::new();
    fs::create_dir_all(place.path("qlik/acme/.ci.meta.json")).unwrap();
    assert!(place.refusal().why.raw().contains("no file"));
    for file in ["secrets", "secrets/qlik", "secrets/qlik/acme"] {
        let place = Place::new();
        let file = place.root.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "").unwrap();
        let why = place.refusal();
        assert!(why.why.raw().contains(&*file.to_string_lossy()), "{}", why.why);
    }
    let place = Place::below("file/secrets");
    fs::write(place.root.path().join("file"), "").unwrap();
    place.refusal();
    let place = Place::below("nowhere/../secrets");
    assert!(place.refusal().next.contains(".."));
    let place = Place::new();
    fs::create_dir_all(place.path("qlik/acme")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(place.path("qlik/acme/ci")).status().unwrap();
    assert!(pipe.success());
    place.refusal();
}

#[test]
fn a_missing_right_is_seen_before_anything_is_written() {
    if rustix::process::geteuid().is_root() {
        return; // Root has every right.
    }
    let place = Place::below("above/secrets");
    let above = place.root.path().join("above");
    fs::create_dir(&above).unwrap();
    chmod(&above, 0o555);
    let Writable::No(why) = place.sink.preflight(&ci()) else { panic!("preflight sees no obstacle") };
    assert!(why.next.starts_with("give the user"), "{}", why.next);
    assert!(matches!(place.put(&Version::Nothing, 1), Put::Refused(_)));
    chmod(&above, 0o755);
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    chmod(&above.join("secrets/qlik/acme/ci"), 0);
    assert!(matches!(place.look().entry, Observed::Unreadable(why) if why.next.starts_with("give the user")));
    assert!(matches!(place.sink.read_back(&ci(), &entry(1)), ReadBack::Unreadable(_)));
}

#[test]
fn a_link_above_does_not_hide_a_work_tree() {
    let place = Place::below("link/secrets");
    fs::create_dir_all(place.root.path().join("repository/.git")).unwrap();
    fs::write(place.root.path().join("repository/.git/HEAD"), "").unwrap();
    fs::create_dir_all(place.root.path().join("repository/deep/secrets")).unwrap();
    symlink("repository/deep", place.root.path().join("link")).unwrap();
    assert!(place.refusal().next.contains("add /deep/secrets/ to "));
}

#[test]
fn a_disk_that_fails_before_the_rename_has_definitely_not_stored() {
    let place = Place::new();
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    let mut broken = place.file().clone();
    broken.flushes = Flushes::ending(|_| Err(ErrorKind::StorageFull.into()));
    let outcome = Still(Sink::File(broken)).put(&ci(), &place.look().version, &payload(2), &entry(2));
    assert!(matches!(&outcome, Put::Refused(why) if why.next.starts_with("free some space")), "{outcome:?}");
    assert_eq!(place.look().entry, Observed::Present(entry(1)));
    assert!(!place.path("qlik/acme/.ci.tmp").exists() && !place.path("qlik/acme/.ci.meta.json.tmp").exists());
}

#[test]
fn a_disk_that_fails_after_the_rename_has_perhaps_stored() {
    let place = Place::new();
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    let version = place.look().version;
    let spot = place.file().spot(&ci()).unwrap();
    at_once(place.file().journal(&spot, &entry(2), Some(entry(1)))).unwrap();
    let mut broken = place.file().clone();
    broken.flushes =
        Flushes::ending(|file| if file.metadata()?.is_dir() { Err(ErrorKind::Other.into()) } else { Ok(()) });
    assert!(matches!(at_once(broken.deliver(&spot, &version, &payload(2))), Err(Put::Unknown(_))));
    assert_eq!(place.sink.read_back(&ci(), &entry(2)), ReadBack::Same);
}

#[test]
fn of_many_puts_that_saw_the_same_version_one_stores() {
    let place = Place::new();
    let stored: Vec<u8> = std::thread::scope(|scope| {
        let place = &place;
        let store = |number| (place.put(&Version::Nothing, number) == Put::Stored).then_some(number);
        let puts: Vec<_> = (0..8).map(|number| scope.spawn(move || store(number))).collect();
        puts.into_iter().filter_map(|put| put.join().unwrap()).collect()
    });
    let [winner] = stored[..] else { panic!("{} puts stored", stored.len()) };
    assert_eq!(place.look().entry, Observed::Present(entry(winner)));
}

#[test]
fn whatever_a_name_is_made_of_it_stays_one_file_name() {
    assert_eq!(encoded("acme-1"), "acme-1");
    assert_eq!(encoded("../A.b%ä"), "%2e%2e%2f%41%2eb%25%c3%a4");
}

/// As releases before this one delivered a token.
#[test]
fn a_token_that_was_delivered_with_a_line_end_is_still_ours() {
    let place = Place::new();
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    let (payload, journal) = (place.path("qlik/acme/ci"), place.path("qlik/acme/.ci.meta.json"));
    let old = format!("{}\n", token(1));
    let fingerprint = Fingerprint::of(old.as_bytes());
    fs::write(&payload, &old).unwrap();
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replace(entry(1).fingerprint.as_str(), fingerprint.as_str())).unwrap();
    let held = SinkEntry { fingerprint: fingerprint.clone(), ..entry(1) };
    let look = place.look();
    assert_eq!((look.entry, &look.version), (Observed::Present(held.clone()), &Version::Payload(fingerprint)));
    assert_eq!(place.sink.read_back(&ci(), &held), ReadBack::Same);
    assert_eq!(place.put(&look.version, 2), Put::Stored);
    assert_eq!(fs::read_to_string(&payload).unwrap(), token(2));
}

#[test]
fn metadata_that_was_left_behind_is_missed_by_name() {
    let place = Place::new();
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    let kept = fs::read(place.path("qlik/acme/.ci.meta.json")).unwrap();
    // What `cp secrets/qlik/acme/* …` and an artifact without hidden files do.
    fs::remove_file(place.path("qlik/acme/.ci.meta.json")).unwrap();
    let why = place.refusal();
    assert!(why.why.raw().contains("ci stands there without its metadata") && why.next.starts_with("restore "));
    assert!(why.next.contains("include-hidden-files: true"), "{}", why.next);
    fs::write(place.path("qlik/acme/.ci.meta.json"), kept).unwrap();
    assert_eq!(place.look().entry, Observed::Present(entry(1)));
}

#[test]
fn what_others_keep_beside_a_secret_stays() {
    let place = Place::new();
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    for name in ["qlik/acme/ci.note", "qlik/acme/.hidden", "readme"] {
        fs::write(place.path(name), "theirs").unwrap();
    }
    assert_eq!(place.put(&place.look().version, 2), Put::Stored);
    for name in ["qlik/acme/ci.note", "qlik/acme/.hidden", "readme"] {
        assert_eq!(fs::read_to_string(place.path(name)).unwrap(), "theirs");
    }
}

fn under_umask() {
    for umask in [0o002, 0o000, 0o377] {
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        let place = Place::below("secrets");
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(umask));
        for number in [1, 2] {
            assert_eq!(place.put(&place.look().version, number), Put::Stored);
            assert_eq!(mode(&place.path("qlik/acme/ci")), 0o600, "umask {umask:o}");
            assert_eq!(mode(&place.path("qlik/acme/.ci.meta.json")), 0o600, "umask {umask:o}");
            // A file that was opened up by hand is not written into but replaced.
            chmod(&place.path("qlik/acme/ci"), 0o644);
        }
        for folder in ["", "qlik", "qlik/acme"] {
            assert_eq!(mode(&place.path(folder)), 0o700, "{folder} with umask {umask:o}");
        }
    }
}

/// The umask belongs to the process, so this test runs itself again in one of its own.
#[test]
#[expect(clippy::disallowed_methods, reason = "tells the process of its own from the first")]
fn secrets_are_ours_alone_whatever_the_umask() {
    const ALONE: &str = "QLIK_PLAN_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return under_umask();
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sink::file::tests::secrets_are_ours_alone_whatever_the_umask", "--test-threads=1"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
