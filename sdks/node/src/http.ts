/** Asks the API: one operation in, its answer or one typed error out. Knows nothing of what is asked. */
import { OPERATIONS, type Operations } from './contract.js';
import { Aborted, ApiError, ConnectionFailed, TimedOut, UnexpectedAnswer, WrongUsage } from './errors.js';
import { type Clock, mayRepeat, type RetryPolicy } from './retries.js';

/** Sends a request: `fetch`, or whatever stands in for it. */
export type Transport = (url: string, init: RequestInit) => Promise<Response>;

export interface RequestOptions {
  signal?: AbortSignal;
  /** For each attempt. */
  timeoutMs?: number;
  /** Made for you where the operation takes one. Give your own to make a retry of *yours* safe, too. */
  idempotencyKey?: string;
  retry?: RetryPolicy;
}

export interface Surroundings {
  readonly baseURL: string;
  readonly apiKey: string;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
}

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body?: string;
  readonly headers: Record<string, string>;
}

type Name = keyof Operations;
type Values = Record<string, unknown> | undefined;

export class Http {
  constructor(private readonly here: Surroundings) {}

  get clock(): Clock {
    return this.here.clock;
  }

  get retry(): RetryPolicy {
    return this.here.retry;
  }

  async ask<N extends Name>(
    name: N,
    given: { path?: Record<string, string>; query?: Operations[N]['query']; body?: Operations[N]['body'] },
    options: RequestOptions = {},
  ): Promise<Operations[N]['answer']> {
    const [method, path, takesKey] = OPERATIONS[name];
    const headers: Record<string, string> = { ...this.headers(), Accept: 'application/json' };
    const hasBody = given.body !== undefined;
    if (hasBody) headers['Content-Type'] = 'application/json';
    const key = options.idempotencyKey ?? (takesKey ? newKey() : undefined);
    if (key !== undefined) headers['Idempotency-Key'] = key;
    const repeatable = method === 'GET' || method === 'PUT' || (takesKey && key !== undefined);
    const asked = { method, url: this.url(fill(path, given.path ?? {}), given.query as Values), headers, ...(hasBody && { body: JSON.stringify(given.body) }) };
    return this.repeated(asked, repeatable, options) as Promise<Operations[N]['answer']>;
  }

  headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.here.apiKey}`, 'User-Agent': 'rymi-node/0.1.0' };
  }

  url(path: string, query: Values = undefined): string {
    const url = new URL(this.here.baseURL + path);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
    }
    return url.href;
  }

  /** The response of one attempt whose headers came in time; its body may still be on the way. */
  async send(asked: Asked, signal: AbortSignal | undefined, timeoutMs = this.here.timeoutMs): Promise<Sent> {
    if (signal?.aborted) throw new Aborted(signal.reason);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), timeoutMs);
    const pass = () => stop.abort(signal?.reason);
    signal?.addEventListener('abort', pass);
    const why = (cause: unknown) => {
      if (signal?.aborted) return new Aborted(signal.reason);
      return stop.signal.aborted ? new TimedOut(asked.url, timeoutMs) : new ConnectionFailed(asked.url, cause);
    };
    const release = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', pass);
    };
    try {
      const response = await this.here.transport(asked.url, {
        method: asked.method,
        headers: asked.headers,
        redirect: 'manual',
        signal: stop.signal,
        ...(asked.body !== undefined && { body: asked.body }),
      });
      return { response, why, inTime: () => clearTimeout(timer), release };
    } catch (cause) {
      release();
      throw why(cause);
    }
  }

  private async repeated(asked: Asked, repeatable: boolean, options: RequestOptions): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once(asked, options);
      } catch (error) {
        if (!mayRepeat(error, repeatable)) throw error;
        const retryAfterMs = error instanceof ApiError ? error.retryAfterMs : null;
        const wait = (options.retry ?? this.here.retry)({ attempt, error, retryAfterMs });
        if (wait === null) throw error;
        await this.here.clock.sleep(wait, options.signal);
        if (options.signal?.aborted) throw new Aborted(options.signal.reason);
      }
    }
  }

  private async once(asked: Asked, options: RequestOptions): Promise<unknown> {
    const sent = await this.send(asked, options.signal, options.timeoutMs ?? this.here.timeoutMs);
    try {
      return read(sent.response, await text(sent), this.here.clock);
    } finally {
      sent.release();
    }
  }
}

export interface Sent {
  readonly response: Response;
  /** What a failure while reading means. */
  readonly why: (cause: unknown) => Error;
  /** The rest may take as long as it takes. */
  readonly inTime: () => void;
  readonly release: () => void;
}

export async function text(sent: Sent): Promise<string> {
  try {
    return await sent.response.text();
  } catch (cause) {
    throw sent.why(cause);
  }
}

/** What the API said, or the error that it is. */
export function read(response: Response, body: string, clock: Clock): unknown {
  const answered = {
    status: response.status,
    requestId: response.headers.get('x-request-id'),
    retryAfterMs: retryAfter(response.headers.get('retry-after'), clock.now()),
  };
  const location = response.headers.get('location');
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    const to = location ? ` to ${location}` : '';
    throw new UnexpectedAnswer(`${response.url || 'The address'} redirects${to}: give that as base URL.`, answered, body);
  }
  const parsed = json(response, body, answered);
  if (response.ok) return parsed;
  if (isError(parsed)) throw new ApiError(answered, parsed);
  throw new UnexpectedAnswer(`Status ${response.status} came without an error of the API.`, answered, body);
}

function json(response: Response, body: string, answered: { status: number; requestId: string | null }): unknown {
  const kind = response.headers.get('content-type') ?? 'no content type';
  if (!/\bjson\b/i.test(kind)) {
    throw new UnexpectedAnswer(
      `Status ${response.status} came with ${kind} instead of JSON: is this the address of the API?`, answered, body,
    );
  }
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new UnexpectedAnswer(`Status ${response.status} came with JSON that does not parse.`, answered, body, cause);
  }
}

function isError(body: unknown): body is Record<string, unknown> & { error: string; code: string } {
  const { error, code } = (body ?? {}) as { error?: unknown; code?: unknown };
  return typeof error === 'string' && typeof code === 'string';
}

function retryAfter(header: string | null, now: number): number | null {
  if (!header) return null;
  const seconds = Number(header);
  const milliseconds = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : null;
}

function fill(path: string, values: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    // An empty id would ask another path: the list, of which the caller wanted one.
    if (typeof value !== 'string' || value === '' || value === '.' || value === '..') {
      throw new WrongUsage('wrong_argument', `${name} must be a non-empty string, not ${JSON.stringify(value)}`);
    }
    return encodeURIComponent(value);
  });
}

function newKey(): string {
  // Node.js 18 has no global `crypto`. A key must be unlike all others of a day; it need not be a secret.
  const fill = globalThis.crypto?.getRandomValues.bind(globalThis.crypto) ?? ((b: Uint8Array) => b.map(() => Math.random() * 256));
  const bytes = fill(new Uint8Array(16));
  return `sdk_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
