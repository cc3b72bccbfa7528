//! A sink in a Kubernetes cluster, as settings say it: names by the rules of its API.

use std::path::{Path, PathBuf};

use super::diagnostic::{Faults, code};
use super::read::{self, Fields, Keys};
use super::reference::{origin, path, reference, required_reference};
use super::syntax::{Entry, Node};
use crate::model::address::{NAME_MAX, Vendor};
use crate::model::settings::{KubernetesSink, PathTemplate, Reference};

const KUBERNETES: Keys = Keys {
    known: &["kind", "server", "namespace", "name", "data_key", "token", "ca_file", "kubeconfig", "context"],
    later: &[],
};

const NAME: &str = "{vendor}.{tenant}.{key}";
const DATA_KEY: &str = "value";
const SERVER: &str = "https://10.0.0.1:6443";

/// The longest name of a Secret, and the longest key of its data.
const LONGEST: usize = 253;

/// Without `server` it is the cluster that the run is in, with a pod's own token and certificates.
pub(super) fn sink(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<KubernetesSink> {
    let fields = read::fields(&entry.value, what, entry.key_at, &KUBERNETES, faults)?;
    let kubeconfig = ["kubeconfig", "context"].into_iter().filter_map(|key| fields.entry(key));
    let kubeconfig = kubeconfig.map(|entry| not_read(entry, faults)).count();
    // Whoever names one has said where the cluster is, if not in words that are known.
    let within = fields.get("server").is_none() && kubeconfig == 0;
    let server = fields.get("server").map(|node| origin(node, "`server`", SERVER, faults));
    let namespace = fields.require("namespace", "qlik", faults).and_then(|node| namespace(node, faults));
    let name = name(&fields, faults);
    let data_key = match fields.get("data_key") {
        Some(node) => data_key(node, faults),
        None => Some(DATA_KEY.to_owned()),
    };
    let token = match fields.entry("token") {
        Some(entry) => reference(entry, base, faults),
        None if within => Some(Reference::File(of_the_pod("token"))),
        None if kubeconfig > 0 => None,
        None => required_reference(&fields, "token", "KUBE_TOKEN", base, faults),
    };
    let ca_file = match fields.get("ca_file") {
        Some(node) => path(node, "`ca_file`", base, faults).map(Some),
        None => Some(within.then(|| of_the_pod("ca.crt"))),
    };
    Some(KubernetesSink {
        server: match server {
            Some(server) => Some(server?),
            None => None,
        },
        namespace: namespace?,
        name: name?,
        data_key: data_key?,
        token: token?,
        ca_file: ca_file?,
    })
}

/// It may log in by programs and certificates, and hold secrets of every cluster that somebody knows.
fn not_read(entry: &Entry, faults: &mut Faults<'_>) {
    faults.mask(entry.value.at);
    faults
        .add(code::PLACE, entry.key_at, format!("`{}`: no kubeconfig is read", entry.key), "of a kubeconfig")
        .help("say `server`, `ca_file` and `token`: `kubectl config view --minify --raw` shows the first two, and `kubectl create token` makes the third");
}

fn of_the_pod(file: &str) -> PathBuf {
    Path::new(KubernetesSink::SERVICE_ACCOUNT).join(file)
}

/// A label of DNS, as RFC 1123 has it, in lower case.
fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn namespace(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, "`namespace`", faults)?;
    if is_label(text) && text.len() <= 63 {
        return Some(text.to_owned());
    }
    // A token may have been pasted.
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, "`namespace` is no name of a namespace", "not shown")
        .help("lower-case letters, digits and '-' within, at most 63, as in `qlik`");
    None
}

/// Two keys must never meet at one name, whatever they are called: names have no dots, so each is a part of its own.
fn name(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<PathTemplate> {
    let Some(node) = fields.get("name") else { return PathTemplate::dotted(NAME, is_label) };
    let text = read::text(node, "`name`", faults)?;
    let Some(template) = PathTemplate::dotted(text, is_label) else {
        faults.mask(node.at);
        faults
            .add(code::PLACE, node.at, "`name` does not give each key a Secret of its own", "not shown")
            .help(format!("{{vendor}}, {{tenant}} and {{key}} once each, between dots, as in `prod.{NAME}`"));
        return None;
    };
    // Whatever the tenants and keys are called.
    let room = LONGEST - Vendor::Imburse.as_str().len() - 2 * NAME_MAX;
    let literal = text.len() - PathTemplate::PLACES.concat().len();
    if literal > room {
        let message = format!("`name` is too long: {literal} characters besides vendor, tenant and key");
        faults
            .add(code::PLACE, node.at, message, "too long")
            .help(format!("a Secret's name has {LONGEST} at most; {room} are left for these"));
        return None;
    }
    Some(template)
}

fn data_key(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, "`data_key`", faults)?;
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    // A volume makes a file of it.
    if (1..=LONGEST).contains(&text.len()) && text.bytes().all(inner) && text != "." && !text.starts_with("..") {
        return Some(text.to_owned());
    }
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, "`data_key` is no key of a Secret's data", "not shown")
        .help(format!("letters, digits, '-', '_' and '.', as in `{DATA_KEY}` or `QLIK_API_KEY`"));
    None
}
