// In Node.js, Bun and Deno: the key and the address come from the environment.
import * as sdk from '@rymi/node';
import { everywhere } from './everywhere.mjs';

const seen = await everywhere(sdk, new sdk.Rymi(), process.argv[2]);
console.log(JSON.stringify({ runtime: runtime(), seen }));

function runtime() {
  if (globalThis.Bun) return `bun ${Bun.version}`;
  if (globalThis.Deno) return `deno ${Deno.version.deno}`;
  return `node ${process.versions.node}`;
}
