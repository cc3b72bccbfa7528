//! Credentials as people, shells and editors save them: what is around one is no matter, what is wrong in one is said, with
//! the variable or the file, before anything is sent.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, SETTINGS, Stage, clean};

/// What no output may hold.
const CANARY: &str = "C4NARYC4NARYC4NARY";

const S3: &str = "url: s3://estate/p";
const AZURE: &str = "url: az://estate/p, account: myaccount";
const GOOGLE: &str = "url: gs://estate/p";

/// `ledger list` with a ledger in a store that refuses every connection, and these variables.
fn ledger_list(store: &str, environment: &[(&str, &[u8])]) -> Run {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = closed.local_addr().unwrap();
    drop(closed);
    let dir = TempDir::new().unwrap();
    let settings = dir.path().join("settings.yaml");
    std::fs::write(
        &settings,
        format!("version: 1\nledger: {{ kind: object-store, {store}, endpoint: 'http://{endpoint}' }}\n"),
    )
    .unwrap();
    let mut command = clean(APPLY, dir.path());
    command.args(["--timeout", "1", "ledger", "list", "--settings"]).arg(&settings);
    command.envs(environment.iter().map(|(name, value)| (name, OsStr::from_bytes(value))));
    let run = Run::of(&command.output().unwrap()).exits(1).says("next: ");
    for leak in [CANARY, "internal error", "panic"] {
        assert!(!run.all().contains(leak), "{}", run.all());
    }
    run
}

/// A store's client takes for granted that its credentials fit into a header.
#[test]
fn a_stores_variable_that_no_header_can_carry_is_named_before_anything_is_sent() {
    let good: [(&str, &[u8]); 3] = [
        ("AWS_ACCESS_KEY_ID", b"AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", CANARY.as_bytes()),
        ("AWS_SESSION_TOKEN", CANARY.as_bytes()),
    ];
    ledger_list(S3, &good).says("Connection refused");
    for (name, _) in good {
        for (ending, why) in [
            (b"\n".as_slice(), "ends with a line end"),
            (b"\r\n", "ends with a line end"),
            (b" ", "ends with a blank"),
            (b"\x7f", "holds a control character (U+007F) at character 19"),
            (b"\x1b", "holds a control character (U+001B) at character 19"),
            (b"\nx", "holds a line end at character 19"),
            ("\u{feff}".as_bytes(), "holds a character that nobody can see (U+FEFF) at character 19"),
            ("é".as_bytes(), "holds a character outside ASCII, which no header can carry, at character 19"),
            (b"\xff", "is not UTF-8 text"),
        ] {
            let bad = [CANARY.as_bytes(), ending].concat();
            let others = good.iter().filter(|(other, _)| *other != name).copied();
            let environment: Vec<(&str, &[u8])> = others.chain([(name, bad.as_slice())]).collect();
            ledger_list(S3, &environment)
                .says(&format!("error: {name} {why}"))
                .says(&format!("next: export {name} again"));
        }
    }
    // What Windows puts before a text is no part of it.
    let marked = ["\u{feff}".as_bytes(), CANARY.as_bytes()].concat();
    ledger_list(S3, &[good[0], good[1], ("AWS_SESSION_TOKEN", &marked)]).says("Connection refused");
    for name in ["AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"] {
        ledger_list(AZURE, &[(name, b"value\n")]).says(&format!("error: {name} ends with a line end"));
    }
    ledger_list(AZURE, &[("AZURE_STORAGE_ACCOUNT_KEY", b"a2V5\n")])
        .says("AZURE_STORAGE_ACCOUNT_KEY ends with a line end");
}

#[test]
fn an_account_key_that_is_none_says_what_it_is() {
    let connection = format!("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={CANARY};EndpointSuffix=x");
    ledger_list(AZURE, &[("AZURE_STORAGE_ACCOUNT_KEY", connection.as_bytes())])
        .says("AZURE_STORAGE_ACCOUNT_KEY holds a connection string");
    ledger_list(AZURE, &[("AZURE_STORAGE_ACCOUNT_KEY", b"C4NARYC4NARYC4NARY-")]).says("is not the Base64 text");
}

