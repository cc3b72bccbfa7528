"""What shards cost and gain: plan and apply of one estate by 1, 2, 4 and 8 processes, on a ledger in an S3 API.

Usage: qlik-sandbox exec --state EMPTY-FOLDER -- python3 shards-speed.py PROGRAMS MOTO_SERVER [TENANTS [LATENCY-MS [SHARDS…]]]
PROGRAMS is the folder of qlik-plan and qlik-apply (a release build), MOTO_SERVER the program that tests/clients/install.sh installs.
It ends with an error where a tenant is made twice, a key is missing, or a plan afterwards finds something to do.
"""
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit

PROGRAMS, MOTO = sys.argv[1:3]
TENANTS, LATENCY = (int(text) for text in sys.argv[3:5] + ["500", "20"][len(sys.argv[3:5]) :])
SHARDS = [int(text) for text in sys.argv[5:]] or [1, 2, 4, 8]
STATE = os.environ["QLIK_SANDBOX_STATE"]
WORK = tempfile.mkdtemp()
STORE_LOG = f"{WORK}/moto.log"
KEY = "owner: { client: {} }, expires_in: P7D, deliver_to: files"


def control(method, path, body=None):
    with open(f"{STATE}/server.json", encoding="utf-8") as server, open(f"{STATE}/control-token", encoding="utf-8") as token:
        place, bearer = urlsplit(json.load(server)["control"]), "Bearer " + token.read()
    wire = http.client.HTTPConnection(place.hostname, place.port)
    wire.request(method, f"/control/{path}", json.dumps(body), {"authorization": bearer})
    answer = wire.getresponse()
    content = answer.read()
    assert answer.status == 200, (path, answer.status, content)
    return json.loads(content) if content else None


def store():
    log = open(STORE_LOG, "wb")
    server = subprocess.Popen([MOTO, "-H", "127.0.0.1", "-p", "0"], stdout=log, stderr=log)
    while True:
        assert server.poll() is None, open(STORE_LOG, encoding="utf-8").read()
        found = re.search(r"http://(127\.0\.0\.1:\d+)", open(STORE_LOG, encoding="utf-8").read())
        if found:
            break
    wire = http.client.HTTPConnection(found[1])
    wire.request("PUT", "/estate")
    assert wire.getresponse().status == 200
    return server, found[1]


def store_requests():
    with open(STORE_LOG, encoding="utf-8") as log:
        return sum('HTTP/1.1" ' in line for line in log)


