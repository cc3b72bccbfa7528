#!/bin/sh
# "Create a tenant" as the vendor documents it, step by step, with nothing but curl:
#   qlik-sandbox exec -- tests/clients/document-000.sh
# Fails at the first step that answers anything else than the document says.
set -eu

: "${QLIK_REGION:?run this under: qlik-sandbox exec -- $0}"
SOURCE_TENANT=$QLIK_SOURCE_TENANT
TENANT_REGISTRATION=register.$QLIK_REGION.qlikcloud.com
CREDENTIALS="{\"client_id\":\"$QLIK_CLIENT_ID\", \"client_secret\":\"$QLIK_CLIENT_SECRET\", \"grant_type\":\"client_credentials\"}"

fail() {
    printf 'document 000: %s\n' "$1" >&2
    exit 1
}

# field NAME: the member NAME of the JSON object on stdin; lists are taken by their first element.
field() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)[sys.argv[1]]
if isinstance(value, list):
    assert len(value) == 1, "there should be only one value"
    value = value[0]
print(value)' "$1"
}

# expect STATUS BODY: BODY ends with a line that holds the status of the last answer.
expect() {
    status=$(printf '%s\n' "$2" | tail -n 1)
    [ "$status" = "$1" ] || fail "$3: expected $1, got $status: $(printf '%s\n' "$2" | sed '$d')"
    printf '%s\n' "$2" | sed '$d'
}

token() {
    answer=$(curl -sS -L -w '\n%{http_code}' -X POST "https://$1/oauth/token" \
        -H "Accept: application/json" \
        -H "Content-Type: application/json" \
        -d "$CREDENTIALS") || fail "no answer from https://$1/oauth/token"
    body=$(expect 200 "$answer" "token at $1")
    [ "$(printf '%s' "$body" | field token_type)" = bearer ] || fail "token_type at $1"
    [ "$(printf '%s' "$body" | field expires_in)" = 21600 ] || fail "expires_in at $1"
    printf '%s' "$body" | field expires_at | grep -Eq '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z$' || fail "expires_at at $1"
    printf '%s' "$body" | field access_token
}

# 2 Obtain the signed entitlement key.
SOURCE_ACCESS_TOKEN=$(token "$SOURCE_TENANT")
answer=$(curl -sS -L -w '\n%{http_code}' "https://$SOURCE_TENANT/api/v1/licenses/overview" \
    -H "Authorization: Bearer $SOURCE_ACCESS_TOKEN" \
    -H "Accept: application/json" \
    -H "Content-Type: application/json")
overview=$(expect 200 "$answer" "licenses/overview")
SIGNED_ENTITLEMENT_KEY=$(printf '%s' "$overview" | field licenseKey)
[ "$(printf '%s' "$overview" | field status)" = Ok ] || fail "the licence is not Ok"

# 3 Obtain an access token for creating tenants.
REGISTER_ACCESS_TOKEN=$(token "$TENANT_REGISTRATION")

# 4 Create a tenant.
answer=$(curl -sS -L -w '\n%{http_code}' -X POST "https://$TENANT_REGISTRATION/api/v1/tenants" \
    -H "Authorization: Bearer $REGISTER_ACCESS_TOKEN" \
    -H "Accept: application/json" \
    -H "Content-Type: application/json" \
    -d "{\"licenseKey\":\"$SIGNED_ENTITLEMENT_KEY\"}")
tenant=$(expect 201 "$answer" "create a tenant")
TENANT_ID=$(printf '%s' "$tenant" | field id)
TARGET_TENANT=$(printf '%s' "$tenant" | field hostnames)
[ "$(printf '%s' "$tenant" | field status)" = active ] || fail "the new tenant is not active"
[ "$TARGET_TENANT" = "$(printf '%s' "$tenant" | field name).$QLIK_REGION.qlikcloud.com" ] || fail "name and hostname differ"

# 5 Request an access token for the tenant.
TARGET_ACCESS_TOKEN=$(token "$TARGET_TENANT")

# 6 Send an API request to the tenant.
answer=$(curl -sS -L -w '\n%{http_code}' "https://$TARGET_TENANT/api/v1/users/me" \
    -H "Authorization: Bearer $TARGET_ACCESS_TOKEN" \
    -H "Accept: application/json" \
    -H "Content-Type: application/json")
me=$(expect 200 "$answer" "users/me")
[ "$(printf '%s' "$me" | field tenantId)" = "$TENANT_ID" ] || fail "users/me answers for another tenant"
[ "$(printf '%s' "$me" | field clientId)" = "$QLIK_CLIENT_ID" ] || fail "users/me answers for another client"
[ "$(printf '%s' "$me" | field subject)" = "qlikbot\\$QLIK_CLIENT_ID" ] || fail "users/me has another subject"
[ "$(printf '%s' "$me" | field roles)" = TenantAdmin ] || fail "the bot is not TenantAdmin"

# Access tokens are scoped to individual tenants.
status=$(curl -sS -L -o /dev/null -w '%{http_code}' "https://$TARGET_TENANT/api/v1/users/me" \
    -H "Authorization: Bearer $SOURCE_ACCESS_TOKEN")
[ "$status" = 401 ] || fail "the source tenant's token works in the new tenant ($status)"

printf 'document 000: every step works; made https://%s\n' "$TARGET_TENANT"
