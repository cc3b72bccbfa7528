//! `qlik-plan init`: the first files of an estate, which give a plan at once. Nothing that is there is written over.

use std::fs;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use crate::config::schema;
use crate::model::untrusted::escape;

use super::super::args::{Common, First, Pipeline, Wrong, label, name};
use super::super::exit::{Exit, Problem};
use super::super::mistakes::quoted;
use super::super::output::Output;
use super::super::sources::SETTINGS_NAME;

/// What Git is to leave out: secrets, the ledger, the sandbox.
const IGNORED: [&str; 3] = ["/secrets/", "/.qlik-plan/", "/.qlik-sandbox/"];

const GITHUB: [(&str, &str); 6] = [
    ("ci/install", include_str!("../../../examples/gitops/ci/install")),
    ("ci/apply-merged", include_str!("../../../examples/gitops/ci/apply-merged")),
    (".github/workflows/plan.yml", include_str!("../../../examples/gitops/.github/workflows/plan.yml")),
    (".github/workflows/apply.yml", include_str!("../../../examples/gitops/.github/workflows/apply.yml")),
    (".github/workflows/renew.yml", include_str!("../../../examples/gitops/.github/workflows/renew.yml")),
    (".github/workflows/drift.yml", include_str!("../../../examples/gitops/.github/workflows/drift.yml")),
];
const GITLAB: [(&str, &str); 2] = [
    ("ci/install", include_str!("../../../examples/gitops/ci/install")),
    (".gitlab-ci.yml", include_str!("../../../examples/gitops/.gitlab-ci.yml")),
];
const AZURE: [(&str, &str); 2] = [
    ("ci/install", include_str!("../../../examples/gitops/ci/install")),
    ("azure-pipelines.yml", include_str!("../../../examples/gitops/azure-pipelines.yml")),
];

/// Sinks and ledger for a person at a machine that stays.
const ON_THIS_MACHINE: &str = "sinks:
  files: { kind: file, directory: ./secrets }
# The record of what was made: lose it, and a tenant may be bought twice. On a runner that is thrown away, use a bucket:
# ledger: { kind: object-store, url: \"s3://bucket/prefix\" }
ledger: { kind: directory, path: .qlik-plan/ledger }
";

