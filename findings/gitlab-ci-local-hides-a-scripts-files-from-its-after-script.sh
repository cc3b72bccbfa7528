#!/usr/bin/env bash
# gitlab-ci-local, version 4.61.0, 28 November 2026. The guess: with --shell-isolation, which gives each shell job a folder of its own, a job's after_script still sees the files that
# its script made, and they become its artifacts, as without the option and as at GitLab.
# What happens in gitlab-ci-local 4.61.0: the folder is laid anew before the after_script, with what Git tracks and nothing else. The
# after_script finds no file of the script, the job has no artifact, and it passes all the same.
# Needs Git, rsync and Node with npm.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --prefix "$work/tools" --silent --no-audit --no-fund gitlab-ci-local@4.61.0
run=$work/tools/node_modules/.bin/gitlab-ci-local
mkdir "$work/project" && cd "$work/project"
cat >.gitlab-ci.yml <<'YAML'
job:
  script:
    - echo made >report
  after_script:
    - if [ -f report ]; then echo sees-it; else echo does-not-see-it; fi
  artifacts:
    paths: [report]
YAML
git init --quiet
git add .
git -c user.name=x -c user.email=x@x.example commit --quiet -m x
echo "gitlab-ci-local $("$run" --version)"
changed=0
expect() { # WHAT SEEN ARTIFACTS ARGUMENTS…
    local what=$1 seen=$2 kept=$3 got
    shift 3
    rm -rf .gitlab-ci-local report
    "$run" --no-color --home "$work" "$@" >"$work/log" 2>/dev/null || changed=1
    got=$(find .gitlab-ci-local/artifacts -type f | wc -l)
    printf '%-20s after_script: %-16s artifacts: %s, exit 0\n' "$what" "$(grep -o '> .*see.*' "$work/log" | cut -c 3-)" "$got"
    grep -q "> $seen" "$work/log" && [[ $got == "$kept" ]] || changed=1
}
expect "without the option" sees-it 1 --no-shell-isolation
expect "--shell-isolation" does-not-see-it 0 --shell-isolation
exit $changed
