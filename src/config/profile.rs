//! Profiles, and what a tenant takes from one: inherited, omitted, overridden. One rule for every vendor.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{Faults, code};
use super::read::{self, Fields, unknown_name};
use super::source::{At, Span};
use super::syntax::{Entry, Node, Value};
use crate::model::address::{Name, RESERVED};
use crate::model::settings::Settings;

/// By name, each with the place that declared it.
pub(crate) type Named<T> = BTreeMap<Name, (Span, T)>;

/// What both a profile and a tenant may say: an account, keys, and what a vendor has besides.
pub(crate) struct Shared<K, M> {
    pub(crate) account: Option<At<Name>>,
    /// Whether `account:` is written, right or wrong.
    names_account: bool,
    pub(crate) keys: Vec<(At<Name>, K)>,
    pub(crate) more: M,
}

/// A key as a profile or a tenant says it.
pub(crate) trait TakesProfile {
    /// Where it says `override: true`.
    fn overrides(&self) -> Option<Span>;
    fn deliver_to(&self) -> &[At<Name>];
}

/// What a tenant says of its profile.
pub(crate) struct Taking {
    profile: Option<At<Name>>,
    /// Whether `profile:` is written, right or wrong.
    pub(crate) names_profile: bool,
    omit: Vec<At<Name>>,
}

impl Taking {
    /// The profile's name, if it is one.
    pub(crate) fn profile_name(&self) -> Option<&Name> {
        self.profile.as_ref().map(|profile| &profile.value)
    }
}

/// The profile that a tenant takes from.
pub(crate) enum Profile<'p, S> {
    None,
    Found(&'p Name, &'p S),
    /// One is named that is not there, or not by a name: nothing can be said of what it holds.
    AtFault,
}

impl<'p, S> Profile<'p, S> {
    pub(crate) fn get(&self) -> Option<&'p S> {
        match self {
            Self::Found(_, shared) => Some(shared),
            Self::None | Self::AtFault => None,
        }
    }
}

