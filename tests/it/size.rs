//! A small file that asks for much: it is counted before anything is made, and the fault is where it is asked for.

use std::fmt::Write as _;
use std::path::Path;

use qlik_plan::config::{self, Source};

fn source(text: &str) -> Source {
    Source { name: "f.yaml".to_owned(), text: text.to_owned() }
}

/// One profile of so many keys, and so many tenants that take it.
fn qlik(keys: usize, tenants: usize) -> String {
    let mut text =
        "version: 1\nqlik:\n  profiles:\n    small: { account: a }\n    big:\n      account: a\n      api_keys:\n"
            .to_owned();
    for i in 0..keys {
        writeln!(text, "        k{i}: {{ description: d, owner: {{ client: {{}} }}, expires_in: P1D, deliver_to: f }}")
            .unwrap();
    }
    text.push_str("  tenants:\n    only: { profile: small }\n");
    for i in 0..tenants {
        writeln!(text, "    t{i}: {{ profile: big }}").unwrap();
    }
    text
}

fn imburse(keys: usize, tenants: usize) -> String {
    let mut text = "version: 1\nimburse:\n  profiles:\n    big:\n      account: a\n      api_keys:\n".to_owned();
    for i in 0..keys {
        writeln!(text, "        k{i}: {{ name: n, roles: [r], deliver_to: f }}").unwrap();
    }
    text.push_str("  tenants:\n");
    for i in 0..tenants {
        writeln!(text, "    t{i}: {{ profile: big, adopt: {{ tenant_id: a{i} }} }}").unwrap();
    }
    text
}

#[test]
fn a_profile_that_multiplies_too_much_is_a_fault_at_its_own_line() {
    for (text, line, sum) in [
        (qlik(3_000, 3_000), 5, "profile `big` gives 3000 keys to 3000 tenants: 9003001 objects in all"),
        (imburse(3_000, 3_000), 4, "profile `big` gives 3000 keys to 3000 tenants: 9003000 objects in all"),
        (qlik(447, 447), 5, "profile `big` gives 447 keys to 447 tenants: 200257 objects in all"),
    ] {
        let report = config::validate(&[source(&text)]).unwrap_err();
        let [fault] = report.faults.as_slice() else { panic!("{report}") };
        assert_eq!((fault.code, fault.line, fault.column), ("QP0109", line, 5));
        assert_eq!(fault.message, format!("{sum}, and at most 200000 are taken"));
        assert!(fault.help.as_ref().unwrap().contains("limits: { objects: "), "{fault:?}");
    }
    assert_eq!(config::validate(&[source(&qlik(446, 446))]), Ok(446 * 447 + 1));
    // What is typed out is counted too, and both vendors together.
    let both = [source(&qlik(446, 446)), source(&imburse(30, 40))];
    assert_eq!(config::validate(&both).unwrap_err().faults[0].code, "QP0109");
}

#[test]
fn settings_may_raise_what_a_desired_state_may_have_and_lower_it() {
    let settings = |limits: &str| {
        let text = format!(
            "version: 1\naccounts: {{ a: {{ vendor: qlik, region: us, client: {{ id: {{ env: A }}, secret: {{ env: B }} }} }} }}\nsinks: {{ f: {{ kind: file, directory: s }} }}\n{limits}\n"
        );
        config::settings(&source(&text), Path::new("/")).unwrap_or_else(|report| panic!("{report}"))
    };
    let state = [source(&qlik(447, 447))];
    let count = |limits: &str| config::desired(&state, &settings(limits)).map(|desired| desired.items.len());
    assert_eq!(count("").unwrap_err().faults[0].code, "QP0109");
    assert_eq!(count("limits: { objects: 200257 }"), Ok(200_257));
    assert_eq!(count("limits: { objects: 200256 }").unwrap_err().faults[0].code, "QP0109");
    let small = [source("version: 1\nqlik: { tenants: { a: { account: a }, b: { account: a } } }\n")];
    let report = config::desired(&small, &settings("limits: { objects: 1 }")).unwrap_err();
    assert_eq!((report.faults[0].line, report.faults[0].code), (2, "QP0109"));
    assert!(report.faults[0].message.starts_with("this desired state has 2 objects in all"), "{report}");
}

#[test]
fn a_hint_is_found_among_a_few_names_and_not_looked_for_among_thousands() {
    let text = |n: usize| {
        let mut text = "version: 1\nqlik:\n  profiles:\n".to_owned();
        (0..n).for_each(|i| writeln!(text, "    profile{i}: {{ account: a }}").unwrap());
        text.push_str("  tenants:\n");
        (0..n).for_each(|i| writeln!(text, "    t{i}: {{ profile: profil{i} }}").unwrap());
        text
    };
    let help = |n: usize| config::validate(&[source(&text(n))]).unwrap_err().faults[0].help.clone().unwrap();
    assert_eq!(help(20), "did you mean `profile0`?");
    assert!(help(5_000).starts_with("profiles: profile0, "), "{}", help(5_000));
}
