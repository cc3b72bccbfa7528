#!/usr/bin/env python3
"""What the kit's jobs ask of GitHub (at a Unix socket, as gh's http_unix_socket wants it) and of GitLab (over HTTP).

forge.py FOLDER: listens at FOLDER/github and prints the address for GitLab. FOLDER has runs.jsonl (a line for each run of a
workflow or job), pulls.jsonl and artifacts/RUN/…, which the runners write; comments.json and requests are written here. An
answer is the least that the API's documentation promises, and what is not known is answered with 404.
"""
import http.server, json, pathlib, re, socketserver, sys, threading, urllib.parse

folder = pathlib.Path(sys.argv[1])
repository = "/repos/acme/estate"
project = "/api/v4/projects/1"
workflows = [None, "plan.yml", "apply.yml", "renew.yml", "drift.yml"]  # by their numbers
lock = threading.Lock()


def lines(name):
    place = folder / name
    return [json.loads(line) for line in place.read_text().splitlines()] if place.exists() else []


def comments(change=None):
    with lock:
        place = folder / "comments.json"
        known = json.loads(place.read_text()) if place.exists() else []
        answer = change(known) if change else known
        place.write_text(json.dumps(known))
    return answer


def commented(number, author, body):
    def change(known):
        known.append({"id": len(known) + 11, "number": number, "user": {"login": author}, "body": body})
        return known[-1]
    return comments(change)


def updated(id, body):
    def change(known):
        [one] = [one for one in known if one["id"] == int(id)]
        one["body"] = body
        return one
    return comments(change)


def archives(run):
    """An artifact is NAME/NAME.zip, as act's artifact server keeps it."""
    return {place.stem: place for place in sorted((folder / "artifacts" / str(run)).rglob("*.zip"))}


def github(method, path, query, body, ask):
    if ask.headers.get("Authorization") != "token token-of-the-test":
        return 401, {"message": "Bad credentials"}
    runs = [{"name": one["workflow"], "run_attempt": 1, "run_number": one["id"], "workflow_id": workflows.index(one["workflow"]), "created_at": "2026-01-01T00:00:00Z",
             "updated_at": "2026-01-01T00:00:00Z", **one} for one in reversed(lines("runs.jsonl")) if "workflow" in one]
    if found := re.fullmatch("/commits/([0-9a-f]{40})/pulls", path):
        return 200, [{"number": one["number"], "head": {"sha": one["head"]}} for one in lines("pulls.jsonl") if one["merge"] == found[1]]
    if found := re.fullmatch("/actions/workflows/([a-z]+[.]yml)", path):
        return 200, {"id": workflows.index(found[1]), "name": found[1], "path": f".github/workflows/{found[1]}", "state": "active"}
    if found := re.fullmatch("/actions/workflows/([0-9]+)/runs", path):
        wanted = [one for one in runs if one["workflow_id"] == int(found[1])
                  and all(one[key] == query[asked] for asked, key in (("branch", "head_branch"), ("event", "event"), ("head_sha", "head_sha")) if asked in query)]
        return 200, {"total_count": len(wanted), "workflow_runs": wanted[:int(query.get("per_page", 30))]}
    if found := re.fullmatch("/actions/runs/([0-9]+)", path):
        return 200, next(one for one in runs if one["id"] == int(found[1]))
    if found := re.fullmatch("/actions/runs/([0-9]+)/artifacts", path):
        kept = archives(found[1])
        return 200, {"total_count": len(kept), "artifacts": [
            {"id": int(found[1]), "name": name, "size_in_bytes": place.stat().st_size, "expired": False,
             "archive_download_url": f"https://api.github.com{repository}/actions/artifacts/{found[1]}/{name}"} for name, place in kept.items()]}
    if found := re.fullmatch("/actions/artifacts/([0-9]+)/([a-z]+)", path):
        return 200, archives(found[1])[found[2]].read_bytes()
    if found := re.fullmatch("/issues/([0-9]+)/comments", path):
        if method == "POST":
            return 201, commented(int(found[1]), "github-actions[bot]", json.loads(body)["body"])
        return 200, [one for one in comments() if one["number"] == int(found[1])]
    if (found := re.fullmatch("/issues/comments/([0-9]+)", path)) and method == "PATCH":
        return 200, updated(found[1], json.loads(body)["body"])
    return 404, {"message": "Not Found"}


def gitlab(method, path, query, body, ask):
    runs = [one for one in reversed(lines("runs.jsonl")) if "job" in one]
    if ask.headers.get("JOB-TOKEN") == "token-of-the-job":
        if path == "/deployments":
            return 200, [{"id": one["id"], "ref": one["ref"], "status": one["status"], "deployable": {"id": one["id"], "name": one["job"], "ref": one["ref"]}}
                         for one in runs if one["environment"] == query.get("environment")][:int(query.get("per_page", 20))]
        if found := re.fullmatch("/jobs/([0-9]+)/artifacts/([a-z.]+)", path):
            place = folder / "artifacts" / found[1] / found[2]
            return (200, place.read_bytes()) if place.exists() else (404, {"message": "404 Not Found"})
        # By a branch, GitLab looks into the latest pipeline of it that succeeded, and into no other.
        if found := re.fullmatch("/jobs/artifacts/([a-z]+)/raw/([a-z.]+)", path):
            latest = next((one for one in runs if one["ref"] == found[1] and one["status"] == "success"), None)
            if latest and latest["job"] == query.get("job"):
                return 200, (folder / "artifacts" / str(latest["id"]) / found[2]).read_bytes()
            return 404, {"message": "404 Not Found"}
        return 404, {"message": "404 Not Found"}
    if ask.headers.get("PRIVATE-TOKEN") == "token-for-notes":
        form = {name: value for name, [value] in urllib.parse.parse_qs(body.decode()).items()}
        if found := re.fullmatch("/merge_requests/([0-9]+)/notes", path):
            if method == "POST":
                return 201, commented(int(found[1]), "project_1_bot", form["body"])
            return 200, [one for one in comments() if one["number"] == int(found[1])]
        if (found := re.fullmatch("/merge_requests/[0-9]+/notes/([0-9]+)", path)) and method == "PUT":
            return 200, updated(found[1], form["body"])
        return 404, {"message": "404 Not Found"}
    return 401, {"message": "401 Unauthorized"}


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        for prefix, forge in ((repository, github), (project, gitlab)):
            if parts.path.startswith(prefix):
                status, said = forge(self.command, parts.path.removeprefix(prefix), query, body, self)
                break
        else:
            status, said = 404, {"message": "Not Found"}
        with lock, open(folder / "requests", "a") as log:
            log.write(f"{self.command} {self.path} {status}\n")
        raw = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream" if isinstance(said, bytes) else "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PUT = do_PATCH = answer

    def address_string(self):
        return "local"

    def log_message(self, *args):
        pass


class AtSocket(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


threading.Thread(target=AtSocket(str(folder / "github"), Answers).serve_forever, daemon=True).start()
over_http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
print(f"http://127.0.0.1:{over_http.server_port}/api/v4", flush=True)
over_http.serve_forever()
