#!/usr/bin/env bash
# Guess: Qlik's Python SDK assigns people to a space as its own example does it: create_assignment(AssignmentCreate(…, roles=["consumer"])).
# What happens: AssignmentCreate turns each role into an Enum, create_assignment makes a dict of it, and requests cannot write an Enum as
# JSON: TypeError before anything is sent. The vendor's own script "configure a tenant" ends there. A plain dict is sent.
# Version: qlik-sdk 0.17.0 (PyPI), Python 3.11. Seen on 2026-11-28.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check qlik-sdk==0.17.0
tools/bin/pip list --disable-pip-version-check 2>/dev/null | grep -i '^qlik-sdk '

cat >ask.py <<'PYTHON'
import http.server
import json
import threading

from qlik_sdk import AssignmentCreate, AuthType, Config, Qlik


class Spaces(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        self.answer({"id": "s1", "name": "Sales", "type": "managed", "tenantId": "t1"})

    def do_POST(self):
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        print("sent:", sent["roles"], flush=True)
        self.answer({"id": "a1", "roles": sent["roles"]})

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Spaces)
threading.Thread(target=server.serve_forever, daemon=True).start()
host = f"http://127.0.0.1:{server.server_port}"
space = Qlik(config=Config(host=host, auth_type=AuthType.APIKey, api_key="k")).spaces.get("s1")
for data in (
    AssignmentCreate(type="group", assigneeId="g1", roles=["consumer"]),
    {"type": "group", "assigneeId": "g1", "roles": ["consumer"]},
):
    try:
        space.create_assignment(data)
    except TypeError as error:
        print("TypeError:", error, flush=True)
PYTHON
NO_PROXY=127.0.0.1 tools/bin/python -W ignore ask.py | tee out.txt
grep -q '^TypeError: Object of type RoleType is not JSON serializable$' out.txt
grep -q "^sent: \['consumer'\]$" out.txt
[[ $(wc -l <out.txt) == 2 ]]
echo "as described above"
