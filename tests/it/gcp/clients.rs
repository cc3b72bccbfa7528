//! Google's own clients at the stand-in, so that what it takes and refuses is what they know; and they read what is delivered.

use super::*;

/// Where `tests/clients/gcp.sh` puts them.
#[test]
fn the_vendors_clients_know_what_the_stand_in_answers_and_read_what_is_delivered() {
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("clients/gcp/bin/python");
    if !python.exists() {
        crate::needs::not_run("Google's clients for Secret Manager (tests/clients/gcp.sh)");
        return;
    }
    let shop = Shop::new();
    shop.recovers();
    let manage = ["secrets.delete", "versions.manage"];
    shop.google.allow(&[&LEAST[..], &manage].concat());
    let subject = shop.stage.dir().join("subject");
    std::fs::write(&subject, SUBJECT).unwrap();
    let mut command = crate::stage::clean(python, shop.stage.dir());
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/gcp/of_python.py"))
        .args([&shop.google.host, PROJECT, POOL])
        .arg(shop.stage.dir().join("token"))
        .arg(subject)
        .arg("prod_qlik_acme_ci");
    let read = Run::of(&command.output().unwrap()).exits(0);
    assert_eq!(Some(read.out), shop.value("ci"));
}
