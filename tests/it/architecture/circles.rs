//! Holds the files of each room to an order: none of them names, by whatever way round, a file that names it.
//!
//! A name counts for the file that defines it, wherever it is passed on. A module that only declares and passes on is therefore
//! in no circle. What `impl` blocks in other files add to a type is not seen, nor what a macro makes.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Import, Placed, Token, code, imports, items, paths};
use super::{assert_none, program};

/// Circles that are let be, each as its files; `room::*` stands for a room that is being rebuilt. There are none.
const LEFT: &[&str] = &[];

/// A file as the graph needs it.
struct Source {
    imports: Vec<Import>,
    items: BTreeSet<String>,
    /// The paths outside of `use` declarations, without fields, methods and variables.
    paths: BTreeSet<Vec<String>>,
}

impl Source {
    fn of(text: &str) -> Self {
        let (imports, rest) = imports(&code(text));
        let items = items(&rest).into_iter().collect();
        let paths = paths(&without_variables(&rest)).into_iter().map(|named| named.segments).collect();
        Self { imports, items, paths }
    }
}

/// The code without words that are no names of items: fields, methods and variables.
fn without_variables(tokens: &[Placed]) -> Vec<Placed> {
    let at = |n: Option<usize>| n.and_then(|n| tokens.get(n)).map(|(token, _)| token);
    let is_name = |i: usize, word: &str| {
        let before = |n: usize| at(i.checked_sub(n));
        // `..name` is a range or the rest of a value.
        let of_value = before(1) == Some(&Token::Sign('.')) && before(2) != Some(&Token::Sign('.'));
        let in_path = before(1) == Some(&Token::Colons) || at(Some(i + 1)) == Some(&Token::Colons);
        let is_called = matches!(at(Some(i + 1)), Some(Token::Sign('(' | '!')));
        in_path || !of_value && (is_called || word.starts_with(char::is_uppercase))
    };
    let keep = |(i, (token, _)): &(usize, &Placed)| match token {
        Token::Word(word) => is_name(*i, word),
        Token::Sign(_) | Token::Colons => true,
    };
    tokens.iter().enumerate().filter(keep).map(|(_, token)| token.clone()).collect()
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// To a module as such.
    Module(String),
    /// To something that stands in this module's file.
    Item(String),
}

/// The files of the house by module.
struct House {
    sources: BTreeMap<String, Source>,
}

/// How often a name may be passed on. More is a name that leads to itself.
const STEPS_MAX: usize = 16;

impl House {
    fn new<'a>(files: impl IntoIterator<Item = (String, &'a str)>) -> Self {
        Self { sources: files.into_iter().map(|(module, text)| (module, Source::of(text))).collect() }
    }

    /// What a path means in a module, if it is ours.
    fn meant(&self, module: &str, segments: &[String], steps: usize) -> Option<Found> {
        let steps = steps.checked_sub(1)?;
        let (first, rest) = segments.split_first()?;
        let parent = |of: &str| of.rsplit_once("::").map_or("", |(parent, _)| parent).to_owned();
        match first.as_str() {
            "crate" | "qlik_plan" => self.below(String::new(), rest, steps),
            "self" => self.below(module.to_owned(), rest, steps),
            "super" => {
                let ups = segments.iter().take_while(|segment| *segment == "super").count();
                let base = (0..ups).fold(module.to_owned(), |base, _| parent(&base));
                self.below(base, segments.get(ups..)?, steps)
            }
            _ => {
                let Some(found) = self.in_module(module, first, steps) else {
                    return self.by_glob(module, segments, steps);
                };
                self.go_on(found, rest, steps)
            }
        }
    }

    fn go_on(&self, found: Found, rest: &[String], steps: usize) -> Option<Found> {
        match found {
            Found::Module(module) => self.below(module, rest, steps),
            // An enum's variant, an associated function.
            Found::Item(file) => Some(Found::Item(file)),
        }
    }

    fn below(&self, module: String, rest: &[String], steps: usize) -> Option<Found> {
        let Some((name, rest)) = rest.split_first() else { return Some(Found::Module(module)) };
        if let Some(found) = self.in_module(&module, name, steps) {
            return self.go_on(found, rest, steps);
        }
        // What no text says, a macro has made.
        self.by_glob(&module, std::slice::from_ref(name), steps).or(Some(Found::Item(module)))
    }

    fn is_module(&self, module: &str) -> bool {
        let within =
            |file: &str| file.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        self.sources.range(module.to_owned()..).next().is_some_and(|(file, _)| within(file))
    }

    /// A name in a module: a child, an item of its own, or something that was brought in.
    fn in_module(&self, module: &str, name: &str, steps: usize) -> Option<Found> {
        let child = if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") };
        if self.is_module(&child) {
            return Some(Found::Module(child));
        }
        let source = self.sources.get(module)?;
        if source.items.contains(name) {
            return Some(Found::Item(module.to_owned()));
        }
        let import = source.imports.iter().find(|import| import.name == name)?;
        self.meant(module, &import.segments, steps)
    }

    /// A name that only a `use …::*` can have brought in.
    fn by_glob(&self, module: &str, segments: &[String], steps: usize) -> Option<Found> {
        let (name, rest) = segments.split_first()?;
        let steps = steps.checked_sub(1)?;
        let globs = self.sources.get(module)?.imports.iter().filter(|import| import.name == "*");
        globs
            .filter_map(|import| {
                let (_, base) = import.segments.split_last()?;
                let Found::Module(base) = self.meant(module, base, steps)? else { return None };
                self.in_module(&base, name, steps)
            })
            .find_map(|found| self.go_on(found, rest, steps))
    }

    /// Each file and the files of its room that it names, with one name for each.
    fn graph(&self) -> BTreeMap<&str, BTreeMap<String, String>> {
        let room = |module: &str| module.split("::").next().unwrap_or_default().to_owned();
        let names = |(module, source): (&'_ String, &'_ Source)| {
            let brought = source.imports.iter().filter(|import| !import.passed_on).map(|import| &import.segments);
            let mut named = BTreeMap::new();
            for segments in brought.chain(&source.paths) {
                if let Some(Found::Item(file)) = self.meant(module, segments, STEPS_MAX)
                    && file != *module
                    && room(&file) == room(module)
                {
                    named.entry(file).or_insert_with(|| segments.join("::"));
                }
            }
            named
        };
        self.sources.iter().map(|source| (source.0.as_str(), names(source))).collect()
    }
}

