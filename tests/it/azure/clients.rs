//! Microsoft's own clients at the stand-in, so that what it takes and refuses is what they know; and they read what is delivered.

use super::*;

/// Where `tests/clients/azure.sh` puts them.
#[test]
fn the_vendors_clients_know_what_the_stand_in_answers_and_read_what_is_delivered() {
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let modules = target.join("clients/azure/node_modules");
    if !modules.join("@azure/keyvault-secrets").exists() {
        crate::needs::not_run("Microsoft's clients for Key Vault (tests/clients/azure.sh)");
        return;
    }
    let shop = Shop::new();
    shop.recovers();
    // Next to its modules, where Node looks for them.
    let script = modules.parent().unwrap().join("of_node.mjs");
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/azure/of_node.mjs"), &script).unwrap();
    let mut command = crate::stage::clean("node", shop.stage.dir());
    command
        .env("NODE_EXTRA_CA_CERTS", shop.stage.dir().join("vault.pem"))
        .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", format!("http://{}", shop.vault.near))
        .arg(script)
        .args([&format!("https://{}", shop.vault.host), TENANT, CLIENT, SECRET])
        .arg(shop.stage.dir().join("token"))
        .arg("prod--qlik--acme--ci");
    let read = Run::of(&command.output().unwrap()).exits(0);
    assert_eq!(Some(read.out), shop.value("ci"));
}
