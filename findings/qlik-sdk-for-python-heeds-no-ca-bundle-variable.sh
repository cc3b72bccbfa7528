#!/usr/bin/env bash
# Guess: Qlik's Python SDK is built on requests, so REQUESTS_CA_BUNDLE (or SSL_CERT_FILE) lets it trust a company's own authority,
# as it heeds HTTPS_PROXY.
# What happens: it prepares each request by itself and hands it to Session.send, where requests reads the proxy variables and not the
# certificate ones. requests.get reaches the server, the SDK says "Connection Error". Only certifi's own file helps.
# Version: qlik-sdk 0.17.0 with requests 2.27.1 (PyPI), Python 3.11. Seen on 2026-11-27.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check qlik-sdk==0.17.0 requests==2.27.1
tools/bin/pip list --disable-pip-version-check 2>/dev/null | grep -Ei '^(qlik-sdk|requests) '

openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost 2>/dev/null
cat >server.py <<'PYTHON'
import http.server
import ssl


class Me(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"id": "u1", "tenantId": "t1", "name": "Ada"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Me)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("ca.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
mkfifo said
python3 server.py >said &
server=$!
read -r port <said

cat >ask.py <<'PYTHON'
import sys

import requests
from qlik_sdk import AuthType, Config, Qlik

host = f"https://localhost:{sys.argv[1]}"
print("requests:", requests.get(f"{host}/api/v1/users/me").status_code)
try:
    Qlik(config=Config(host=host, auth_type=AuthType.APIKey, api_key="k")).users.get_me()
    print("qlik-sdk: 200")
except Exception as error:
    cause = error.__cause__
    print("qlik-sdk:", type(error).__name__, "from", type(cause).__name__)
PYTHON
export REQUESTS_CA_BUNDLE=$folder/ca.pem CURL_CA_BUNDLE=$folder/ca.pem SSL_CERT_FILE=$folder/ca.pem NO_PROXY=localhost
tools/bin/python ask.py "$port" | tee out.txt
grep -q '^requests: 200$' out.txt
grep -q '^qlik-sdk: ConnectionException from SSLError$' out.txt
echo "the same with the authority in certifi's file:"
cat ca.pem >>"$(tools/bin/python -m certifi)"
tools/bin/python ask.py "$port" | tee out.txt
grep -q '^qlik-sdk: 200$' out.txt
echo "as described above"
