/** Decides when a request is sent again, and when it must not be. */
import { ApiError, ConnectionFailed, TimedOut, UnexpectedAnswer } from './errors.js';

/** Time, as an argument, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** How long to wait before the next attempt, in milliseconds; `null` gives up. `attempt` counts from 1. */
export type RetryPolicy = (failed: { attempt: number; error: unknown; retryAfterMs: number | null }) => number | null;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal?.addEventListener('abort', done);
    }),
};

/** Doubles from `firstMs` up to `mostMs`, each time between half and all of it; a server's `Retry-After` wins. */
export function backoff(
  { retries = 3, firstMs = 250, mostMs = 8_000, longestRetryAfterMs = 60_000, random = Math.random } = {},
): RetryPolicy {
  return ({ attempt, retryAfterMs }) => {
    if (attempt > retries) return null;
    if (retryAfterMs !== null) return retryAfterMs <= longestRetryAfterMs ? retryAfterMs : null;
    const full = Math.min(mostMs, firstMs * 2 ** (attempt - 1));
    return full / 2 + (random() * full) / 2;
  };
}

export const never: RetryPolicy = () => null;

/** These say that nothing was done, whatever was asked. */
const UNDONE = new Set([429, 503]);
const PASSING = new Set([408, 500, 502, 504]);

/**
 * Whether sending again can help and cannot do harm. `repeatable` is what is asked for twice and happens once: reading,
 * replacing, and whatever carries an Idempotency-Key.
 */
export function mayRepeat(error: unknown, repeatable: boolean): boolean {
  if (error instanceof ApiError) {
    if (error.code === 'quota_exceeded') return false; // Frees up when calls end, which may take an hour.
    if (error.code === 'idempotency_in_progress' || UNDONE.has(error.status)) return true;
    return repeatable && PASSING.has(error.status);
  }
  if (error instanceof UnexpectedAnswer) return repeatable && error.status >= 500;
  return repeatable && (error instanceof ConnectionFailed || error instanceof TimedOut);
}
