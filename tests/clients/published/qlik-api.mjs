// The vendor's JavaScript client, @qlik/api, as its documents use it: hosts and credentials come from the environment,
// the proxy from undici's agent for it, the certificates from NODE_EXTRA_CA_CERTS. Nothing else is the sandbox's.
// Every answer is held to the types of the client; the page says which calls are served.
//   qlik-sandbox exec -- node qlik-api.mjs docs/sandbox.md
import assert from "node:assert/strict";
import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { EnvHttpProxyAgent, setGlobalDispatcher } from "undici";
import { createQlikApi } from "@qlik/api";
import { readFileSync } from "node:fs";
import { held, watch } from "./conforms.mjs";

// Node 20 has no NODE_USE_ENV_PROXY yet.
setGlobalDispatcher(new EnvHttpProxyAgent());
watch();

const { QLIK_REGION: region, QLIK_SOURCE_TENANT: source } = process.env;
const admin = { clientId: process.env.QLIK_CLIENT_ID, clientSecret: process.env.QLIK_CLIENT_SECRET };
const keyClient = { clientId: process.env.QLIK_KEY_CLIENT_ID, clientSecret: process.env.QLIK_KEY_CLIENT_SECRET };
const at = (host, credentials) => createQlikApi({ hostConfig: { authType: "oauth2", host, ...credentials } });
// GETs are cached by the client; what was just changed is read anew.
const now = { noCache: true };

const step = (text) => console.log(`@qlik/api: ${text}`);
const refused = async (call, status, code) => {
  const error = await call.then(
    (answer) => assert.fail(`status ${answer.status} where ${status} was expected`),
    (error) => error,
  );
  assert.equal(error.status, status, JSON.stringify(error.data));
  if (code) assert.equal(error.data.errors[0].code, code);
};
const everything = async (first) => {
  const found = [];
  for (let page = await first; page; page = page.next ? await page.next() : undefined) found.push(...page.data.data);
  return found;
};
const replace = (path, value) => [{ op: "replace", path, value }];

// ---- licences -----------------------------------------------------------------------------------------------------
const home = at(source, { ...admin, scope: "admin_classic" });
const { data: overview } = await home.licenses.getLicenseOverview();
assert.equal(overview.status, "Ok");
assert.equal(overview.licenseKey.split(".").length, 3);
assert.deepEqual(overview.allotments.map((one) => one.name), ["professional", "analyzer"]);
const { data: status } = await home.licenses.getLicenseStatus();
assert.deepEqual([status.status, status.type, status.deactivated, typeof status.valid], ["Ok", "Signed", false, "string"]);
step("read the licence");

// ---- tenants ------------------------------------------------------------------------------------------------------
const register = at(`register.${region}.qlikcloud.com`, { ...admin, scope: "tenants:create tenants:deactivate tenants:reactivate" });
await refused(register.tenants.createTenant({}), 400, "TENANTS-21");
await refused(register.tenants.createTenant({ licenseKey: "not.a.key" }), 403, "TENANTS-23");
const created = await register.tenants.createTenant({ licenseKey: overview.licenseKey });
assert.equal(created.status, 201);
const { id: tenantId, hostnames: [host] } = created.data;
assert.equal(created.data.status, "active");
const qlik = at(host, { ...admin, scope: "admin_classic" });
// The client follows the redirect.
assert.equal((await qlik.tenants.getMyTenant()).data.id, tenantId);
const alias = `js-${randomUUID().slice(0, 8)}.${region}.qlikcloud.com`;
assert.equal((await qlik.tenants.patchTenant(tenantId, [...replace("/name", "From JavaScript"), ...replace("/hostnames/1", alias)])).status, 204);
const { data: named } = await qlik.tenants.getTenant(tenantId, now);
assert.deepEqual([named.name, named.hostnames], ["From JavaScript", [host, alias]]);
await refused(qlik.tenants.patchTenant(tenantId, replace("/hostnames/1", source)), 400, "TENANTS-10");
await refused(qlik.tenants.getTenant("another", now), 404, "TENANTS-8");
step(`made ${host}, named it and gave it an alias`);

