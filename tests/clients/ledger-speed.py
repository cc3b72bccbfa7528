"""What a slow disk and a slow store cost an apply: one estate made with free flushes, with flushes of 5 ms, and on a ledger in an
S3 API that answers late.

Usage: qlik-sandbox exec --state EMPTY-FOLDER -- python3 ledger-speed.py PROGRAMS MOTO_SERVER [TENANTS [LATENCY-MS [STORE-MS…]]]
PROGRAMS is the folder of qlik-apply (a release build), MOTO_SERVER the program that tests/clients/install.sh installs. A C compiler
makes the library that delays flushes. It ends with an error where an apply fails, or a tenant or a key is missing or made twice.
"""
import asyncio
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import urlsplit

PROGRAMS, MOTO = sys.argv[1:3]
TENANTS, LATENCY = (int(text) for text in sys.argv[3:5] + ["100", "20"][len(sys.argv[3:5]) :])
STORES = [int(text) for text in sys.argv[5:]] or [0, 20, 450]
STATE = os.environ["QLIK_SANDBOX_STATE"]
WORK = tempfile.mkdtemp()
KEY = "owner: { client: {} }, expires_in: P7D, deliver_to: files"
ENVIRONMENT = os.environ | {"CI": "true", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-store"}
DELAY = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
int fsync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    usleep(atoi(getenv("FLUSH_US")));
    return real(file);
}
"""


def control(method, path, body=None):
    with open(f"{STATE}/server.json", encoding="utf-8") as server, open(f"{STATE}/control-token", encoding="utf-8") as token:
        place, bearer = urlsplit(json.load(server)["control"]), "Bearer " + token.read()
    wire = http.client.HTTPConnection(place.hostname, place.port)
    wire.request(method, f"/control/{path}", json.dumps(body), {"authorization": bearer})
    answer = wire.getresponse()
    content = answer.read()
    assert answer.status == 200, (path, answer.status, content)
    return json.loads(content) if content else None


class Store:
    """moto behind a proxy that passes its answers on late, and counts requests and those that are open at once."""

    def __init__(self):
        self.log = f"{WORK}/moto.log"
        log = open(self.log, "wb")
        self.server = subprocess.Popen([MOTO, "-H", "127.0.0.1", "-p", "0"], stdout=log, stderr=log)
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", open(self.log, encoding="utf-8").read())):
            assert self.server.poll() is None, open(self.log, encoding="utf-8").read()
        self.behind = int(found[1])
        wire = http.client.HTTPConnection("127.0.0.1", self.behind)
        wire.request("PUT", "/estate")
        assert wire.getresponse().status == 200
        self.seconds = self.open = self.most = 0
        self.tasks = []
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve(ready)), daemon=True).start()
        ready.wait()

    async def serve(self, ready):
        listening = await asyncio.start_server(self.pass_on, "127.0.0.1", 0)
        self.host = "127.0.0.1:%d" % listening.sockets[0].getsockname()[1]
        ready.set()
        await listening.serve_forever()

    async def pass_on(self, client, answer):
        server, request = await asyncio.open_connection("127.0.0.1", self.behind)
        due, asking = asyncio.Queue(), False

        async def late():
            nonlocal asking
            while chunk := (pair := await due.get())[1]:
                await asyncio.sleep(pair[0] - time.monotonic())
                asking = self.answered(asking)
                answer.write(chunk)
                await answer.drain()
            answer.close()

        async def back():
            while True:
                chunk = await server.read(65536)
                due.put_nowait((time.monotonic() + self.seconds, chunk))
                if not chunk:
                    return

        self.tasks += [asyncio.ensure_future(late()), asyncio.ensure_future(back())]
        while chunk := await client.read(65536):
            self.open += not asking
            asking = True
            self.most = max(self.most, self.open)
            request.write(chunk)
            await request.drain()
        request.close()

    def answered(self, asking):
        self.open -= asking
        return False

    def requests(self):
        with open(self.log, encoding="utf-8") as log:
            return sum('HTTP/1.1" ' in line for line in log)


def prepared(run, ledger):
    with open(f"{WORK}/settings-{run}.yaml", "w", encoding="utf-8") as file:
        file.write(f"""version: 1
