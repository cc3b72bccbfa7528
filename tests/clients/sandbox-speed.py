"""How fast the sandbox is, and what it writes: users and tokens of one tenant, and as many tenants as are asked for.

Usage: qlik-sandbox exec --state EMPTY-FOLDER -- python3 sandbox-speed.py [USERS [TENANTS]]
Then, for a start with all of them: time qlik-sandbox exec --state FOLDER -- grep -E 'VmHWM|VmRSS' /proc/self/../$PPID/status
"""
import http.client
import json
import os
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit

USERS, TENANTS = (int(text) for text in sys.argv[1:] + ["5000", "0"][len(sys.argv) - 1 :])
WRITERS = 8
PROXY = urlsplit(os.environ["HTTPS_PROXY"])
TRUST = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
SERVER = os.getppid()  # `exec` runs the sandbox itself where none is running.


class Host:
    def __init__(self, name, token=None):
        self.name, self.token = name, token
        self.wire = http.client.HTTPSConnection(PROXY.hostname, PROXY.port, context=TRUST)
        self.wire.set_tunnel(name, 443)

    def ask(self, method, path, body=None):
        headers = {"content-type": "application/json"}
        if self.token:
            headers["authorization"] = "Bearer " + self.token
        self.wire.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.wire.getresponse()
        content = answer.read()
        assert answer.status in (200, 201), (answer.status, content)
        return json.loads(content)

    def grant(self):
        names = {"client_id": "QLIK_CLIENT_ID", "client_secret": "QLIK_CLIENT_SECRET"}
        body = {name: os.environ[value] for name, value in names.items()}
        return self.ask("POST", "/oauth/token", body | {"grant_type": "client_credentials"})["access_token"]


def switch(switches):
    state = os.environ["QLIK_SANDBOX_STATE"]
    with open(f"{state}/server.json", encoding="utf-8") as server, open(f"{state}/control-token", encoding="utf-8") as token:
        place, bearer = urlsplit(json.load(server)["control"]), "Bearer " + token.read()
    wire = http.client.HTTPConnection(place.hostname, place.port)
    wire.request("POST", "/control/switches", json.dumps(switches), {"authorization": bearer})
    assert wire.getresponse().status == 200


def signed_in(name):
    return Host(name, Host(name).grant())


def spent():
    """Processor seconds and bytes written so far."""
    with open(f"/proc/{SERVER}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{SERVER}/io", encoding="ascii") as file:
        written = next(int(line.split()[1]) for line in file if line.startswith("write_bytes"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), written


def measured(what, count, do):
    (processor, written), began = spent(), time.monotonic()
    threads = [threading.Thread(target=lambda at=at: [do(at, n) for n in range(at, count, WRITERS)]) for at in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    processor, written = spent()[0] - processor, spent()[1] - written
    print(f"{what}: {count / seconds:.0f}/s, {1000 * processor / count:.2f} ms of processor, {written / count / 1024:.1f} KiB", flush=True)


source = signed_in(os.environ["QLIK_SOURCE_TENANT"])
licence = {"licenseKey": source.ask("GET", "/api/v1/licenses/overview")["licenseKey"]}
register = f"register.{os.environ['QLIK_REGION']}.qlikcloud.com"
made = signed_in(register).ask("POST", "/api/v1/tenants", licence)["hostnames"][0]
admins = [signed_in(made) for _ in range(WRITERS)]
for first in range(0, USERS, 1000):
    def user(at, n, first=first):
        admins[at].ask("POST", "/api/v1/users", {"subject": f"{first + n}", "name": "Ada", "email": f"{first + n}@example.com"})
    measured(f"users {first + 1} to {first + 1000} of one tenant", 1000, user)
guests = [Host(made) for _ in range(WRITERS)]
measured("tokens of that tenant", 80, lambda at, _: guests[at].grant())
switch({"licence_quota": 1_000_000})
registers = [signed_in(register) for _ in range(WRITERS)]
for first in range(0, TENANTS, 10_000):
    measured(f"tenants {first + 1} to {first + 10_000}", 10_000, lambda at, _: registers[at].ask("POST", "/api/v1/tenants", licence))