#[test]
fn a_missing_login_says_how_to_make_one_and_what_is_not_heeded() {
    ledger_list(S3, &[])
        .says("there are no credentials for s3://estate/p: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set\n")
        .says("assume the role first: eval \"$(aws configure export-credentials --format env)\"");
    ledger_list(S3, &[("AWS_PROFILE", b"dev")])
        .says("(AWS_PROFILE is set, but is not used here)")
        .says("aws configure export-credentials");
    ledger_list(S3, &[("AWS_PROFILE", b"dev"), ("AWS_WEB_IDENTITY_TOKEN_FILE", b"/t")])
        .says("AWS_ROLE_ARN is not set (AWS_PROFILE is set, but is not used here)");
    ledger_list(S3, &[("AWS_ACCESS_KEY_ID", b"AKIAEXAMPLE")]).says("AWS_SECRET_ACCESS_KEY is not set");
    ledger_list(AZURE, &[("AZURE_FEDERATED_TOKEN_FILE", b"/t")])
        .says("(AZURE_FEDERATED_TOKEN_FILE is set, but is not used here)")
        .says("az storage account keys list");
    ledger_list(GOOGLE, &[]).says("GOOGLE_APPLICATION_CREDENTIALS").says("gcloud iam service-accounts keys create");
}

/// The files that gcloud and GitHub's google-github-actions/auth write are of other types than a service account's key.
#[test]
fn a_google_credential_of_another_type_is_told_by_its_type() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("credentials.json");
    let named = [("GOOGLE_APPLICATION_CREDENTIALS", path.as_os_str().as_bytes())];
    for kind in ["external_account", "authorized_user", "impersonated_service_account"] {
        let text = json!({ "type": kind, "refresh_token": CANARY }).to_string();
        std::fs::write(&path, &text).unwrap();
        let why = format!("is of type {kind}; only a service account's key (type service_account) is taken");
        ledger_list(GOOGLE, &named).says(&format!("GOOGLE_APPLICATION_CREDENTIALS: {} {why}", path.display()));
        ledger_list(GOOGLE, &[("GOOGLE_SERVICE_ACCOUNT_KEY", text.as_bytes())])
            .says(&format!("GOOGLE_SERVICE_ACCOUNT_KEY {why}"));
    }
    std::fs::write(&path, json!({ "type": CANARY }).to_string()).unwrap();
    ledger_list(GOOGLE, &named).says("is of type another kind");
    for (file, why) in [
        (json!({ "type": "service_account" }), "holds no `private_key`"),
        (json!({ "private_key": CANARY }), "holds no `client_email`"),
        (json!({ "private_key": CANARY, "client_email": "a@b" }), "is not PEM text of several lines"),
        (json!([CANARY]), "is not the JSON of a service account's key"),
    ] {
        std::fs::write(&path, file.to_string()).unwrap();
        ledger_list(GOOGLE, &named).says(why);
    }
    std::fs::write(&path, [0xff, 0xfe, b'{', 0]).unwrap();
    ledger_list(GOOGLE, &named).says("is UTF-16 text");
    std::fs::remove_file(&path).unwrap();
    ledger_list(GOOGLE, &named).says(&format!("{} cannot be read: entity not found", path.display()));
    ledger_list(GOOGLE, &[("GOOGLE_APPLICATION_CREDENTIALS", dir.path().as_os_str().as_bytes())])
        .says("it is not a file");
}

#[test]
fn a_google_key_in_the_wrong_variable_or_form_is_told_and_not_shown() {
    let key = json!({ "type": "service_account", "private_key": CANARY, "client_email": "a@b" }).to_string();
    // `{"type": "service_account", "private_key": "C4NARYC4NARYC4NARY"}`
    let encoded = b"eyJ0eXBlIjogInNlcnZpY2VfYWNjb3VudCIsICJwcml2YXRlX2tleSI6ICJDNE5BUllDNE5BUllDNE5BUlkifQ==";
    ledger_list(GOOGLE, &[("GOOGLE_SERVICE_ACCOUNT_KEY", encoded)])
        .says("GOOGLE_SERVICE_ACCOUNT_KEY is Base64; the key's JSON itself is taken")
        .says("base64 -d");
    ledger_list(GOOGLE, &[("GOOGLE_SERVICE_ACCOUNT_KEY", b"/run/secrets/key.json")])
        .says("GOOGLE_SERVICE_ACCOUNT_KEY holds a path")
        .says("export the path in GOOGLE_APPLICATION_CREDENTIALS");
    ledger_list(GOOGLE, &[("GOOGLE_SERVICE_ACCOUNT_KEY", b"nonsense")])
        .says("GOOGLE_SERVICE_ACCOUNT_KEY is not the JSON of a service account's key");
    for misplaced in [key.as_bytes(), encoded] {
        let run = ledger_list(GOOGLE, &[("GOOGLE_APPLICATION_CREDENTIALS", misplaced)])
            .says("GOOGLE_APPLICATION_CREDENTIALS holds a key; the path of its file is taken");
        assert!(!run.all().contains("eyJ0"), "{}", run.all());
    }
}

