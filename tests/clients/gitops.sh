#!/usr/bin/env bash
# The shell of examples/gitops, step by step as its pipelines have it, against the sandbox:
#   qlik-sandbox exec -- tests/clients/gitops.sh PROGRAMS PYTHON
# PROGRAMS is the folder of qlik-plan and qlik-apply; PYTHON one that has PyYAML. GitHub, GitLab and cargo are stand-ins.
set -euo pipefail
: "${QLIK_REGION:?run this under: qlik-sandbox exec -- $0}"
programs=$(realpath "$1")
# Absolute, and not resolved: in a virtual environment it is a link that must stay one.
python=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
example=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../examples/gitops")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'gitops: %s\n' "$1" >&2
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
    *"/commits/"*"/pulls"*) echo 0123456789012345678901234567890123456789 ;;
    "run list"*) echo 7 ;;
    "run download"*)
        dir=.
        while [[ \$# -gt 0 ]]; do case \$1 in --name) name=\$2 ;; --dir) dir=\$2 ;; esac; shift; done
        mkdir -p "\$dir" && cp "$work/artifacts/\$name/"* "\$dir/" ;;
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
    *"/artifacts/main/raw/live.json?job=drift"*) cp "$work/artifacts/live/live.json" live.json ;;
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
export GITHUB_REPOSITORY=acme/estate GITHUB_SHA=9876543210987654321098765432109876543210 GITHUB_BASE_REF=main NUMBER=3

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

# ---- an estate ------------------------------------------------------------------------------------------------------

origin=$work/origin
mkdir "$origin"
cp -r "$example/." "$origin/"
sed -i "s#/var/lib/qlik-plan#$work/stays#" "$origin/qlik-plan.settings.yaml"
echo 0123456789012345678901234567890123456789 >"$origin/qlik-plan.rev"
mkdir -m 700 "$work/stays"
git -C "$origin" init --quiet --initial-branch main
git -C "$origin" -c user.name=x -c user.email=x@x.example add .
git -C "$origin" -c user.name=x -c user.email=x@x.example commit --quiet -m estate
"$programs/qlik-apply" ledger init --settings "$origin/qlik-plan.settings.yaml" "$origin/tenants/" >/dev/null
"$programs/qlik-apply" rehearse us-oem --settings "$origin/qlik-plan.settings.yaml" "$origin/tenants/" >/dev/null

# ---- GitHub: plan, comment, apply, drift ----------------------------------------------------------------------------

mkdir "$work/plan" && cd "$work/plan"
git clone --quiet "$origin" trusted && git clone --quiet "$origin" change
step plan plan Install
ends 0 step plan plan Plan
says "::notice" # on the line of YAML
says "**Plan: 1 tenant and 1 key to create" plan.md
says "verdict<<" "$GITHUB_OUTPUT"
says "**Plan: 1 tenant and 1 key to create" "$GITHUB_STEP_SUMMARY"
mkdir "$work/artifacts/reviewed" && cp reviewed.plan plan.md "$work/artifacts/reviewed/"
ends 0 step plan comment Comment
ends 0 step plan comment Comment
[[ $(grep -c -- "--method POST" "$work/calls/gh") == 1 && $(grep -c -- "--method PATCH" "$work/calls/gh") == 1 ]] ||
    fail "one comment is made, and then updated in place"

git clone --quiet "$origin" "$work/apply" && cd "$work/apply"
step apply apply Install
ends 0 step apply apply Reviewed
ends 0 step apply apply Apply
says "1 tenant and 1 key created"

git clone --quiet "$origin" "$work/drift" && cd "$work/drift"
step drift drift Install
ends 0 step drift drift Plan
says "Nothing to do"
mkdir "$work/artifacts/live" && cp live.json "$work/artifacts/live/"

# Declared after the review: refused, with the code that says so.
cd "$work/apply"
sed -i 's/display_name: Acme Corp/&\n      api_key_limits: { max_keys_per_user: 4 }/; s/    acme:/    beta: { account: us-oem, display_name: Beta }\n&/' tenants/acme.yaml
ends 5 step apply apply Apply
says "QP0502"

# ---- GitHub: a pull request from a fork, without credentials and without a way to the vendor --------------------------

mkdir "$work/fork" && cd "$work/fork"
git clone --quiet "$origin" trusted && git clone --quiet "$origin" change
sed -i 's/    acme:/    gamma: { account: us-oem, display_name: Gamma }\n&/' change/tenants/acme.yaml
step plan fork Install
ends 0 step plan fork Snapshot
(
    unset QLIK_CLIENT_ID QLIK_CLIENT_SECRET QLIK_KEY_CLIENT_ID QLIK_KEY_CLIENT_SECRET
    export HTTPS_PROXY=http://127.0.0.1:9
    ends 0 step plan fork Plan
    says "qlik/gamma"
)

# ---- GitLab -----------------------------------------------------------------------------------------------------------

git clone --quiet "$origin" "$work/gitlab" && cd "$work/gitlab"
export CI_PROJECT_DIR=$work/gitlab CI_API_V4_URL=https://gitlab.example/api/v4 CI_PROJECT_ID=1 CI_JOB_TOKEN=x NOTES_TOKEN=x
export CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main CI_MERGE_REQUEST_IID=2
sed -i 's/    acme:/    gamma: { account: us-oem, display_name: Gamma }\n&/' tenants/acme.yaml
ends 0 job review
says '"create":1' counts.json
ends 0 job review after_script
ends 0 job review after_script
[[ $(grep -c -- "--request POST" "$work/calls/curl") == 1 && $(grep -c -- "--request PUT" "$work/calls/curl") == 1 ]] ||
    fail "one note is made, and then updated in place"
ends 0 job plan
ends 0 job apply
says "1 tenant created"
ends 0 job drift

echo "the pipelines of examples/gitops plan, comment, apply, refuse what moved and find drift"
