//! A ledger of which only some of the tenants' records are read.

use super::*;

fn named(tenant: &str, number: u8) -> Record {
    let address: Address = format!("qlik/{tenant}").parse().unwrap();
    Record { uid: Uid::new([number; 16]), address, ..record(1, binding()) }
}

fn addresses(facts: &LedgerFacts) -> Vec<String> {
    facts.records.keys().map(ToString::to_string).collect()
}

fn without(names: &[&str]) -> BTreeSet<Address> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// With records of three tenants.
fn estate() -> (Estate, Held) {
    let estate = Estate::new();
    let held = estate.ledger.open(run(1)).unwrap();
    for (number, name) in [(1, "acme"), (2, "globex"), (3, "initech")] {
        wait(held.create(&named(name, number))).unwrap();
    }
    (estate, held)
}

#[test]
fn records_that_are_left_out_are_not_opened() {
    let (estate, held) = estate();
    let left_out = without(&["qlik/globex", "qlik/umbrella"]);
    fs::write(estate.path("tenants/qlik.globex.json"), "damaged").unwrap();
    assert_eq!(addresses(&held.facts_without(&left_out).unwrap()), ["qlik/acme", "qlik/initech"]);
    let facts = estate.ledger.read_without(&left_out).unwrap().unwrap();
    assert_eq!(addresses(&facts), ["qlik/acme", "qlik/initech"]);
    assert!(held.facts().is_err() && estate.ledger.read().is_err());
}

#[test]
fn while_a_record_is_renamed_none_is_left_out_and_afterwards_nothing_tells_of_it() {
    let (estate, held) = estate();
    let (old, new) = ("qlik/globex".parse().unwrap(), "qlik/hooli".parse().unwrap());
    let before = fs::read(estate.path("tenants/qlik.globex.json")).unwrap();
    wait(held.rename(&old, &new)).unwrap();
    let left_out = without(&["qlik/hooli"]);
    assert_eq!(addresses(&held.facts_without(&left_out).unwrap()), ["qlik/acme", "qlik/initech"]);

    // As a renaming leaves it that is cut short before it removes the old record.
    fs::write(estate.path("tenants/qlik.globex.json"), before).unwrap();
    fs::write(estate.path("tenants/.renaming.qlik.globex.json"), "{}\n").unwrap();
    let facts = held.facts_without(&left_out).unwrap();
    assert_eq!(addresses(&facts), ["qlik/acme", "qlik/hooli", "qlik/initech"], "the old one is known for what it is");
    held.end(at(60)).unwrap();
    let held = estate.ledger.open(run(2)).unwrap();
    let mut files: Vec<String> = fs::read_dir(estate.path("tenants"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["qlik.acme.json", "qlik.hooli.json", "qlik.initech.json"]);
    drop(held);
}
