// What @octokit/rest makes of the stand-in: of_octokit.mjs MODULE URL TOKEN NAME SEALED.
import assert from "node:assert/strict";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [module, baseUrl, auth, delivered, sealed] = process.argv.slice(2);
const { Octokit } = await import(pathToFileURL(path.join(module, "dist-src/index.js")));
const log = { debug() {}, info() {}, warn() {}, error() {} };
const octokit = new Octokit({ baseUrl, auth, log });
const at = { owner: "acme", repo: "deploy" };
const refused = (status, says, call) =>
  assert.rejects(call, (error) => error.status === status && error.message.includes(says));

const { data: key } = await octokit.actions.getRepoPublicKey(at);
assert.equal(Buffer.from(key.key, "base64").length, 32);
const found = await octokit.actions.getRepoSecret({ ...at, secret_name: delivered.toLowerCase() });
assert.deepEqual(Object.keys(found.data).sort(), ["created_at", "name", "updated_at"]);
assert.equal(found.data.name, delivered);
const secret = { ...at, secret_name: "of_octokit", encrypted_value: sealed, key_id: key.key_id };
assert.equal((await octokit.actions.createOrUpdateRepoSecret(secret)).status, 201);
assert.equal((await octokit.actions.createOrUpdateRepoSecret(secret)).status, 204);
const names = (await octokit.actions.listRepoSecrets(at)).data.secrets.map(({ name }) => name);
assert.ok(names.includes("OF_OCTOKIT"), names);
await refused(404, "Not Found", octokit.actions.getRepoSecret({ ...at, secret_name: "NOT_THERE" }));
await refused(404, "Not Found", octokit.actions.getRepoPublicKey({ ...at, repo: "other" }));
await refused(422, "key_id", octokit.actions.createOrUpdateRepoSecret({ ...secret, key_id: "1" }));
await refused(422, "alphanumeric", octokit.actions.createOrUpdateRepoSecret({ ...secret, secret_name: "GITHUB_X" }));
await refused(422, "alphanumeric", octokit.actions.createOrUpdateRepoSecret({ ...secret, secret_name: "1_X" }));

const inEnvironment = { ...at, environment_name: "production" };
const { data: ofEnvironment } = await octokit.actions.getEnvironmentPublicKey(inEnvironment);
assert.notEqual(ofEnvironment.key, key.key);
await refused(404, "Not Found", octokit.actions.getEnvironmentPublicKey({ ...at, environment_name: "staging" }));
await refused(422, "opened", octokit.actions.createOrUpdateEnvironmentSecret({ ...inEnvironment, secret_name: "X", encrypted_value: "AAAA", key_id: ofEnvironment.key_id }));
const { data: ofOrganization } = await octokit.actions.getOrgPublicKey({ org: "acme" });
await refused(422, "visibility", octokit.actions.createOrUpdateOrgSecret({ org: "acme", secret_name: "X", encrypted_value: sealed, key_id: ofOrganization.key_id }));
await octokit.actions.deleteRepoSecret({ ...at, secret_name: "NOT_THERE" }).then(assert.fail, (error) => assert.equal(error.status, 404));
await refused(401, "Bad credentials", new Octokit({ baseUrl, auth: "nobodys", log }).actions.getRepoPublicKey(at));
