//! What a state folder is after a restart, a kill, damage, and another's files in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

/// Every file of a folder that lasts, and what is in it.
fn lasting(state: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![state.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = std::fs::read(&path).unwrap();
                all.insert(path, content);
            }
        }
    }
    all
}

/// A folder in which somebody has made a tenant, and the host of that tenant.
async fn used() -> (tempfile::TempDir, PathBuf, String) {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let Place { running, account: _, directory } = place;
    running.stop().await;
    let state = directory.path().join("state");
    (directory, state, host)
}

async fn knows(running: &Running, host: &str) -> bool {
    let state = wire::control(running, "GET", "/control/state", &Value::Null).await.json();
    state["tenants"].as_array().unwrap().iter().any(|tenant| tenant["hostnames"][0] == host)
}

#[tokio::test]
async fn a_folder_that_is_not_whole_or_has_anothers_files_is_refused_by_name_and_left_alone() {
    let (directory, state, host) = used().await;
    let (_kept, another, _) = used().await;
    let whole = lasting(&state);
    let journal = std::fs::read_to_string(state.join("journal")).unwrap();
    let cut = journal.replacen("tenants", "tenents", 1);
    let format_1 = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sandbox-format-1");
    // What is done to one file, and what is said of it.
    type Case<'a> = (&'a str, Option<Vec<u8>>, &'a [&'a str]);
    let cases: [Case<'_>; 15] = [
        ("state.json", None, &["state.json is missing, and ", "journal is there", "restore it"]),
        ("state.json", Some(b"".to_vec()), &["cannot use", "state.json"]),
        ("state.json", Some(b"{}".to_vec()), &["journal is of another state than", "state.json"]),
        ("state.json", Some(b"{\"format\":3}".to_vec()), &["state.json has format 3", "later version"]),
        ("state.json", std::fs::read(another.join("state.json")).ok(), &["journal is of another state than"]),
        ("state.json", std::fs::read(format_1.join("state.json")).ok(), &["journal is of another state than"]),
        ("journal", None, &["journal is missing, and ", "state.json is there"]),
        ("journal", Some(b"".to_vec()), &["journal is of another state than"]),
        ("journal", std::fs::read(another.join("journal")).ok(), &["journal is of another state than"]),
        ("journal", Some(cut.into_bytes()), &["journal is not what this program wrote, line ", "cut it off"]),
        ("journal", Some(b"\0\0\0\n".to_vec()), &["journal is not what this program wrote, line 1 "]),
        ("ca.key", None, &["ca.key is missing, and "]),
        ("ca.key", std::fs::read(another.join("ca.key")).ok(), &["ca.key is not the key of ", "remove both"]),
        ("ca.key", Some(b"nothing".to_vec()), &["ca.key is not what this program wrote"]),
        ("ca.pem", Some(b"nothing".to_vec()), &["ca.pem is not what this program wrote"]),
    ];
    for (name, content, words) in cases {
        match &content {
            Some(content) => std::fs::write(state.join(name), content).unwrap(),
            None => std::fs::remove_file(state.join(name)).unwrap(),
        }
        let before = lasting(&state);
        let error =
            start(options(directory.path())).await.err().map(|error| format!("{:#}", anyhow::Error::from(error)));
        let error = error.unwrap_or_else(|| panic!("{name} {words:?}: it started"));
        assert!(words.iter().all(|word| error.contains(word)), "{words:?}: {error}");
        assert_eq!(lasting(&state), before, "{name} {words:?}: a refusal changes nothing");
        std::fs::write(state.join(name), &whole[&state.join(name)]).unwrap();
    }
    let running = start(options(directory.path())).await.unwrap();
    assert!(knows(&running, &host).await);
    running.stop().await;
}

#[tokio::test]
async fn a_key_that_is_alone_gets_its_certificate_and_half_a_line_was_never_answered() {
    let (directory, state, host) = used().await;
    let key = std::fs::read(state.join("ca.key")).unwrap();
    std::fs::remove_file(state.join("ca.pem")).unwrap();
    let journal = std::fs::read(state.join("journal")).unwrap();
    for tail in [&b"{\"tenants\":{\"half"[..], b"\0\0\0\0"] {
        std::fs::write(state.join("journal"), [&journal[..], tail].concat()).unwrap();
        let running = start(options(directory.path())).await.unwrap();
        assert!(knows(&running, &host).await);
        running.stop().await;
        assert_eq!(std::fs::read(state.join("journal")).unwrap(), journal);
    }
    assert_eq!(std::fs::read(state.join("ca.key")).unwrap(), key);
}

