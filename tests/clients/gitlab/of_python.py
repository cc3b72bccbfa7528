"""What python-gitlab makes of the stand-in: of_python.py SERVER TOKEN NAME. Prints the value of the variable NAME, for whoever compares it."""

import sys

import gitlab

server, token, delivered = sys.argv[1:]
api = gitlab.Gitlab(server, private_token=token)
assert api.version()[0] == "17.8.1-ee"
assert api.personal_access_tokens.get("self").scopes == ["api"]
project = api.projects.get("acme/deploy", lazy=True)
production = {"environment_scope": "production"}


def refused(code, says, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except gitlab.GitlabError as refusal:
        assert refusal.response_code == code and says in str(refusal.error_message), refusal
    else:
        raise AssertionError(f"{says} was expected")


made = project.variables.create({"key": "OF_PYTHON", "value": "one-and-more", "masked": True, "protected": True, "raw": True, "description": "of python"})
assert (made.masked, made.protected, made.raw, made.hidden, made.environment_scope) == (True, True, True, False, "*")
refused(400, "has already been taken", project.variables.create, {"key": "OF_PYTHON", "value": "two"})
refused(400, "can contain only letters", project.variables.create, {"key": "of-python", "value": "two"})
for short in ["seven77", "two words here", "in two\nlines"]:
    refused(400, "is invalid", project.variables.create, {"key": "SHORT", "value": short, "masked": True, "raw": True})
refused(400, "is invalid", project.variables.create, {"key": "DOLLAR", "value": "$not-raw-here", "masked": True})
refused(400, "is too long", project.variables.create, {"key": "LONG", "value": "x", "description": "x" * 256})

project.variables.create({"key": "OF_PYTHON", "value": "for production", "environment_scope": "production"})
refused(409, "multiple variables", project.variables.get, "OF_PYTHON")
assert project.variables.get("OF_PYTHON", filter=production).value == "for production"
project.variables.update("OF_PYTHON", {"value": "for production again"}, filter=production)
assert project.variables.get("OF_PYTHON", filter=production).value == "for production again"
assert project.variables.get("OF_PYTHON", filter={"environment_scope": "*"}).value == "one-and-more"

hidden = project.variables.create({"key": "HIDDEN", "value": "nobody-sees-this", "masked_and_hidden": True})
assert (hidden.masked, hidden.hidden, hidden.value) == (True, True, None)
assert project.variables.get("HIDDEN").value is None
refused(400, "cannot be updated", project.variables.update, "HIDDEN", {"masked": False})

group = api.groups.get("acme", lazy=True)
assert group.variables.create({"key": "OF_GROUP", "value": "one", "environment_scope": "production"}).environment_scope == "*"
assert [variable.key for variable in group.variables.list(get_all=True)] == ["OF_GROUP"]
refused(404, "404 Project Not Found", api.projects.get("acme/other", lazy=True).variables.get, "X")
refused(404, "404 Variable Not Found", project.variables.get, "X")
project.variables.delete("OF_PYTHON", filter=production)
refused(404, "404 Variable Not Found", project.variables.get, "OF_PYTHON", filter=production)
print(project.variables.get(delivered, filter=production).value, end="")
api = gitlab.Gitlab(server, private_token="nobodys")
refused(401, "401 Unauthorized", api.projects.get("acme/deploy", lazy=True).variables.get, "X")
