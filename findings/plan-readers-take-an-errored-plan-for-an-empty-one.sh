#!/usr/bin/env bash
# Guess: a reader of Terraform's JSON plans that is given a plan with "errored": true says so, or fails.
# What happens: tofui reports "No changes planned" and ends with 0; terraform-compliance passes a policy over it, since it finds no
# resource to hold against it. Neither mentions the error, so a plan that could not be made looks like a plan with nothing to do.
# Versions: tofui 2.0.0, terraform-compliance 1.16.0 (PyPI), plan format 1.2. Seen on 2026-11-27.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check tofui==2.0.0 terraform-compliance==1.16.0
tools/bin/pip list --disable-pip-version-check 2>/dev/null | grep -Ei '^(tofui|terraform-compliance) '

# On one line: terraform-compliance reads no other form.
printf '%s\n' '{"format_version":"1.2","terraform_version":"1.9.0","variables":{},"planned_values":{"root_module":{}},"resource_changes":[],"configuration":{"root_module":{}},"errored":true,"applyable":false,"complete":false}' >plan.json
mkdir policies
cat >policies/owner.feature <<'FEATURE'
Feature: keys
  Scenario: everything has an owner
    Given I have any resource defined
    Then it must contain owner
FEATURE

echo "tofui:"
tools/bin/tofui plan.json --build-name demo | tee tofui.txt
grep -q 'No changes planned' tofui.txt

echo "terraform-compliance:"
tools/bin/terraform-compliance --no-ansi --planfile plan.json --features policies | tee compliance.txt
grep -q '1 scenarios (1 passed)' compliance.txt
if grep -qi 'errored' tofui.txt compliance.txt; then
    echo "one of them speaks of the error now" >&2
    exit 1
fi
echo "as described above"
