//! Where the sinks are, as settings say it: one reader a kind.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::azure;
use super::diagnostic::{Faults, code};
use super::gcp;
use super::github;
use super::gitlab;
use super::kubernetes;
use super::login;
use super::place::{cloud_word, is_segment, kind};
use super::read::{self, Fields, Keys};
use super::reference::{argv, is_variable, origin, path, required_reference};
use super::source::Span;
use super::syntax::{Entry, Node, Value};
use crate::model::address::Name;
use crate::model::duration::Duration;
use crate::model::origin::Origin;
use crate::model::settings::{AwsSink, CommandSink, PathTemplate, Sink, StackOneFields, StackOneSink, VaultSink};

const SINKS: Keys = Keys {
    known: &[
        "file",
        "command",
        "vault",
        "aws-secrets-manager",
        "azure-key-vault",
        "gcp-secret-manager",
        "kubernetes",
        "stackone",
        "gitlab-variables",
        "github-actions",
    ],
    later: &["age"],
};
const FILE: Keys = Keys { known: &["kind", "directory", "durable", "shared"], later: &[] };
const COMMAND: Keys = Keys { known: &["kind", "deliver", "check", "timeout", "allow_env", "shared"], later: &[] };
const VAULT: Keys =
    Keys { known: &["kind", "address", "namespace", "mount", "path", "token", "login", "ca_file"], later: &[] };
const STACKONE: Keys = Keys { known: &["kind", "api_key", "accounts", "fields", "provider", "endpoint"], later: &[] };
const STACKONE_FIELDS: Keys = Keys { known: &["tenant_name", "region", "api_key"], later: &[] };
const AWS: Keys = Keys { known: &["kind", "region", "account", "name", "kms_key_id", "endpoint"], later: &[] };

/// Long enough for a slow store, short enough that a program that hangs is noticed.
const TIMEOUT: Duration = Duration::from_seconds(60);
const STACKONE_API: &str = "https://api.stackone.com";
const STACKONE_EXAMPLE: &str = "{ tenant_name: tenantName, region: region, api_key: apiKey }";

const TIMEOUT_MAX: Duration = Duration::from_seconds(3_600);

const PATH: &str = "{vendor}/{tenant}/{key}";

