// A server that gives its page calls, and hears from Rymi what became of them.
//
//     npm install @rymi/node
//     RYMI_API_KEY=rymi_… RYMI_AGENT=… RYMI_WEBHOOK_SECRET=… node server.mjs
//
// Then open http://localhost:3000. `RYMI_BASE_URL` says where Rymi is, unless it is on this machine.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Rymi, RymiError, SignatureRefused } from '@rymi/node';

const rymi = new Rymi();
const { RYMI_AGENT, RYMI_WEBHOOK_SECRET, RYMI_BASE_URL = 'http://localhost:8000', PORT = '3000' } = process.env;
const MOST_BYTES = 1_000_000;

/** The page: it takes the SDK from where Rymi serves it. */
async function page() {
  const html = await readFile(new URL('page.html', import.meta.url), 'utf8');
  return { status: 200, type: 'text/html', body: html.replaceAll('{{RYMI}}', RYMI_BASE_URL) };
}

/** A call for one visitor. Decide here who may have one: your key pays for it. */
async function newCall() {
  const call = await rymi.calls.create({
    agent_id: RYMI_AGENT,
    participants: [{ transport: 'webrtc', identity: `visitor-${crypto.randomUUID()}` }],
  });
  return { status: 201, body: call.participants[0].access };
}

/** What Rymi tells. Only what it signed is believed, and only the bytes that came are what it signed. */
async function webhook(request) {
  const raw = await bytes(request);
  const event = rymi.webhooks.verifySignature(
    raw, request.headers['x-rymi-signature'], request.headers['x-rymi-timestamp'], RYMI_WEBHOOK_SECRET,
  );
  console.log(event.type, event.data.call_id);
  return { status: 204 };
}

async function bytes(request) {
  const parts = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > MOST_BYTES) throw new SignatureRefused('body_unreadable', 'The body is too large');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const routes = { 'GET /': page, 'POST /calls': newCall, 'POST /webhooks': webhook };

const server = createServer(async (request, response) => {
  let answer;
  try {
    const route = routes[`${request.method} ${request.url}`];
    answer = route ? await route(request) : { status: 404, body: { error: 'There is no such path.' } };
  } catch (error) {
    if (!(error instanceof RymiError)) throw error;
    console.error(error.code, error.message);
    answer = { status: error instanceof SignatureRefused ? 400 : 502, body: { code: error.code } };
  }
  const { status, type = 'application/json', body } = answer;
  response.writeHead(status, { 'Content-Type': type }).end(type === 'application/json' ? body && JSON.stringify(body) : body);
});
server.listen(Number(PORT), () => console.log(`http://localhost:${server.address().port}`));