// ---- users --------------------------------------------------------------------------------------------------------
const { data: me } = await qlik.users.getMyUser();
assert.deepEqual([me.tenantId, me.subject], [tenantId, `qlikbot\\${admin.clientId}`]);
assert.deepEqual(me.assignedRoles.map((role) => role.name), ["TenantAdmin"]);
const people = [];
for (const name of ["Ada", "Bea", "Cleo"]) {
  const subject = `auth0|${name.toLowerCase()}`;
  const made = await qlik.users.createUser({ name, subject, email: `${name.toLowerCase()}@example.com`, status: "active" });
  assert.equal(made.status, 201);
  people.push(made.data);
}
const [ada, bea, cleo] = people;
await refused(qlik.users.createUser({ name: "Ada", subject: "auth0|ada", status: "active" }), 409);
assert.equal((await qlik.users.countUsersWithoutQuery()).data.total, 4);
const users = await everything(qlik.users.getUsers({ limit: 1, sort: "+name" }, now));
assert.deepEqual(users.map((user) => user.name).filter((name) => name !== me.name), ["Ada", "Bea", "Cleo"]);
const filter = 'email eq "bea@example.com" or subject eq "auth0|cleo"';
const both = ["Bea", "Cleo"];
assert.deepEqual((await qlik.users.getUsers({ filter }, now)).data.data.map((user) => user.name), both);
assert.deepEqual((await qlik.users.filterUsers({}, { filter })).data.data.map((user) => user.name), both);
assert.equal((await qlik.users.patchUser(ada.id, replace("/name", "Ada Lovelace"))).status, 204);
assert.equal((await qlik.users.getUser(ada.id, {}, now)).data.name, "Ada Lovelace");
const invited = await qlik.users.inviteUsers({ invitees: [{ email: "dora@example.com" }, { email: "bea@example.com" }] });
assert.equal(invited.status, 207);
assert.deepEqual(invited.data.data.map((one) => one.status), ["ok", "error"]);
await refused(qlik.users.getUser("000000000000000000000000", {}, now), 404, "USERS-7");
step("made, listed by pages and by filter, renamed and invited people");

// ---- roles --------------------------------------------------------------------------------------------------------
const defaults = await everything(qlik.roles.getRoles({}, now));
const userDefault = defaults.find((role) => role.name === "UserDefault");
assert.deepEqual([userDefault.type, userDefault.assignedScopes], ["default", []]);
const role = (await qlik.roles.createRole({ name: "Key holders", assignedScopes: ["api-keys"] })).data;
await refused(qlik.roles.createRole({ name: "Key holders", assignedScopes: [] }), 400);
assert.equal((await qlik.roles.patchRole(role.id, replace("/description", "May have API keys"))).status, 204);
assert.equal((await qlik.roles.getRole(role.id, now)).data.description, "May have API keys");
assert.equal((await qlik.users.patchUser(bea.id, replace("/assignedRoles", [{ name: "Key holders" }]))).status, 204);
const partial = await qlik.users.patchUser(cleo.id, replace("/assignedRoles", [{ name: "Key holders" }, { name: "Nobody" }]));
assert.equal(partial.status, 207);
assert.match(partial.data.errors[0].detail, /Nobody/);
await refused(qlik.roles.deleteRole(role.id), 403);
const holders = await qlik.users.getUsers({ filter: 'assignedRoles.name eq "Key holders"' }, now);
assert.deepEqual(holders.data.data.map((user) => user.name), both);
step("found UserDefault on the second page, made a role and assigned it");

// ---- groups -------------------------------------------------------------------------------------------------------
const group = (await qlik.groups.createGroup({ name: "Builders", providerType: "custom" })).data;
assert.equal((await qlik.groups.patchGroup(group.id, [{ op: "replace", path: "assignedRoles", value: [{ id: role.id }] }])).status, 204);
assert.deepEqual((await qlik.groups.getGroup(group.id, now)).data.assignedRoles.map((one) => one.name), ["Key holders"]);
assert.deepEqual((await qlik.groups.getGroups({}, now)).data.data.map((one) => one.name), ["Builders"]);
assert.deepEqual((await qlik.groups.filterGroups({}, { filter: 'name eq "Nobody"' })).data.data, []);
assert.equal((await qlik.groups.patchGroupsSettings(replace("/autoCreateGroups", true))).status, 204);
assert.equal((await qlik.groups.getGroupsSettings(now)).data.autoCreateGroups, true);
assert.equal((await qlik.groups.deleteGroup(group.id)).status, 204);
await refused(qlik.groups.getGroup(group.id, now), 404, "GROUPS-7");
step("made a group, gave it a role and removed it");

