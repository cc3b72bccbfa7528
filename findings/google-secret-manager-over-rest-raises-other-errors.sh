#!/usr/bin/env bash
# google-cloud-secret-manager, version 2.32.0 (PyPI), 28 November 2026. The guess: an error of Google's is the same exception whichever transport asks,
# since both are told its status: `except AlreadyExists` holds over gRPC and over REST.
# What happens: over REST the status in the answer is not looked at, only its number. ALREADY_EXISTS is Conflict, and FAILED_PRECONDITION (an etag that
# is not the last one) is BadRequest; both are classes above the one that gRPC raises, so no `except` for that one catches them.
# Needs Python with venv. Asks nobody but servers of its own.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check google-cloud-secret-manager==2.32.0
cat >"$work/both.py" <<'PY'
import json
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, HTTPServer

import grpc
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import secretmanager_v1 as sm
from google.cloud.secretmanager_v1.services.secret_manager_service import transports

STATUSES = {"CreateSecret": ("ALREADY_EXISTS", 409), "UpdateSecret": ("FAILED_PRECONDITION", 400)}


class Rest(BaseHTTPRequestHandler):
    def answer(self, call):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, code = STATUSES[call]
        body = json.dumps({"error": {"code": code, "status": status, "message": "no"}}).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.answer("CreateSecret")

    def do_PATCH(self):
        self.answer("UpdateSecret")

    def log_message(self, *_):
        pass


class Grpc(grpc.GenericRpcHandler):
    def service(self, details):
        status, _ = STATUSES[details.method.rsplit("/", 1)[1]]
        return grpc.unary_unary_rpc_method_handler(lambda _, context: context.abort(grpc.StatusCode[status], "no"))


rest = HTTPServer(("127.0.0.1", 0), Rest)
threading.Thread(target=rest.serve_forever, daemon=True).start()
server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[Grpc()])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
clients = {
    "gRPC": transports.SecretManagerServiceGrpcTransport(channel=grpc.insecure_channel(f"127.0.0.1:{port}")),
    "REST": transports.SecretManagerServiceRestTransport(
        host=f"127.0.0.1:{rest.server_port}", url_scheme="http", credentials=AnonymousCredentials()
    ),
}
raised = {}
for name, transport in clients.items():
    client = sm.SecretManagerServiceClient(transport=transport)
    for call, ask in {
        "CreateSecret": lambda: client.create_secret(parent="projects/p", secret_id="s", secret={}, retry=None),
        "UpdateSecret": lambda: client.update_secret(secret={"name": "projects/p/secrets/s"}, update_mask={"paths": ["labels"]}, retry=None),
    }.items():
        try:
            ask()
        except exceptions.GoogleAPICallError as error:
            raised[name, call] = type(error)
            print(f"{name}: {STATUSES[call][0]} is raised as {type(error).__name__}")
assert raised["gRPC", "CreateSecret"] is exceptions.AlreadyExists and raised["REST", "CreateSecret"] is exceptions.Conflict
assert raised["gRPC", "UpdateSecret"] is exceptions.FailedPrecondition and raised["REST", "UpdateSecret"] is exceptions.BadRequest
server.stop(None)
PY
"$work/venv/bin/python" "$work/both.py"
echo "as described above"