/// Sinks and ledger for pipelines, whose runners are thrown away.
const OFF_THE_RUNNER: &str = "sinks:
  vault: { kind: vault, address: \"https://vault.example:8200\", mount: secret, token: { env: VAULT_TOKEN } } # yours
# The record of what was made: lose it, and a tenant may be bought twice. All runners share it.
ledger: { kind: object-store, url: \"s3://bucket/prefix\", region: eu-central-1 } # yours
";

pub(in crate::cli) fn run(common: &Common, first: First, output: &Output) -> Result<Exit, Problem> {
    let known = ask(common, first, output)?;
    let files = files(&known)?;
    let there: Vec<String> = files
        .iter()
        .filter(|(file, _)| known.folder.join(file).symlink_metadata().is_ok())
        .map(|(file, _)| shown(&known.folder.join(file)))
        .collect();
    if !there.is_empty() {
        return Err(Problem::new(
            format!("{} there already; nothing was written", is_or_are(&there)),
            "name another folder, or another --tenant, or move what is there away",
        ));
    }
    for (file, text) in &files {
        write(&known.folder.join(file), text)?;
    }
    let ignored = ignore(&known.folder.join(".gitignore"))?;
    output.result(&said(&known, &files, ignored))?;
    Ok(Exit::Done)
}

/// Everything that the files say.
struct Known {
    folder: PathBuf,
    account: String,
    region: String,
    source_tenant: String,
    tenant: String,
    display_name: String,
    pipeline: Pipeline,
}

/// Asks for what no option says; where nobody is there, names all of it at once.
fn ask(common: &Common, first: First, output: &Output) -> Result<Known, Problem> {
    let First { folder, account, region, source_tenant, tenant, display_name, pipeline } = first;
    let missing: Vec<&str> = [
        ("--region REGION", region.is_none()),
        ("--source-tenant TENANT", source_tenant.is_none()),
        ("--tenant NAME", tenant.is_none()),
    ]
    .into_iter()
    .filter_map(|(option, is_missing)| is_missing.then_some(option))
    .collect();
    if let (Some(rule), false) = (common.presence.absence(), missing.is_empty()) {
        return Err(Problem::new(
            format!("{} missing, and nobody is at a terminal to be asked ({rule})", is_or_are(&missing)),
            "qlik-plan init --region us --source-tenant mycorp --tenant acme",
        ));
    }
    let region = or_ask(region, output, "Region of the account, as in us or eu", label)?;
    let source_tenant =
        or_ask(source_tenant, output, "Your own tenant there, as mycorp of mycorp.us.qlikcloud.com", label)?;
    let tenant = or_ask(tenant, output, "What the first tenant is called here, as in acme", name)?;
    let display_name = display_name.unwrap_or_else(|| tenant.to_string());
    if display_name.chars().any(char::is_control) {
        return Err(Problem::new("--display-name holds a control character", "write it on one line"));
    }
    Ok(Known {
        folder,
        account: account.map_or_else(|| format!("{region}-oem"), |account| account.to_string()),
        region: region.to_string(),
        source_tenant: source_tenant.to_string(),
        tenant: tenant.to_string(),
        display_name,
        pipeline,
    })
}

/// What an option says, or a person; who answers with what is none is asked again.
fn or_ask<T>(
    given: Option<T>,
    output: &Output,
    question: &str,
    read: impl Fn(&str) -> Result<T, Wrong>,
) -> Result<T, Problem> {
    if let Some(given) = given {
        return Ok(given);
    }
    loop {
        output.prompt(&format!("{question}: "))?;
        let mut answer = String::new();
        let ended = Problem::new("the questions were not answered; nothing was written", "qlik-plan init --help");
        match std::io::stdin().lock().read_line(&mut answer) {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Err(ended),
        }
        match read(answer.trim()) {
            Ok(value) => return Ok(value),
            Err(Wrong { why, next }) => output.always(&escape(&format!("{why}; {next}"))),
        }
    }
}

fn files(known: &Known) -> Result<Vec<(String, String)>, Problem> {
    let json = |schema: &serde_json::Value| {
        serde_json::to_string_pretty(schema)
            .map(|text| format!("{text}\n"))
            .map_err(|error| Problem::new(format!("a schema could not be written: {error}"), "please report this"))
    };
    let mut files = vec![
        (SETTINGS_NAME.to_owned(), settings(known)),
        (format!("tenants/{}.yaml", known.tenant), tenant(known)),
        ("schemas/desired.v1.json".to_owned(), json(&schema::desired())?),
        ("schemas/settings.v1.json".to_owned(), json(&schema::settings())?),
    ];
    let pipelines: &[(&str, &str)] = match known.pipeline {
        Pipeline::Github => &GITHUB,
        Pipeline::Gitlab => &GITLAB,
        Pipeline::Azure => &AZURE,
        Pipeline::None => &[],
    };
    files.extend(pipelines.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())));
    Ok(files)
}

fn settings(known: &Known) -> String {
    let Known { account, region, source_tenant, .. } = known;
    let kept = if known.pipeline == Pipeline::None { ON_THIS_MACHINE } else { OFF_THE_RUNNER };
    format!(
        "# yaml-language-server: $schema=./schemas/settings.v1.json
#
# Whose credentials, and where secrets go. It names secrets and holds none. In a pipeline it comes from the base branch or the runner.
version: 1
accounts:
  {account}:
    vendor: qlik
    region: {region}
    source_tenant: {source_tenant} # where the licence key is read
    client: {{ id: {{ env: QLIK_CLIENT_ID }}, secret: {{ env: QLIK_CLIENT_SECRET }} }} # region-level: creates tenants
    key_client: {{ id: {{ env: QLIK_KEY_CLIENT_ID }}, secret: {{ env: QLIK_KEY_CLIENT_SECRET }} }} # tenant-level, published: mints keys
{kept}limits: {{ create_tenants: 2, mint_keys: 20 }} # of one run
"
    )
}

