// The published schemas in JavaScript's usual validator: as it comes, and strict. Each takes an example and refuses a mistake.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const Ajv = require('ajv/dist/2020').default;
const formats = require('ajv-formats').default;

const [, , folder, plan] = process.argv;
const read = (name) => JSON.parse(readFileSync(name, 'utf8'));
const key = { description: 'CI', owner: { client: {} }, expires_in: 'P1D', deliver_to: 'files' };
const desired = (tenant) => ({ version: 1, qlik: { tenants: { acme: { account: 'us', ...tenant } } } });
const ledger = (more) => ({ version: 1, ledger: { kind: 'object-store', ...more } });
const sink = (path) => ({
  version: 1,
  sinks: { v: { kind: 'vault', address: 'https://v.example', mount: 'secret', token: { env: 'T' }, path } },
});
const cases = {
  desired: {
    takes: [desired({ display_name: '$5 Store, 100 %', api_keys: { ci: key } }), desired({ api_keys: { ci: { adopt: { key_id: 'a' } } } })],
    refuses: [
      desired({ display_name: '${NAME}' }), desired({ display_name: 'Acme ' }), desired({ alias: 'register' }),
      desired({ api_keys: { ci: { ...key, expires_in: 'P0D' } } }), desired({ api_keys: { ci: { description: 'CI' } } }),
    ],
  },
  settings: {
    takes: [
      ledger({ url: 's3://abc', region: 'eu-1' }), ledger({ url: 's3://abc', endpoint: 'https://s3.example' }),
      ledger({ url: 'az://abc', account: 'a' }), ledger({ url: 'gs://abc' }), sink('a/{vendor}/{tenant}/{key}'),
    ],
    refuses: [
      ledger({ url: 's3://abc' }), ledger({ url: 'az://abc' }), ledger({ url: 'gs://abc', region: 'eu-1' }),
      sink('{vendor}/{tenant}'), sink('{vendor}/{tenant}/{key}/{key}'),
      { version: 1, ledger: { kind: 'directory', path: '~/ledger' } },
    ],
  },
  plan: { takes: [read(plan)], refuses: [{}] },
};
for (const [name, { takes, refuses }] of Object.entries(cases)) {
  for (const options of [{}, { strict: true }]) {
    const ajv = new Ajv(options);
    formats(ajv);
    const valid = ajv.compile(read(`${folder}/${name}.v1.json`));
    for (const document of takes) {
      if (!valid(document)) throw new Error(`${name}: ${JSON.stringify(document)} is refused: ${ajv.errorsText(valid.errors)}`);
    }
    for (const document of refuses) {
      if (valid(document)) throw new Error(`${name}: ${JSON.stringify(document)} is taken`);
    }
  }
}
// Whoever forgets a key's parts is told of those, not of `adopt`: the form that is made stands first.
const ajv = new Ajv();
formats(ajv);
const valid = ajv.compile(read(`${folder}/desired.v1.json`));
valid(desired({ api_keys: { ci: { description: 'CI' } } }));
if (valid.errors[0].params.missingProperty !== 'owner') throw new Error(`the first error is ${JSON.stringify(valid.errors[0])}`);
