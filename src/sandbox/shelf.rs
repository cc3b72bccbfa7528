//! Objects by id that know what of them has changed since it was last saved: the cost of saving follows the change, not the estate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::ops::Bound;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a shelf holds. One that has shelves of its own passes both calls on to them.
pub(super) trait Kept: Sized {
    /// The id that it has on its shelf: the files of format 1 have lists where there are shelves now.
    fn id(&self) -> String {
        String::new()
    }

    /// Takes over a change that was read back.
    fn follow(&mut self, change: Self) {
        *self = change;
    }

    /// From here on everything in it is to be saved, or nothing.
    fn mark(&mut self, _all: bool) {}
}

pub(super) struct Shelf<T> {
    items: BTreeMap<String, Box<T>>,
    /// To be saved. One that is not among the items is gone.
    touched: BTreeSet<String>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), touched: BTreeSet::new() }
    }
}

impl<T> Shelf<T> {
    pub(super) fn get(&self, id: &str) -> Option<&T> {
        self.items.get(id).map(Box::as_ref)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let item = self.items.get_mut(id)?;
        self.touched.insert(id.to_owned());
        Some(item)
    }

    pub(super) fn contains_key(&self, id: &str) -> bool {
        self.items.contains_key(id)
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        self.items.iter().map(|(id, item)| (id, item.as_ref()))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.items.values().map(Box::as_ref)
    }

    /// Those right below a path, by the rest of their ids.
    pub(super) fn below<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, &'a T)> {
        let from = self.items.range::<str, _>((Bound::Included(path), Bound::Unbounded));
        let below = from.map_while(move |(id, item)| Some((id.strip_prefix(path)?, item.as_ref())));
        below.filter(|(rest, _)| !rest.contains('/'))
    }

    /// Everything whose id begins so.
    pub(super) fn remove_below(&mut self, path: &str) {
        let from = self.items.range::<str, _>((Bound::Included(path), Bound::Unbounded));
        let gone: Vec<String> = from.map(|(id, _)| id.clone()).take_while(|id| id.starts_with(path)).collect();
        for id in gone {
            self.items.remove(&id);
            self.touched.insert(id);
        }
    }

    pub(super) fn insert(&mut self, id: String, item: T) {
        self.touched.insert(id.clone());
        self.items.insert(id, Box::new(item));
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<T> {
        let item = self.items.remove(id)?;
        self.touched.insert(id.to_owned());
        Some(*item)
    }

    /// Takes away what is not wanted any more.
    pub(super) fn retain(&mut self, wanted: impl Fn(&T) -> bool) {
        let touched = &mut self.touched;
        self.items.retain(|id, item| {
            let stays = wanted(item);
            if !stays {
                touched.insert(id.clone());
            }
            stays
        });
    }

    pub(super) fn clear(&mut self) {
        self.retain(|_| false);
    }

    /// Each item that this is about, to be changed.
    pub(super) fn each_mut(&mut self, about: impl Fn(&T) -> bool) -> impl Iterator<Item = &mut T> {
        let touched = &mut self.touched;
        self.items.iter_mut().filter(move |(_, item)| about(item)).map(|(id, item)| {
            touched.insert(id.clone());
            item.as_mut()
        })
    }

    pub(super) fn is_saved(&self) -> bool {
        self.touched.is_empty()
    }
}

impl<T: Kept> Shelf<T> {
    pub(super) fn follow(&mut self, change: Self) {
        for id in &change.touched {
            self.items.remove(id);
        }
        for (id, item) in change.items {
            match self.items.get_mut(&id) {
                Some(known) => known.follow(*item),
                None => drop(self.items.insert(id, item)),
            }
        }
    }

    pub(super) fn mark(&mut self, all: bool) {
        if all {
            self.touched.extend(self.items.keys().cloned());
        }
        for id in &self.touched {
            if let Some(item) = self.items.get_mut(id) {
                item.mark(all);
            }
        }
        if !all {
            self.touched.clear();
        }
    }
}

/// What was known, with the change that stands in its place.
pub(super) fn with<T: Kept>(place: &mut Shelf<T>, known: Shelf<T>) {
    let change = std::mem::replace(place, known);
    place.follow(change);
}

impl<T: Kept + Serialize> Shelf<T> {
    /// Every item whole, each as a line of its own, below the names that lead to the shelf.
    pub(super) fn write(&mut self, names: &[&str], to: &mut impl Write) -> io::Result<()> {
        for (id, item) in &mut self.items {
            item.mark(true);
            for name in names {
                write!(to, "{{\"{name}\":")?;
            }
            serde_json::to_writer(&mut *to, &BTreeMap::from([(id, &item)]))?;
            writeln!(to, "{}", "}".repeat(names.len()))?;
            item.mark(false);
        }
        self.touched.clear();
        Ok(())
    }
}

/// What has changed: the items to be saved, and `null` for those that are gone.
impl<T: Serialize> Serialize for Shelf<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.touched.len()))?;
        for id in &self.touched {
            map.serialize_entry(id, &self.items.get(id))?;
        }
        map.end()
    }
}

impl<'de, T: Kept + Deserialize<'de>> Deserialize<'de> for Shelf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Read(PhantomData))
    }
}

struct Read<T>(PhantomData<T>);

impl<'de, T: Kept + Deserialize<'de>> Visitor<'de> for Read<T> {
    type Value = Shelf<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("objects by id, or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut shelf = Shelf::default();
        while let Some((id, item)) = map.next_entry::<String, Option<Box<T>>>()? {
            match item {
                Some(item) => drop(shelf.items.insert(id, item)),
                None => drop(shelf.touched.insert(id)),
            }
        }
        Ok(shelf)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut shelf = Shelf::default();
        while let Some(item) = list.next_element::<Box<T>>()? {
            shelf.items.insert(item.id(), item);
        }
        Ok(shelf)
    }
}
