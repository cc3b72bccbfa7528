#!/usr/bin/env bash
# Holds the stand-in for GitHub's API (tests/it/github_actions/api.rs) to @octokit/rest, and has libsodium (PyNaCl) open what is sealed for it.
# Installs both below the target folder; needs Node.js with npm. Run by hand, after a change of the stand-in or of the box:
#   tests/clients/github-actions.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=$PWD/tests/clients/github-actions
tools=${CARGO_TARGET_DIR:-target}/clients/github-actions
if ! cmp -s "$here/requirements.txt" "$tools/installed.txt"; then
    python3 -m venv --clear "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    npm install --silent --no-fund --no-audit --prefix "$tools" @octokit/rest@22.0.1
    cp "$here/requirements.txt" "$tools/installed.txt"
fi
cargo test --locked --features github-actions --test it github_actions::