// ---- spaces, identity providers, clients of the tenant's own ----------------------------------------------------------
const space = (await qlik.spaces.createSpace({ name: "Sales", type: "shared" })).data;
await refused(qlik.spaces.createSpace({ name: "Sales", type: "managed" }), 409);
const { data: assignment } = await qlik.spaces.createSpaceAssignment(space.id, { type: "user", assigneeId: bea.id, roles: ["consumer"] });
assert.deepEqual((await qlik.spaces.getSpaceAssignments(space.id, {}, now)).data.data.map((one) => one.assigneeId), [bea.id]);
assert.equal((await qlik.spaces.updateSpaceAssignment(space.id, assignment.id, { roles: ["producer"] })).data.roles[0], "producer");
assert.deepEqual((await qlik.spaces.getSpaceAssignment(space.id, assignment.id, now)).data.roles, ["producer"]);
assert.equal((await qlik.spaces.deleteSpaceAssignment(space.id, assignment.id)).status, 204);
assert.deepEqual((await qlik.spaces.getSpaceTypes(now)).data.data, ["shared", "managed", "data"]);
assert.equal((await qlik.spaces.updateSpace(space.id, { description: "Ours" })).data.description, "Ours");
assert.equal((await qlik.spaces.getSpace(space.id, now)).data.description, "Ours");
assert.equal((await qlik.spaces.patchSpace(space.id, replace("/name", "Sales, all of it"))).data.name, "Sales, all of it");
assert.deepEqual((await qlik.spaces.getSpaces({ name: "ALL" }, now)).data.data.map((one) => one.id), [space.id]);
assert.equal((await qlik.spaces.deleteSpace(space.id)).status, 204);
const pair = generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } });
const provider = { protocol: "jwtAuth", provider: "external", options: { issuer: "https://id.example", staticKeys: [{ kid: "one", pem: pair.publicKey }] } };
const { data: idp } = await qlik.identityProviders.createIdp(provider);
assert.deepEqual([idp.active, idp.tenantIds], [true, [tenantId]]);
assert.equal((await qlik.identityProviders.patchIdp(idp.id, replace("/description", "Log in here"))).status, 204);
assert.equal((await qlik.identityProviders.getIdp(idp.id, now)).data.description, "Log in here");
assert.deepEqual((await qlik.identityProviders.getIdps({}, now)).data.data.map((one) => one.description), ["Log in here"]);
const clock = Math.floor(Date.now() / 1000);
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const claims = { iss: "https://id.example", aud: "qlik.api/login/jwt-session", sub: "auth0|ada", subType: "user", name: "Ada", email: "ada@example.com", email_verified: true, jti: randomUUID(), iat: clock, nbf: clock, exp: clock + 60 };
const unsigned = `${part({ alg: "RS256", kid: "one", typ: "JWT" })}.${part(claims)}`;
const jwt = `${unsigned}.${createSign("RSA-SHA256").update(unsigned).sign(pair.privateKey, "base64url")}`;
const login = await fetch(`https://${host}/login/jwt-session`, { method: "POST", headers: { authorization: `Bearer ${jwt}` } });
assert.equal(login.status, 200);
const cookie = login.headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
const inSession = (path, options = {}) => fetch(`https://${host}${path}`, { ...options, headers: { cookie, ...options.headers } });
const csrf = (await inSession("/api/v1/csrf-token")).headers.get("qlik-csrf-token");
assert.equal((await (await inSession("/api/v1/users/me")).json()).id, ada.id);
// She is no administrator: what matters is what is looked at first.
for (const [headers, status] of [[{}, 401], [{ "qlik-csrf-token": csrf }, 403]]) {
  assert.equal((await inSession("/api/v1/spaces", { method: "POST", headers, body: '{"name":"Hers","type":"shared"}' })).status, status);
}
assert.equal((await qlik.identityProviders.deleteIdp(idp.id)).status, 204);
const { data: own } = await qlik.oauthClients.createOAuthClient({ appType: "web", clientName: "Reader", allowedScopes: ["user_default"], connectionConfig: { consentMethod: "trusted" } });
const asReader = at(host, { clientId: own.clientId, clientSecret: own.clientSecret, scope: "user_default" });
const { data: reader } = await asReader.users.getMyUser();
assert.equal(reader.subject, `qlikbot\\${own.clientId}`);
assert.deepEqual((await qlik.oauthClients.getOAuthClients({ filter: 'appType eq "web"' }, now)).data.data.map((one) => one.clientName), ["Reader"]);
assert.equal((await qlik.oauthClients.patchOAuthClient(own.clientId, replace("/description", "Reads"))).status, 204);
assert.equal((await qlik.oauthClients.getOAuthClient(own.clientId, now)).data.description, "Reads");
assert.equal((await qlik.oauthClients.getOAuthClientConnectionConfig(own.clientId, now)).data.consentMethod, "trusted");
const another = (await qlik.oauthClients.createOAuthClientSecret(own.clientId)).data;
assert.equal((await qlik.oauthClients.deleteOAuthClientSecret(own.clientId, another.hint)).status, 204);
assert.equal((await qlik.oauthClients.publishOAuthClient(own.clientId)).status, 201);
const [token] = (await qlik.oauthTokens.getOauthTokens({ userId: reader.id }, now)).data.data;
assert.equal((await qlik.oauthTokens.deleteOauthToken(token.id)).status, 204);
assert.equal((await qlik.oauthClients.deleteOAuthClient(own.clientId)).status, 204);
await refused(qlik.oauthClients.getOAuthClient(own.clientId, now), 404);
step("made a space, an identity provider and a client, used them and removed them");

