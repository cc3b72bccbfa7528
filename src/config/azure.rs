//! A sink in a vault of Azure, as settings say it: hosts and names by the rules of Key Vault.

use super::diagnostic::{Faults, code};
use super::read::{self, Fields, Keys};
use super::reference::origin;
use super::syntax::{Entry, Node};
use crate::model::origin::Origin;
use crate::model::settings::{AzureSink, PathTemplate};

const AZURE: Keys = Keys { known: &["kind", "vault", "name", "authority", "managed_identity"], later: &[] };

const NAME: &str = "{vendor}--{tenant}--{key}";
const VAULT: &str = "https://my-vault.vault.azure.net";

/// Without `authority`, tokens come from Entra's server for the cloud that the vault is in.
pub(super) fn sink(what: &str, entry: &Entry, faults: &mut Faults<'_>) -> Option<AzureSink> {
    let fields = read::fields(&entry.value, what, entry.key_at, &AZURE, faults)?;
    let vault = fields.require("vault", VAULT, faults).and_then(|node| vault(node, faults));
    let name = name(&fields, faults);
    let authority = match fields.get("authority") {
        Some(node) => origin(node, "`authority`", "https://login.microsoftonline.com", faults),
        None => vault.as_ref().and_then(|vault| Origin::parse(AzureSink::authority_of(vault)).ok()),
    };
    let managed_identity = match fields.get("managed_identity") {
        Some(node) => read::boolean(node, "`managed_identity`", faults),
        None => Some(false),
    };
    Some(AzureSink { vault: vault?, name: name?, authority: authority?, managed_identity: managed_identity? })
}

/// Tokens for one vault open every other that their owner may open: none goes to a host that is not Azure's.
fn vault(node: &Node, faults: &mut Faults<'_>) -> Option<Origin> {
    let vault = origin(node, "`vault`", VAULT, faults)?;
    if AzureSink::is_vault(&vault) {
        return Some(vault);
    }
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, "`vault` is no vault of Azure's", "not shown")
        .help(format!("`az keyvault show --name NAME --query properties.vaultUri` says it, as in `{VAULT}`"));
    None
}

/// A part of a secret's name: between two parts stand two hyphens, so none has two hyphens within.
pub(super) fn is_part(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty()
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

fn name(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<PathTemplate> {
    let Some(node) = fields.get("name") else { return PathTemplate::dashed(NAME, is_part) };
    let text = read::text(node, "`name`", faults)?;
    let template = PathTemplate::dashed(text, is_part).filter(|_| text.len() <= AzureSink::NAME_MAX);
    if template.is_none() {
        faults.mask(node.at);
        faults
            .add(code::PLACE, node.at, "`name` does not give each key a secret of its own", "not shown")
            .help(format!("{{vendor}}, {{tenant}} and {{key}} once each, with two hyphens between, as in `prod--{NAME}`; a name has letters, digits and '-' alone"));
    }
    template
}
