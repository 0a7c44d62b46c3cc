/** An API that answers what a test says, a clock that never waits, and a note of all that was asked and slept. */
import { backoff, type Clock, Rymi, type RymiOptions } from '../src/index.js';

export type Turn = Response | Error | ((url: string, init: RequestInit) => Response | Promise<Response>);

export const ok = (body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status: 200, headers: { 'content-type': 'application/json', ...headers } });

export const refused = (status: number, code: string, more: object = {}, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ error: `no: ${code}`, code, ...more }), {
    status,
    headers: { 'content-type': 'application/json', 'x-request-id': 'req_1', ...headers },
  });

export class Asked {
  constructor(readonly url: string, readonly init: RequestInit) {}

  header(name: string): string | null {
    return new Headers(this.init.headers).get(name);
  }

  get path(): string {
    const url = new URL(this.url);
    return url.pathname + url.search;
  }

  get body(): unknown {
    return this.init.body === undefined ? undefined : JSON.parse(String(this.init.body));
  }
}

export function scripted(turns: Turn[], options: RymiOptions = {}) {
  const asked: Asked[] = [];
  const slept: number[] = [];
  const clock: Clock = {
    now: () => 1_000_000,
    sleep: async (milliseconds) => void slept.push(milliseconds),
  };
  const transport = async (url: string, init: RequestInit): Promise<Response> => {
    asked.push(new Asked(url, init));
    const turn = turns.shift();
    if (turn === undefined) throw new Error(`nothing was scripted for ${init.method} ${url}`);
    if (turn instanceof Error) throw turn;
    return typeof turn === 'function' ? turn(url, init) : turn;
  };
  const retry = backoff({ random: () => 1 });
  const rymi = new Rymi({ apiKey: 'rymi_test', baseURL: 'https://rymi.test', transport, clock, retry, ...options });
  return { rymi, asked, slept };
}