// ---- keys ---------------------------------------------------------------------------------------------------------
const expiry = [...replace("/max_api_key_expiry", "P30D"), ...replace("/max_keys_per_user", 2)];
assert.equal((await qlik.apiKeys.patchApiKeysConfig(tenantId, expiry)).status, 204);
const { data: limits } = await qlik.apiKeys.getApiKeysConfig(tenantId, now);
assert.deepEqual([limits.max_api_key_expiry, limits.max_keys_per_user], ["P30D", 2]);
await refused(qlik.apiKeys.createApiKey({ description: "The region's" }), 403);
const consent = replace("/consentMethod", "trusted");
assert.equal((await qlik.oauthClients.patchOAuthClientConnectionConfig(keyClient.clientId, consent)).status, 204);
const asBea = at(host, { ...keyClient, scope: "user_default", userId: bea.id });
assert.equal((await asBea.users.getMyUser()).data.id, bea.id);
const minted = await asBea.apiKeys.createApiKey({ description: "Bea's", expiry: "P7D" });
assert.deepEqual([minted.status, minted.data.sub, minted.data.status], [201, bea.id, "active"]);
await refused(asBea.apiKeys.createApiKey({ description: "Too long", expiry: "P31D" }), 400);
await refused(asBea.apiKeys.createApiKey({ description: "Another's", sub: cleo.id }), 403);
const second = await asBea.apiKeys.createApiKey({ description: "Her second" });
await refused(asBea.apiKeys.createApiKey({ description: "One too many" }), 403);
const withKey = createQlikApi({ hostConfig: { authType: "apikey", host, apiKey: minted.data.token } });
assert.equal((await withKey.users.getMyUser()).data.id, bea.id);
assert.equal((await withKey.apiKeys.patchApiKey(minted.data.id, replace("/description", "Bea's own"))).status, 204);
assert.equal((await withKey.apiKeys.getApiKey(minted.data.id, now)).data.description, "Bea's own");
const keys = await everything(withKey.apiKeys.getApiKeys({ sub: bea.id, limit: 1, sort: "+created" }, now));
assert.deepEqual(keys.map((key) => key.description), ["Bea's own", "Her second"]);
assert.ok(keys.every((key) => !("token" in key)));
// An administrator's request leaves the record; the owner's removes it.
assert.equal((await qlik.apiKeys.deleteApiKey(second.data.id)).status, 204);
assert.equal((await qlik.apiKeys.getApiKey(second.data.id, now)).data.status, "revoked");
assert.equal((await withKey.apiKeys.deleteApiKey(minted.data.id)).status, 204);
await refused(qlik.apiKeys.getApiKey(minted.data.id, now), 404);
await refused(withKey.users.getMyUser(now), 401);
step("minted as another person, used, described, listed, revoked and removed keys");