/// Files that all lead to one another, and how.
#[derive(Debug)]
struct Circle {
    files: BTreeSet<String>,
    /// `model::a names super::b::B of model::b`
    lines: Vec<String>,
}

/// Every set of more than one file that lead to one another.
fn circles(house: &House) -> Vec<Circle> {
    let graph = house.graph();
    let reach: BTreeMap<&str, BTreeSet<&str>> = graph
        .keys()
        .map(|&start| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
            while let Some(file) = next.pop() {
                let named = graph.get(file).into_iter().flat_map(BTreeMap::keys).map(String::as_str);
                next.extend(named.filter(|named| seen.insert(*named)));
            }
            (start, seen)
        })
        .collect();
    let leads = |from: &str, to: &str| reach.get(from).is_some_and(|seen| seen.contains(to));
    let mut done = BTreeSet::new();
    let mut found = Vec::new();
    for &file in graph.keys().filter(|file| leads(file, file)) {
        let files: BTreeSet<String> = graph
            .keys()
            .filter(|other| leads(file, other) && leads(other, file))
            .map(|&other| other.to_owned())
            .collect();
        if done.insert(files.clone()) {
            let inside = |(from, named): (&&str, &BTreeMap<String, String>)| {
                named
                    .iter()
                    .filter(|(to, _)| files.contains(*from) && files.contains(*to))
                    .map(|(to, by)| format!("{from} names {by} of {to}"))
                    .collect::<Vec<_>>()
            };
            let lines = graph.iter().flat_map(inside).collect();
            found.push(Circle { files, lines });
        }
    }
    found
}

/// What is there and not allowed, and what is allowed and no more there.
fn unlike(found: &[Circle], left: &[&str]) -> Vec<String> {
    let meant = |left: &str, file: &str| match left.strip_suffix("::*") {
        Some(room) => file.split("::").next() == Some(room),
        None => left == file,
    };
    let mut out = Vec::new();
    for circle in found {
        let is_among = |left: &&str| circle.files.iter().all(|file| left.split(' ').any(|left| meant(left, file)));
        if !left.iter().any(is_among) {
            out.push(format!("a circle of {} files:\n  {}", circle.files.len(), circle.lines.join("\n  ")));
        }
    }
    for left in left.iter().flat_map(|left| left.split(' ')) {
        if !found.iter().flat_map(|circle| &circle.files).any(|file| meant(left, file)) {
            out.push(format!("{left} is in no circle any more: strike it from LEFT"));
        }
    }
    out
}

