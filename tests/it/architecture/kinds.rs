//! What a new kind of object costs: the files that the kind of the unit tests touches, a space.

use std::collections::BTreeSet;

use super::files;

/// The rooms where a new kind is the vendor's own business.
const VENDORS: [&str; 2] = ["provider", "sandbox"];

/// The most files that a new kind may touch elsewhere.
const FILES_MAX: usize = 15;

/// True if something that only unit tests compile is about a space, right below its attribute.
fn touches(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let is_of_tests = |line: &&str| line.trim_start().starts_with("#[cfg(test)]");
    (0..lines.len())
        .filter(|at| lines.get(*at).is_some_and(is_of_tests))
        .any(|at| lines.iter().skip(at + 1).take(2).any(|line| line.contains("Space") || line.contains("space")))
}

#[test]
#[expect(clippy::print_stdout, reason = "the files are what the test is asked for")]
fn a_new_kind_touches_few_files() {
    let all = files();
    let touched: BTreeSet<String> = all
        .iter()
        .filter(|file| !VENDORS.contains(&file.room()) && touches(&file.text))
        .map(|file| file.path.display().to_string())
        .collect();
    println!("a new kind touches {} files:\n{}", touched.len(), Vec::from_iter(touched.clone()).join("\n"));
    assert!(touched.len() <= FILES_MAX, "{touched:#?}");
    // Where it is not found at all, nothing was counted.
    for room in ["model", "config", "observe", "plan", "apply", "render"] {
        let of_room = |file: &&super::File| file.room() == room && touches(&file.text);
        assert!(all.iter().any(|file| of_room(&file)), "nothing of the new kind is found in {room}");
    }
}