// ---- seats --------------------------------------------------------------------------------------------------------
const seats = await qlik.licenses.addLicenseAssignments({ add: [
  { subject: "auth0|ada", type: "professional" }, { subject: "auth0|bea", type: "analyzer" }, { subject: "auth0|cleo", type: "capacity" },
] });
assert.equal(seats.status, 207);
assert.deepEqual(seats.data.data.map((one) => one.status), [201, 201, 400]);
const moved = await qlik.licenses.updateLicenseAssignments({ update: [
  { subject: "auth0|bea", sourceType: "analyzer", type: "professional" }, { subject: "auth0|nobody", sourceType: "analyzer", type: "professional" },
] });
assert.deepEqual(moved.data.data.map((one) => [one.status, one.code]), [[200, undefined], [404, "LICENSES-016"]]);
const assigned = await everything(qlik.licenses.getLicenseAssignments({ limit: 1 }, now));
assert.deepEqual(assigned.map((one) => [one.subject, one.type]), [["auth0|ada", "professional"], ["auth0|bea", "professional"]]);
const left = await qlik.licenses.deleteLicenseAssignments({ delete: assigned.map(({ subject, type }) => ({ subject, type })) });
assert.deepEqual(left.data.data.map((one) => one.status), [200, 200]);
assert.equal((await qlik.licenses.updateLicenseSettings({ autoAssignAnalyzer: true })).status, 200);
assert.deepEqual((await qlik.licenses.getLicenseSettings(now)).data, { autoAssignAnalyzer: true, autoAssignProfessional: false });
assert.deepEqual((await qlik.licenses.getLicenseConsumption({}, now)).data.data, []);
step("gave, changed and took seats");

// ---- and away -----------------------------------------------------------------------------------------------------
assert.equal((await qlik.users.deleteUser(ada.id)).status, 204);
await refused(qlik.users.getUser(ada.id, {}, now), 404, "USERS-7");
for (const user of [bea, cleo]) assert.equal((await qlik.users.patchUser(user.id, replace("/assignedRoles", []))).status, 204);
assert.equal((await qlik.roles.deleteRole(role.id)).status, 204);
await refused(qlik.roles.getRole(role.id, now), 404);
// The types of this client have no header parameters; the vendor demands one.
await refused(register.tenants.deactivateTenant(tenantId, { purgeAfterDays: 10 }), 412);
const confirm = { headers: { "qlik-confirm-hostname": host } };
await refused(register.tenants.deactivateTenant(tenantId, { purgeAfterDays: 9 }, confirm), 400);
const gone = await register.tenants.deactivateTenant(tenantId, { purgeAfterDays: 10 }, confirm);
assert.deepEqual([gone.status, gone.data.id, gone.data.status], [200, tenantId, "disabled"]);
// The client takes the 401 for a token that has run out, asks for another, and is told the same.
await assert.rejects(qlik.tenants.getTenant(tenantId, now), (error) => error.errors[0].code === "TENANT_DISABLED");
const back = await register.tenants.reactivateTenant(tenantId, {}, confirm);
assert.deepEqual([back.status, back.data.status], [200, "active"]);
// It has kept the refusal in the place of a token, and would answer with it for ever.
const again = at(host, { ...admin, scope: "admin_classic", noCache: true });
assert.equal((await again.tenants.getTenant(tenantId, now)).data.status, "active");
assert.equal((await register.tenants.deactivateTenant(tenantId, {}, confirm)).status, 200);
step("removed what it made, and switched the tenant off, on and off");

// ---- the vendor's own types ---------------------------------------------------------------------------------------
held(readFileSync(process.argv[2], "utf8"), 60);
