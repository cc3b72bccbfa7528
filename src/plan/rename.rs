//! A rename in desired state must not buy a second tenant: a new name that is close to one no longer declared is asked about.

use crate::model::address::Address;

use super::refusal::{Code, Refusal};
use super::scene::Scene;

/// Refuses to create what looks like a tenant that is bound and no longer declared, unless a person said that it is new.
pub(super) fn refuse(scene: &Scene, address: &Address) -> Result<(), Refusal> {
    if scene.wishes.new.contains(address) {
        return Ok(());
    }
    let undeclared = scene.estate.undeclared.iter().copied();
    let undeclared = undeclared.filter(|(other, _)| other.vendor == address.vendor);
    let close = undeclared.filter(|(other, _)| are_close(other.tenant.as_str(), address.tenant.as_str()));
    let Some((other, binding)) =
        close.min_by_key(|(other, _)| distance(other.tenant.as_str(), address.tenant.as_str()))
    else {
        return Ok(());
    };
    Err(Refusal::new(
        Code::Renamed,
        format!(
            "its name is close to {other}, which is bound to {} and no longer declared; was it renamed?",
            binding.hostname
        ),
        format!("qlik-apply ledger mv {other} {address}   (it was renamed: nothing is created, its keys stay)"),
    )
    .or(format!("qlik-apply --new {address}   (it is another tenant, and is to be created)")))
}

/// Returns whether a person may take the names for one another. Names that differ in a number only are taken for
/// members of a series.
fn are_close(one: &str, other: &str) -> bool {
    let without_digits = |name: &str| name.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let letters = |name: &str| name.chars().filter(|c| *c != '-').collect::<String>();
    let (a, b) = (letters(one), letters(other));
    if a == b {
        return true;
    }
    if without_digits(&a) == without_digits(&b) && a.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let shorter = a.len().min(b.len());
    // `acme` and `acme-corp`, `acme` and `new-acme`.
    let contains = shorter >= 3 && (a.contains(&b) || b.contains(&a));
    contains || distance(&a, &b) <= shorter / 4
}

/// Counts the letters that were changed, added, removed, or swapped with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let (mut before_last, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=other.len()).collect());
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let at = |row: &[usize], n: usize| row.get(n).copied().unwrap_or(usize::MAX / 2);
            let mut least = (at(&last, j + 1) + 1).min(at(&row, j) + 1).min(at(&last, j) + usize::from(a != b));
            let swapped = i > 0 && j > 0 && one.get(i - 1) == Some(b) && other.get(j - 1) == Some(a);
            if swapped {
                least = least.min(at(&before_last, j - 1) + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_close_when_a_person_may_have_changed_one_into_the_other() {
        for (one, other) in [
            ("acme", "acme-corp"),
            ("acme", "acem"),
            ("globex", "globx"),
            ("uk-retail", "ukretail"),
            ("stark-industries", "stark-industry"),
            ("initech", "new-initech"),
        ] {
            assert!(are_close(one, other) && are_close(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("acme", "globex"),
            ("tenant-001", "tenant-002"),
            ("t1", "t2"),
            ("a", "b"),
            ("eu", "us"),
            ("acme-9", "acme-10"),
        ] {
            assert!(!are_close(one, other) && !are_close(other, one), "{one} {other}");
        }
    }
}
