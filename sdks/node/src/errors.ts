/**
 * Every error this SDK throws on purpose. Match on `code`; `message` is for people and may change.
 *
 *     RymiError
 *      ├─ ApiError            the API answered with an error: `status`, `code`, `requestId`, `details`
 *      ├─ UnexpectedAnswer    something answered that is not the API: HTML, a redirect, half a body
 *      ├─ ConnectionFailed    nothing answered
 *      ├─ TimedOut            nothing answered in time
 *      ├─ Aborted             your signal said so
 *      ├─ StreamLost          a live stream broke and could not be taken up again
 *      ├─ SignatureRefused    a webhook is not from Rymi, or is too old
 *      └─ WrongUsage          an argument or a setting that cannot work
 */
import type { DocumentedCode } from './contract.js';

/** Codes of refusals. Servers that are newer than this SDK may have more. */
export type ErrorCode = DocumentedCode | (string & {});

export class RymiError extends Error {
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.name = new.target.name;
  }
}

export class ApiError extends RymiError {
  declare readonly code: ErrorCode;
  readonly status: number;
  /** Quote it when you ask for help. */
  readonly requestId: string | null;
  /** The whole answer, with the fields that its code brings. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfterMs: number | null;

  constructor(
    answered: { status: number; requestId: string | null; retryAfterMs: number | null },
    body: Record<string, unknown> & { error: string; code: string },
  ) {
    super(body.code, body.error);
    this.name = 'ApiError';
    this.status = answered.status;
    this.requestId = answered.requestId;
    this.retryAfterMs = answered.retryAfterMs;
    this.details = body;
  }
}

export class UnexpectedAnswer extends RymiError {
  readonly status: number;
  readonly requestId: string | null;
  /** The beginning of what came instead of JSON. */
  readonly excerpt: string;

  constructor(message: string, answered: { status: number; requestId: string | null }, excerpt: string, cause?: unknown) {
    super('unexpected_answer', message, cause);
    this.name = 'UnexpectedAnswer';
    this.status = answered.status;
    this.requestId = answered.requestId;
    this.excerpt = excerpt.slice(0, 200);
  }
}

export class ConnectionFailed extends RymiError {
  constructor(url: string, cause?: unknown) {
    super('connection_failed', `No answer from ${url}: ${reason(cause)}`, cause);
    this.name = 'ConnectionFailed';
  }
}

export class TimedOut extends RymiError {
  constructor(url: string, milliseconds: number) {
    super('timed_out', `No answer from ${url} within ${milliseconds} ms`);
    this.name = 'TimedOut';
  }
}

export class Aborted extends RymiError {
  constructor(cause: unknown) {
    super('aborted', 'The request was aborted', cause);
    this.name = 'Aborted';
  }
}

export class StreamLost extends RymiError {
  /** Where to take it up again: pass it as `lastEventId`. */
  readonly lastEventId: string | undefined;

  constructor(lastEventId: string | undefined, cause: unknown) {
    super('stream_lost', `The live stream broke and did not come back: ${reason(cause)}`, cause);
    this.name = 'StreamLost';
    this.lastEventId = lastEventId;
  }
}

export class SignatureRefused extends RymiError {
  declare readonly code: 'signature_missing' | 'signature_mismatch' | 'timestamp_unreadable' | 'timestamp_outside_tolerance' | 'body_unreadable';

  constructor(code: SignatureRefused['code'], message: string, cause?: unknown) {
    super(code, message, cause);
    this.name = 'SignatureRefused';
  }
}

export class WrongUsage extends RymiError {
  constructor(code: string, message: string) {
    super(code, message);
    this.name = 'WrongUsage';
  }
}

/** The innermost reason is the telling one: `fetch failed` says nothing, `ECONNREFUSED` does. */
function reason(cause: unknown): string {
  let at = cause;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  if (!(at instanceof Error)) return String(at);
  const code = (at as { code?: unknown }).code;
  return at.message || (typeof code === 'string' ? code : at.name);
}
