"""What Google's clients make of the stand-in: of_python.py HOST PROJECT POOL KEY_FILE TOKEN_FILE NAME. Prints the payload that the alias of the secret
NAME names, for whoever compares it."""

import json
import sys

from google.api_core import exceptions
from google.auth import identity_pool
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.cloud import secretmanager_v1 as sm
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceRestTransport
from google.oauth2 import service_account

host, project, pool, key_file, token_file, delivered = sys.argv[1:]
scope = "https://www.googleapis.com/auth/cloud-platform"


def client_of(credentials):
    transport = SecretManagerServiceRestTransport(host=host, url_scheme="http", credentials=credentials)
    return sm.SecretManagerServiceClient(transport=transport)


def refused(status, call, **named):
    try:
        call(**named, retry=None)
    except exceptions.GoogleAPICallError as refusal:
        assert refusal.response.json()["error"]["status"] == status, refusal
        return refusal
    raise AssertionError(f"{status} was expected")


with open(key_file, encoding="utf-8") as file:
    key = json.load(file)
key["token_uri"] = f"http://{host}/token"
by_key = service_account.Credentials.from_service_account_info(key, scopes=[scope])
by_key.refresh(Request())
secrets = client_of(by_key)
parent = f"projects/{project}"

made = {"replication": {"automatic": {}}, "labels": {"team": "data"}}
first = secrets.create_secret(parent=parent, secret_id="of-python", secret=made)
name = f"{parent}/secrets/of-python"
assert first.etag and not first.version_aliases, first
refused("ALREADY_EXISTS", secrets.create_secret, parent=parent, secret_id="of-python", secret=made)
refused("NOT_FOUND", secrets.access_secret_version, name=f"{name}/versions/latest")

for number, text in enumerate([b"one", b"two"], start=1):
    added = secrets.add_secret_version(parent=name, payload={"data": text})
    assert added.name.endswith(f"/versions/{number}") and added.state == sm.SecretVersion.State.ENABLED
# A version leaves the etag of its secret alone; an update changes it, and is refused under the former one.
assert secrets.get_secret(name=name).etag == first.etag
mask = {"paths": ["annotations", "version_aliases"]}
change = {"name": name, "etag": first.etag, "annotations": {"a": "1"}, "version_aliases": {"current": 1}}
second = secrets.update_secret(secret=change, update_mask=mask)
assert second.etag != first.etag and second.version_aliases == {"current": 1} and second.labels == {"team": "data"}
late = refused("FAILED_PRECONDITION", secrets.update_secret, secret=change, update_mask=mask)
assert late.code == 400 and "etag" in late.message
# Without one, whatever stands there is replaced.
secrets.update_secret(secret={"name": name, "annotations": {"b": "2"}}, update_mask="annotations")
assert secrets.get_secret(name=name).annotations == {"b": "2"}


def read(secret, version):
    return secrets.access_secret_version(name=f"{secret}/versions/{version}").payload.data


assert (read(name, "current"), read(name, "latest"), read(name, 1)) == (b"one", b"two", b"one")
secrets.disable_secret_version(name=f"{name}/versions/2")
refused("FAILED_PRECONDITION", secrets.access_secret_version, name=f"{name}/versions/latest")
assert secrets.get_secret_version(name=f"{name}/versions/latest").state == sm.SecretVersion.State.DISABLED
secrets.enable_secret_version(name=f"{name}/versions/2")
secrets.destroy_secret_version(name=f"{name}/versions/1")
refused("FAILED_PRECONDITION", secrets.access_secret_version, name=f"{name}/versions/current")
assert secrets.get_secret_version(name=f"{name}/versions/1").state == sm.SecretVersion.State.DESTROYED

asked = ["secretmanager.versions.add", "secretmanager.secrets.setIamPolicy"]
allowed = secrets.test_iam_permissions(request={"resource": name, "permissions": asked})
assert list(allowed.permissions) == asked[:1], allowed
secrets.delete_secret(name=name)
refused("NOT_FOUND", secrets.get_secret, name=name)

federated = identity_pool.Credentials(
    audience=pool,
    subject_token_type="urn:ietf:params:oauth:token-type:jwt",
    token_url=f"http://{host}/v1/token",
    credential_source={"file": token_file},
    scopes=[scope],
)
values = [client_of(one).access_secret_version(name=f"{parent}/secrets/{delivered}/versions/qlik-plan") for one in (by_key, federated)]
assert values[0].payload.data == values[1].payload.data

key["private_key_id"] = "another"
key["client_email"] = "another@example.com"
try:
    service_account.Credentials.from_service_account_info(key, scopes=[scope]).refresh(Request())
except RefreshError as refusal:
    assert "invalid_grant" in str(refusal)
else:
    raise AssertionError("invalid_grant was expected")
print(values[0].payload.data.decode(), end="")
