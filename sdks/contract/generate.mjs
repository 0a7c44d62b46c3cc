// Writes the types of @rymi/node from the API's document. `--check` refuses types that are not of this document.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const DOCUMENT = JSON.parse(readFileSync(here('openapi.json'), 'utf8'));
const TARGET = here('../node/src/contract.ts');
const HEAD = '// Generated from sdks/contract/openapi.json by sdks/contract/generate.mjs. Never edited.\n';

const key = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
const indented = (text) => text.replaceAll('\n', '\n  ');
const comment = (text) => (text ? `/** ${text.replaceAll('*/', '*\\/').replaceAll('\n', ' ')} */\n` : '');

function fields(schema) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties).map(([name, field]) => {
    const optional = required.has(name) ? '' : '?';
    return indented(`\n${comment(field.description)}${key(name)}${optional}: ${type(field)};`);
  });
}

function type(schema) {
  if (schema === undefined || schema === true) return 'unknown';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map(type))].join(' | ');
  if (schema.allOf) return schema.allOf.map(type).join(' & ');
  if (Array.isArray(schema.type)) return schema.type.map((each) => type({ ...schema, type: each })).join(' | ');
  return plain(schema);
}

function plain(schema) {
  if (schema.type === 'array') {
    const item = type(schema.items);
    return item.includes(' ') ? `Array<${item}>` : `${item}[]`;
  }
  if (schema.type === 'object' && schema.properties) return `{${fields(schema).join('')}\n}`;
  if (schema.type === 'object' || schema.additionalProperties) {
    return `Record<string, ${typeof schema.additionalProperties === 'object' ? type(schema.additionalProperties) : 'unknown'}>`;
  }
  const known = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean', null: 'null' };
  return known[schema.type] ?? 'unknown';
}

function declaration([name, schema]) {
  const head = comment(schema.description);
  if (schema.type === 'object' && schema.properties) return `${head}export interface ${name} {${fields(schema).join('')}\n}\n`;
  return `${head}export type ${name} = ${type(schema)};\n`;
}

const operations = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([, operation]) => !operation.deprecated)
    .map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
);

function answer(operation) {
  const types = Object.entries(operation.responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([, response]) => type(response.content?.['application/json']?.schema));
  return [...new Set(types)].join(' | ');
}

function inQuery(operation) {
  const found = (operation.parameters ?? []).filter((each) => each.in === 'query');
  const listed = found.map(
    (each) => `\n      ${comment(each.description).trim()}${each.description ? '\n      ' : ''}${key(each.name)}${each.required ? '' : '?'}: ${type(each.schema)};`,
  );
  return found.length ? `{${listed.join('')}\n    }` : 'undefined';
}

function described(operation) {
  const body = operation.requestBody;
  const sent = body ? type(body.content['application/json'].schema) + (body.required ? '' : ' | undefined') : 'undefined';
  return `  ${comment(operation.summary).trim()}
  ${operation.operationId}: {
    query: ${inQuery(operation)};
    body: ${sent};
    answer: ${answer(operation)};
  };
`;
}

// An operation takes an Idempotency-Key where the document says what a used one gets.
const row = (each) => `  ${each.operationId}: ['${each.method}', '${each.path}', ${'422' in each.responses}],\n`;

function codes() {
  const found = new Set();
  for (const operation of operations) {
    for (const [status, response] of Object.entries(operation.responses)) {
      if (status.startsWith('2')) continue;
      for (const each of Object.values(response.content?.['application/json']?.examples ?? {})) found.add(each.value.code);
    }
  }
  return [...found].sort();
}

const written = [
  HEAD,
  ...Object.entries(DOCUMENT.components.schemas).map(declaration),
  `/** What each operation is asked with and answers. */\nexport interface Operations {\n${operations.map(described).join('')}}\n`,
  `/** Method, path, and whether an \`Idempotency-Key\` makes it safe to send again. */\nexport const OPERATIONS = {\n${operations.map(row).join('')}} as const;\n`,
  `/** Codes of refusals that the API's document names. */\nexport type DocumentedCode =\n${codes().map((code) => `  | '${code}'`).join('\n')};\n`,
].join('\n');

if (process.argv.includes('--check')) {
  let committed = '';
  try {
    committed = readFileSync(TARGET, 'utf8');
  } catch (missing) {
    if (missing.code !== 'ENOENT') throw missing;
  }
  if (committed !== written) {
    console.error('sdks/node/src/contract.ts is not of this openapi.json: run `make sdks`.');
    process.exit(1);
  }
} else {
  writeFileSync(TARGET, written);
}
