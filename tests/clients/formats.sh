#!/usr/bin/env bash
# Other people's programs read what this one writes: a CommonMark parser and a browser, a JSON Schema validator, GitHub's
# toolkit, a Rego engine and Checkov. Each is also shown something that it must refuse.
# Installs what it needs below the target folder; a browser it takes from the system, or from Debian where it may.
# Usage: formats.sh [QLIK-PLAN], the program to run; without one, it is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

say() { printf '%s\n' "formats: $*"; }
fail() {
    printf '%s\n' "formats: $*" >&2
    exit 1
}

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$target/clients
here=$PWD/tests/clients/formats
if [[ $# -gt 0 ]]; then
    program=$(realpath "$1")
else
    cargo build --locked --quiet
    program=$target/debug/qlik-plan
fi

if [[ ! -x $tools/python/bin/python ]] || ! cmp -s "$here/requirements.txt" "$tools/python/installed.txt"; then
    say "installing the Python packages"
    python3 -m venv --clear "$tools/python"
    "$tools/python/bin/pip" install --quiet --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$tools/python/installed.txt"
fi
python=$tools/python/bin/python
if ! cmp -s "$here/package.json" "$tools/node/package.json"; then
    say "installing the npm packages"
    mkdir -p "$tools/node"
    cp "$here/package.json" "$tools/node/package.json"
    npm install --prefix "$tools/node" --no-package-lock --no-audit --no-fund --ignore-scripts --silent || {
        rm "$tools/node/package.json"
        fail "npm could not install @actions/core and ajv; see that npm is there and works"
    }
fi
browser=$(command -v chromium || command -v chromium-browser || true)
if [[ -z $browser && $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    say "installing the browser"
    apt-get update -qq >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
    browser=$(command -v chromium || true)
fi
[[ -n $browser ]] || fail "there is no Chromium here; install it (Debian: apt-get install chromium), then run again"

# What the program writes now, of the estate that newcomers plan first; the golden files have everything else.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp examples/quickstart/*.yaml "$work"
(
    cd "$work"
    env -u CI "$program" --sandbox --color never --also json=plan.json --also markdown=plan.md \
        --also terraform-json=tfplan.json --also gitlab=gitlab.json --also github=github.txt >plan.txt 2>messages.txt
) || fail "no plan could be made: $(cat "$work/messages.txt")"

say "Markdown: the parser and the browser"
"$python" "$here/markdown.py" "$browser" "$tools/pages" fixtures/render/markdown/*.md "$work/plan.md"

say "JSON: the schema"
check_schema() { "$tools/python/bin/check-jsonschema" --quiet --schemafile schemas/plan.v1.json "$@"; }
mapfile -t documents < <(ls fixtures/render/*.json fixtures/plan/*/expected.json)
check_schema "$work/plan.json" "${documents[@]}"
sed 's/"kind": "create"/"kind": "destroy"/' "$work/plan.json" >"$work/wrong.json"
if check_schema "$work/wrong.json" >/dev/null 2>&1; then
    fail "the schema takes an action of a kind that there is not"
fi
say "${#documents[@]} golden documents and the one of now are valid"

say "JSON Schema: Ajv, as it comes and strict"
cp "$here/schemas.mjs" "$tools/node/schemas.mjs"
node "$tools/node/schemas.mjs" schemas "$work/plan.json" || fail "Ajv does not take the published schemas"

say "GitHub: the toolkit"
mkdir -p "$tools/node"
cp "$here/annotations.mjs" "$tools/node/annotations.mjs"
for case in fixtures/render/github/*.json; do
    # The toolkit ends its lines as the system does, which here is as ours.
    node "$tools/node/annotations.mjs" "$case" | diff - "${case%.json}.txt" ||
        fail "$case: GitHub's toolkit writes other commands for these annotations"
done
node "$tools/node/annotations.mjs" fixtures/render/github/newcomer.json |
    diff -q - fixtures/render/github/hostile.txt >/dev/null && fail "the comparison sees no difference where there is one"

say "GitLab: its report"
"$python" - "$work/gitlab.json" "$work/tfplan.json" <<'PYTHON'
import json, sys
report, plan = (json.load(open(name)) for name in sys.argv[1:])
actions = [action for change in plan["resource_changes"] for action in change["change"]["actions"]]
expected = {verb: actions.count(verb) for verb in ("create", "update", "delete")}
assert report == expected and report["create"] == 3, (report, expected)
PYTHON

say "Terraform's JSON: Rego and Checkov"
"$python" "$here/rego.py" "$here/policies" "$work/tfplan.json" fixtures/render/terraform/all.json
checkov() {
    # Without the network, and without the repository around it.
    (cd "$work" && "$tools/python/bin/checkov" --file "$1" --framework terraform_plan --quiet --compact \
        --skip-download --external-checks-dir "$here/policies" --check "$2" --output json)
}
cp fixtures/render/terraform/all.json "$work/all.json"
passes=$(checkov tfplan.json QLIK_1) || fail "Checkov does not pass a plan that keeps to the policy: $passes"
passed=$("$python" -c 'import json, sys; print(json.load(sys.stdin)["summary"]["passed"])' <<<"$passes")
[[ $passed == 2 ]] || fail "Checkov did not see both keys of the plan: $passes"
if fails=$(checkov tfplan.json QLIK_2); then
    fail "Checkov passes a plan that breaks the policy: $fails"
fi
grep -q 'qlik_api_key.declared\[\\"acme/reporting\\"\]' <<<"$fails" || fail "Checkov does not name the key: $fails"
# What passes when it is made passes on every later plan: terraform gives a no-op all its attributes, and so do we.
cp -r examples/two-vendors "$work/twice"
(
    cd "$work/twice"
    for later in first later; do
        env -u CI "$program" --sandbox --format terraform-json >"../$later.json" 2>messages.txt
        env -u CI "$(dirname "$program")/qlik-apply" --sandbox --yes >apply.txt 2>&1
    done
) || fail "it could not be planned twice: $(cat "$work/twice/messages.txt" "$work/twice/apply.txt")"
for later in first later; do
    for policy in QLIK_1 QLIK_2; do
        kept=$(checkov "$later.json" "$policy") || fail "Checkov does not pass the $later plan: $kept"
        passed=$("$python" -c 'import json, sys; print(json.load(sys.stdin)["summary"]["passed"])' <<<"$kept")
        [[ $passed == 1 ]] || fail "Checkov did not see the key of the $later plan: $kept"
    done
done
grep -q '"no-op"' "$work/later.json" || fail "the later plan keeps nothing"
if everything=$(checkov all.json QLIK_1); then
    fail "Checkov passes an adopted key, whose secret is delivered nowhere: $everything"
fi
grep -q 'qlik_api_key.declared\[\\"globex/own\\"\]' <<<"$everything" || fail "Checkov does not name the adopted key: $everything"
say "passed"
