"""The vendor's Python client, qlik-sdk, as its documents use it: hosts and credentials come from the environment, the
proxy from HTTPS_PROXY. It reads no REQUESTS_CA_BUNDLE, so the certificates of its environment have the sandbox's.
    qlik-sandbox exec -- python qlik-sdk.py
"""

import os
import uuid

import requests
from qlik_sdk import (
    ApiKeyBody,
    AssignmentsActionsAddRequest,
    AssignmentsActionsDeleteRequest,
    AssignmentsActionsUpdateRequest,
    AuthType,
    Config,
    Filter,
    GroupPostSchema,
    Qlik,
    SpaceCreate,
    TenantCreationRequest,
    TenantDeactivateRequest,
    UserPostSchema,
)
from qlik_sdk.rest import AuthenticationException

REGION = os.environ["QLIK_REGION"]
SOURCE = os.environ["QLIK_SOURCE_TENANT"]
CLIENT = (os.environ["QLIK_CLIENT_ID"], os.environ["QLIK_CLIENT_SECRET"])
KEY_CLIENT = (os.environ["QLIK_KEY_CLIENT_ID"], os.environ["QLIK_KEY_CLIENT_SECRET"])


def step(text):
    print(f"qlik-sdk: {text}", flush=True)


def same(found, expected):
    assert found == expected, f"{found!r}, and {expected!r} was expected"


def refused(status, code, call, *arguments, **named):
    """What the vendor refuses, the client raises."""
    try:
        found = call(*arguments, **named)
    except requests.HTTPError as error:
        same(error.response.status_code, status)
        if code:
            same(error.response.json()["errors"][0]["code"], code)
        return
    raise AssertionError(f"{found!r} where {status} was expected")


def replace(path, value):
    return [{"op": "replace", "path": path, "value": value}]


def at(host):
    """As the vendor's own examples do it: the client always asks for user_default, which no region's client has."""
    answer = requests.post(
        f"https://{host}/oauth/token",
        json={"client_id": CLIENT[0], "client_secret": CLIENT[1], "grant_type": "client_credentials"},
    )
    answer.raise_for_status()
    token = answer.json()["access_token"]
    return Qlik(config=Config(host=f"https://{host}", auth_type=AuthType.APIKey, api_key=token))


# ---- licences
home = at(SOURCE)
overview = home.licenses.get_overview()
same((overview.status, len(overview.licenseKey.split("."))), ("Ok", 3))
same([one["name"] if isinstance(one, dict) else one.name for one in overview.allotments], ["professional", "analyzer"])
status = home.licenses.get_status()
same((status.status, status.type, status.trial), ("Ok", "Signed", False))
step("read the licence")

# ---- tenants
register = at(f"register.{REGION}.qlikcloud.com")
refused(400, "TENANTS-21", register.tenants.create, TenantCreationRequest(datacenter="us-east-1"))
refused(403, "TENANTS-23", register.tenants.create, TenantCreationRequest(licenseKey="not.a.key"))
created = register.tenants.create(TenantCreationRequest(licenseKey=overview.licenseKey))
same(created.status, "active")
host = created.hostnames[0]
qlik = at(host)
# The client follows the redirect.
mine = qlik.tenants.get_me()
same((mine.id, mine.hostnames), (created.id, [host]))
alias = f"py-{uuid.uuid4().hex[:8]}.{REGION}.qlikcloud.com"
mine.patch(replace("/name", "From Python") + replace("/hostnames/1", alias))
named = qlik.tenants.get(created.id)
same((named.name, named.hostnames), ("From Python", [host, alias]))
refused(400, "TENANTS-10", named.patch, replace("/hostnames/1", SOURCE))
refused(404, "TENANTS-8", qlik.tenants.get, "another")
step(f"made {host}, named it and gave it an alias")

# ---- users
me = qlik.users.get_me()
same((me.tenantId, me.subject, me.roles), (created.id, f"qlikbot\\{CLIENT[0]}", ["TenantAdmin"]))
people = {}
for name in ["Ada", "Bea", "Cleo"]:
    low = name.lower()
    body = UserPostSchema(name=name, subject=f"auth0|{low}", email=f"{low}@example.com", status="active")
    people[name] = qlik.users.create(body)
    same((people[name].name, people[name].status), (name, "active"))
