//! The group that a file is of, the groups that it takes tenants from, and the labels of tenants.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{Faults, code};
use super::read::{self, Fields};
use super::source::{At, Span};
use super::syntax::{Node, Value};
use crate::model::address::Name;
use crate::model::desired::Declared;
use crate::model::group::Group;
use crate::model::spec::Spec;

/// What one file says of its group.
#[derive(Default)]
pub(crate) struct GroupOfFile {
    group: Group,
    takes_from: BTreeSet<Group>,
}

/// `group` and `takes_from` of a file.
pub(crate) fn of_file(root: &Fields<'_>, faults: &mut Faults<'_>) -> GroupOfFile {
    let named = |name: At<Name>| Group::named(name.value);
    let group = root.get("group").and_then(|node| read::name(node, "`group`", faults)).map(named).unwrap_or_default();
    let mut takes_from = BTreeSet::new();
    for other in root.get("takes_from").map(|node| list(node, faults)).unwrap_or_default() {
        let at = other.at;
        let other = named(other);
        if other == group {
            let message = format!("`takes_from` names `{group}`, which is this file's own group");
            faults
                .add(code::WORD, at, message, "its own group")
                .help("name the group that its tenants belonged to before; `default` is that of files without `group`");
            continue;
        }
        takes_from.insert(other);
    }
    GroupOfFile { group, takes_from }
}

fn list(node: &Node, faults: &mut Faults<'_>) -> Vec<At<Name>> {
    match &node.value {
        Value::List(items) => {
            items.iter().filter_map(|item| read::name(item, "a group in `takes_from`", faults)).collect()
        }
        Value::Broken => Vec::new(),
        Value::Scalar { .. } | Value::Map(_) => {
            read::wrong_kind(node, "`takes_from`", "a list", faults).help("as in `takes_from: [default]`");
            Vec::new()
        }
    }
}

/// `labels` of a tenant.
pub(crate) fn labels(fields: &Fields<'_>, faults: &mut Faults<'_>) -> BTreeMap<Name, Name> {
    let Some(node) = fields.get("labels") else { return BTreeMap::new() };
    read::named(node, "`labels`", "label", faults, |what, entry, faults| {
        read::name(&entry.value, what, faults).map(|value| value.value)
    })
}

/// The groups of all files.
#[derive(Default)]
pub(crate) struct Groups {
    /// In the order of the files.
    of_files: Vec<Group>,
    /// Each group that was read, with those that it takes tenants from.
    pub(crate) read: BTreeMap<Group, BTreeSet<Group>>,
}

impl Groups {
    pub(crate) fn of<'f>(files: impl Iterator<Item = &'f GroupOfFile>) -> Self {
        let mut groups = Self::default();
        for GroupOfFile { group, takes_from } in files {
            groups.of_files.push(group.clone());
            groups.read.entry(group.clone()).or_default().extend(takes_from.iter().cloned());
        }
        groups
    }

    /// A declaration at its place, of the group of its file.
    pub(crate) fn declared(&self, spec: Spec, at: Span, faults: &Faults<'_>) -> Declared {
        let group = self.of_files.get(at.file).cloned().unwrap_or_default();
        Declared { spec, at: at.place(faults.sources()), group, labels: BTreeMap::new() }
    }
}
