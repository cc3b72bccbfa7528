#!/usr/bin/env bash
# The vendor's own published clients against the sandbox, unchanged: @qlik/api for JavaScript and qlik-sdk for Python.
# Only host names, the proxy and the certificates are the sandbox's. What @qlik/api hears is held to its own types. Installs both below the target folder.
# Usage: published.sh [QLIK-SANDBOX], the program to run; without one, it is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
    printf '%s\n' "published clients: $*" >&2
    exit 1
}

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$target/clients/published
here=$PWD/tests/clients/published
if [[ $# -gt 0 ]]; then
    program=$(realpath "$1")
else
    cargo build --locked --quiet --bin qlik-sandbox
    program=$target/debug/qlik-sandbox
fi

mkdir -p "$tools/node"
if ! cmp -s "$here/requirements.txt" "$tools/python/installed.txt"; then
    python3 -m venv --clear "$tools/python"
    "$tools/python/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$("$tools/python/bin/python" -m certifi)" "$tools/python/certificates.pem"
    cp "$here/requirements.txt" "$tools/python/installed.txt"
fi
if ! cmp -s "$here/package-lock.json" "$tools/node/installed.json"; then
    cp "$here/package.json" "$here/package-lock.json" "$tools/node"
    npm ci --prefix "$tools/node" --no-audit --no-fund --ignore-scripts --silent ||
        fail "npm could not install @qlik/api; see that npm is there and works"
    cp "$here/package-lock.json" "$tools/node/installed.json"
fi
cp "$here"/*.mjs "$tools/node"

state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
# EnvHttpProxyAgent calls itself experimental; that is known.
NODE_NO_WARNINGS=1 "$program" exec --state "$state" -- node "$tools/node/qlik-api.mjs" docs/sandbox.md

python=$tools/python/bin/python
# The one thing that this client cannot be told by the environment: which certificates to trust.
# shellcheck disable=SC2016 # The sandbox sets SSL_CERT_FILE, and the inner shell reads it.
"$program" exec --state "$state" -- sh -euc 'cat "$1" "$SSL_CERT_FILE" >"$("$2" -m certifi)"; exec "$2" -W ignore::DeprecationWarning "$3"' \
    sh "$tools/python/certificates.pem" "$python" "$here/qlik-sdk.py"
echo "published clients: passed"
