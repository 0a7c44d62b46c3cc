/** A call as it happens: the live stream as an async iterator that outlives broken connections. */
import type { CallStatus, EventBody } from './contract.js';
import { Aborted, ApiError, ConnectionFailed, RymiError, StreamLost, TimedOut, UnexpectedAnswer } from './errors.js';
import { EventParser, type SentEvent } from './events.js';
import { type Http, read, type Sent, text } from './http.js';

interface Event<Name extends string, Data> {
  /** Where to take the stream up again. What only passes by has none of its own. */
  readonly id: string | undefined;
  readonly event: Name;
  readonly data: Data;
}

interface Words {
  speaker: 'user' | 'agent';
  text: string;
  participant_id: string | null;
  identity: string | null;
  started_at_ms: number;
  ended_at_ms: number;
  segment_id: string;
}

interface State {
  call_id: string;
  status: CallStatus;
  end_reason: string | null;
  started_at: string | null;
  ended_at: string | null;
  participants: Array<{ id: string; identity: string; role: string; transport: string; status: string }>;
}

/** What the stream says: `event` tells which. Servers that are newer than this SDK may say more. */
export type LiveEvent =
  | Event<'transcript', Words & { sequence: number; is_final: boolean; source: string }>
  /** Words that may still change. */
  | Event<'draft', Words>
  | Event<'event', EventBody>
  /** Without a participant: the agent. */
  | Event<'speaking', { participant_id: string | null; speaking: boolean; at_ms: number }>
  | Event<'agent_state', { state: string; at_ms: number }>
  | Event<'status', State>
  /** The last one: the call is over, and all of it was told. */
  | Event<'end', State>;

export interface StreamOptions {
  /** The `id` of the last event that you have seen. */
  lastEventId?: string;
  signal?: AbortSignal;
  /** The server says something at least every so often; silence for longer is a broken connection. */
  silenceMs?: number;
}

const SILENCE_MS = 45_000;
/** The server asks to be come back to. */
const CUT = 'cut';

/** Ends by itself when the call has ended. Raises `StreamLost` when it cannot be taken up again. */
export async function* live(http: Http, path: string, options: StreamOptions): AsyncGenerator<LiveEvent, void, undefined> {
  const place: Place = { lastId: options.lastEventId, retryMs: null, over: false };
  for (let attempt = 1; ; attempt++) {
    let cause: unknown = new Error('the server closed it');
    try {
      for await (const event of connection(http, path, place, options)) {
        attempt = 1;
        yield event;
      }
      if (place.over) return;
    } catch (error) {
      if (!worthAnother(error)) throw error;
      cause = error;
    }
    const retryAfterMs = cause instanceof ApiError ? cause.retryAfterMs : null;
    const wait = http.retry({ attempt, error: cause, retryAfterMs: retryAfterMs ?? place.retryMs });
    if (wait === null) throw new StreamLost(place.lastId, cause);
    await http.clock.sleep(wait, options.signal);
    if (options.signal?.aborted) throw new Aborted(options.signal.reason);
  }
}

interface Place {
  lastId: string | undefined;
  retryMs: number | null;
  over: boolean;
}

async function* connection(http: Http, path: string, place: Place, options: StreamOptions): AsyncGenerator<LiveEvent> {
  const headers: Record<string, string> = { ...http.headers(), Accept: 'text/event-stream' };
  if (place.lastId !== undefined) headers['Last-Event-ID'] = place.lastId;
  const sent = await http.send({ method: 'GET', url: http.url(path), headers }, options.signal);
  try {
    if (sent.response.status === 204) {
      place.over = true;
      return;
    }
    const kind = sent.response.headers.get('content-type') ?? '';
    if (!sent.response.ok || !kind.includes('text/event-stream') || !sent.response.body) {
      read(sent.response, await text(sent), http.clock);
      throw new UnexpectedAnswer('This address has no live stream.', { status: sent.response.status, requestId: null }, kind);
    }
    sent.inTime();
    yield* events(sent, place, options.silenceMs ?? SILENCE_MS);
  } finally {
    sent.release();
  }
}

async function* events(sent: Sent, place: Place, silenceMs: number): AsyncGenerator<LiveEvent> {
  const parser = new EventParser();
  const reader = sent.response.body!.getReader();
  try {
    for (;;) {
      const part = await within(reader, silenceMs, sent);
      place.retryMs = parser.retryMs ?? place.retryMs;
      if (part.done) return;
      for (const event of parser.push(part.value)) {
        place.lastId = event.id ?? place.lastId;
        if (event.event === CUT) return;
        const said = understood(event);
        if (said.event === 'end') place.over = true;
        yield said;
      }
    }
  } finally {
    // Whoever leaves the loop early leaves the connection, too; it may be gone already.
    reader.cancel().catch(() => undefined);
  }
}

type Part = { done: boolean; value: Uint8Array };

async function within(reader: ReadableStreamDefaultReader<Uint8Array>, milliseconds: number, sent: Sent): Promise<Part> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silent = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimedOut(sent.response.url, milliseconds)), milliseconds);
  });
  try {
    return (await Promise.race([reader.read(), silent])) as Part;
  } catch (cause) {
    throw cause instanceof TimedOut ? cause : sent.why(cause);
  } finally {
    clearTimeout(timer);
  }
}

function understood(event: SentEvent): LiveEvent {
  try {
    return { id: event.id, event: event.event, data: JSON.parse(event.data) } as LiveEvent;
  } catch (cause) {
    throw new UnexpectedAnswer('The live stream said something that is not JSON.', { status: 200, requestId: null }, event.data, cause);
  }
}

function worthAnother(error: unknown): boolean {
  if (error instanceof ApiError || error instanceof UnexpectedAnswer) return error.status >= 500 || error.status === 429;
  return error instanceof RymiError && (error instanceof ConnectionFailed || error instanceof TimedOut);
}