fn circles_of(files: &[(&str, &str)]) -> Vec<Circle> {
    circles(&House::new(files.iter().map(|(module, text)| ((*module).to_owned(), *text))))
}

#[test]
#[expect(clippy::print_stdout, reason = "`--nocapture` shows how far we are")]
fn the_files_of_a_room_are_in_an_order() {
    let files = program();
    let house = House::new(files.iter().map(|file| (file.module.join("::"), file.text.as_str())));
    let found = circles(&house);
    println!("circles: {}", found.len());
    for circle in &found {
        println!("  {}: {}", circle.files.len(), circle.files.iter().cloned().collect::<Vec<_>>().join(" "));
    }
    assert_none(&unlike(&found, LEFT));
}

/// The check itself is checked: each of these is a circle, and one of as many files.
#[test]
fn a_circle_is_seen_however_it_is_written() {
    for (files, size) in [
        (&[("model::a", "use super::b::B;"), ("model::b", "use crate::model::a;\nfn f() { a::g() }")] as &[_], 2),
        (&[("plan", "mod a; pub struct P;"), ("plan::a", "use super::P; pub fn f() {}"), ("plan::b", "")], 0),
        (&[("plan", "mod a; pub struct P; fn g() { a::f() }"), ("plan::a", "use super::P; pub fn f() {}")], 2),
        // What is passed on counts for the file that defines it.
        (
            &[
                ("plan", "mod a; mod b; pub use a::A; pub(crate) use b::{B, C as D};"),
                ("plan::a", "use super::{B as Other, x}; pub struct A;"),
                ("plan::b", "pub struct B; pub struct C; fn f(a: &crate::plan::A) {}"),
            ],
            2,
        ),
        (
            &[
                ("sink", "pub mod a; mod b; pub use a::*;"),
                ("sink::a", "use super::b::go; pub struct A;"),
                ("sink::b", "use super::c::C; pub fn go() {}"),
                ("sink::c", "use super::*; struct C(A);"),
            ],
            3,
        ),
    ] {
        let found = circles_of(files);
        let sizes: Vec<usize> = found.iter().map(|circle| circle.files.len()).collect();
        let expected: &[usize] = if size == 0 { &[] } else { &[size] };
        assert_eq!(sizes, expected, "{files:?}: {found:?}");
    }
}

#[test]
fn what_leads_one_way_is_no_circle() {
    for files in [
        &[("model::a", "use super::b::B; struct A;"), ("model::b", "pub struct B; // super::a::A")] as &[_],
        // A parent that declares and passes on names nothing.
        &[
            ("plan", "mod a; mod b; pub use a::A;"),
            ("plan::a", "use super::b::B; pub struct A;"),
            ("plan::b", "struct B;"),
        ],
        &[
            ("plan::a", "use super::b;\nfn f() { b::g() }"),
            ("plan::b", "#[cfg(test)] mod tests { use super::super::a; }"),
        ],
        &[("plan::a", "use super::b::B;\nfn f(b: B) { b.a() }"), ("plan::b", "pub struct B; impl B { fn a() {} }")],
        // A variable is called like something that is passed on.
        &[("plan", "mod a; pub use a::f; struct P; fn g() { let f = 1; }"), ("plan::a", "use super::P; fn f() {}")],
        // Between rooms the walls decide.
        &[("plan::a", "use crate::model::b::B;"), ("model::b", "use crate::plan::a::A;")],
    ] {
        assert!(circles_of(files).is_empty(), "{files:?}: {:?}", circles_of(files));
    }
}

#[test]
fn a_circle_that_is_new_is_told_and_so_is_one_that_is_gone() {
    let files = [("model::a", "use super::b::B;"), ("model::b", "use super::a::A;"), ("model::c", "use super::a::A;")];
    let found = circles_of(&files);
    assert_eq!(unlike(&found, &["model::a model::b"]), [""; 0]);
    let [told] = unlike(&found, &[]).try_into().unwrap();
    assert_eq!(
        told,
        "a circle of 2 files:\n  model::a names super::b::B of model::b\n  model::b names super::a::A of model::a"
    );
    let [struck] = unlike(&found, &["model::a model::b model::c"]).try_into().unwrap();
    assert_eq!(struck, "model::c is in no circle any more: strike it from LEFT");
    assert_eq!(unlike(&found, &["model::*"]), [""; 0]);
    let [struck] = unlike(&found, &["model::*", "plan::*"]).try_into().unwrap();
    assert_eq!(struck, "plan::* is in no circle any more: strike it from LEFT");
}
