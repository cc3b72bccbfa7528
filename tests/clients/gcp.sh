#!/usr/bin/env bash
# Holds the stand-in for Google's Secret Manager and for whoever gives tokens (tests/it/gcp/google.rs) to Google's own clients for Python, and lets
# them read what is delivered. Installs them below the target folder. Run by hand, after a change of the stand-in:
#   tests/clients/gcp.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=$PWD/tests/clients/gcp
tools=${CARGO_TARGET_DIR:-target}/clients/gcp
if ! cmp -s "$here/requirements.txt" "$tools/installed.txt"; then
    python3 -m venv --clear "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$tools/installed.txt"
fi
"$tools/bin/pip" freeze | grep -E '^(google-auth|google-cloud-secret-manager)=='
cargo test --locked --test it gcp::clients