refused(409, None, qlik.users.create, UserPostSchema(name="Ada", subject="auth0|ada", status="active"))
same(qlik.users.count().total, 4)
listed = [user.name for user in qlik.users.get_users(status=None, limit=1, sort="+name").pagination]
same([name for name in listed if name != me.name], ["Ada", "Bea", "Cleo"])
both = 'email eq "bea@example.com" or subject eq "auth0|cleo"'
same([user.name for user in qlik.users.get_users(status=None, filter=both)], ["Bea", "Cleo"])
same([user.name for user in qlik.users.filter(Filter(filter=both))], ["Bea", "Cleo"])
people["Ada"].patch(replace("/name", "Ada Lovelace"))
same(qlik.users.get(people["Ada"].id).name, "Ada Lovelace")
refused(404, "USERS-7", qlik.users.get, "000000000000000000000000")
step("made, listed by pages and by filter, and renamed people")

# ---- roles: this version can only read them; the rest goes by its plain requests
roles = {role.name: role for role in qlik.roles.get_roles().pagination}
same((len(roles), roles["UserDefault"].type), (24, "default"))
same(qlik.roles.get(roles["UserDefault"].id).name, "UserDefault")
same([role.name for role in qlik.roles.get_roles(filter='name eq "TenantAdmin"')], ["TenantAdmin"])
wanted = {"name": "Key holders", "assignedScopes": ["api-keys"]}
role = qlik.rest(path="/roles", method="POST", data=wanted).json()
refused(400, None, qlik.rest, path="/roles", method="POST", data=wanted)
qlik.rest(path=f"/roles/{role['id']}", method="PATCH", data=replace("/description", "May have API keys"))
same(qlik.roles.get(role["id"]).description, "May have API keys")
people["Bea"].patch(replace("/assignedRoles", [{"name": "Key holders"}]))
same([one["name"] for one in qlik.rest(path=f"/users/{people['Bea'].id}").json()["assignedRoles"]], ["Key holders"])
refused(403, None, qlik.rest, path=f"/roles/{role['id']}", method="DELETE")
step("found UserDefault on the second page, made a role and assigned it")

# ---- groups
group = qlik.groups.create(GroupPostSchema(name="Builders", providerType="custom"))
group.patch(replace("assignedRoles", [{"id": role["id"]}]))
same([one.name for one in qlik.groups.get_groups()], ["Builders"])
same([one.name for one in qlik.groups.filter(Filter(filter='name eq "Nobody"'))], [])
qlik.groups.patch_settings(replace("/autoCreateGroups", True))
same(qlik.groups.get_settings().autoCreateGroups, True)
qlik.groups.get(group.id).delete()
refused(404, "GROUPS-7", qlik.groups.get, group.id)
step("made a group, gave it a role and removed it")

# ---- spaces
space = qlik.spaces.create(SpaceCreate(name="Sales", type="managed"))
space.create_assignment({"type": "user", "assigneeId": qlik.users.get_me().id, "roles": ["consumer"]})
same([one.name for one in qlik.spaces.get_spaces(name="sal")], ["Sales"])
same(len(list(space.get_assignments())), 1)
space.delete()
step("made a space, put somebody in it and removed it")

