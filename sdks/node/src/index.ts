/** The Rymi API for servers: `new Rymi()`, and everything else hangs from it. */
import { Analytics, Billing, Dnc, Keys, Numbers, Telephony, Webhooks } from './account.js';
import { Agents } from './agents.js';
import { Calls } from './calls.js';
import { WrongUsage } from './errors.js';
import { Http, type Transport } from './http.js';
import { backoff, type Clock, type RetryPolicy, systemClock } from './retries.js';

export * from './errors.js';
export type * from './contract.js';
export type { OnePhone } from './calls.js';
export type { RequestOptions, Transport } from './http.js';
export type { LiveEvent, StreamOptions } from './live.js';
export { Pages } from './pages.js';
export { backoff, never, type Clock, type RetryPolicy } from './retries.js';
export { sign, verifySignature, type Verification, type WebhookEvent } from './signatures.js';

export interface RymiOptions {
  /** `RYMI_API_KEY` otherwise. */
  apiKey?: string;
  /** Where your Rymi is: `RYMI_BASE_URL` otherwise, else `http://localhost:8000`, where `make up` puts it. */
  baseURL?: string;
  transport?: Transport;
  clock?: Clock;
  retry?: RetryPolicy;
  /** For each attempt: 30 seconds unless you say otherwise. */
  timeoutMs?: number;
}

const ON_THIS_MACHINE = 'http://localhost:8000';
const TIMEOUT_MS = 30_000;

export class Rymi {
  readonly calls: Calls;
  readonly agents: Agents;
  readonly numbers: Numbers;
  readonly telephony: Telephony;
  readonly keys: Keys;
  readonly dnc: Dnc;
  readonly billing: Billing;
  readonly webhooks: Webhooks;
  readonly analytics: Analytics;

  constructor(options: RymiOptions = {}) {
    const http = new Http({
      apiKey: usable(options.apiKey ?? fromEnvironment('RYMI_API_KEY')),
      baseURL: base(options.baseURL ?? fromEnvironment('RYMI_BASE_URL') ?? ON_THIS_MACHINE),
      transport: options.transport ?? ((url, init) => fetch(url, init)),
      clock: options.clock ?? systemClock,
      retry: options.retry ?? backoff(),
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    });
    this.calls = new Calls(http);
    this.agents = new Agents(http);
    this.numbers = new Numbers(http);
    this.telephony = new Telephony(http);
    this.keys = new Keys(http);
    this.dnc = new Dnc(http);
    this.billing = new Billing(http);
    this.webhooks = new Webhooks(http);
    this.analytics = new Analytics(http);
  }
}

function fromEnvironment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name] || undefined;
}

function usable(key: string | undefined): string {
  if (!key) throw new WrongUsage('missing_api_key', 'Give an apiKey, or set RYMI_API_KEY');
  if (!/^[\x21-\x7e]+$/.test(key)) throw new WrongUsage('wrong_api_key', 'The API key holds characters that no key has');
  const publishable = key.startsWith('sb_publishable_') || key.startsWith('rymi_pk_');
  if (!publishable && 'document' in globalThis) {
    throw new WrongUsage('secret_key_in_browser', 'Everybody can read a secret key that is on a page; use a publishable one and @rymi/web');
  }
  return key;
}

/** Without a slash or a `/v1` at its end, which the paths bring. */
function base(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new WrongUsage('wrong_base_url', `Not a URL: ${JSON.stringify(url)}`);
  }
  if (!/^https?:$/.test(parsed.protocol) || parsed.search || parsed.hash || parsed.username) {
    throw new WrongUsage('wrong_base_url', `The base URL is http(s)://host[:port][/path], not ${JSON.stringify(url)}`);
  }
  return (parsed.origin + parsed.pathname).replace(/\/+$/, '').replace(/\/v1$/, '');
}
