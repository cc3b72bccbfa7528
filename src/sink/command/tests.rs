//! What programs can do to us, each played by a shell script in a folder of its own.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

use tempfile::TempDir;

use crate::model::duration;
use crate::model::live::Writable;
use crate::model::marker::{KeyUid, Letter, Marker, Nonce};
use crate::model::record::{LedgerId, Uid};
use crate::model::spec::Shape;
use crate::sink::payload::{Parts, render};
use crate::sink::{Look, Sink};

use super::*;

/// Keeps what it gets beside itself, and says so: the shortest pair that keeps to the rules.
const PUT: &str = r#"cat > "$PWD/$QLIK_PLAN_KEY" && printf '%s' "$QLIK_PLAN_METADATA" > "$PWD/$QLIK_PLAN_KEY.meta""#;
const CHECK: &str = r#"[ -e "$QLIK_PLAN_KEY" ] || { echo absent; exit; }
printf '{"metadata":%s,"sha256":"%s"}' "$(cat "$QLIK_PLAN_KEY.meta")" "$(sha256sum < "$QLIK_PLAN_KEY" | cut -c1-64)""#;

const TOKEN: &str = "a-secret-that-nobody-may-see";

struct Place {
    root: TempDir,
    sink: Sink,
    runtime: tokio::runtime::Runtime,
}

fn script(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    // A script that is open for writing cannot be started, and another test's child may have it open: so it is renamed.
    let draft = folder.join(format!("{name}.draft"));
    fs::write(&draft, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&draft, Permissions::from_mode(0o700)).unwrap();
    fs::rename(draft, path).unwrap();
}

impl Place {
    fn new(deliver: &str, check: Option<&str>) -> Self {
        Self::with_timeout(deliver, check, 60)
    }

    fn with_timeout(deliver: &str, check: Option<&str>, seconds: u64) -> Self {
        let root = TempDir::new().unwrap();
        script(root.path(), "put", deliver);
        if let Some(check) = check {
            script(root.path(), "check", check);
        }
        let command = settings::CommandSink {
            deliver: vec!["./put".to_owned(), "one arg".to_owned()],
            check: check.map(|_| vec!["./check".to_owned()]),
            timeout: duration::Duration::from_seconds(seconds),
            allow_env: Vec::new(),
            shared: false,
            folder: root.path().to_path_buf(),
        };
        let environment = vec![("PATH".to_owned(), Secret::new("/usr/local/bin:/usr/bin:/bin".to_owned()))];
        let access = Access { environment, ..Access::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { sink: Sink::of(&settings::Sink::Command(command), access), root, runtime }
    }

    fn look(&self) -> Look {
        self.runtime.block_on(self.sink.look(&ci(), &[]))
    }

    fn put(&self, version: &Version, number: u8) -> Put {
        self.runtime.block_on(self.sink.put(&ci(), version, &payload(), &entry(number)))
    }

    fn read_back(&self, number: u8) -> ReadBack {
        self.runtime.block_on(self.sink.read_back(&ci(), &entry(number)))
    }

    fn preflight(&self) -> Writable {
        self.runtime.block_on(self.sink.preflight(&ci()))
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.root.path().join(name)).unwrap()
    }
}

fn ci() -> Address {
    "qlik/acme/ci".parse().unwrap()
}

fn payload() -> Payload {
    let server = "https://x.us.qlikcloud.com";
    let parts = Parts { tenant: "x", region: "us", server, key_id: "k", description: "CI", expiry: None };
    render(Shape::Token, &parts, &Secret::new(TOKEN.to_owned()))
}

fn entry(number: u8) -> SinkEntry {
    let (ledger, uid, key) = (LedgerId::new([1; 16]), Uid::new([3; 16]), ci().key().cloned().unwrap());
    SinkEntry {
        fingerprint: payload().fingerprint(),
        marker: Marker {
            ledger: ledger.short().to_owned(),
            uid: KeyUid::of(&uid, &key),
            sink: SinkHash::of("command", "./put"),
            nonce: Nonce::parse("c0ffee00").unwrap(),
            over: None,
            letter: Letter::Delivered,
        },
        ledger,
        uid,
        key,
        key_id: format!("key-{number}"),
        tenant_id: Untrusted::from("T"),
        owner: Untrusted::from("it's \"U\" $HOME `id`"),
        expiry: None,
        delivered: "2027-01-15T08:00:00Z".parse().unwrap(),
        over: Vec::new(),
        replaced: Vec::new(),
        made_as: None,
    }
}