/// A first start that was killed on the way has lost nothing: it begins anew.
#[tokio::test]
async fn a_journal_in_which_nothing_is_yet_needs_no_state_file() {
    let directory = tempfile::tempdir().unwrap();
    start(options(directory.path())).await.unwrap().stop().await;
    std::fs::remove_file(directory.path().join("state/state.json")).unwrap();
    start(options(directory.path())).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_folder_of_format_1_is_read_and_written_anew() {
    const HOST: &str = "v5aihwr71plo6tb.us.qlikcloud.com";
    const TOKEN: &str = "Nic62EhaDhqDx9bBUFe0zuJ49SfixNQifFCnp9TaOsc";
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sandbox-format-1");
    assert!(std::process::Command::new("cp").arg("-r").args([&fixture, &state]).status().unwrap().success());
    // Twice: from the files of that time, and from the journal.
    for _ in 0..2 {
        let running = start(options(directory.path())).await.unwrap();
        let wire = Wire::new(&running);
        let ask = async |path: &str| {
            let header = format!("Bearer {TOKEN}");
            wire.plain(("GET", HOST, path), &[("authorization", &header)], "").await
        };
        let users = ask("/api/v1/users?filter=subject%20eq%20%22ada%22").await.json();
        assert_eq!(users["data"][0]["email"], "ada@example.com");
        assert_eq!(ask("/api/v1/groups").await.json()["data"][0]["name"], "Builders");
        assert_eq!(ask("/api/v1/roles?filter=name%20eq%20%22Holders%22").await.json()["data"][0]["type"], "custom");
        assert_eq!(ask("/api/v1/licenses/assignments").await.json()["data"][0]["subject"], "ada");
        let all = wire::control(&running, "GET", "/control/state", &Value::Null).await.json();
        assert_eq!(all["subscriptions"][0]["live_tokens"], 1);
        assert_eq!(all["tenants"].as_array().unwrap().len(), 2);
        let imburse = all["imburse"].to_string();
        assert!(imburse.contains("893179a3-5780-46bb-8ac1-49f4272bb5c1"), "{imburse}");
        assert!(imburse.contains("d9ad8de6-6b85-46d0-b44a-f28d6ef7b399"), "{imburse}");
        running.stop().await;
        let files = lasting(&state);
        let parts = files.keys().filter(|path| path.parent() != Some(&state)).count();
        assert_eq!(parts, 0, "{:?}", files.keys());
    }
}

#[tokio::test]
async fn a_change_writes_no_more_in_a_large_tenant_than_in_a_small_one_and_the_journal_does_not_grow_for_ever() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let admin = place.token(&host).await;
    let journal = place.directory.path().join("state/journal");
    let size = || std::fs::metadata(&journal).unwrap().len();
    let user = async |subject: String, name: &str| {
        let body = json!({ "subject": subject, "name": name, "email": "a@example.com" });
        let answer = place.call(&admin, "POST", &host, "/api/v1/users", body).await;
        assert_eq!(answer.status, 201);
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let written = async |subject: &str| {
        let before = size();
        user(subject.to_owned(), "Somebody").await;
        place.token(&host).await;
        size() - before
    };
    let small = written("first").await;
    let long = "x".repeat(400_000);
    let one = user("long".to_owned(), &long).await;
    let large = written("other").await;
    assert!(large.abs_diff(small) < 40, "{small} {large}");
    // 80 names of 400 kB come to 32 MB; one of them is left.
    for at in 0..80 {
        let change = json!([{ "op": "replace", "path": "/name", "value": format!("{at}{long}") }]);
        let path = format!("/api/v1/users/{one}");
        assert_eq!(place.call(&admin, "PATCH", &host, &path, change).await.status, 204);
    }
    assert!(size() < 20 << 20, "{}", size());
    let Place { running, account: _, directory } = place;
    running.stop().await;
    let running = start(options(directory.path())).await.unwrap();
    let state = wire::control(&running, "GET", "/control/state", &Value::Null).await.json();
    let tenant = state["tenants"].as_array().unwrap().iter().find(|tenant| tenant["hostnames"][0] == host.as_str());
    let users = tenant.unwrap()["users"].as_array().unwrap();
    assert_eq!(users.len(), 4);
    assert!(users.iter().any(|user| user["name"].as_str().unwrap().starts_with("79x")));
    let bearer = format!("Bearer {admin}");
    let me = Wire::new(&running).plain(("GET", &host, "/api/v1/users/me"), &[("authorization", &bearer)], "").await;
    assert_eq!(me.status, 301, "what was written anew has the tokens too");
    running.stop().await;
}
