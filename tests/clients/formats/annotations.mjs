// Writes the annotations of a file, before they were escaped, with GitHub's own toolkit.
import { readFileSync } from 'node:fs';
import * as core from '@actions/core';

const write = { error: core.error, warning: core.warning, notice: core.notice };
for (const { level, title, message, at } of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  const place = at ? { file: at.file, startLine: at.line, startColumn: at.column } : {};
  write[level](message, { title, ...place });
}