/// A plan whose key client's secret is saved in a file as these bytes.
fn plan_with(stage: &Stage, saved: &[u8]) -> Run {
    std::fs::write(stage.dir().join("key-secret"), saved).unwrap();
    let mut command = stage.command(SANDBOX);
    Run::of(&command.args(["exec", "--", PLAN, "--detailed-exitcode"]).output().unwrap())
}

#[test]
fn a_credential_file_that_an_editor_spoiled_is_named_and_a_harmless_one_is_taken() {
    let stage = Stage::new(ONE_TENANT);
    let settings = SETTINGS.replace("{ env: QLIK_KEY_CLIENT_SECRET }", "{ file: key-secret }");
    std::fs::write(stage.dir().join("qlik-plan.settings.yaml"), settings).unwrap();
    stage.shell("printf %s \"$QLIK_KEY_CLIENT_SECRET\" > key-secret").exits(0);
    let right = std::fs::read(stage.dir().join("key-secret")).unwrap();
    let around = |before: &[u8], after: &[u8]| [before, right.as_slice(), after].concat();

    let wrong = "accounts.us-oem.key_client.secret: ";
    let next = right.len() + 1;
    for (saved, why) in [
        (around(b"", b"\0"), format!("key-secret holds a NUL at character {next}")),
        (around(b"", b"\nsecond\n"), format!("key-secret holds a line end at character {next}")),
        (around(b"", b"\r\nsecond"), format!("key-secret holds a line end at character {next}")),
        (around(b"", b"\x1b[0m"), format!("key-secret holds a control character (U+001B) at character {next}")),
        (around("\u{feff}\u{200b}".as_bytes(), b""), "nobody can see (U+200B) at character 1".to_owned()),
        (around(b"\xff\xfe", b"\0"), "key-secret is UTF-16 text and not UTF-8 text".to_owned()),
    ] {
        stage.forget_requests();
        plan_with(&stage, &saved).exits(1).says(wrong).says(&why).says("the credential alone, on one line");
        assert_eq!(stage.requests(), Vec::<Value>::new(), "{why}");
    }

    std::fs::write(stage.dir().join("key-secret"), &right).unwrap();
    stage.shell(&format!("{APPLY} ledger init; {APPLY} rehearse us-oem")).exits(0);
    for saved in [around("\u{feff}".as_bytes(), b""), around("\u{feff}".as_bytes(), b"\r\n"), around(b" \t", b"\n")] {
        plan_with(&stage, &saved).exits(2);
    }
}

#[test]
fn a_vaults_token_is_read_as_every_other_credential() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    nobody.set_nonblocking(true).unwrap();
    let sink = format!(
        "files: {{ kind: vault, address: 'http://{}', mount: secret, path: '{{vendor}}/{{tenant}}/{{key}}', token: {{ env: VAULT_TOKEN }} }}",
        nobody.local_addr().unwrap()
    );
    let settings = SETTINGS.replace("files: { kind: file, directory: ./secrets, durable: true }", &sink);
    let stage = Stage::with_settings(ONE_TENANT, &settings);
    stage.shell(&format!("{APPLY} ledger init")).exits(0);
    for (token, why) in [
        ("'first\nsecond'", "the environment variable VAULT_TOKEN holds a line end at character 6"),
        ("'tök'", "holds a character outside ASCII, which no header can carry, at character 2"),
    ] {
        let run = stage.shell(&format!("VAULT_TOKEN={token} {PLAN} --preflight full --unrehearsed"));
        run.exits(1).says("sinks.files.token: ").says(why);
    }
    assert!(nobody.accept().is_err(), "the vault was asked");
}
