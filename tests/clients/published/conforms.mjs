// Holds answers of the sandbox to the vendor's own types, those of @qlik/api: what was seen of each operation that the package has, and
// that every operation which docs/sandbox.md calls served was seen to succeed.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import Ajv from "ajv";
import { createGenerator } from "ts-json-schema-generator";

const seen = [];

/** From here on every answer is kept. */
export function watch() {
  const real = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const answer = await real(input, init);
    const request = input instanceof Request ? input : { url: String(input), method: init?.method };
    const method = (init?.method ?? request.method ?? "GET").toUpperCase();
    const kept = { method, path: new URL(request.url).pathname, status: answer.status, text: await answer.clone().text() };
    seen.push(kept);
    return answer;
  };
}

const home = dirname(createRequire(import.meta.url).resolve("@qlik/api"));
const shape = (path) => path.replace(/\{[^}]*\}/g, "{}");
const fits = (template, path) => new RegExp(`^${template.replace(/\{[^}]*\}/g, "[^/]+")}$`).test(path);

/** What a service's package says: method, path, and the types of its answers by status. */
function operations(service) {
  const [program, types] = ["js", "d.ts"].map((end) => readFileSync(join(home, `${service}.${end}`), "utf8"));
  const data = new Map();
  for (const [, name, body] of types.matchAll(/export type (\w+Http(?:Response|Error)) = \{\n([\s\S]*?)\n\};/g)) {
    const type = body.match(/^ {2}data: (.*);$/m)?.[1];
    const statuses = body.match(/^ {2}status: (.*);$/m)?.[1];
    data.set(name, { type, statuses: statuses?.split(" | ") ?? [] });
  }
  const alternatives = new Map();
  for (const [, name, names] of types.matchAll(/export type (\w+HttpResponse) = (\w+Http\w+(?: \| \w+Http\w+)+);/g)) alternatives.set(name, names.split(" | "));
  const found = [];
  const pattern = /async function (\w+)\((?:(?!async function)[\s\S])*?method: "(\w+)",\s*pathTemplate: "([^"]+)"/g;
  for (const [, name, method, path] of program.matchAll(pattern)) {
    const response = types.match(new RegExp(`declare function ${name}\\([\\s\\S]*?Promise<(\\w+)>;`))?.[1];
    if (!response) continue;
    const names = [...(alternatives.get(response) ?? [response]), response.replace(/HttpResponse$/, "HttpError")];
    found.push({ service, name, method: method.toUpperCase(), path, answers: names.map((one) => data.get(one)).filter((one) => one?.type) });
  }
  return found;
}

/** The schemas of a service's answers, by the name of their type. */
function schemas(service, types) {
  const folder = mkdtempSync(join(home, ".answers-"));
  try {
    const names = [...new Set(types.flatMap((type) => type.match(/\b[A-Z]\w*/g) ?? []))];
    const aliases = types.map((type, at) => `export type Answer${at} = ${type};`);
    const file = join(folder, "answers.ts");
    writeFileSync(file, `import type { ${names.join(", ")} } from "../${service}.js";\n${aliases.join("\n")}\n`);
    const config = { path: file, type: "*", skipTypeCheck: true, additionalProperties: true, functions: "hide", expose: "all", topRef: true };
    const tsconfig = join(folder, "tsconfig.json");
    const options = { target: "es2022", module: "nodenext", moduleResolution: "nodenext", strict: true, lib: ["es2022", "dom"], types: [] };
    writeFileSync(tsconfig, JSON.stringify({ compilerOptions: options, files: ["answers.ts"] }));
    return createGenerator({ ...config, tsconfig }).createSchema("*");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Every answer against its type. Answers what is wrong, line by line, and how much was looked at. */
export function judge(page) {
  const rows = [...page.matchAll(/^\| (tenant|register) \| `(\w+) (\/api\/v1\/[^`]+)` \| (\d[^|]*) \|/gm)].map(([, , method, path]) => ({ method, path }));
  const services = [...new Set(rows.map((row) => row.path.split("/")[3]))].filter((service) => readdirSync(home).includes(`${service}.d.ts`));
  const faults = [];
  let answers = 0, succeeded = 0;
  for (const service of services) {
    const known = operations(service);
    const types = [...new Set(known.flatMap((one) => one.answers.map((answer) => answer.type)))].filter((type) => !["void", "unknown"].includes(type) && !type.startsWith("Downloadable"));
    const schema = schemas(service, types);
    const ajv = new Ajv({ strict: false, allErrors: true });
    ajv.addSchema(schema, "all");
    for (const operation of known) {
      if (!rows.some((row) => row.method === operation.method && shape(row.path) === shape(operation.path))) continue;
      const mine = seen.filter((one) => one.method === operation.method && fits(operation.path, one.path) && best(known, one)?.path === operation.path);
      if (!mine.some((one) => one.status < 400)) faults.push(`${operation.method} ${operation.path}: served, and never seen to succeed (${operation.name})`);
      else succeeded += 1;
      for (const one of mine) {
        const type = operation.answers.find((answer) => answer.statuses.includes(String(one.status)))?.type ?? (one.status < 400 ? undefined : operation.answers.at(-1)?.type);
        if (type === undefined) faults.push(`${operation.method} ${one.path}: ${one.status} is no status of ${operation.name}`);
        answers += 1;
        const at = types.indexOf(type);
        if (at < 0) continue;
        const check = ajv.getSchema(`all#/definitions/Answer${at}`);
        if (!check(JSON.parse(one.text))) faults.push(`${operation.method} ${one.path} ${one.status}: not ${type}: ${ajv.errorsText(check.errors)}`);
      }
    }
  }
  return { faults: [...new Set(faults)], answers, succeeded, services };
}

/** `…/settings` is no `…/{id}`. */
function best(known, one) {
  const fitting = known.filter((operation) => operation.method === one.method && fits(operation.path, one.path));
  const named = (operation) => operation.path.split("/").filter((part) => !part.startsWith("{")).length;
  return fitting.sort((a, b) => named(b) - named(a))[0];
}

export function held(page, least) {
  const { faults, answers, succeeded, services } = judge(page);
  assert.deepEqual(faults, [], faults.join("\n"));
  assert.ok(succeeded >= least, `${succeeded} operations`);
  console.log(`@qlik/api: ${answers} answers of ${succeeded} operations (${services.join(", ")}) are what its types say`);
}
