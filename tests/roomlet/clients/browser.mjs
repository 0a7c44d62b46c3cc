// Headless Chromium, driven by lines of JSON: {"page": n, "run": "expression"} in, {"value": …} or {"error": …} out.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { findChromium } from './chromium.mjs';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required',
];
const say = (line) => console.log(JSON.stringify(line));

let browser;
try {
  browser = await chromium.launch({ executablePath: await findChromium(), headless: true, args: FLAGS });
} catch (error) {
  say({ missing: String(error.message).split('\n')[0] });
  process.exit(0);
}
const context = await browser.newContext({ permissions: ['microphone', 'camera'] });
const pages = [];
say({ ready: browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  try {
    if (asked.open) {
      const page = await context.newPage();
      page.on('pageerror', (error) => console.error(error.message));
      await page.goto(asked.open);
      pages.push(page);
      say({ value: pages.length - 1 });
    } else if (asked.close !== undefined) {
      await pages[asked.close].close({ runBeforeUnload: false });
      say({ value: null });
    } else {
      say({ value: (await pages[asked.page].evaluate(asked.run)) ?? null });
    }
  } catch (error) {
    say({ error: String(error.message) });
  }
}
await Promise.race([browser.close(), new Promise((done) => setTimeout(done, 2000))]);
process.exit(0);