accounts:
  us-oem:
    vendor: qlik
    region: us
    source_tenant: mycorp
    client: {{ id: {{ env: QLIK_CLIENT_ID }}, secret: {{ env: QLIK_CLIENT_SECRET }} }}
    key_client: {{ id: {{ env: QLIK_KEY_CLIENT_ID }}, secret: {{ env: QLIK_KEY_CLIENT_SECRET }} }}
sinks:
  files: {{ kind: file, directory: {WORK}/secrets, durable: true, shared: true }}
ledger: {ledger}
limits: {{ create_tenants: 100000, mint_keys: 200000 }}
""")
    keys = f"{{ ci: {{ description: CI, {KEY} }}, bi: {{ description: BI, {KEY} }} }}"
    rest = f"api_key_limits: {{ max_expiry: P30D, max_keys_per_user: 50 }}, grants: {{ manage_api_keys: {{ everyone: {{}} }} }}, api_keys: {keys}"
    path = f"{WORK}/all-{run}.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write("version: 1\nqlik:\n  tenants:\n")
        file.writelines(f"    r{run}-{n}: {{ account: us-oem, display_name: Run {run} tenant {n}, {rest} }}\n" for n in range(TENANTS))
    return path


def apply(run, *args, **environment):
    command = [f"{PROGRAMS}/qlik-apply", *args, "--settings", f"{WORK}/settings-{run}.yaml"]
    done = subprocess.run(command, env=ENVIRONMENT | environment, capture_output=True, text=True, cwd=f"{WORK}/empty")
    said = done.stdout[-1500:] + done.stderr[-1500:]
    assert done.returncode == 0, (command, done.returncode, said)


def made(run):
    names = [one["name"] for one in control("GET", "state")["tenants"] if one["name"].startswith(f"Run {run} ")]
    assert len(names) == len(set(names)) == TENANTS, f"{len(names)} tenants, {len(set(names))} names"
    keys = sum(len([key for key in os.listdir(f"{WORK}/secrets/qlik/r{run}-{n}") if key in ("ci", "bi")]) for n in range(TENANTS))
    assert keys == 2 * TENANTS, f"{keys} keys were delivered"


def main():
    with open(f"{WORK}/delay.c", "w", encoding="utf-8") as file:
        file.write(DELAY)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", f"{WORK}/delay.so", f"{WORK}/delay.c", "-ldl"], check=True)
    os.mkdir(f"{WORK}/empty")
    store = Store()
    folder = lambda run: f"{{ kind: directory, path: {WORK}/ledger-{run}, durable: true }}"
    bucket = lambda run: f"{{ kind: object-store, url: s3://estate/run-{run}, endpoint: 'http://{store.host}' }}"
    cases = [("folder, flush 0 ms", folder, 0, 0), ("folder, flush 5 ms", folder, 5, 0)]
    cases += [(f"store, {ms} ms", bucket, 0, ms) for ms in STORES]
    print(f"{TENANTS} tenants with two keys, {LATENCY} ms before each answer of the vendor, {os.cpu_count()} cores")
    print("ledger                seconds   of the first   store requests a tenant   at most at once")
    first = None
    try:
        for run, (name, ledger, flush, late) in enumerate(cases):
            path = prepared(run, ledger(run))
            apply(run, "ledger", "init")
            apply(run, "rehearse", "us-oem", path)
            control("POST", "latency", {"ms": LATENCY})
            store.seconds, store.most = late / 1000, 0
            before, start = store.requests(), time.monotonic()
            delayed = {"LD_PRELOAD": f"{WORK}/delay.so", "FLUSH_US": str(flush * 1000)} if flush else {}
            apply(run, "--yes", path, **delayed)
            seconds = time.monotonic() - start
            first = first or seconds
            asked = (store.requests() - before) / TENANTS
            control("POST", "latency", {"ms": 0})
            store.seconds = 0
            made(run)
            print(f"{name:20} {seconds:8.2f} {seconds / first:14.2f} {asked:25.2f} {store.most:18}", flush=True)
    finally:
        store.server.kill()


main()