#[track_caller]
fn why(put: Put) -> String {
    match put {
        Put::Unknown(why) | Put::Refused(why) => {
            assert!(!why.next.is_empty());
            why.why.to_string()
        }
        Put::Stored | Put::StoredUntil(_) | Put::StoredBut(_) | Put::Conflict => panic!("{put:?}"),
    }
}

#[test]
fn what_is_delivered_is_read_back() {
    let place = Place::new(PUT, Some(CHECK));
    assert_eq!(place.preflight(), Writable::Yes);
    let empty = place.look();
    assert_eq!((empty.entry, empty.version.clone()), (Some(Observed::Absent), Version::Nothing));
    assert_eq!(place.read_back(1), ReadBack::Absent);
    assert_eq!(place.put(&empty.version, 1), Put::Stored);
    assert_eq!(place.file("ci"), TOKEN);
    assert_eq!(place.read_back(1), ReadBack::Same);
    assert!(matches!(place.read_back(2), ReadBack::Other(why) if why.contains("key-1")));
    let look = place.look();
    assert_eq!(
        (look.entry, &look.version),
        (Some(Observed::Present(entry(1))), &Version::Payload(entry(1).fingerprint))
    );
    assert_eq!(place.put(&empty.version, 2), Put::Conflict);
    assert_eq!(place.put(&look.version, 2), Put::Stored);
    // Somebody edits it.
    fs::write(place.root.path().join("ci"), "other").unwrap();
    assert!(matches!(place.look(), Look { entry: Some(Observed::Unreadable(_)), version: Version::Unknown, .. }));
    assert!(why(place.put(&Version::Unknown, 2)).contains("did not write"));
}

#[test]
fn the_program_sees_the_allow_list_and_its_order_and_the_secret_only_on_its_input() {
    let put = r#"printf '%s|' "$0" "$@" > argv; env | sort > env; cat > stdin; pwd > cwd"#;
    let place = Place::new(put, None);
    assert_eq!(place.put(&Version::Unseen, 1), Put::Stored);
    let names: Vec<String> =
        place.file("env").lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.to_owned()).collect();
    // `PWD` and the like are the shell's own.
    let given: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name)).collect();
    let about = ["QLIK_PLAN_ADDRESS", "QLIK_PLAN_KEY", "QLIK_PLAN_METADATA", "QLIK_PLAN_TENANT", "QLIK_PLAN_VENDOR"];
    assert_eq!(given, [&["PATH"][..], &about].concat());
    assert!(place.file("argv").ends_with("/put|one arg|"));
    assert_eq!(place.file("stdin"), TOKEN);
    assert!(!place.file("env").contains(TOKEN) && !place.file("argv").contains(TOKEN));
    assert_eq!(Path::new(place.file("cwd").trim()), place.root.path().canonicalize().unwrap());
    assert_eq!(place.look().entry, None);
    assert_eq!(place.read_back(1), ReadBack::Unseen);
}

#[test]
fn exit_codes_mean_what_is_documented_and_all_others_nothing() {
    for (script, expected) in [("exit 0", Put::Stored), ("exit 111", Put::Conflict)] {
        assert_eq!(Place::new(script, None).put(&Version::Unseen, 1), expected, "{script}");
    }
    let refused = Place::new("echo no room >&2; exit 110", None).put(&Version::Unseen, 1);
    assert!(matches!(&refused, Put::Refused(unreadable) if unreadable.why.raw().ends_with("(exit code 110): no room")));
    for script in ["exit 1", "exit 2", "exit 3", "exit 126", "exit 127", "exit 255", "kill -9 $$", "kill -TERM $$"] {
        let put = Place::new(script, None).put(&Version::Unseen, 1);
        assert!(matches!(put, Put::Unknown(_)), "{script}: {put:?}");
    }
}

#[test]
fn a_program_that_is_not_there_delivered_nothing() {
    let place = Place::new("exit 0", Some(CHECK));
    fs::remove_file(place.root.path().join("put")).unwrap();
    assert!(matches!(place.preflight(), Writable::No(_)));
    assert!(matches!(place.put(&Version::Nothing, 1), Put::Refused(_)));
    script(place.root.path(), "put", "exit 0");
    assert_eq!(place.preflight(), Writable::Yes);
    fs::set_permissions(place.root.path().join("check"), Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(place.preflight(), Writable::No(_)));
    assert!(matches!(place.look().entry, Some(Observed::Unreadable(_))));
}

