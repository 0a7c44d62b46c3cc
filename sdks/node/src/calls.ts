/** `rymi.calls`: create calls, widen and end them, look at them, follow them. */
import type { CallDetailBody, CreatedCallBody, EventBody, ListedCallBody, Operations } from './contract.js';
import type { Http, RequestOptions } from './http.js';
import { live, type LiveEvent, type StreamOptions } from './live.js';
import { byCursor, byOffset, Pages } from './pages.js';

type Body<N extends keyof Operations> = Operations[N]['body'];
type Query<N extends keyof Operations> = Operations[N]['query'];
type Answer<N extends keyof Operations> = Operations[N]['answer'];

/** One phone to ring, in short. */
export type OnePhone = Omit<Body<'createCall'>, 'participants'> & { to: string; from_number?: string | null };

export class Calls {
  constructor(private readonly http: Http) {}

  /** Give `participants`, or `to` for one phone. */
  create(call: Body<'createCall'> | OnePhone, options?: RequestOptions): Promise<CreatedCallBody> {
    return this.http.ask('createCall', { body: 'to' in call ? onePhone(call) : call }, options);
  }

  list(query: NonNullable<Query<'listCalls'>> = {}, options?: RequestOptions): Pages<Answer<'listCalls'>, ListedCallBody> {
    return this.pages('listCalls', query, options);
  }

  /** Calls in progress. */
  active(query: NonNullable<Query<'listActiveCalls'>> = {}, options?: RequestOptions): Pages<Answer<'listActiveCalls'>, ListedCallBody> {
    return this.pages('listActiveCalls', query, options);
  }

  /** Everything about a call. */
  retrieve(callId: string, options?: RequestOptions): Promise<CallDetailBody> {
    return this.http.ask('getCall', { path: { call_id: callId } }, options);
  }

  /** A call for each of up to 500 phones. */
  batch(batch: Body<'createBatch'>, options?: RequestOptions): Promise<Answer<'createBatch'>> {
    return this.http.ask('createBatch', { body: batch }, options);
  }

  batchProgress(batchId: string, options?: RequestOptions): Promise<Answer<'getBatch'>> {
    return this.http.ask('getBatch', { path: { batch_id: batchId } }, options);
  }

  addParticipants(callId: string, body: Body<'addParticipants'>, options?: RequestOptions): Promise<CreatedCallBody> {
    return this.http.ask('addParticipants', { path: { call_id: callId }, body }, options);
  }

  /** For everybody. */
  end(callId: string, options?: RequestOptions): Promise<Answer<'endCall'>> {
    return this.http.ask('endCall', { path: { call_id: callId } }, options);
  }

  transcript(callId: string, options?: RequestOptions): Promise<Answer<'getCallTranscript'>> {
    return this.http.ask('getCallTranscript', { path: { call_id: callId } }, options);
  }

  summary(callId: string, options?: RequestOptions): Promise<Answer<'getCallSummary'>> {
    return this.http.ask('getCallSummary', { path: { call_id: callId } }, options);
  }

  recording(callId: string, options?: RequestOptions): Promise<Answer<'getCallRecording'>> {
    return this.http.ask('getCallRecording', { path: { call_id: callId } }, options);
  }

  /** For good: the sound, not the transcript. */
  deleteRecording(callId: string, options?: RequestOptions): Promise<Answer<'deleteCallRecording'>> {
    return this.http.ask('deleteCallRecording', { path: { call_id: callId } }, options);
  }

  /** How the conversation went, measured from the sound: gaps, interruptions, silences. */
  quality(callId: string, options?: RequestOptions): Promise<Answer<'getCallQuality'>> {
    return this.http.ask('getCallQuality', { path: { call_id: callId } }, options);
  }

  events(callId: string, query: NonNullable<Query<'listCallEvents'>> = {}, options?: RequestOptions): Pages<Answer<'listCallEvents'>, EventBody> {
    return new Pages(
      (next) => this.http.ask('listCallEvents', { path: { call_id: callId }, query: { ...query, ...next } }, options),
      (page) => page.events,
      byOffset(query.offset ?? 0),
    );
  }

  /** Analyse a completed call again. */
  reprocess(callId: string, options?: RequestOptions): Promise<Answer<'reprocessCall'>> {
    return this.http.ask('reprocessCall', { path: { call_id: callId } }, options);
  }

  /** Hand the call to a person, and let the agent leave. */
  transfer(callId: string, body: Body<'transferCall'>, options?: RequestOptions): Promise<Answer<'transferCall'>> {
    return this.http.ask('transferCall', { path: { call_id: callId }, body }, options);
  }

  queueStats(options?: RequestOptions): Promise<Answer<'getQueueStats'>> {
    return this.http.ask('getQueueStats', {}, options);
  }

  /** The call as it happens, until it has ended. Leave the loop, or abort, to stop listening. */
  stream(callId: string, options: StreamOptions = {}): AsyncGenerator<LiveEvent, void, undefined> {
    return live(this.http, `/v1/calls/${encodeURIComponent(callId)}/stream`, options);
  }

  private pages(name: 'listCalls' | 'listActiveCalls', query: Record<string, unknown>, options?: RequestOptions): Pages<Answer<'listCalls'>, ListedCallBody> {
    const { offset: _, ...withoutOffset } = query;
    return new Pages(
      (next) => this.http.ask(name, { query: next ? { ...withoutOffset, ...next } : query }, options),
      (page) => page.calls,
      byCursor(),
    );
  }
}

function onePhone({ to, from_number, ...rest }: OnePhone): Body<'createCall'> {
  const from = from_number ? { from_number } : {};
  return { ...rest, participants: [{ transport: 'pstn', identity: to, ...from }] };
}
