"""The box of secrets, opened and sealed by libsodium: of_libsodium.py open KEY SEALED prints what is in it; put URL TOKEN stores a secret."""

import base64
import json
import sys
import urllib.request

from nacl.public import PrivateKey, PublicKey, SealedBox

if sys.argv[1] == "open":
    key, sealed = (base64.b64decode(text) for text in sys.argv[2:])
    print(SealedBox(PrivateKey(key)).decrypt(sealed).decode(), end="")
else:
    url, token = sys.argv[2:]

    def ask(method, path, body=None):
        headers = {"Authorization": f"Bearer {token}", "X-GitHub-Api-Version": "2022-11-28"}
        request = urllib.request.Request(url + path, method=method, headers=headers, data=body and json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()

    public = json.loads(ask("GET", "/actions/secrets/public-key")[1])
    box = SealedBox(PublicKey(base64.b64decode(public["key"])))
    sealed = base64.b64encode(box.encrypt("sealed by libsodium: ü".encode())).decode()
    status, _ = ask("PUT", "/actions/secrets/OF_LIBSODIUM", {"encrypted_value": sealed, "key_id": public["key_id"]})
    assert status == 201, status
