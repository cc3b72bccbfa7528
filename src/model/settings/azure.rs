//! A vault of Azure as a sink, and which cloud of Azure it is in.

use super::super::origin::Origin;
use super::template::PathTemplate;

/// A vault of Azure Key Vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureSink {
    /// The vault.
    pub vault: Origin,
    /// The name of each secret, with two hyphens between.
    pub name: PathTemplate,
    /// Microsoft Entra, which gives tokens.
    pub authority: Origin,
    /// True if the machine's or the platform's own identity logs in, whatever else the environment offers.
    pub managed_identity: bool,
}

/// The ends of the hosts of vaults, and for whom tokens are asked there, from
/// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#vault-name-and-object-name>; and the server that gives them,
/// from <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>.
const CLOUDS: [(&str, &str, &str); 3] = [
    (".vault.azure.net", "https://vault.azure.net", "https://login.microsoftonline.com"),
    (".vault.usgovcloudapi.net", "https://vault.usgovcloudapi.net", "https://login.microsoftonline.us"),
    (".vault.azure.cn", "https://vault.azure.cn", "https://login.chinacloudapi.cn"),
];

impl AzureSink {
    /// The longest name of a secret.
    pub const NAME_MAX: usize = 127;

    /// Returns whether a vault may be there: a host of one of Azure's clouds, or a stand-in on loopback.
    pub fn is_vault(origin: &Origin) -> bool {
        origin.is_loopback() || CLOUDS.iter().any(|(end, ..)| of_cloud(origin, end).is_some())
    }

    /// Returns the server that gives tokens in the cloud of a vault.
    pub fn authority_of(vault: &Origin) -> &'static str {
        cloud(vault).2
    }

    /// Returns for whom tokens are asked.
    pub fn resource(&self) -> &'static str {
        cloud(&self.vault).1
    }

    /// Returns the vault's name, as `az` takes it.
    pub fn vault_name(&self) -> &str {
        let named = CLOUDS.iter().find_map(|(end, ..)| of_cloud(&self.vault, end));
        named.unwrap_or("VAULT")
    }

    /// Returns the rights that a role gives for all secrets of this sink.
    pub fn rights(&self) -> String {
        format!(
            "getSecret and setSecret on the secrets of {} (data actions Microsoft.KeyVault/vaults/secrets/getSecret/action and setSecret/action; \
             permissions get and set in an access policy)",
            self.vault
        )
    }
}

fn cloud(vault: &Origin) -> (&'static str, &'static str, &'static str) {
    let [public, us, china] = CLOUDS;
    [us, china].into_iter().find(|(end, ..)| of_cloud(vault, end).is_some()).unwrap_or(public)
}

/// The label before the end of a cloud's hosts.
fn of_cloud<'a>(vault: &'a Origin, end: &str) -> Option<&'a str> {
    let name = vault.as_str().strip_prefix("https://")?.strip_suffix(end)?;
    (!name.contains(['.', ':'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_is_a_host_of_azures_and_its_cloud_says_who_gives_tokens() {
        let of = |vault: &str| AzureSink {
            vault: Origin::parse(vault).unwrap(),
            name: PathTemplate::dashed("{vendor}--{tenant}--{key}", |_| true).unwrap(),
            authority: Origin::parse(AzureSink::authority_of(&Origin::parse(vault).unwrap())).unwrap(),
            managed_identity: false,
        };
        for (vault, name, resource, authority) in [
            ("https://Acme.vault.azure.net", "acme", "https://vault.azure.net", "https://login.microsoftonline.com"),
            ("https://a-1.vault.azure.cn", "a-1", "https://vault.azure.cn", "https://login.chinacloudapi.cn"),
            (
                "https://acme.vault.usgovcloudapi.net",
                "acme",
                "https://vault.usgovcloudapi.net",
                "https://login.microsoftonline.us",
            ),
            ("http://127.0.0.1:5000", "VAULT", "https://vault.azure.net", "https://login.microsoftonline.com"),
        ] {
            let sink = of(vault);
            assert!(AzureSink::is_vault(&sink.vault), "{vault}");
            assert_eq!((sink.vault_name(), sink.resource(), sink.authority.as_str()), (name, resource, authority));
        }
        for other in [
            "https://vault.azure.net",
            "https://a.b.vault.azure.net",
            "https://acme.vault.azure.net.example",
            "https://acme.vault.azure.net:8443",
            "https://acmevault.azure.net",
            "https://acme.managedhsm.azure.net",
        ] {
            assert!(!AzureSink::is_vault(&Origin::parse(other).unwrap()), "{other}");
        }
    }
}