/// `profiles:`, each read by `read`, which gets what it is called in faults.
pub(crate) fn profiles<S>(
    node: &Node,
    faults: &mut Faults<'_>,
    mut read: impl FnMut(&Entry, &str, &mut Faults<'_>) -> Option<S>,
) -> Vec<(At<Name>, S)> {
    let mut profiles = Vec::new();
    for entry in read::map(node, "`profiles`", faults).unwrap_or_default() {
        let name = read::key_name(entry, "profile", faults);
        let what = format!("profile {}", faults.quote(&entry.key));
        let shared = read(entry, &what, faults);
        profiles.extend(name.zip(shared));
    }
    profiles
}

/// Account and keys. `what` says them, and `key` reads one key of it.
pub(crate) fn shared<K, M>(
    fields: &Fields<'_>,
    what: &str,
    more: M,
    faults: &mut Faults<'_>,
    mut key: impl FnMut(&Entry, &str, &mut Faults<'_>) -> Option<K>,
) -> Shared<K, M> {
    let account = fields.get("account");
    let mut shared = Shared {
        account: account.and_then(|node| read::name(node, "`account`", faults)),
        names_account: account.is_some(),
        keys: Vec::new(),
        more,
    };
    if let Some(node) = fields.get("api_keys") {
        for entry in read::map(node, "`api_keys`", faults).unwrap_or_default() {
            let name = read::key_name(entry, "key", faults).filter(|name| is_free(&name.value, name.at, faults));
            let key = key(entry, what, faults);
            shared.keys.extend(name.zip(key));
        }
    }
    shared
}

/// Whether a key may have this name.
fn is_free(name: &Name, at: Span, faults: &mut Faults<'_>) -> bool {
    let is_free = !RESERVED.contains(&name.as_str());
    if !is_free {
        let message = format!("key `{name}`: the word is reserved for objects of another kind");
        faults.add(code::NAME, at, message, "reserved").help("name the key after who uses it, as in `ci`");
    }
    is_free
}

/// `profile` and `omit` of a tenant.
pub(crate) fn taking(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Taking {
    let profile = fields.get("profile");
    let mut taking = Taking {
        profile: profile.and_then(|node| read::name(node, "`profile`", faults)),
        names_profile: profile.is_some(),
        omit: Vec::new(),
    };
    if let Some(node) = fields.get("omit") {
        match &node.value {
            Value::List(items) => {
                taking.omit = items.iter().filter_map(|item| read::name(item, "a name in `omit`", faults)).collect();
            }
            Value::Broken => {}
            Value::Scalar { .. } | Value::Map(_) => {
                read::wrong_kind(node, "`omit`", "a list", faults).help("as in `omit: [stackone]`");
            }
        }
    }
    taking
}

/// `override` of a key: where it says so.
pub(crate) fn overrides(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Span> {
    let entry = fields.entry("override")?;
    let says = read::boolean(&entry.value, "`override`", faults);
    says.filter(|yes| *yes).map(|_| entry.key_at)
}

/// Sinks that are named where they stand, once each, whether a profile is used or not.
pub(crate) fn sinks<K: TakesProfile, M>(shared: &Shared<K, M>, settings: &Settings, faults: &mut Faults<'_>) {
    for (_, key) in &shared.keys {
        for sink in key.deliver_to().iter().filter(|sink| !settings.sinks.contains_key(&sink.value)) {
            let message = format!("no sink in settings is called `{}`", sink.value);
            let help = unknown_name(&sink.value, settings.sinks.keys(), "sinks in settings:", faults);
            faults.add(code::UNKNOWN_SINK, sink.at, message, "not in settings").help(help);
        }
    }
}

/// The profile that a tenant names.
pub(crate) fn find<'p, S>(taking: &Taking, profiles: &'p Named<S>, faults: &mut Faults<'_>) -> Profile<'p, S> {
    let Some(wanted) = &taking.profile else {
        return if taking.names_profile { Profile::AtFault } else { Profile::None };
    };
    if let Some((name, (_, shared))) = profiles.get_key_value(&wanted.value) {
        return Profile::Found(name, shared);
    }
    let message = format!("no profile is called `{}`", wanted.value);
    let help = unknown_name(&wanted.value, profiles.keys(), "profiles:", faults);
    faults.add(code::UNKNOWN_PROFILE, wanted.at, message, "not declared").help(help);
    Profile::AtFault
}

/// The tenant's own account, else its profile's.
pub(crate) fn account<K, M>(
    name: &Name,
    at: Span,
    own: &Shared<K, M>,
    profile: &Profile<'_, Shared<K, M>>,
    faults: &mut Faults<'_>,
) -> Option<At<Name>> {
    if own.names_account {
        return own.account.clone();
    }
    match profile {
        Profile::Found(_, shared) if shared.names_account => return shared.account.clone(),
        Profile::Found(profile, _) => missing(name, at, "account", "NAME", profile, faults),
        Profile::None => {
            let message = format!("tenant `{name}` says no `account`");
            let help = "add `account: NAME`, one of the accounts in settings";
            faults.add(code::MISSING, at, message, "`account` is missing").help(help);
        }
        Profile::AtFault => {}
    }
    None
}

/// What neither a tenant nor its profile says.
pub(crate) fn missing(name: &Name, at: Span, key: &str, example: &str, profile: &Name, faults: &mut Faults<'_>) {
    let message = format!("tenant `{name}` says no `{key}`");
    faults
        .add(code::MISSING, at, message, format!("`{key}` is missing"))
        .help(format!("add `{key}: {example}` here or to profile `{profile}`"));
}

/// The tenant's keys: its profile's, less what it omits, and its own.
pub(crate) fn keys<'k, K: TakesProfile, M>(
    own: &'k Shared<K, M>,
    taking: &Taking,
    profile: &Profile<'k, Shared<K, M>>,
    faults: &mut Faults<'_>,
) -> BTreeMap<&'k Name, (Span, &'k K)> {
    let inherited = profile.get().map(|shared| shared.keys.as_slice()).unwrap_or_default();
    let mut keys: BTreeMap<&Name, (Span, &K)> =
        inherited.iter().map(|(name, key)| (&name.value, (name.at, key))).collect();
    for omitted in &taking.omit {
        if keys.remove(&omitted.value).is_some() {
            continue;
        }
        let names = inherited.iter().map(|(name, _)| &name.value);
        let help = match profile {
            Profile::Found(..) => unknown_name(&omitted.value, names, "the profile's keys:", faults),
            Profile::None => "this tenant has no profile; leave `omit` out".to_owned(),
            Profile::AtFault => continue,
        };
        let message = format!("`omit` names `{}`, and the profile has no such key", omitted.value);
        faults.add(code::OMIT, omitted.at, message, "nothing to omit").help(help);
    }
    let all_omitted: BTreeSet<&Name> = taking.omit.iter().map(|omitted| &omitted.value).collect();
    for (name, key) in &own.keys {
        let omitted = all_omitted.contains(&name.value);
        match (keys.get(&name.value), key.overrides()) {
            (Some((inherited, _)), None) => {
                let inherited = faults.place(*inherited);
                let message = format!("key `{}` is already in the profile", name.value);
                faults
                    .add(code::OVERRIDE, name.at, message, "declared again here")
                    .also(inherited, "in the profile")
                    .help("say `override: true` in it to replace the profile's key as a whole, or rename it");
            }
            (None, Some(at)) if !omitted && !matches!(profile, Profile::AtFault) => {
                let message = format!("key `{}` overrides nothing: the profile has no such key", name.value);
                faults.add(code::OVERRIDE, at, message, "overrides nothing").help("leave `override` out");
            }
            (Some(_), Some(_)) | (None, Some(_) | None) => {}
        }
        keys.insert(&name.value, (name.at, key));
    }
    keys
}