/// Of the process whose number a script has written; one that would go on for minutes fails the test by time.
fn wait_for_the_end_of(place: &Place, name: &str) {
    let stat = format!("/proc/{}/stat", place.file(name).trim());
    // A killed process takes a moment to die, and may stand there as a zombie until its new parent has looked.
    while fs::read_to_string(&stat).is_ok_and(|status| !status.contains(") Z")) {
        std::thread::yield_now();
    }
}

#[test]
fn a_program_that_does_not_end_is_killed_with_all_that_it_started() {
    let put = "sleep 1000 & echo $! > child; echo $$ > parent; wait";
    let place = Place::with_timeout(put, None, 1);
    let began = Instant::now();
    assert!(why(place.put(&Version::Unseen, 1)).contains("not done after 1 s"));
    assert!(began.elapsed() < Duration::from_secs(60));
    for name in ["child", "parent"] {
        wait_for_the_end_of(&place, name);
    }
}

/// It would go on writing after we have looked.
#[test]
fn what_it_leaves_in_the_background_ends_with_it() {
    let place = Place::new("sleep 1000 & echo $! > child; exit 0", None);
    assert_eq!(place.put(&Version::Unseen, 1), Put::Stored);
    wait_for_the_end_of(&place, "child");
}

#[test]
fn what_leaves_its_group_makes_the_delivery_doubtful() {
    let place = Place::new("setsid sh -c 'echo $$ > child; exec sleep 30' & while [ ! -s child ]; do :; done", None);
    assert!(why(place.put(&Version::Unseen, 1)).contains("left a process behind"));
    let pid: i32 = place.file("child").trim().parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
}

#[test]
fn no_output_shows_the_secret_or_moves_a_cursor() {
    for script in ["cat >&2; exit 1", "read -r t; echo \"curl: failed for ${t#??}\" >&2; exit 110"] {
        let words = why(Place::new(script, None).put(&Version::Unseen, 1));
        assert!(words.contains("not shown") && !words.contains("secret-that"), "{words}");
    }
    let words = why(Place::new("printf '\\033[2Jgone\\n' >&2; exit 1", None).put(&Version::Unseen, 1));
    assert!(words.ends_with("\\u{1b}[2Jgone"), "{words}");
    // An old secret is not known, but its form is; and nothing that `check` prints as its answer is repeated.
    let old = "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4In0";
    for check in [format!("echo {old}"), format!("echo {old} >&2; exit 1"), format!("echo '{{\"sha256\": \"{old}\"'")] {
        let Some(Observed::Unreadable(unreadable)) = Place::new("exit 0", Some(&check)).look().entry else { panic!() };
        let words = format!("{} {}", unreadable.why, unreadable.next);
        assert!(!words.contains("eyJ"), "{words}");
    }
}

#[test]
fn an_answer_that_is_none_is_never_taken_for_nothing() {
    for check in [
        "",
        "exit 0",
        "echo ABSENT",
        "echo absent; exit 1",
        "echo '{}'",
        "echo '{\"sha256\":\"00\"}'",
        "yes | head -c 900000",
    ] {
        let look = Place::new("exit 0", Some(check)).look();
        assert!(matches!(look.entry, Some(Observed::Unreadable(_))), "{check}: {look:?}");
        assert_eq!(look.version, Version::Unknown);
    }
}

/// Whoever has the lock open holds it: a delivery that outlives a killed run keeps the next one waiting.
#[test]
fn the_program_has_the_lock_open_as_long_as_it_runs() {
    let lock_dir = TempDir::new().unwrap();
    let path = lock_dir.path().join("lock");
    let file = fs::File::create(&path).unwrap();
    file.try_lock().unwrap();
    let mut place = Place::new("ls -l /proc/$$/fd > fds; cat /proc/$$/fdinfo/* > locks || true", None);
    place.sink.bequeath(Arc::new(Lock::new(vec![file.try_clone().unwrap()])));
    assert_eq!(place.put(&Version::Unseen, 1), Put::Stored);
    assert!(place.file("fds").contains(path.to_str().unwrap()), "{}", place.file("fds"));
    let locks = place.file("locks");
    assert!(locks.contains("FLOCK") && locks.contains("WRITE"), "what it has open is not what is locked: {locks}");
    drop(file);
    place.sink.bequeath(Arc::new(Lock::new(Vec::new())));
    // A program that another test starts at this moment has the lock open for an instant.
    fs::File::open(&path).unwrap().lock().unwrap();
}

