#!/bin/sh
# Runs cargo on a copy of the sources that can leave out a rule: cargo.sh FOLDER SUBCOMMAND [OPTION]…
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
at=$(cd "$1" && pwd)
shift
for each in "$root"/*; do
    name=${each##*/}
    [ "$name" = target ] && continue
    rm -rf "${at:?}/$name"
    cp -R "$each" "$at/$name"
done
cd "$at"
# Without this git takes the copy for a folder of the checkout, and applies nothing to it.
GIT_CEILING_DIRECTORIES=$(dirname "$at")
export GIT_CEILING_DIRECTORIES
# Comments may change beside what a rule is about.
git apply -C1 tests/rules/left-out.patch
exec cargo "$@"