def settings(host, run):
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
ledger: {{ kind: object-store, url: s3://estate/run-{run}, endpoint: 'http://{host}' }}
limits: {{ create_tenants: 100000, mint_keys: 200000 }}
""")


def declared(run):
    folder = f"{WORK}/tenants-{run}"
    os.makedirs(folder)
    keys = f"{{ ci: {{ description: CI, {KEY} }}, bi: {{ description: BI, {KEY} }} }}"
    rest = f"api_key_limits: {{ max_expiry: P30D, max_keys_per_user: 50 }}, grants: {{ manage_api_keys: {{ everyone: {{}} }} }}, api_keys: {keys}"
    with open(f"{folder}/all.yaml", "w", encoding="utf-8") as file:
        file.write("version: 1\nqlik:\n  tenants:\n")
        file.writelines(f"    r{run}-{n}: {{ account: us-oem, display_name: Run {run} tenant {n}, {rest} }}\n" for n in range(TENANTS))
    return folder


ENVIRONMENT = os.environ | {"CI": "true", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-store"}


def started(program, run, *args):
    command = [f"{PROGRAMS}/{program}", *args, "--settings", f"{WORK}/settings-{run}.yaml"]
    # From an empty folder: what lies beside whoever runs this is no desired state.
    os.makedirs(f"{WORK}/empty", exist_ok=True)
    return subprocess.Popen(command, env=ENVIRONMENT, cwd=f"{WORK}/empty", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(child, *codes):
    out, err = child.communicate()
    assert child.returncode in (codes or (0,)), (child.args, child.returncode, out[-2000:], err[-2000:])
    return out


def together(program, run, shards, *args):
    """Runs all shards at once: seconds, and requests to the vendor and to the store, for each tenant."""
    control("DELETE", "requests")
    before, start = store_requests(), time.monotonic()
    parts = [("--shard", f"{number}/{shards}") for number in range(1, shards + 1)] if shards > 1 else [()]
    for child in [started(program, run, *args, *part) for part in parts]:
        ended(child)
    seconds = time.monotonic() - start
    return seconds, len(control("GET", "requests")["requests"]) / TENANTS, (store_requests() - before) / TENANTS


def tenants_of(run):
    names = [one["name"] for one in control("GET", "state")["tenants"] if one["name"].startswith(f"Run {run} ")]
    assert len(names) == len(set(names)) == TENANTS, f"{len(names)} tenants, {len(set(names))} names"


def main():
    server, host = store()
    try:
        print(f"{TENANTS} tenants with two keys, {LATENCY} ms before each answer of the vendor, ledger in an S3 API, {os.cpu_count()} cores")
        print("shards       what   seconds   of one   vendor/tenant   store/tenant")
        first = {}
        for run, shards in enumerate(SHARDS):
            settings(host, run)
            folder = declared(run)
            ended(started("qlik-apply", run, "ledger", "init"))
            ended(started("qlik-apply", run, "rehearse", "us-oem", folder))
            control("POST", "latency", {"ms": LATENCY})
            for what, program, args in [
                ("first plan", "qlik-plan", ("--summary", folder)),
                ("apply", "qlik-apply", ("--yes", folder)),
                ("last plan", "qlik-plan", ("--summary", "--preflight", "sinks", "--detailed-exitcode", folder)),
            ]:
                seconds, vendor, stored = together(program, run, shards, *args)
                ratio = first.setdefault(what, seconds) / seconds
                print(f"{shards:6} {what:>10} {seconds:9.2f} {ratio:8.2f} {vendor:15.2f} {stored:14.2f}", flush=True)
            control("POST", "latency", {"ms": 0})
            tenants_of(run)
        merged(len(SHARDS), host)
        killed(len(SHARDS) + 1, host)
    finally:
        server.kill()


def merged(run, host):
    """The parts of a plan of four shards are the plan of one process, byte for byte."""
    settings(host, run)
    folder = declared(run)
    ended(started("qlik-apply", run, "ledger", "init"))
    ended(started("qlik-apply", run, "rehearse", "us-oem", folder))
    at = ("--at", "2030-01-01T00:00:00Z")
    whole = ended(started("qlik-plan", run, *at, folder))
    parts = [f"{WORK}/part-{number}.plan" for number in range(1, 5)]
    for number, part in enumerate(parts, 1):
        ended(started("qlik-plan", run, *at, "--shard", f"{number}/4", "--out", part, folder))
    merge = [f"{PROGRAMS}/qlik-plan", "merge", *parts]
    found = subprocess.run(merge, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout
    assert found == whole, "the merged plan differs"
    print(f"merged plan of 4 parts: {len(found)} bytes, the same as of one process")


def killed(run, host):
    """A shard dies in mid-apply: it is run again, a person says what the ledger asks for, and each tenant and key is there once."""
    settings(host, run)
    folder = declared(run)
    ended(started("qlik-apply", run, "ledger", "init"))
    ended(started("qlik-apply", run, "rehearse", "us-oem", folder))
    control("POST", "latency", {"ms": LATENCY})
    apply = ("--yes", "--max-run", "PT1M")
    first, second = (started("qlik-apply", run, *apply, "--shard", f"{number}/2", folder) for number in (1, 2))
    mine = lambda: [one for one in control("GET", "state")["tenants"] if one["name"].startswith(f"Run {run} ")]
    while len(mine()) < TENANTS // 4:
        pass
    first.kill()
    first.communicate()
    at = time.monotonic()
    there = len(mine())
    ended(second)
    control("POST", "latency", {"ms": 0})
    again = lambda *codes: ended(started("qlik-apply", run, *apply, "--format", "json", "--shard", "1/2", folder), *codes)
    waiting = json.loads(again(0, 1, 2))["plan"]["counts"]["waiting"]
    while json.loads(again(0, 1, 2))["plan"]["counts"]["waiting"]:
        time.sleep(5)
    waited = time.monotonic() - at
    # By the vendor's clock, after which no request of the dead shard can be on its way.
    control("POST", "clock", {"advance": "PT1H1M"})
    said = {"--adopt": 0, "--not-created": 0, "--settle": 0}
    hosts = {one["name"]: one["hostnames"][0] for one in mine()}
    for n in range(TENANTS):
        address = f"qlik/r{run}-{n}"
        told = ended(started("qlik-apply", run, "resolve", address, folder), 0, 1)
        name = f"Run {run} tenant {n}"
        if "did not learn the outcome" in told:
            how = ["--adopt", hosts[name]] if name in hosts else ["--not-created"]
        elif "did not finish" in told:
            how = ["--settle"]
        else:
            continue
        ended(started("qlik-apply", run, "resolve", address, *how, folder))
        said[how[0]] += 1
    again(0)
    tenants_of(run)
    keys = sum(len([key for key in os.listdir(f"{WORK}/secrets/qlik/r{run}-{n}") if key in ("bi", "ci")]) for n in range(TENANTS))
    assert keys == 2 * TENANTS, f"{keys} keys were delivered"
    ended(started("qlik-plan", run, "--preflight", "sinks", "--detailed-exitcode", folder))
    print(f"a shard killed with {there} of {TENANTS} tenants made: {waiting} objects waited {waited:.0f} s for its minute to pass;")
    print("  then a person said: " + ", ".join(f"{count} {how}" for how, count in said.items()) + f"; {TENANTS} tenants, {keys} keys, each once")


main()
