#!/usr/bin/env bash
# The shell of examples/gitops, step by step as its pipelines have it, against a sandbox that serves, an S3 API and OpenBao:
#   qlik-sandbox exec --state STATE -- tests/clients/gitops.sh PROGRAMS PYTHON SERVICES
# PROGRAMS is the folder of qlik-plan and qlik-apply; PYTHON one that has PyYAML; SERVICES the folder of moto_server and bao, as
# tests/clients/install.sh makes it. GitHub, GitLab, Azure DevOps and cargo are stand-ins.
set -euo pipefail
: "${QLIK_REGION:?run this under: qlik-sandbox exec -- $0}"
programs=$(realpath "$1")
# Absolute, and not resolved: in a virtual environment it is a link that must stay one.
python=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
services=$(cd "$3" && pwd)
name=gitops
# shellcheck source=tests/clients/gitops/services.sh
. "$(dirname "${BASH_SOURCE[0]}")/gitops/services.sh"

# ---- stand-ins ----------------------------------------------------------------------------------------------------

mkdir "$work/bin" "$work/artifacts" "$work/runner" "$work/calls"
cat >"$work/bin/cargo" <<STUB
#!/usr/bin/env bash
# cargo install … --root DIR --rev REV
while [[ \$# -gt 0 ]]; do
    case \$1 in --root) root=\$2 ;; --rev) rev=\$2 ;; esac
    shift
done
[[ \${#rev} == 40 ]] && mkdir -p "\$root/bin" && cp "$programs/qlik-plan" "$programs/qlik-apply" "\$root/bin/"
STUB
cat >"$work/bin/gh" <<STUB
#!/usr/bin/env bash
# What the recipes ask of GitHub: artifacts are folders, a comment is a file.
set -euo pipefail
printf '%s\n' "\$*" >>"$work/calls/gh"
case "\$*" in
    # The pull request of a merge is called like the merge, and so is the run that planned it.
    *"/commits/"*"/pulls"*) expr "\$2" : '.*/commits/\([0-9a-f]*\)/pulls' ;;
    "run list"*"--workflow apply.yml"*) cat "$work/last-applied" ;;
    "run list"*"--workflow plan.yml"*)
        while [[ \$# -gt 0 ]]; do case \$1 in --commit) echo "\$2" ;; esac; shift; done ;;
    "run list"*"--workflow drift.yml"*) echo live ;;
    "run download"*)
        dir=. run=\$3
        while [[ \$# -gt 0 ]]; do case \$1 in --dir) dir=\$2 ;; esac; shift; done
        mkdir -p "\$dir" && cp "$work/artifacts/\$run/"* "\$dir/" ;;
    *"--method POST"*"body=@plan.md"*) cp plan.md "$work/comment" ;;
    *"--method PATCH"*"/comments/11 "*"body=@plan.md"*) cp plan.md "$work/comment" ;;
    *"/comments"*) if [[ -f "$work/comment" ]]; then echo 11; fi ;;
    *) exit 1 ;;
esac
STUB
cat >"$work/bin/curl" <<STUB
#!/usr/bin/env bash
# What the recipes ask of GitLab.
set -euo pipefail
printf '%s\n' "\$*" >>"$work/calls/curl"
case "\$*" in
    *"/pullRequests/3/threads"*) cp "$work/azure/thread.json" "$work/thread.json" ;;
    # A merge request may run a job of the same name, and say what it likes in a deployment without one.
    *"/deployments?environment=drift"*)
        echo '[{"status":"success","deployable":null},{"status":"success","deployable":{"id":9,"ref":"refs/merge-requests/2/head"}},
            {"status":"running","deployable":{"id":8,"ref":"main"}},{"status":"failed","deployable":{"id":7,"ref":"main"}}]' ;;
    *"/jobs/7/artifacts/live.json"*) cp "$work/artifacts/live/live.json" live.json ;;
    *"--request POST"*"/notes"*) cp plan.md "$work/note" ;;
    *"--request PUT"*"/notes/5"*) cp plan.md "$work/note" ;;
    *"/notes?per_page=100"*)
        if [[ -f "$work/note" ]]; then echo '[{"id":5,"body":"<!-- qlik-plan: plan --> x"}]'; else echo '[]'; fi ;;
    *) exit 1 ;;