pub(super) fn sink(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<Sink> {
    match kind(&entry.value, &SINKS, what, faults)? {
        "command" => command(what, entry, base, faults).map(Sink::Command),
        "vault" => vault(what, entry, base, faults).map(Sink::Vault),
        "stackone" => stackone(what, entry, base, faults).map(Sink::StackOne),
        "aws-secrets-manager" => aws(what, entry, faults).map(Sink::Aws),
        "azure-key-vault" => azure::sink(what, entry, faults).map(Sink::Azure),
        "gcp-secret-manager" => gcp::sink(what, entry, faults).map(Sink::Gcp),
        "kubernetes" => kubernetes::sink(what, entry, base, faults).map(Sink::Kubernetes),
        "github-actions" => github::sink(what, entry, base, faults).map(Sink::GitHub),
        "gitlab-variables" => gitlab::sink(what, entry, base, faults).map(Sink::GitLab),
        _ => file(what, entry, base, faults),
    }
}

fn file(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<Sink> {
    let fields = read::fields(&entry.value, what, entry.key_at, &FILE, faults)?;
    fields.require("kind", "file", faults);
    let directory =
        fields.require("directory", "./secrets", faults).and_then(|node| path(node, "`directory`", base, faults));
    let durable = flag(&fields, "durable", faults);
    let shared = flag(&fields, "shared", faults);
    Some(Sink::File { directory: directory?, durable: durable?, shared: shared? })
}

fn command(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<CommandSink> {
    let fields = read::fields(&entry.value, what, entry.key_at, &COMMAND, faults)?;
    let deliver = fields.require("deliver", "[./put-secret]", faults).and_then(|node| argv(node, "`deliver`", faults));
    let check = fields.get("check").map(|node| argv(node, "`check`", faults));
    let timeout = match fields.get("timeout") {
        Some(node) => timeout(node, faults),
        None => Some(TIMEOUT),
    };
    let allow_env = match fields.get("allow_env") {
        Some(node) => variables(node, faults),
        None => Some(Vec::new()),
    };
    let shared = flag(&fields, "shared", faults);
    Some(CommandSink {
        deliver: deliver?,
        check: match check {
            Some(argv) => Some(argv?),
            None => None,
        },
        timeout: timeout?,
        allow_env: allow_env?,
        shared: shared?,
        folder: base.to_path_buf(),
    })
}

fn timeout(node: &Node, faults: &mut Faults<'_>) -> Option<Duration> {
    let duration = read::duration(node, "`timeout`", faults)?;
    if duration.seconds() == 0 || duration > TIMEOUT_MAX {
        let message = format!("`timeout` is {duration}");
        faults.add(code::DURATION, node.at, message, "not between PT1S and PT1H").help("left out, it is PT1M");
        return None;
    }
    Some(duration)
}

fn variables(node: &Node, faults: &mut Faults<'_>) -> Option<Vec<String>> {
    let Value::List(items) = &node.value else {
        read::wrong_kind(node, "`allow_env`", "a list", faults).help("as in `allow_env: [AWS_PROFILE]`");
        return None;
    };
    let variable = |item: &Node, faults: &mut Faults<'_>| {
        let text = read::text(item, "a variable of `allow_env`", faults)?;
        if is_variable(text) {
            return Some(text.to_owned());
        }
        // Somebody may have written NAME=VALUE.
        faults.mask(item.at);
        faults
            .add(code::PLACE, item.at, "`allow_env` holds something that is no variable's name", "not shown")
            .help("names only, as in `allow_env: [AWS_PROFILE]`; values come from the environment");
        None
    };
    items.iter().map(|item| variable(item, faults)).collect()
}

fn vault(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<VaultSink> {
    let fields = read::fields(&entry.value, what, entry.key_at, &VAULT, faults)?;
    let address = fields
        .require("address", "https://vault.example:8200", faults)
        .and_then(|node| origin(node, "`address`", "https://vault.example:8200", faults));
    let namespace = fields.get("namespace").map(|node| segments(node, "`namespace`", "team/qlik", faults));
    let mount = fields.require("mount", "secret", faults).and_then(|node| segments(node, "`mount`", "secret", faults));
    let template = template(&fields, "path", faults);
    let auth = login::vault(&fields, what, entry, base, faults);
    let ca_file = fields.get("ca_file").map(|node| path(node, "`ca_file`", base, faults));
    Some(VaultSink {
        address: address?,
        namespace: match namespace {
            Some(namespace) => Some(namespace?),
            None => None,
        },
        mount: mount?,
        path: template?,
        auth: auth?,
        ca_file: match ca_file {
            Some(file) => Some(file?),
            None => None,
        },
    })
}

fn aws(what: &str, entry: &Entry, faults: &mut Faults<'_>) -> Option<AwsSink> {
    let fields = read::fields(&entry.value, what, entry.key_at, &AWS, faults)?;
    let region = fields
        .require("region", "eu-central-1", faults)
        .and_then(|node| cloud_word(node, "`region`", "eu-central-1", faults));
    let account = fields.require("account", "\"123456789012\"", faults).and_then(|node| aws_account(node, faults));
    let name = template(&fields, "name", faults);
    let kms_key_id = fields.get("kms_key_id").map(|node| kms_key(node, faults));
    let endpoint = fields.get("endpoint").map(|node| origin(node, "`endpoint`", "http://127.0.0.1:5000", faults));
    Some(AwsSink {
        region: region?,
        account: account?,
        name: name?,
        kms_key_id: match kms_key_id {
            Some(key) => Some(key?),
            None => None,
        },
        endpoint: match endpoint {
            Some(endpoint) => Some(endpoint?),
            None => None,
        },
    })
}

fn stackone(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<StackOneSink> {
    let fields = read::fields(&entry.value, what, entry.key_at, &STACKONE, faults)?;
    let api_key = required_reference(&fields, "api_key", "STACKONE_API_KEY", base, faults);
    let accounts = fields.require("accounts", "{ acme: \"45355976281015164504\" }", faults);
    let accounts = accounts.and_then(|node| stackone_accounts(node, faults));
    let names = fields.require("fields", STACKONE_EXAMPLE, faults);
    let names = names.and_then(|_| fields.entry("fields")).and_then(|entry| {
        let names = read::fields(&entry.value, "`fields`", entry.key_at, &STACKONE_FIELDS, faults)?;
        let mut name = |key: &'static str| {
            let node = names.require(key, key, faults)?;
            stackone_word(node, &format!("`{key}`"), key, faults)
        };
        let (tenant_name, region, api_key) = (name("tenant_name"), name("region"), name("api_key"));
        let names = StackOneFields { tenant_name: tenant_name?, region: region?, api_key: api_key? };
        let StackOneFields { tenant_name, region, api_key } = &names;
        if tenant_name == region || region == api_key || tenant_name == api_key {
            faults
                .add(code::PLACE, entry.key_at, "two of `fields` have one name", "each is a field of its own")
                .help(format!("as in `fields: {STACKONE_EXAMPLE}`"));
            return None;
        }
        Some(names)
    });
    let provider = match fields.get("provider") {
        Some(node) => stackone_word(node, "`provider`", "qlik", faults),
        None => Some("qlik".to_owned()),
    };
    let endpoint = match fields.get("endpoint") {
        Some(node) => origin(node, "`endpoint`", STACKONE_API, faults),
        None => Origin::parse(STACKONE_API).ok(),
    };
    Some(StackOneSink {
        endpoint: endpoint?,
        api_key: api_key?,
        provider: provider?,
        accounts: accounts?,
        fields: names?,
    })
}

/// The id of each tenant's account. Two tenants in one account would take it from each other.
fn stackone_accounts(node: &Node, faults: &mut Faults<'_>) -> Option<BTreeMap<Name, String>> {
    if matches!(&node.value, Value::Map(entries) if entries.is_empty()) {
        faults
            .add(code::MISSING, node.at, "`accounts` names no account", "empty")
            .help("each tenant with the id of its account, as in `{ acme: \"45355976281015164504\" }`");
        return None;
    }
    let mut seen: HashMap<String, Span> = HashMap::new();
    let accounts = read::named(node, "`accounts`", "the account of tenant", faults, |what, entry, faults| {
        let id = stackone_word(&entry.value, what, "45355976281015164504", faults)?;
        if let Some(first) = seen.insert(id.clone(), entry.value.at) {
            let first = faults.place(first);
            faults
                .add(code::SAME_ID, entry.value.at, "two tenants have one account", "again here")
                .also(first, "first here")
                .help("an account is linked to one tenant and holds one key");
        }
        Some(id)
    });
    Some(accounts)
}

/// A word of StackOne's. An API key may have been pasted, so what does not fit is not shown.
fn stackone_word(node: &Node, what: &str, example: &str, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, what, faults)?;
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if (1..=64).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('.') {
        return Some(text.to_owned());
    }
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, format!("{what} is no word of StackOne's"), "not shown")
        .help(format!("letters, digits, '-', '_' and '.', as in `{example}`"));
    None
}

fn aws_account(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, "`account`", faults)?;
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text.to_owned());
    }
    // Credentials of AWS are as short and stand beside it.
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, "`account` is not the twelve digits of an account of AWS", "not shown")
        .help("as in `\"123456789012\"`, in quotes; `aws sts get-caller-identity` prints it");
    None
}