# ---- keys
config = replace("/max_api_key_expiry", "P30D") + replace("/max_keys_per_user", 2)
qlik.api_keys.patch_config(created.id, config)
limits = qlik.api_keys.get_config(created.id)
same((limits.max_api_key_expiry, limits.max_keys_per_user), ("P30D", 2))
refused(403, None, qlik.api_keys.create, ApiKeyBody(description="The region's"))
trust = replace("/consentMethod", "trusted")
qlik.rest(path=f"/oauth-clients/{KEY_CLIENT[0]}/connection-configs/me", method="PATCH", data=trust)
grant = [{"op": "add", "path": "/assignedScopes/-", "value": "api-keys"}]
qlik.rest(path=f"/roles/{roles['UserDefault'].id}", method="PATCH", data=grant)
bot_config = Config(
    host=f"https://{host}", auth_type=AuthType.OAuth2, client_id=KEY_CLIENT[0], client_secret=KEY_CLIENT[1]
)
bot = Qlik(config=bot_config)
# Client id and secret by HTTP Basic, and the scope that this client always adds.
bot.auth.authorize()
owner = bot.users.get_me()
same(owner.clientId, KEY_CLIENT[0])
key = bot.api_keys.create(ApiKeyBody(description="The bot's", expiry="P7D"))
same((key.sub, key.status), (owner.id, "active"))
refused(400, None, bot.api_keys.create, ApiKeyBody(description="Too long", expiry="P31D"))
refused(403, None, bot.api_keys.create, ApiKeyBody(description="Another's", sub=people["Cleo"].id))
second = bot.api_keys.create(ApiKeyBody(description="Its second"))
refused(403, None, bot.api_keys.create, ApiKeyBody(description="One too many"))
with_key = Qlik(config=Config(host=f"https://{host}", auth_type=AuthType.APIKey, api_key=key.token))
same(with_key.users.get_me().id, owner.id)
with_key.api_keys.get(key.id).patch(replace("/description", "The bot's own"))
listed = with_key.api_keys.get_api_keys(sub=owner.id, limit=1, sort="+created").pagination
same([one.description for one in listed], ["The bot's own", "Its second"])
# An administrator's request leaves the record; the owner's removes it.
qlik.api_keys.get(second.id).delete()
same(qlik.api_keys.get(second.id).status, "revoked")
with_key.api_keys.get(key.id).delete()
refused(404, None, qlik.api_keys.get, key.id)
bot.auth.deauthorize()
for gone in [with_key, bot]:
    try:
        gone.users.get_me()
        raise AssertionError("a token that was revoked works")
    except AuthenticationException:
        pass
step("minted, used, described, listed, revoked and removed keys")

# ---- seats
seats = [{"subject": "auth0|ada", "type": "professional"}, {"subject": "auth0|bea", "type": "analyzer"}]
added = qlik.licenses.add_assignments(AssignmentsActionsAddRequest(add=seats))
same([one.status for one in added.data], [201, 201])
moves = [{"subject": "auth0|bea", "sourceType": "analyzer", "type": "professional"}, {"subject": "auth0|nobody"}]
moved = qlik.licenses.update_assignments(AssignmentsActionsUpdateRequest(update=moves))
same([(one.status, one.code) for one in moved.data], [(200, None), (404, "LICENSES-016")])
listed = [(one.subject, one.type) for one in qlik.licenses.get_assignments()]
same(listed, [("auth0|ada", "professional"), ("auth0|bea", "professional")])
left = AssignmentsActionsDeleteRequest(delete=[{"subject": subject, "type": kind} for subject, kind in listed])
same([one.status for one in qlik.licenses.delete_assignments(left).data], [200, 200])
same(qlik.licenses.set_settings({"autoAssignAnalyzer": True}).autoAssignAnalyzer, True)
same(qlik.licenses.get_settings().autoAssignProfessional, False)
same(list(qlik.licenses.get_consumptions()), [])
step("gave, changed and took seats")

# ---- and away
people["Ada"].delete()
refused(404, "USERS-7", qlik.users.get, people["Ada"].id)
people["Bea"].patch(replace("/assignedRoles", []))
qlik.rest(path=f"/roles/{role['id']}", method="DELETE")
refused(404, None, qlik.roles.get, role["id"])
ten_days = TenantDeactivateRequest(purgeAfterDays=10)
refused(412, None, created.deactivate, "", ten_days)
refused(412, None, created.deactivate, SOURCE, ten_days)
refused(400, None, created.deactivate, host, TenantDeactivateRequest(purgeAfterDays=91))
gone = created.deactivate(host, ten_days)
same((gone.id, gone.status), (created.id, "disabled"))
try:
    qlik.tenants.get_me()
    raise AssertionError("a tenant that is switched off answers")
except AuthenticationException as error:
    assert "deactivated" in str(error), error
same(created.reactivate(alias)["status"], "active")
same(at(host).tenants.get_me().status, "active")
created.deactivate(alias, ten_days)
step("removed what it made, and switched the tenant off, on and off")
