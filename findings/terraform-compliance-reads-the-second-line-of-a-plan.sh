#!/usr/bin/env bash
# Guess: terraform-compliance reads a JSON plan whatever its white space, and never writes to it.
# What happens: of a file of several lines it parses the second one alone. An indented plan (`jq .`, `json.tool`) is "not a valid JSON
# file"; a file whose second line is a plan passes, and is then overwritten with that line.
# Version: terraform-compliance 1.16.0 (PyPI). Seen on 2026-11-27.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check terraform-compliance==1.16.0
tools/bin/pip list --disable-pip-version-check 2>/dev/null | grep -Ei '^terraform-compliance '

mkdir policies
cat >policies/owner.feature <<'FEATURE'
Feature: keys
  Scenario: everything has an owner
    Given I have any resource defined
    Then it must contain owner
FEATURE
run() { tools/bin/terraform-compliance --no-ansi --planfile "$1" --features policies 2>&1 || true; }

printf '%s\n' '{"format_version":"1.2","terraform_version":"1.9.0","planned_values":{"root_module":{}},"resource_changes":[],"configuration":{"root_module":{}}}' >one-line.json
echo "on one line:"
run one-line.json | tee out.txt
grep -q '1 scenarios (1 passed)' out.txt

python3 -m json.tool one-line.json >indented.json
echo "the same, indented:"
run indented.json | tee out.txt
grep -q 'indented.json is not a valid JSON file' out.txt

{ echo 'first'; cat one-line.json; echo 'third'; } >three-lines.json
echo "the plan as the second of three lines:"
run three-lines.json | tee out.txt
grep -q '1 scenarios (1 passed)' out.txt
cmp three-lines.json one-line.json || [[ $(<three-lines.json) == "$(<one-line.json)" ]]
echo "as described above: three-lines.json holds one line now"