/// An id, an alias or the whole name of a key of AWS's.
fn kms_key(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, "`kms_key_id`", faults)?;
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b':');
    if (1..=2048).contains(&text.len()) && text.bytes().all(inner) {
        return Some(text.to_owned());
    }
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, "`kms_key_id` is no key of AWS's", "not shown")
        .help("a key's id, its ARN, or an alias as in `alias/qlik`");
    None
}

/// Names with slashes between, as they stand in a URL. A token may have been pasted, so what does not fit is not shown.
fn segments(node: &Node, what: &str, example: &str, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, what, faults)?;
    if text.split('/').all(is_segment) {
        return Some(text.to_owned());
    }
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, format!("{what} is not made of names with slashes between"), "not shown")
        .help(format!("as in `{example}`; letters, digits, '-', '_' and '.', no slash at either end"));
    None
}

/// Two keys must never meet at one path, whatever they are called: so each part is a segment of its own, once.
fn template(fields: &Fields<'_>, key: &'static str, faults: &mut Faults<'_>) -> Option<PathTemplate> {
    let Some(node) = fields.get(key) else { return PathTemplate::parse(PATH, is_segment) };
    let text = read::text(node, &format!("`{key}`"), faults)?;
    let template = PathTemplate::parse(text, is_segment);
    if template.is_none() {
        faults.mask(node.at);
        faults
            .add(code::PLACE, node.at, format!("`{key}` does not give each key a path of its own"), "not shown")
            .help(format!("{{vendor}}, {{tenant}} and {{key}} once each, between slashes, as in `qlik-plan/{PATH}`"));
    }
    template
}

/// False where it is left out.
fn flag(fields: &Fields<'_>, key: &str, faults: &mut Faults<'_>) -> Option<bool> {
    match fields.get(key) {
        Some(node) => read::boolean(node, &format!("`{key}`"), faults),
        None => Some(false),
    }
}
