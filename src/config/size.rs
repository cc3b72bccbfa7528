//! How many objects a desired state has, counted before one of them is made: a profile multiplies.

use std::collections::BTreeMap;

use super::diagnostic::{Faults, code};
use super::profile::{Named, Shared, TakesProfile, Taking};
use super::source::Span;
use crate::model::address::Name;

/// What all tenants have together.
#[derive(Default)]
pub(crate) struct Size {
    objects: usize,
    /// Where the first tenant stands.
    first: Option<Span>,
    /// What gives most of the keys: where, and in words.
    most: Option<(usize, Span, String)>,
}

impl Size {
    /// Adds the tenants of one vendor. A key that a tenant both overrides and inherits is counted twice: it is built twice.
    pub(crate) fn add<'t, K: TakesProfile + 't, M: 't>(
        &mut self,
        tenants: impl Iterator<Item = (Span, &'t Taking, &'t Shared<K, M>)>,
        profiles: &Named<Shared<K, M>>,
    ) {
        let mut takers: BTreeMap<&Name, usize> = BTreeMap::new();
        for (at, taking, own) in tenants {
            self.first = self.first.or(Some(at));
            self.objects = self.objects.saturating_add(1).saturating_add(own.keys.len());
            if let Some((name, _)) = taking.profile_name().and_then(|name| profiles.get_key_value(name)) {
                *takers.entry(name).or_default() += 1;
            }
        }
        for (name, count) in takers {
            let Some((at, shared)) = profiles.get(name) else { continue };
            let keys = shared.keys.len();
            let gives = keys.saturating_mul(count);
            self.objects = self.objects.saturating_add(gives);
            if self.most.as_ref().is_none_or(|(most, _, _)| *most < gives) {
                self.most = Some((gives, *at, format!("profile `{name}` gives {keys} keys to {count} tenants")));
            }
        }
    }

    /// Whether they are few enough to be made; if not, that is a fault at the profile that multiplies them.
    pub(crate) fn fits(self, most: u32, faults: &mut Faults<'_>) -> bool {
        let Self { objects, first, most: profile } = self;
        if u32::try_from(objects).is_ok_and(|objects| objects <= most) {
            return true;
        }
        let total = format!("{objects} objects in all, and at most {most} are taken");
        let (at, message) = match profile {
            Some((gives, at, words)) if gives >= objects / 2 => (at, format!("{words}: {total}")),
            Some(_) | None => (first.unwrap_or(Span::top(0)), format!("this desired state has {total}")),
        };
        faults
            .add(code::SIZE, at, message, "too many")
            .help(format!("if they are meant: `limits: {{ objects: {objects} }}` in settings"));
        false
    }
}
