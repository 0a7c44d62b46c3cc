// Headless Chromium for the SDKs: lines of JSON in ({"page": n, "call": "click", "arguments": […]}), {"value"|"error"} out.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { findChromium } from '../roomlet/clients/chromium.mjs';

const { chromium } = createRequire(new URL('../roomlet/clients/package.json', import.meta.url))('playwright-core');
const { voice, denies } = JSON.parse(process.argv[2] ?? '{}');
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream',
  // Answers for the person who is asked for the microphone.
  `--use-fake-ui-for-media-stream${denies ? '=deny' : ''}`,
  '--autoplay-policy=no-user-gesture-required', ...(voice ? [`--use-file-for-fake-audio-capture=${voice}`] : []),
];
const say = (line) => console.log(JSON.stringify(line));
const known = { pages: [], problems: [] };

async function open({ url, ...context }) {
  const permissions = ['clipboard-read', 'clipboard-write', ...(denies ? [] : ['microphone'])];
  const made = await browser.newContext({ permissions, ...context });
  const page = await made.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => known.problems.push(error.message));
  page.on('console', (line) => line.type() === 'error' && known.problems.push(line.text()));
  await page.goto(url);
  known.pages.push(page);
  return known.pages.length - 1;
}

// Not playwright's waitForFunction, which pages with a content security policy refuse.
async function until(page, condition, end) {
  while (!(await page.evaluate(condition))) {
    if (Date.now() > end) throw new Error('it never was');
    await new Promise((soon) => setTimeout(soon, 50));
  }
}

async function answer(asked) {
  if (asked.open) return open(asked.open);
  if (asked.problems) return known.problems.splice(0);
  const page = known.pages[asked.page];
  if (asked.run) return (await page.evaluate(asked.run)) ?? null;
  if (asked.until) return until(page, asked.until, Date.now() + asked.seconds * 1000);
  if (asked.press) return void (await page.keyboard.press(asked.press));
  if (asked.close) return void (await page.context().close());
  const value = await page[asked.call](...asked.arguments);
  return typeof value === 'string' ? value : null;
}

let browser;
try {
  browser = await chromium.launch({ executablePath: await findChromium(), headless: true, args: FLAGS });
} catch (error) {
  say({ missing: String(error.message).split('\n')[0] });
  process.exit(0);
}
say({ ready: browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    say({ value: (await answer(JSON.parse(line))) ?? null });
  } catch (error) {
    say({ error: String(error.message) });
  }
}
await Promise.race([browser.close(), new Promise((done) => setTimeout(done, 2000))]);
process.exit(0);