fn tenant(known: &Known) -> String {
    let Known { account, tenant, display_name, .. } = known;
    let sink = if known.pipeline == Pipeline::None { "files" } else { "vault" };
    // JSON's strings are YAML's.
    let display_name = serde_json::Value::from(display_name.as_str());
    format!(
        "# yaml-language-server: $schema=../schemas/desired.v1.json
version: 1
qlik:
  tenants:
    {tenant}: # its name here, for good: its address is qlik/{tenant}
      account: {account}
      display_name: {display_name} # what people see
      api_key_limits: {{ max_expiry: P30D, max_keys_per_user: 10 }} # a new tenant allows keys of one day
      # Owners of keys get a role of the tenant that allows keys, and nobody else does.
      grants: {{ manage_api_keys: {{ role: {{ name: API key holders, assign_to: {{ key_owners: true }} }} }} }}
      api_keys:
        ci: {{ description: CI deploys, owner: {{ client: {{}} }}, expires_in: P7D, renew_before: P2D, deliver_to: {sink} }}
"
    )
}

fn write(file: &Path, text: &str) -> Result<(), Problem> {
    let cannot = |error: std::io::Error| {
        Problem::new(format!("{}: it cannot be written: {error}", shown(file)), "name a folder that you may write")
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    // Never over what came to be there meanwhile.
    let mut file = fs::File::create_new(file).map_err(cannot)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(cannot)
}

/// Adds what is missing to a `.gitignore`; whether anything was.
fn ignore(file: &Path) -> Result<bool, Problem> {
    let cannot = |error: std::io::Error| {
        Problem::new(
            format!("{}: it cannot be written: {error}", shown(file)),
            format!("add these lines to it: {}", IGNORED.join(", ")),
        )
    };
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(cannot(error)),
    };
    let missing: Vec<&str> =
        IGNORED.into_iter().filter(|line| !text.lines().any(|known| known.trim() == *line)).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    fs::write(file, format!("{text}{end}{}\n", missing.join("\n"))).map_err(cannot)?;
    Ok(true)
}

fn said(known: &Known, files: &[(String, String)], ignored: bool) -> String {
    let mut names: Vec<String> = files.iter().map(|(file, _)| shown(&known.folder.join(file))).collect();
    if ignored {
        names.push(shown(&known.folder.join(".gitignore")));
    }
    let cd = match known.folder.as_path() {
        here if here == Path::new(".") => String::new(),
        folder => format!("  next: cd {}\n", quoted(&folder.to_string_lossy())),
    };
    let revision = match known.pipeline {
        Pipeline::Github | Pipeline::Gitlab | Pipeline::Azure => {
            "  next: docs/first-merge.md leads to the first merge: qlik-plan.rev, credentials, a shared ledger and a vault\n"
        }
        Pipeline::None => "",
    };
    format!(
        "Written: {}.\n{cd}  next: qlik-plan --sandbox tenants   (a plan against a stand-in: no account is needed)\n  \
           next: export QLIK_CLIENT_ID, QLIK_CLIENT_SECRET, QLIK_KEY_CLIENT_ID and QLIK_KEY_CLIENT_SECRET\n  \
           next: qlik-plan doctor tenants   (names everything else that is in the way)\n{revision}",
        names.join(", ")
    )
}

fn is_or_are(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

fn shown(file: &Path) -> String {
    let bare = file.strip_prefix(".").unwrap_or(file);
    escape(&bare.to_string_lossy())
}