esac
STUB
chmod +x "$work"/bin/*
export PATH="$work/bin:$PATH" CI=true RUNNER_TEMP="$work/runner" GITHUB_PATH="$work/github-path"
export GITHUB_OUTPUT="$work/output" GITHUB_STEP_SUMMARY="$work/summary.md"
export GITHUB_REPOSITORY=acme/estate GITHUB_REF_NAME=main GITHUB_BASE_REF=main NUMBER=3

# step WORKFLOW JOB NAME: the step's shell, as GitHub runs it; the folder is the step's working-directory below this one.
step() {
    local shell
    shell=$("$python" - "$example/.github/workflows/$1.yml" "$2" "$3" <<'PY'
import sys, yaml
job = yaml.safe_load(open(sys.argv[1]))["jobs"][sys.argv[2]]
[step] = [one for one in job["steps"] if one["name"] == sys.argv[3]]
print("cd '%s'\n%s" % (step.get("working-directory", "."), step["run"]))
PY
    )
    if [[ -f $GITHUB_PATH ]]; then PATH="$(cat "$GITHUB_PATH"):$PATH"; fi
    bash --noprofile --norc -eo pipefail -c "$shell"
}

# job NAME [after_script]: a job's script, as GitLab runs it.
job() {
    local shell
    shell=$("$python" - "$example/.gitlab-ci.yml" "$1" "${2:-script}" <<'PY'
import sys, yaml
file = yaml.safe_load(open(sys.argv[1]))
print("\n".join(file["default"]["before_script"] + file[sys.argv[2]][sys.argv[3]]))
PY
    )
    bash --noprofile --norc -eo pipefail -c "$shell"
}

# stage NAME DISPLAY: a step of a stage, as Azure Pipelines runs it.
stage() {
    local shell
    shell=$("$python" - "$example/azure-pipelines.yml" "$1" "$2" "$work/azure" <<'PY'
import re, sys, yaml
file, stage, name, place = sys.argv[1:]
[job] = next(one for one in yaml.safe_load(open(file))["stages"] if one["stage"] == stage)["jobs"]
steps = job["steps"] if "steps" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
[step] = [one for one in steps if one.get("displayName") == name]
known = {"Agent.TempDirectory": place, "Pipeline.Workspace": place, "System.PullRequest.TargetBranchName": "main",
         "System.AccessToken": "x", "System.CollectionUri": "https://dev.azure.example/acme/", "System.TeamProjectId": "estate",
         "Build.Repository.ID": "7", "System.PullRequest.PullRequestId": "3"}
told = lambda text: re.sub(r"\$\(([A-Za-z.]+)\)", lambda found: known[found[1]], text)
# Credentials are in the environment already.
for variable, value in step.get("env", {}).items():
    if value != f"$({variable})":
        print("export %s='%s'" % (variable, told(value)))
print(told(step["bash"]))
PY
    )
    bash --noprofile --norc -eo pipefail -c "$shell"
}

# ---- an estate ------------------------------------------------------------------------------------------------------

estate 0123456789012345678901234567890123456789
: >"$work/last-applied"

# reviewed COMMAND: a pull request that changes tenants/ by a command: planned, with its comment. It waits in $work/plan.
reviewed() {
    cd "$work" && rm -rf plan && mkdir "$work/plan" && cd "$work/plan"
    git clone --quiet "$origin" trusted && git clone --quiet "$origin" change
    # What the workflow asks the event for.
    HEAD=$(git -C change rev-parse HEAD)
    export HEAD
    (cd change/tenants && eval "$1")
    step plan plan Install >"$work/log"
    ends 0 step plan plan Plan
    cp "$work/log" "$work/planned"
    ends 0 step plan comment Comment
}
# merged [COMMAND]: merges it, after what somebody adds that nobody reviewed; the merge is in $merge.
merged() {
    cd "$work/plan/change"
    (cd tenants && eval "${1:-true}")
    git add . && git commit --quiet -m change && git push --quiet origin HEAD:main
    merge=$(git rev-parse HEAD)
    mkdir "$work/artifacts/$merge" && cp ../reviewed.plan ../plan.md "$work/artifacts/$merge/"
}
# The workflow apply for a merge.
applies() { # CODE MERGE
    cd "$work" && rm -rf apply && git clone --quiet "$origin" "$work/apply" && cd "$work/apply"
    export GITHUB_SHA=$2
    git checkout --quiet "$2"
    step apply apply Install >"$work/log"
    ends "$1" step apply apply Apply
    echo "$2" >"$work/last-applied"
}

# ---- GitHub: plan, comment, merge, apply ----------------------------------------------------------------------------

reviewed "cp $work/reviewed-first/acme.yaml ."
says "::notice" "$work/planned" # on the line of YAML
says "1 tenant and 1 key to create" plan.md
says "verdict<<" "$GITHUB_OUTPUT"
says "1 tenant and 1 key to create" "$GITHUB_STEP_SUMMARY"
ends 0 step plan comment Comment
[[ $(grep -c -- "--method POST" "$work/calls/gh") == 1 && $(grep -c -- "--method PATCH" "$work/calls/gh") == 1 ]] ||
    fail "one comment is made, and then updated in place"
merged
applies 0 "$merge"
says "1 tenant and 1 key created"
works "after the apply"

# Two merges, and the run of the first was dropped while it waited: the run of the second does the work of both, in turn.
reviewed "$(also beta)"
merged
reviewed "$(also gamma)"
merged
applies 0 "$merge"
[[ $(grep -c "1 tenant created" "$work/log") == 2 ]] || { cat "$work/log" >&2; fail "a merge whose run was dropped is lost"; }
# A run that is started again does its own merge alone, and finds it done.
applies 0 "$merge"
says "what was reviewed is done already"

# Declared after the review: refused, with the code that says so.
reviewed "$(also delta)"
merged "$(also epsilon)"
applies 5 "$merge"
says "QP0502"
says "1 tenant created"

# A branch's first commit that brings tenants, which nobody reviewed; and a checkout without history: neither ends green.
git clone --quiet "$origin" "$work/first" && cd "$work/first"
git checkout --quiet --orphan first && git commit --quiet -m first
GITHUB_SHA=$(git rev-parse HEAD)
ends 1 step apply apply Apply
says "$GITHUB_SHA" "$work/log" # the run of its review, which is not there
git clone --quiet --depth 1 "file://$origin" "$work/shallow" && cd "$work/shallow"
ends 1 step apply apply Apply
says "fetch-depth: 0"

# ---- GitHub: a week of renewals, while epsilon waits for somebody who reviews it -----------------------------------------

git clone --quiet "$origin" "$work/renew" && cd "$work/renew"
step renew renew Install >"$work/log"
for ((hour = 1; hour <= 7 * 24; hour++)); do
    advance PT1H
    # GitHub is late, or leaves one out.
    if ((hour % 3 != 0)); then
        ends 0 step renew renew Renew
        if grep -q "tenant created" "$work/log"; then cat "$work/log" >&2; fail "hour $hour: a renewal created a tenant"; fi
    fi
    works "hour $hour"
done
says "left out by --only renewals"
echo "gitops: the delivered key worked at every hour of a week"

# ---- GitHub: drift, and a pull request from a fork, without credentials and without a way to the vendor ------------------

git clone --quiet "$origin" "$work/drift" && cd "$work/drift"
git rm --quiet tenants/epsilon.yaml && git commit --quiet -m "no epsilon" && git push --quiet origin HEAD:main
step drift drift Install >"$work/log"
ends 0 step drift drift Plan
says "Nothing to do"
mkdir "$work/artifacts/live" && cp live.json "$work/artifacts/live/"

mkdir "$work/fork" && cd "$work/fork"
git clone --quiet "$origin" trusted && git clone --quiet "$origin" change
(cd change/tenants && eval "$(also zeta)")
step plan fork Install >"$work/log"
ends 0 step plan fork Snapshot
(
    unset QLIK_CLIENT_ID QLIK_CLIENT_SECRET QLIK_KEY_CLIENT_ID QLIK_KEY_CLIENT_SECRET VAULT_TOKEN AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    export HTTPS_PROXY=http://127.0.0.1:9
    ends 0 step plan fork Plan
    says "qlik/zeta"
)

# ---- GitLab -----------------------------------------------------------------------------------------------------------

git clone --quiet "$origin" "$work/gitlab" && cd "$work/gitlab"
export CI_PROJECT_DIR=$work/gitlab CI_API_V4_URL=https://gitlab.example/api/v4 CI_PROJECT_ID=1 CI_JOB_TOKEN=x NOTES_TOKEN=x
export CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main CI_MERGE_REQUEST_IID=2
(cd tenants && eval "$(also zeta)")
ends 0 job review
says '"create":1' counts.json
ends 0 job review after_script
ends 0 job review after_script
[[ $(grep -c -- "--request POST" "$work/calls/curl") == 1 && $(grep -c -- "--request PUT" "$work/calls/curl") == 1 ]] ||
    fail "one note is made, and then updated in place"
ends 0 job plan
ends 0 job apply
says "1 tenant created"
ends 0 job renew
says "Nothing to do"
ends 0 job drift

# ---- Azure Pipelines ----------------------------------------------------------------------------------------------------

git clone --quiet "$origin" "$work/azure-estate" && cd "$work/azure-estate"
mkdir -p "$work/azure/live" "$work/azure/reviewed" && cp "$work/artifacts/live/live.json" "$work/azure/live/"
(cd tenants && eval "$(also zeta)" && eval "$(also eta)")
ends 0 stage review Install
ends 0 stage review Plan
says "qlik/eta" "$work/azure/plan.md"
ends 0 stage review Comment
says '"commentType": "text"' "$work/thread.json"
ends 0 stage plan Plan
mv "$work/azure/reviewed.plan" "$work/azure/reviewed/"
ends 0 stage apply Apply
says "1 tenant created"
ends 0 stage renew Renew
says "Nothing to do"
ends 0 stage drift Plan
[[ -s $work/azure/live.json ]] || fail "there is no snapshot"

echo "the pipelines of examples/gitops plan, comment, apply all that was merged, refuse what moved, renew and find drift"
