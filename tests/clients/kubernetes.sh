#!/usr/bin/env bash
# Holds the stand-in for an API server (tests/it/kubernetes/api.rs) to the real clients, kubectl and the one for Python, and lets both read what
# is delivered. Installs both below the target folder. Run by hand, after a change of the stand-in:
#   tests/clients/kubernetes.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=$PWD/tests/clients/kubernetes
tools=${CARGO_TARGET_DIR:-target}/clients/kubernetes
if ! cmp -s "$here/requirements.txt" "$tools/installed.txt"; then
    python3 -m venv --clear "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$tools/installed.txt"
fi
"$tools/bin/kubectl" version --client
cargo test --locked --test it kubernetes::clients
