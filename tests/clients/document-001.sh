#!/bin/sh
# "Creating a Tenant API Key" as the vendor documents it, with nothing but curl, and openssl for the signature:
#   qlik-sandbox exec -- tests/clients/document-001.sh
# Fails at the first step that answers anything else than the document says.
set -eu

: "${IMBURSE_BASE_URL:?run this under: qlik-sandbox exec -- $0}"

fail() {
    printf 'document 001: %s\n' "$1" >&2
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

# expect STATUS BODY WHAT: BODY ends with a line that holds the status of the last answer.
expect() {
    status=$(printf '%s\n' "$2" | tail -n 1)
    [ "$status" = "$1" ] || fail "$3: expected $1, got $status: $(printf '%s\n' "$2" | sed '$d')"
    printf '%s\n' "$2" | sed '$d'
}

# hmac PUBLIC PRIVATE: the token that the prerequisite "creating an HMAC token using an API Key" makes, for a request
# without a body: publicKey:nonce:timestamp:signature. The private key is base64 and is decoded first.
hmac() {
    nonce=$(openssl rand -hex 15)
    timestamp=$(date +%s)
    key=$(printf '%s' "$2" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
    signature=$(printf '%s:%s:%s:' "$1" "$nonce" "$timestamp" |
        openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
    printf '%s:%s:%s:%s' "$1" "$nonce" "$timestamp" "$signature"
}

# token PUBLIC PRIVATE: an access token for a key, as in "Get an access token".
token() {
    answer=$(curl -sS -w '\n%{http_code}' --request POST "$IMBURSE_BASE_URL/identity/v1/hmac/management" \
        --header "Authorization: Hmac $(hmac "$1" "$2")" \
        --data '') || fail "no answer from $IMBURSE_BASE_URL"
    body=$(expect 201 "$answer" "a token for $1")
    printf '%s' "$body" | field expires | grep -Eq '^[0-9]+$' || fail "expires is not a time"
    printf '%s' "$body" | field accessToken
}

# "The Tenant Id for a Tenant you have previously created", as "Creating a Tenant" makes it.
ACCESS_TOKEN=$(token "$IMBURSE_PUBLIC_KEY" "$IMBURSE_PRIVATE_KEY")
answer=$(curl -sS -w '\n%{http_code}' --location --request POST "$IMBURSE_BASE_URL/v1/account/tenants" \
    --header "Authorization: Bearer $ACCESS_TOKEN" \
    --header "x-account-id: $IMBURSE_ACCOUNT_ID" \
    --header "Content-Type: application/json" \
    --data "{
        \"name\": \"Document 001\",
        \"streetAddress\": \"1 High Street\",
        \"extendedStreetAddress\": \"\",
        \"locality\": \"London\",
        \"region\": \"London\",
        \"postCode\": \"N1 1AA\",
        \"country\": \"GB\"
    }")
TENANT_ID=$(expect 201 "$answer" "create a tenant" | field tenantId)

# Create a new Tenant API Key: the document's own request.
answer=$(curl -sS -w '\n%{http_code}' --location --request POST "$IMBURSE_BASE_URL/v1/tenant/$TENANT_ID/keys" \
    --header "Authorization: Bearer $ACCESS_TOKEN" \
    --header "Content-Type: application/json" \
    --data "{
    \"name\": \"Admin Key\",
    \"roles\": [\"tenant-admin\"]
}")
key=$(expect 201 "$answer" "create a tenant API key")
[ "$(printf '%s' "$key" | field tenantId)" = "$TENANT_ID" ] || fail "the key is another tenant's"
[ "$(printf '%s' "$key" | field accountId)" = "$IMBURSE_ACCOUNT_ID" ] || fail "the key is another account's"
[ "$(printf '%s' "$key" | field name)" = "Admin Key" ] || fail "the key has another name"
[ "$(printf '%s' "$key" | field roles)" = tenant-admin ] || fail "the key has other roles"
PUBLIC_KEY=$(printf '%s' "$key" | field publicKey)
PRIVATE_KEY=$(printf '%s' "$key" | field privateKey)
[ "$(printf '%s' "$PRIVATE_KEY" | openssl base64 -d -A | wc -c)" -eq 32 ] || fail "the private key is not 32 bytes"

# "Required when you need to acquire a Tenant derived Access Token": it lists its tenant's keys.
TENANT_TOKEN=$(token "$PUBLIC_KEY" "$PRIVATE_KEY")
answer=$(curl -sS -w '\n%{http_code}' "$IMBURSE_BASE_URL/v2/tenant/keys" \
    --header "Authorization: Bearer $TENANT_TOKEN" \
    --header "x-account-id: $IMBURSE_ACCOUNT_ID" \
    --header "x-tenant-id: $TENANT_ID")
keys=$(expect 200 "$answer" "list the tenant's keys")
[ "$(printf '%s' "$keys" | field tenantKeys | grep -c "$PUBLIC_KEY")" -eq 1 ] || fail "the list has not the new key"

# "The private key will not be presented again."
if printf '%s' "$keys" | grep -Fq "$PRIVATE_KEY"; then fail "the private key was presented again"; fi

# The account's token is of no use in the tenant's place, nor the other way round.
status=$(curl -sS -o /dev/null -w '%{http_code}' "$IMBURSE_BASE_URL/v2/account/tenants" \
    --header "Authorization: Bearer $TENANT_TOKEN" --header "x-account-id: $IMBURSE_ACCOUNT_ID")
[ "$status" = 403 ] || fail "the tenant's token works for the account ($status)"

printf 'document 001: every step works; made tenant %s and key %s\n' "$TENANT_ID" "$PUBLIC_KEY"