/// What a `check` that is there and cannot be started is told of itself: before a run and in one.
#[track_caller]
fn obstacle(place: &Place, why: &str, next: &str) {
    let Writable::No(before) = place.preflight() else { panic!("{why}: it was not seen before it was started") };
    let Some(Observed::Unreadable(during)) = place.look().entry else { panic!("{why}: it was started") };
    assert_eq!(before, during);
    let (said, way_out) = (before.why.to_string(), before.next);
    assert!(said.starts_with("./check ") && said.contains(why), "{said:?} does not say {why:?}");
    assert!(way_out.contains(next), "{way_out:?} does not say {next:?}");
}

/// Linux answers `No such file or directory` for a program that is there where its interpreter is not.
#[test]
fn a_program_that_cannot_be_started_says_what_is_wrong_with_it() {
    let place = Place::new("exit 0", Some("echo absent"));
    let check = place.root.path().join("check");
    let write = |bytes: &[u8], mode: u32| {
        let draft = place.root.path().join("draft");
        fs::write(&draft, bytes).unwrap();
        fs::set_permissions(&draft, Permissions::from_mode(mode)).unwrap();
        fs::rename(draft, &check).unwrap();
    };
    for (text, why, next) in [
        (
            "#!/bin/sh\r\necho absent\r\n",
            "has Windows line ends: the system looks for `/bin/sh\\r`",
            "sed -i 's/\\r$//'",
        ),
        ("#! /bin/sh\r\necho absent\r\n", "has Windows line ends: the system looks for `/bin/sh\\r`", "eol=lf"),
        (
            "#!/usr/bin/env sh\r\necho absent\r\n",
            "has Windows line ends: the system looks for `/usr/bin/env sh\\r`",
            "eol=lf",
        ),
        ("echo absent\n", "is text and does not begin with `#!`", "as in #!/bin/sh"),
        ("\u{feff}#!/bin/sh\necho absent\n", "begins with a byte order mark", "sed -i '1s/^\\xef\\xbb\\xbf//'"),
        ("\n#!/bin/sh\necho absent\n", "is text and does not begin with `#!`", "as in #!/bin/sh"),
        ("", "is empty", "as in #!/bin/sh"),
        ("#!\necho absent\n", "names no interpreter after its `#!`", "as in #!/bin/sh"),
        (
            "#!/nowhere/python9 -u\n",
            "names an interpreter that is not there: /nowhere/python9",
            "install /nowhere/python9",
        ),
        ("#!nowhere\n", "names an interpreter that is not there: nowhere", "correct the first line"),
        ("#!/etc/passwd\n", "names an interpreter that may not be run: /etc/passwd", "correct the first line"),
    ] {
        write(text.as_bytes(), 0o700);
        obstacle(&place, why, next);
    }
    write(b"#!/bin/sh\necho absent\n", 0o600);
    obstacle(&place, "may not be run by the user of this process", "chmod +x");
    fs::remove_file(&check).unwrap();
    obstacle(&place, "is not there", "put it at");
    std::os::unix::fs::symlink("nowhere", &check).unwrap();
    obstacle(&place, "is a link to nowhere, which is not there", "correct the link");
    fs::remove_file(&check).unwrap();
    fs::create_dir(&check).unwrap();
    obstacle(&place, "is a folder", "name a program in it");
    fs::remove_dir(&check).unwrap();

    // What the system alone can judge is told when it did: it may know a way to run another machine's programs.
    let (machine, name) = if std::env::consts::ARCH == "aarch64" { (62_u8, "x86_64") } else { (183, "aarch64") };
    let mut foreign = vec![0_u8; 64];
    foreign[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\0");
    foreign[16] = 2;
    foreign[18] = machine;
    foreign[20] = 1;
    write(&foreign, 0o700);
    assert_eq!(place.preflight(), Writable::Yes);
    let Some(Observed::Unreadable(during)) = place.look().entry else { panic!("it ran") };
    assert!(
        during.why.to_string().contains(&format!("./check is a program for {name}, and this machine is")),
        "{during:?}"
    );

    // A line of Windows that the interpreter gets as an option is the interpreter's to judge.
    write(b"#!/bin/sh -e\r\necho absent\n", 0o700);
    assert_eq!(place.preflight(), Writable::Yes);
}

#[test]
fn a_program_that_no_folder_of_path_has_is_told_how_to_be_named() {
    let root = TempDir::new().unwrap();
    script(root.path(), "check-secret", "echo absent");
    let command = settings::CommandSink {
        deliver: vec!["check-secret".to_owned()],
        check: None,
        timeout: duration::Duration::from_seconds(60),
        allow_env: Vec::new(),
        shared: false,
        folder: root.path().to_path_buf(),
    };
    let environment = vec![("PATH".to_owned(), Secret::new("/usr/bin:/bin".to_owned()))];
    let sink = Sink::of(&settings::Sink::Command(command), Access { environment, ..Access::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Writable::No(why) = runtime.block_on(sink.preflight(&ci())) else { panic!("it was found") };
    assert_eq!(why.why.to_string(), "check-secret is not there: no folder of PATH has it");
    assert!(why.next.contains("as in ./check-secret"), "{}", why.next);
}

/// What people's scripts do to a payload before it lands on standard error, by the programs of a Debian: coreutils 9.1, sed
/// 4.8, grep 3.8, util-linux 2.38 (`hexdump`, `rev`), and xxd and perl where they are there. None of it is repeated.
#[test]
fn what_a_program_makes_of_its_payload_is_not_repeated() {
    let token = format!("eyJhbGciOiJFUzM4NCJ9.{}.c2lnbmF0dXJlLW9mLW5vYm9keQ", "eyJzdWIiOiJhbm4iLCJqdGkiOiI0MiJ9");
    let random: String = "q7Zk2vXw9LmPf4Tn8RbYc3Hd6JsGa1Ue5Vo0Kx".to_owned();
    let mut left_out = 0;
    for token in [token, random] {
        let parts = Parts {
            tenant: "x",
            region: "us",
            server: "https://x.us.qlikcloud.com",
            key_id: "k",
            description: "CI",
            expiry: None,
        };
        for shape in [Shape::Token, Shape::Env, Shape::Json] {
            let payload = render(shape, &parts, &Secret::new(token.clone()));
            for command in [
                "cat",
                "fold -w 8",
                "fold -w 4",
                "fold -w 1",
                "sed 's/./& /g'",
                "sed 's/./&\\n/g'",
                "sed 's/..../&-/g'",
                "od -c",
                "od -c -w8",
                "od -An -c -w5",
                "od -a",
                "od -x",
                "od -b",
                "od -An -tu1",
                "od -t x4",
                "od -t x1z",
                "base64",
                "base64 -w 20",
                "base64 -w 0",
                "cat -A",
                "cat -n",
                "nl -ba",
                "fold -w 8 | cat -n",
                "fold -w 8 | nl",
                "fold -w 8 | tac",
                "fold -w 8 | sort",
                "fold -w 6 | grep -n .",
                "rev",
                "tr a-z A-Z",
                "tr -d '\\n' | cut -c10-60",
                "tr '\\n' ' '",
                "sed 's/^/> /'",
                "tail -c 40",
                "head -c 40",
                "tr . '\\n'",
                "fold -w 10 | paste -sd,",
                "hexdump",
                "hexdump -C",
                "hexdump -c",
                "xxd",
                "xxd -p",
                "xxd -c 8",
                "xxd -b",
                "perl -pe 's/([^A-Za-z0-9])/sprintf(\"%%%02x\",ord($1))/ge'",
                "perl -pe 's/(.)/sprintf(\"%%%02X\",ord($1))/ge'",
                "perl -pe 's/(.)/sprintf(\"\\\\u%04x\",ord($1))/ge'",
                "gzip -c | base64",
                "base64 | base64",
                "base32",
            ] {
                let program = command.split(' ').next().unwrap();
                if ["hexdump", "xxd", "perl", "rev"].contains(&program)
                    && !["/usr/bin", "/bin"].iter().any(|folder| Path::new(folder).join(program).exists())
                {
                    left_out += 1;
                    continue;
                }
                let place = Place::new(&format!("{{ echo 'no such bucket'; {command}; }} >&2; exit 1"), None);
                let entry = SinkEntry { fingerprint: payload.fingerprint(), ..entry(1) };
                let put = place.runtime.block_on(place.sink.put(&ci(), &Version::Nothing, &payload, &entry));
                let Put::Unknown(Unreadable { why, .. }) = put else { panic!("{command}: {put:?}") };
                let shown = why.to_string();
                // So much of it in one piece is no chance.
                let piece =
                    |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
                let (said, secret) = (piece(&shown), piece(&token));
                let shared = secret.as_bytes().windows(8).any(|part| said.contains(std::str::from_utf8(part).unwrap()));
                assert!(!shared, "{command}: {shown}");
                // A part of another shape may hold none of it.
                let withheld = shown.contains("(not shown") || shown.contains("(…)");
                assert!(withheld || shape != Shape::Token, "{command}: {shown}");
            }
        }
    }
    assert!(left_out <= 6 * 12, "{left_out}");
}

#[test]
fn a_credential_that_the_environment_hands_on_is_not_repeated() {
    let root = TempDir::new().unwrap();
    script(root.path(), "put", "set -x; : \"$STORE_TOKEN\"; printf %s \"$STORE_TOKEN\" | fold -w 7 >&2; exit 1");
    let command = settings::CommandSink {
        deliver: vec!["./put".to_owned()],
        check: None,
        timeout: duration::Duration::from_seconds(60),
        allow_env: vec!["STORE_TOKEN".to_owned()],
        shared: false,
        folder: root.path().to_path_buf(),
    };
    let environment = vec![
        ("PATH".to_owned(), Secret::new("/usr/local/bin:/usr/bin:/bin".to_owned())),
        ("STORE_TOKEN".to_owned(), Secret::new("hvs-CAESIJ3kq9vQm2nX8z7LpTt4".to_owned())),
    ];
    let sink = Sink::of(&settings::Sink::Command(command), Access { environment, ..Access::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Put::Unknown(Unreadable { why, .. }) =
        runtime.block_on(sink.put(&ci(), &Version::Nothing, &payload(), &entry(1)))
    else {
        panic!("it was to fail")
    };
    assert!(why.to_string().ends_with("(not shown: it holds a secret)"), "{why}");
}

/// What a shell's script prints as a secret.
fn prints(script: &str, seconds: u64) -> Result<String, String> {
    let argv = ["sh", "-c", script].map(str::to_owned);
    let environment = [("PATH".to_owned(), Secret::new("/usr/local/bin:/usr/bin:/bin".to_owned()))];
    printed(&argv, Path::new("/"), &environment, Duration::from_secs(seconds))
        .map(|out| String::from_utf8(out.to_vec()).unwrap())
        .map_err(|why| format!("{}; {}", why.why.raw(), why.next))
}

#[test]
fn what_a_program_prints_is_taken_without_one_line_end() {
    for (script, expected) in [
        ("printf s3cret", "s3cret"),
        ("echo s3cret", "s3cret"),
        ("printf 's3cret\\r\\n'", "s3cret"),
        ("printf ' s3cret \\n\\n'", " s3cret \n"),
        ("echo s3cret; echo a warning of 8 words >&2", "s3cret"),
        ("printf ''", ""),
    ] {
        assert_eq!(prints(script, 20).as_deref(), Ok(expected), "{script}");
    }
}

#[test]
fn of_a_program_that_fails_only_what_it_says_on_standard_error_is_shown() {
    const SECRET: &str = "hunter2-is-the-secret-of-all";
    for (script, says) in [
        ("echo SECRET; echo 'no such item' >&2; exit 3", "ended with exit code 3: no such item"),
        ("echo SECRET; printf 'no \\033[2J item' >&2; exit 1", "ended with exit code 1: no "),
        (
            "echo SECRET; echo 'could not use SECRET' >&2; exit 4",
            "ended with exit code 4: (not shown: it holds a secret)",
        ),
        ("echo SECRET; kill -9 $$", "was ended by signal 9"),
        ("echo SECRET; exec sleep 60", "was not done after 1 s and was killed"),
        ("while :; do echo SECRET; done | head -c 70000", "prints 65536 bytes or more, too many for a credential"),
    ] {
        let said = prints(&script.replace("SECRET", SECRET), 1).unwrap_err();
        assert!(said.starts_with("sh ") && said.contains(says) && !said.contains(SECRET), "{said}");
        assert!(said.contains("run sh by hand"), "{said}");
    }
}
