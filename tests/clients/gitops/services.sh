# shellcheck shell=bash disable=SC2154 # the script that sources it says $programs, $python, $services and $name
# What a test of examples/gitops needs around it: an S3 API, OpenBao, the sandbox's clock, an estate to work on, and the question
# whether the delivered key works. Sourced, under: qlik-sandbox exec
example=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../../examples/gitops")
work=$(mktemp -d)
started=()
# shellcheck disable=SC2329 # the trap calls it
end() {
    for server in "${started[@]}"; do kill "$server" || true; done
    rm -rf "$work"
}
trap end EXIT

fail() {
    printf '%s: %s\n' "$name" "$1" >&2
    exit 1
}

# ends CODE COMMAND…: the command must end with that code; what it wrote is in $work/log.
ends() {
    local wanted=$1 code=0
    shift
    "$@" >"$work/log" 2>&1 || code=$?
    [[ $code == "$wanted" ]] || { cat "$work/log" >&2; fail "$* ended with $code, not $wanted"; }
}

says() {
    grep -Fq -- "$1" "${2:-$work/log}" || { cat "${2:-$work/log}" >&2; fail "it does not say: $1"; }
}

# awaits FILE PATTERN PID: the first match in what a server writes, once it is there.
awaits() {
    touch "$1"
    until grep -Eo -- "$2" "$1"; do kill -0 "$3" || fail "a server ended before it was ready: $(cat "$1")"; done | head -n 1
}
free_port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

"$services/bin/moto_server" -H 127.0.0.1 -p 0 >"$work/moto.log" 2>&1 &
started+=($!)
s3=$(awaits "$work/moto.log" 'http://127.0.0.1:[0-9]+' $!)
port=$(free_port)
VAULT_TOKEN=root-of-the-test
"$services/bin/bao" server -dev -dev-no-store-token -dev-listen-address="127.0.0.1:$port" -dev-root-token-id=$VAULT_TOKEN \
    >"$work/bao.log" 2>&1 &
started+=($!)
awaits "$work/bao.log" 'Development mode should NOT be used' $! >/dev/null
vault=http://127.0.0.1:$port
curl --silent --show-error --fail --noproxy '*' --output "$work/answer" --request PUT "$s3/estate"
export VAULT_TOKEN AWS_ACCESS_KEY_ID=id-of-the-test AWS_SECRET_ACCESS_KEY=secret-of-the-test

curl=$(command -v curl)
server() { "$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$QLIK_SANDBOX_STATE/server.json" "$1"; }
control=$(server control)
QLIK_SANDBOX_CONTROL_TOKEN=$(<"$(server control_token_file)")
# The token that the vault holds, used by a client of no programs of ours.
works() {
    local token host
    token=$("$curl" --silent --fail --noproxy '*' --header "X-Vault-Token: $VAULT_TOKEN" "$vault/v1/secret/data/qlik/acme/ci" |
        "$python" -c 'import json, sys; print(json.load(sys.stdin)["data"]["data"]["value"])')
    host=$("$curl" --silent --fail --noproxy '*' --header "Authorization: Bearer $QLIK_SANDBOX_CONTROL_TOKEN" \
        "$control/control/state" | "$python" -c 'import json, sys
print(next(one["hostnames"][0] for one in json.load(sys.stdin)["tenants"] if not one["source"] and one["name"] == "Acme Corp"))')
    "$curl" --silent --fail --output /dev/null --header "Authorization: Bearer $token" "https://$host/api/v1/users/me" ||
        fail "$1: the delivered key does not work"
}
advance() {
    "$curl" --silent --fail --noproxy '*' --output /dev/null --header "Authorization: Bearer $QLIK_SANDBOX_CONTROL_TOKEN" \
        --data "{\"advance\": \"$1\"}" "$control/control/clock"
}

export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x@x.example GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x@x.example

# estate REV: the kit as a repository in $origin, with qlik-plan.rev, a ledger and a rehearsed account, and without tenants. What
# it is first to declare is in $work/reviewed-first.
estate() {
    origin=$work/origin
    mkdir "$origin"
    cp -r "$example/." "$origin/"
    sed -i -e "s#https://vault.example:8200#$vault#" -e "s#s3://ledger-bucket/prod\", region: eu-central-1#s3://estate/prod\", endpoint: \"$s3\"#" \
        "$origin/qlik-plan.settings.yaml"
    printf '%s\n' "$1" >"$origin/qlik-plan.rev"
    mv "$origin/tenants" "$work/reviewed-first"
    mkdir "$origin/tenants" && printf 'version: 1\n' >"$origin/tenants/empty.yaml"
    git -C "$origin" init --quiet --initial-branch main
    git -C "$origin" config receive.denyCurrentBranch updateInstead
    git -C "$origin" add .
    git -C "$origin" commit --quiet -m estate
    "$programs/qlik-apply" ledger init --settings "$origin/qlik-plan.settings.yaml" "$origin/tenants/" >/dev/null
    "$programs/qlik-apply" rehearse us-oem --settings "$origin/qlik-plan.settings.yaml" "$work/reviewed-first/" >/dev/null
}
also() { # NAME: a command that declares one tenant more
    printf "printf 'version: 1\\nqlik: { tenants: { %s: { account: us-oem, display_name: %s } } }\\n' >%s.yaml" "$1" "$1" "$1"
}
