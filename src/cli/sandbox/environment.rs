//! The environment that leads any program to the sandbox and nowhere else.

use std::collections::BTreeMap;
use std::path::Path;

use crate::sandbox::{Seed, SeedAccount, SeedImburse, SeededAccount, SeededImburse};

/// Set to nothing but the sandbox's own values: a setting of the caller's could lead past the proxy.
pub(super) const CLEARED: [&str; 4] = ["NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"];

/// Where the vendor's own sandbox is, which people try first.
const IMBURSE_HOST: &str = "sandbox-api.imbursepayments.com";

/// What `serve` and `exec` have ready for people: one account in the region `us`, and one at Imburse.
pub(super) fn default_seed() -> Seed {
    Seed {
        accounts: vec![SeedAccount {
            region: "us".to_owned(),
            source_tenant: "mycorp".to_owned(),
            client: None,
            key_client: None,
            owners: Vec::new(),
        }],
        imburse: vec![SeedImburse { host: IMBURSE_HOST.to_owned(), account_id: None, key: None }],
    }
}

/// Names that lead a program to one of the vendors: the caller's are not the command's.
const PREFIXES: [&str; 2] = ["QLIK_", "IMBURSE_"];

/// Whether a variable may hold somebody's real credentials or place. The name of a settings file is neither, and without it
/// an unattended run has none.
pub(super) fn is_of_the_vendors(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && name != "QLIK_PLAN_SETTINGS"
}

pub(super) fn variables(
    proxy: &str,
    ca: &Path,
    state_dir: &Path,
    (account, imburse): &(SeededAccount, SeededImburse),
) -> BTreeMap<&'static str, String> {
    let ca = ca.display().to_string();
    BTreeMap::from([
        ("HTTPS_PROXY", proxy.to_owned()),
        ("https_proxy", proxy.to_owned()),
        ("SSL_CERT_FILE", ca.clone()),
        ("CURL_CA_BUNDLE", ca.clone()),
        ("REQUESTS_CA_BUNDLE", ca.clone()),
        ("NODE_EXTRA_CA_CERTS", ca),
        ("NODE_USE_ENV_PROXY", "1".to_owned()),
        ("QLIK_REGION", account.region.clone()),
        ("QLIK_SOURCE_TENANT", account.source_tenant.clone()),
        ("QLIK_CLIENT_ID", account.client.id.clone()),
        ("QLIK_CLIENT_SECRET", account.client.secret.clone()),
        ("QLIK_KEY_CLIENT_ID", account.key_client.id.clone()),
        ("QLIK_KEY_CLIENT_SECRET", account.key_client.secret.clone()),
        ("QLIK_ORGANIZATION_CLIENT_ID", account.organization_client.id.clone()),
        ("QLIK_ORGANIZATION_CLIENT_SECRET", account.organization_client.secret.clone()),
        ("IMBURSE_BASE_URL", format!("https://{}", imburse.host)),
        ("IMBURSE_ACCOUNT_ID", imburse.account_id.clone()),
        ("IMBURSE_PUBLIC_KEY", imburse.key.public_key.clone()),
        ("IMBURSE_PRIVATE_KEY", imburse.key.private_key.clone()),
        // Inside, `qlik-sandbox control` and `exec` find the same sandbox from any directory.
        ("QLIK_SANDBOX_STATE", state_dir.display().to_string()),
    ])
}

/// Lines for `. env.sh` in any POSIX shell.
pub(super) fn script(variables: &BTreeMap<&'static str, String>) -> String {
    let unset = format!("unset {}\n", CLEARED.join(" "));
    variables.iter().fold(unset, |text, (name, value)| text + "export " + name + "=" + &quoted(value) + "\n")
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_value_stays_inside_it() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
        let script = script(&BTreeMap::from([("A", "b c".to_owned())]));
        assert_eq!(script, "unset NO_PROXY no_proxy ALL_PROXY all_proxy\nexport A='b c'\n");
    }
}
