"""What the client for Python makes of the stand-in: of_python.py SERVER CA TOKEN NAME. Prints the value of the Secret NAME, for whoever compares it."""

import base64
import sys

from kubernetes import client

server, ca, token, delivered = sys.argv[1:]
configuration = client.Configuration(host=server, api_key={"authorization": f"Bearer {token}"})
configuration.ssl_ca_cert = ca
api = client.ApiClient(configuration)
secrets = client.CoreV1Api(api)


def refused(code, reason, call, *arguments):
    try:
        call(*arguments)
    except client.ApiException as refusal:
        assert refusal.status == code and f'"reason":"{reason}"' in refusal.body.replace(" ", ""), refusal
    else:
        raise AssertionError(f"{reason} was expected")


made = client.V1Secret(metadata=client.V1ObjectMeta(name="of-python"), string_data={"value": "one"})
first = secrets.create_namespaced_secret("qlik", made)
assert base64.b64decode(first.data["value"]) == b"one" and first.type == "Opaque"
refused(409, "AlreadyExists", secrets.create_namespaced_secret, "qlik", made)
refused(404, "NotFound", secrets.create_namespaced_secret, "elsewhere", made)

second = secrets.read_namespaced_secret("of-python", "qlik")
second.data["value"] = base64.b64encode(b"two").decode()
second = secrets.replace_namespaced_secret("of-python", "qlik", second)
assert second.metadata.resource_version != first.metadata.resource_version
# A version that is not the last one is refused; without one, whatever stands there is replaced.
refused(409, "Conflict", secrets.replace_namespaced_secret, "of-python", "qlik", first)
first.metadata.resource_version = None
secrets.replace_namespaced_secret("of-python", "qlik", first)

second = secrets.read_namespaced_secret("of-python", "qlik")
second.immutable = True
second = secrets.replace_namespaced_secret("of-python", "qlik", second)
second.data["value"] = base64.b64encode(b"three").decode()
refused(422, "Invalid", secrets.replace_namespaced_secret, "of-python", "qlik", second)

for verb, allowed in [("get", True), ("watch", False)]:
    attributes = client.V1ResourceAttributes(namespace="qlik", verb=verb, resource="secrets")
    review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
    answer = client.AuthorizationV1Api(api).create_self_subject_access_review(review)
    assert answer.status.allowed is allowed, verb

secrets.create_namespaced_secret("qlik", client.V1Secret(metadata=client.V1ObjectMeta(name="dry")), dry_run="All")
refused(404, "NotFound", secrets.read_namespaced_secret, "dry", "qlik")
secrets.delete_namespaced_secret("of-python", "qlik")
refused(404, "NotFound", secrets.read_namespaced_secret, "of-python", "qlik")
print(base64.b64decode(secrets.read_namespaced_secret(delivered, "qlik").data["value"]).decode(), end="")
configuration.api_key["authorization"] = "Bearer nobodys"
refused(401, "Unauthorized", client.CoreV1Api(client.ApiClient(configuration)).read_namespaced_secret, delivered, "qlik")
