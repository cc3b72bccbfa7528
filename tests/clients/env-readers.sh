#!/usr/bin/env bash
# Everybody who reads files of NAME=value reads what `deliver_as: env` writes, and reads the same: shells, systemd, Node,
# dotenv libraries, just, gh, docker, podman, kubectl, kustomize and sops. Prints a table, which docs/sinks.md repeats.
# Docker's client and gh talk to stand-ins that keep what they were sent. Installs what it needs below the target folder;
# podman and systemd it takes from the system, or from Debian where it may, and says where it does without.
# Usage: env-readers.sh [QLIK-APPLY], the program to run; without one, it is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

say() { printf '%s\n' "env-readers: $*"; }
fail() {
    printf '%s\n' "env-readers: $*" >&2
    exit 1
}

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$target/env-readers
here=$PWD/tests/clients/env-readers
if [[ $# -gt 0 ]]; then
    program=$(realpath "$1")
else
    cargo build --locked --quiet
    program=$target/debug/qlik-apply
fi

if [[ ! -x $tools/python/bin/python ]] || ! cmp -s "$here/requirements.txt" "$tools/python/installed.txt"; then
    say "installing the Python packages"
    python3 -m venv --clear "$tools/python"
    "$tools/python/bin/pip" install --quiet --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$tools/python/installed.txt"
fi
if ! cmp -s "$here/package.json" "$tools/node/package.json"; then
    say "installing the npm package"
    mkdir -p "$tools/node"
    cp "$here/package.json" "$tools/node/package.json"
    npm install --prefix "$tools/node" --no-package-lock --no-audit --no-fund --ignore-scripts --silent || {
        rm "$tools/node/package.json"
        fail "npm could not install dotenv; see that npm is there and works"
    }
fi
if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null && ! { command -v podman && [[ -x /lib/systemd/systemd ]]; } >/dev/null; then
    say "installing podman and systemd"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends podman systemd; } \
        >/dev/null 2>&1 || say "they could not be installed"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp examples/two-vendors/*.yaml "$work"
# A key at each vendor as variables, and one as a token.
sed -i -E \
    -e 's/deliver_to: files/deliver_to: files, deliver_as: env/' \
    -e '/^ +ci: /{p;s/ci: .*/plain: { description: Plain, owner: { client: {} }, expires_in: PT24H, deliver_to: files }/}' \
    "$work/desired.yaml"
(
    cd "$work"
    env -u CI "$program" --sandbox --yes --color never >apply.txt 2>&1
) || fail "nothing was delivered: $(cat "$work/apply.txt")"
files=$work/.qlik-sandbox/sinks/files
cat "$files/qlik/acme/ci" "$files/imburse/acme/admin" >"$work/delivered.env"
"$tools/python/bin/python" "$here/table.py" "$tools" "$work/delivered.env" "$here/quoted.env" "$files/qlik/acme/plain"
say "passed"
