#!/usr/bin/env bash
# Holds the stand-in for GitLab's API (tests/it/gitlab/api.rs) to python-gitlab, and lets it read what is delivered. Installs it below the target
# folder. Run by hand, after a change of the stand-in:
#   tests/clients/gitlab.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=$PWD/tests/clients/gitlab
tools=${CARGO_TARGET_DIR:-target}/clients/gitlab
if ! cmp -s "$here/requirements.txt" "$tools/installed.txt"; then
    python3 -m venv --clear "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$tools/installed.txt"
fi
cargo test --locked --test it gitlab::clients
