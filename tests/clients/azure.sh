#!/usr/bin/env bash
# Holds the stand-in for a vault of Azure and for Microsoft Entra (tests/it/azure/vault.rs) to Microsoft's own clients for Node, and lets them read
# what is delivered. Installs them below the target folder. Run by hand, after a change of the stand-in:
#   tests/clients/azure.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=$PWD/tests/clients/azure
tools=${CARGO_TARGET_DIR:-target}/clients/azure
if ! cmp -s "$here/package.json" "$tools/package.json" || [[ ! -d $tools/node_modules/@azure/keyvault-secrets ]]; then
    mkdir -p "$tools"
    cp "$here/package.json" "$tools/package.json"
    npm install --silent --no-fund --no-audit --prefix "$tools"
fi
npm ls --prefix "$tools"
cargo test --locked --test it azure::clients
