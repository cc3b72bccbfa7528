//! What is live in a case: a base that follows from what is declared, and what is different.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use qlik_plan::model::desired::Desired;
use qlik_plan::model::live::Live;
use qlik_plan::plan::action::Plan;
use qlik_plan::plan::refusal::Code;
use qlik_plan::plan::{Wishes, plan};
use qlik_plan::render::Outcome;

use super::base::{self, Base};
use super::{Case, cases, kind, noon, read};

/// Of the folder's `live.patch.yaml`, if it has one.
pub(super) fn live(folder: &Path, desired: &Desired) -> Live {
    let file = folder.join("live.patch.yaml");
    if !file.exists() {
        return base::live(desired, Base::Made);
    }
    let mut patch: Value =
        serde_saphyr::from_str(&read(&file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let named = patch.as_object_mut().and_then(|members| members.remove("base"));
    let base: Base = named.map_or(Base::Made, |named| serde_json::from_value(named).unwrap());
    let mut patched = serde_json::to_value(base::live(desired, base)).unwrap();
    merge(&mut patched, patch);
    let live: Live =
        serde_json::from_value(patched.clone()).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    if let Some(member) = unknown(&patched, &serde_json::to_value(&live).unwrap()) {
        panic!("{}: nothing reads {member}", file.display());
    }
    live
}

/// As RFC 7386: members are merged, `null` takes a member away, all else is put in its place. Besides, `a.b` is member `b` of
/// member `a`, and `a+` adds to list `a`.
fn merge(into: &mut Value, patch: Value) {
    let Value::Object(members) = patch else {
        *into = patch;
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    for (path, patch) in members {
        match (path.split_once('.'), path.strip_suffix('+'), patch) {
            (Some((first, rest)), _, patch) => {
                merge(&mut into[first], Value::Object([(rest.to_owned(), patch)].into_iter().collect()));
            }
            (None, Some(list), Value::Array(more)) => into[list].as_array_mut().unwrap().extend(more),
            (None, _, Value::Null) => _ = into.as_object_mut().unwrap().remove(&path),
            (None, _, patch) => merge(&mut into[path], patch),
        }
    }
}

/// A member that was not read: a slip in a patch.
fn unknown(written: &Value, read: &Value) -> Option<String> {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => {
            written.iter().find_map(|(name, value)| match read.get(name) {
                Some(read) => unknown(value, read).map(|inner| format!("{name}.{inner}")),
                None => (!is_default(value)).then(|| name.clone()),
            })
        }
        (Value::Array(written), Value::Array(read)) => {
            written.iter().zip(read).find_map(|(written, read)| unknown(written, read))
        }
        _ => None,
    }
}

/// Whether it may be left out when it is written.
fn is_default(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

#[test]
fn a_patch_merges_adds_and_takes_away() {
    let merged = |into: &str, patch: &str| {
        let mut value: Value = serde_json::from_str(into).unwrap();
        merge(&mut value, serde_json::from_str(patch).unwrap());
        value.to_string()
    };
    for (into, patch, expected) in [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
        (r#"[1,2]"#, r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
        (r#"{}"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        (r#"{"a":{"b":1,"c":2}}"#, r#"{"a.b":null,"a.d.e":3}"#, r#"{"a":{"c":2,"d":{"e":3}}}"#),
        (r#"{"a":"absent"}"#, r#"{"a.present.id":"x"}"#, r#"{"a":{"present":{"id":"x"}}}"#),
        (r#"{"a":{"b":[1]}}"#, r#"{"a.b+":[2,3]}"#, r#"{"a":{"b":[1,2,3]}}"#),
    ] {
        assert_eq!(merged(into, patch), expected, "{into} {patch}");
    }
}

#[test]
fn a_slip_in_a_patch_is_seen() {
    let value = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let unknown = |written: &str, read: &str| unknown(&value(written), &value(read));
    assert_eq!(unknown(r#"{"a":{"b":1,"c":null,"d":[]}}"#, r#"{"a":{"b":1}}"#), None);
    assert_eq!(unknown(r#"{"a":{"b":1,"bb":2}}"#, r#"{"a":{"b":1}}"#), Some("a.bb".to_owned()));
    assert_eq!(unknown(r#"{"a":[{"b":1}]}"#, r#"{"a":[{}]}"#), Some("a.b".to_owned()));
}

// ---- The bases themselves. ------------------------------------------------------------------------------------------

/// What is declared in every case, planned where it is made so far.
fn planned(base: Base) -> Vec<(String, Plan)> {
    let plan = |case: Case| {
        let live = base::live(&case.desired, base);
        (case.name(), plan(&case.desired, &live, &Wishes::default(), noon()))
    };
    cases().into_iter().map(plan).collect()
}

#[test]
fn where_all_is_made_nothing_is_left_to_do() {
    for (name, plan) in planned(Base::Made) {
        let kinds: BTreeSet<&str> = plan.actions.iter().map(kind).collect();
        assert!(kinds.iter().all(|kind| ["keep", "imburse: keep"].contains(kind)), "{name}: {kinds:?}");
        // Some cases declare what could not be made again: such a key is kept, and a finding says that it will not be renewed.
        let lasting = [Code::ExpiryTooLong, Code::NoPermission, Code::NoOwnerCredentials, Code::NoRoomToRenew];
        assert!(plan.findings.iter().all(|finding| lasting.contains(&finding.code)), "{name}: {:?}", plan.findings);
        if plan.findings.is_empty() {
            assert_eq!(Outcome::of_plan(&plan), Outcome::Clean, "{name}");
        }
    }
}

#[test]
fn where_the_tenants_are_made_only_keys_are_left_to_make() {
    for (name, plan) in planned(Base::Tenants) {
        for planned in &plan.actions {
            let kind = kind(planned);
            let is_expected = match planned.address.is_tenant() {
                true => ["keep", "imburse: keep"].contains(&kind),
                false => ["create key", "imburse: create key", "refuse"].contains(&kind),
            };
            assert!(is_expected, "{name}: {kind} {}", planned.address);
        }
    }
}

#[test]
fn where_nothing_is_there_nothing_is_kept() {
    let creations = ["create tenant", "settle", "trust", "create user", "grant", "create key"];
    let imburse = ["imburse: create tenant", "imburse: create key"];
    for (name, plan) in planned(Base::Nothing) {
        let kinds: BTreeSet<&str> = plan.actions.iter().map(kind).collect();
        let is_expected = |kind: &&str| creations.contains(kind) || imburse.contains(kind) || *kind == "refuse";
        assert!(kinds.iter().all(is_expected), "{name}: {kinds:?}");
    }
}
