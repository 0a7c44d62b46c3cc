// Builds what is published: for each package ESM and CJS as one file each, and the types of both.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const TSC = here('node_modules/typescript/bin/tsc');
const LICENSE = here('../LICENSE');
const only = process.argv[2];

async function packaged(name, entries, external, target) {
  const dist = here(`${name}/dist`);
  rmSync(dist, { recursive: true, force: true });
  execFileSync(process.execPath, [TSC, '-p', here(name), '--emitDeclarationOnly'], { stdio: 'inherit' });
  cpSync(`${dist}/esm`, `${dist}/cjs`, { recursive: true });
  const from = entries.map((entry) => here(`${name}/src/${entry}.ts`));
  const both = { entryPoints: from, bundle: true, target, external, platform: 'neutral', legalComments: 'none', logLevel: 'warning' };
  // Entries of one package share their parts, or two copies of a class would not know each other.
  await build({ ...both, format: 'esm', splitting: entries.length > 1, outdir: `${dist}/esm`, minifySyntax: true, minifyWhitespace: name === 'web' });
  for (const entry of from) {
    await build({ ...both, entryPoints: [entry], external: [...external, './index.js'], format: 'cjs', outdir: `${dist}/cjs`, minifySyntax: true });
  }
  writeFileSync(`${dist}/cjs/package.json`, '{"type":"commonjs"}\n');
  cpSync(LICENSE, here(`${name}/LICENSE`));
}

async function script() {
  const options = { entryPoints: [here('web/src/script.ts')], bundle: true, minify: true, legalComments: 'none', logLevel: 'warning' };
  await build({ ...options, format: 'iife', target: 'es2022', outfile: here('web/dist/rymi.js') });
}

// The page that `rymi api` serves is committed as built, so that nobody needs a build to run a server.
async function talkPage() {
  execFileSync(process.execPath, [TSC, '-p', here('talk')], { stdio: 'inherit' });
  // It takes the SDK from its script build: only types of it are imported.
  const site = process.env.RYMI_TALK_SITE ?? here('../src/rymi_server/http/talk/site');
  mkdirSync(site, { recursive: true });
  const options = { entryPoints: [here('talk/talk.ts')], bundle: true, minify: true, legalComments: 'none' };
  await build({ ...options, format: 'iife', target: 'es2022', outfile: `${site}/talk.js`, logLevel: 'warning' });
  for (const name of ['index.html', 'talk.css', 'icon.svg']) cpSync(here(`talk/${name}`), `${site}/${name}`);
  cpSync(here('web/dist/rymi.js'), `${site}/rymi.js`);
}

if (only !== 'web') await packaged('node', ['index'], [], 'es2022');
if (only !== 'node') {
  await packaged('web', ['index', 'element'], ['livekit-client'], 'es2022');
  await script();
}
if (!only) await talkPage();
