//! Several sinks of one key, as one: what they hold together.

use std::collections::BTreeMap;

use super::super::address::Name;
use super::super::marker::SinkHash;
use super::{Observed, SinkEntry, SinkLive, Unreadable, Writable};

impl SinkLive {
    /// Joins what was seen in each of a key's sinks, in the order of delivery. `hash` is what markers carry for all of them.
    ///
    /// They hold a key together if each that can be looked into shows it, delivered to all of them: an entry for fewer sinks says
    /// nothing of the others. Otherwise they hold none, and what each shows stays in `homes`.
    pub fn of_homes(each: Vec<(Name, Self)>, hash: &SinkHash) -> Self {
        let seen: Vec<(&Name, &Observed<SinkEntry>)> =
            each.iter().filter_map(|(name, live)| Some((name, live.entry.as_ref()?))).collect();
        let of = |found: fn(&Self) -> bool| each.iter().all(|(_, live)| found(live));
        Self {
            entry: together(&seen, hash),
            // A put comes to a later sink only after the first has taken it, so the first one's number speaks for all.
            number: each.first().and_then(|(_, first)| first.number).filter(|_| of(|live| live.number.is_some())),
            writable: writable(each.iter().map(|(_, live)| live.writable.as_ref())),
            until: each.iter().filter_map(|(_, live)| live.until).min(),
            deleted: each.iter().find_map(|(_, live)| live.deleted.clone()),
            trouble: each.iter().find_map(|(_, live)| live.trouble.clone()),
            tracked: each.iter().find_map(|(_, live)| live.tracked.clone()),
            homes: each.into_iter().collect::<BTreeMap<Name, Self>>(),
        }
    }

    /// The entries that are there, sink by sink where there are several.
    pub fn entries(&self) -> impl Iterator<Item = &SinkEntry> {
        let own = self.held().filter(|_| self.homes.is_empty());
        own.into_iter().chain(self.homes.values().filter_map(Self::held))
    }
}

fn together(seen: &[(&Name, &Observed<SinkEntry>)], hash: &SinkHash) -> Option<Observed<SinkEntry>> {
    let (_, first) = seen.first()?;
    for (name, entry) in seen {
        if let Observed::Unreadable(Unreadable { why, next, credentials }) = entry {
            let why = format!("of sink {name}: {}", why.raw()).into();
            return Some(Observed::Unreadable(Unreadable { why, next: next.clone(), credentials: *credentials }));
        }
    }
    let Observed::Present(first) = first else { return Some(Observed::Absent) };
    let is_it = |entry: &SinkEntry| entry.key_id == first.key_id && entry.marker.sink == *hash;
    let everywhere = seen.iter().all(|(_, entry)| entry.present().is_some_and(is_it));
    Some(if everywhere { Observed::Present(first.clone()) } else { Observed::Absent })
}

fn writable<'a>(each: impl Iterator<Item = Option<&'a Writable>>) -> Option<Writable> {
    let (mut unchecked, mut open) = (false, Vec::new());
    for one in each {
        match one {
            Some(Writable::No(why)) => return Some(Writable::No(why.clone())),
            Some(Writable::NotRefused(what)) => open.push(what.as_str()),
            Some(Writable::Yes) => {}
            None => unchecked = true,
        }
    }
    match (unchecked, open.as_slice()) {
        (true, _) => None,
        (false, []) => Some(Writable::Yes),
        (false, several) => Some(Writable::NotRefused(several.join("; "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::LedgerId;

    fn entry(key_id: &str, sink: &str) -> SinkEntry {
        let ledger = LedgerId::new([7; 16]);
        serde_json::from_value(serde_json::json!({
            "ledger": ledger, "uid": "0123456789abcdef0123456789abcdef", "key": "ci", "key_id": key_id, "fingerprint": "00".repeat(32),
            "marker": { "ledger": ledger.short(), "uid": "00000000", "sink": sink, "nonce": "00000000", "letter": "undelivered" },
            "tenant_id": "t", "owner": "o", "expiry": null, "delivered": "2027-01-15T08:00:00Z"
        }))
        .unwrap()
    }

    fn joined(each: &[(&str, Option<Observed<SinkEntry>>)]) -> SinkLive {
        let live = |entry: &Option<Observed<SinkEntry>>| SinkLive { entry: entry.clone(), ..SinkLive::default() };
        let each = each.iter().map(|(name, entry)| (Name::parse(name).unwrap(), live(entry))).collect();
        SinkLive::of_homes(each, &SinkHash::parse("abcd").unwrap())
    }

    #[test]
    fn homes_hold_a_key_together_once_each_shows_it_for_all() {
        let present = |id, sink| Some(Observed::Present(entry(id, sink)));
        let held = |each: &[_]| joined(each).held().map(|entry| entry.key_id.clone());
        assert_eq!(held(&[("a", present("k", "abcd")), ("b", present("k", "abcd"))]), Some("k".to_owned()));
        assert_eq!(held(&[("a", present("k", "abcd")), ("b", Some(Observed::Absent))]), None, "half delivered");
        assert_eq!(held(&[("a", Some(Observed::Absent)), ("b", present("k", "abcd"))]), None, "one was emptied");
        assert_eq!(held(&[("a", present("k", "abcd")), ("b", present("l", "abcd"))]), None, "two keys");
        assert_eq!(held(&[("a", present("k", "abcd")), ("b", None)]), Some("k".to_owned()), "nobody sees into b");
        assert_eq!(held(&[("a", present("k", "0000")), ("b", None)]), None, "delivered before b was added");
        assert_eq!(joined(&[("a", None), ("b", None)]).entry, None);
        let half = joined(&[("a", present("k", "abcd")), ("b", Some(Observed::Absent))]);
        assert_eq!(half.entry, Some(Observed::Absent));
        assert_eq!(half.entries().map(|entry| entry.key_id.as_str()).collect::<Vec<_>>(), ["k"]);
    }

    #[test]
    fn one_home_that_cannot_be_read_or_written_speaks_for_all() {
        let unreadable = Unreadable { why: "sealed".into(), next: "unseal it".to_owned(), credentials: false };
        let live = joined(&[("a", Some(Observed::Absent)), ("b", Some(Observed::Unreadable(unreadable.clone())))]);
        let Some(Observed::Unreadable(why)) = live.entry else { panic!("{:?}", live.entry) };
        assert_eq!(why.why.raw(), "of sink b: sealed");
        let (yes, open) = (Writable::Yes, Writable::NotRefused("whether it takes it".to_owned()));
        let no = Writable::No(unreadable);
        assert_eq!(writable([Some(&yes), Some(&no)].into_iter()), Some(no));
        assert_eq!(writable([Some(&yes), Some(&open)].into_iter()), Some(open));
        assert_eq!(writable([Some(&yes), None].into_iter()), None);
        assert_eq!(writable([Some(&yes), Some(&yes)].into_iter()), Some(yes));
    }
}
