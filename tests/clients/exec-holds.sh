#!/usr/bin/env bash
# Under `qlik-sandbox exec`: programs that read no proxy variable reach the sandbox, and no other place. $1 is the program.
set -euo pipefail
sandbox=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >ask.mjs <<'JS'
import https from "node:https";
const host = process.env.QLIK_SOURCE_TENANT;
const client = { client_id: process.env.QLIK_CLIENT_ID, client_secret: process.env.QLIK_CLIENT_SECRET };
const body = JSON.stringify({ ...client, grant_type: "client_credentials" });
const headers = { "content-type": "application/json" };
const answer = await fetch(`https://${host}/oauth/token`, { method: "POST", headers, body });
const authorization = `Bearer ${(await answer.json()).access_token}`;
const seen = await fetch(`https://${host}/api/v1/roles?limit=100`, { headers: { authorization } });
console.log("fetch", answer.status, seen.status, (await seen.json()).data.length);
const status = await new Promise((done, failed) =>
  https.get(`https://${host}/api/v1/tenants/me`, { headers: { authorization } }, (got) => {
    got.resume();
    done(got.statusCode);
  }).on("error", failed));
console.log("https", status);
for (const url of ["https://example.com/", "http://example.com/"]) {
  const outcome = await fetch(url).then(() => "LEFT THE SANDBOX", (error) => error.cause?.message);
  console.log(outcome);
}
JS
"$sandbox" exec -- node ask.mjs | tee node.txt
grep -q '^fetch 200 200 24$' node.txt
grep -q '^https 302$' node.txt
[[ $(grep -c '^the sandbox holds this program inside' node.txt) == 2 ]]

if command -v java >/dev/null; then
    cat >Ask.java <<'JAVA'
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

class Ask {
    public static void main(String[] given) throws Exception {
        var host = System.getenv("QLIK_SOURCE_TENANT");
        var request = HttpRequest.newBuilder(URI.create("https://" + host + "/api/v1/users/me")).build();
        System.out.println("HttpClient " + HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).statusCode());
        var connection = (java.net.HttpURLConnection) URI.create("https://" + host + "/api/v1/users/me").toURL().openConnection();
        System.out.println("HttpURLConnection " + connection.getResponseCode());
        try {
            HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create("https://example.com/")).build(), BodyHandlers.ofString());
            System.out.println("LEFT THE SANDBOX");
        } catch (java.io.IOException refused) {
            System.out.println("refused");
        }
    }
}
JAVA
    "$sandbox" exec -- java Ask.java 2>java.err | tee java.txt || { cat java.err >&2; exit 1; }
    printf 'HttpClient 401\nHttpURLConnection 401\nrefused\n' | diff - java.txt
else
    echo "SKIPPED: java is not here"
fi

if "$sandbox" exec --isolate -- true 2>isolate.err; then
    # A socket of its own, past every variable.
    "$sandbox" exec --isolate -- python3 -c '
import socket
try:
    socket.create_connection(("192.0.2.1", 443), timeout=5)
    print("LEFT THE SANDBOX")
except OSError as refused:
    print("isolated:", refused.strerror)' | tee isolate.txt
    grep -q '^isolated: Network is unreachable$' isolate.txt
    # shellcheck disable=SC2016 # the shell inside knows the variable
    "$sandbox" exec --isolate -- sh -c 'curl -sS -o /dev/null -w "%{http_code}\n" "https://$QLIK_SOURCE_TENANT/api/v1/users/me"' | grep -qx 401
else
    grep -q 'does not let a program have a network of its own' isolate.err
    echo "SKIPPED: --isolate is not possible here: $(cat isolate.err)"
fi
echo "exec holds its programs inside"
