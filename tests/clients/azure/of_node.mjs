// What Microsoft's clients make of the stand-in: of_node.mjs VAULT TENANT CLIENT SECRET TOKEN_FILE NAME. Prints the value of the secret NAME, for
// whoever compares it.
import assert from "node:assert/strict";
import { ClientSecretCredential, ManagedIdentityCredential, WorkloadIdentityCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";

const [vault, tenant, client, secret, tokenFilePath, delivered] = process.argv.slice(2);
// A stand-in is on no host of Azure's, and is in no list of clouds.
const entra = { authorityHost: vault, disableInstanceDiscovery: true };
const options = { disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 } };
const clientOf = (credential) => new SecretClient(vault, credential, options);
const secrets = clientOf(new ClientSecretCredential(tenant, client, secret, entra));

async function refused(status, code, call) {
    await assert.rejects(call, (refusal) => {
        assert.equal(refusal.statusCode, status);
        assert.match(JSON.stringify(refusal.details), new RegExp(`"${code}"`));
        return true;
    });
}

const expiresOn = new Date("2027-02-15T08:00:00Z");
const first = await secrets.setSecret("of-node", "one", { tags: { team: "data" }, contentType: "text/plain", expiresOn });
assert.deepEqual([first.value, first.properties.tags.team, first.properties.expiresOn], ["one", "data", expiresOn]);
// Nothing is compared: the same request again is another version, and what was before stays.
const second = await secrets.setSecret("of-node", "two");
assert.notEqual(second.properties.version, first.properties.version);
assert.equal((await secrets.getSecret("of-node")).value, "two");
assert.equal((await secrets.getSecret("of-node", { version: first.properties.version })).value, "one");
const versions = [];
for await (const version of secrets.listPropertiesOfSecretVersions("of-node")) versions.push(version.version);
assert.deepEqual(versions.sort(), [first, second].map((one) => one.properties.version).sort());
assert.equal(second.properties.tags, undefined, "tags are of a version");

await secrets.updateSecretProperties("of-node", second.properties.version, { enabled: false, tags: { team: "x" } });
await refused(403, "SecretDisabled", () => secrets.getSecret("of-node"));
await secrets.updateSecretProperties("of-node", second.properties.version, { enabled: true });
assert.equal((await secrets.getSecret("of-node")).properties.tags.team, "x");

const deleted = await (await secrets.beginDeleteSecret("of-node", { intervalInMs: 1 })).pollUntilDone();
assert.ok(deleted.scheduledPurgeDate > new Date());
await refused(404, "SecretNotFound", () => secrets.getSecret("of-node"));
await refused(409, "ObjectIsDeletedButRecoverable", () => secrets.setSecret("of-node", "three"));
await (await secrets.beginRecoverDeletedSecret("of-node", { intervalInMs: 1 })).pollUntilDone();
assert.equal((await secrets.getSecret("of-node")).value, "two");
await (await secrets.beginDeleteSecret("of-node", { intervalInMs: 1 })).pollUntilDone();
await secrets.purgeDeletedSecret("of-node");
await refused(404, "SecretNotFound", () => secrets.getDeletedSecret("of-node"));
await refused(400, "BadParameter", () => secrets.setSecret("no_name", "one"));

const identities = [
    new WorkloadIdentityCredential({ tenantId: tenant, clientId: client, tokenFilePath, ...entra }),
    new ManagedIdentityCredential(),
];
const values = [];
for (const identity of identities) values.push((await clientOf(identity).getSecret(delivered)).value);
assert.equal(values[0], values[1]);
await assert.rejects(
    () => clientOf(new ClientSecretCredential(tenant, client, "wrong", entra)).getSecret(delivered),
    /AADSTS7000215/,
);
process.stdout.write(values[0]);
