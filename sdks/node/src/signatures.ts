/**
 * Whether a webhook is from Rymi, fresh, and as it was sent.
 *
 * The signature covers the bytes of the body: parse them only afterwards, and never sign what was parsed and written again.
 */
import { SignatureRefused, WrongUsage } from './errors.js';
import { hmac, joined } from './sha256.js';

export const TOLERANCE_MS = 300_000;
const MOST_TOLERANCE_MS = 86_400_000;

/** What a webhook says. `type` and `event` are equal. */
export interface WebhookEvent {
  type: string;
  event: string;
  timestamp: string;
  data: Record<string, unknown>;
}

export interface Verification {
  /** How far the time of the webhook may be from now: 5 minutes unless you say otherwise, a day at most. */
  toleranceMs?: number;
  /** What time it is, in milliseconds. */
  now?: number;
}

/**
 * The event of a webhook, or `SignatureRefused`. Takes the raw body and the headers `X-Rymi-Signature` and
 * `X-Rymi-Timestamp`.
 */
export function verifySignature(
  raw: string | Uint8Array,
  signature: string | null | undefined,
  timestamp: string | number | null | undefined,
  secret: string,
  { toleranceMs = TOLERANCE_MS, now = Date.now() }: Verification = {},
): WebhookEvent {
  if (!(toleranceMs > 0 && toleranceMs <= MOST_TOLERANCE_MS)) {
    throw new WrongUsage('wrong_tolerance', `toleranceMs must be more than 0 and at most a day, not ${toleranceMs}`);
  }
  if (typeof raw !== 'string' && !(raw instanceof Uint8Array)) {
    throw new WrongUsage('raw_body_needed', 'Give the raw body as it came (a string or bytes), not what was parsed from it');
  }
  if (typeof secret !== 'string' || secret === '') throw new WrongUsage('secret_needed', 'The secret of the webhook is empty');
  if (!signature || timestamp === null || timestamp === undefined || timestamp === '') {
    throw new SignatureRefused('signature_missing', 'X-Rymi-Signature or X-Rymi-Timestamp is missing');
  }
  if (!/^\d{1,16}$/.test(String(timestamp))) {
    throw new SignatureRefused('timestamp_unreadable', 'X-Rymi-Timestamp is not a whole number of milliseconds');
  }
  const bytes = typeof raw === 'string' ? new TextEncoder().encode(raw) : raw;
  if (!same(sign(bytes, timestamp, secret), signature.trim().toLowerCase())) {
    throw new SignatureRefused('signature_mismatch', 'The signature is not of this body, this timestamp and this secret');
  }
  // After the signature: the age of a forgery is nobody's business.
  if (!(Math.abs(now - Number(timestamp)) <= toleranceMs)) {
    throw new SignatureRefused('timestamp_outside_tolerance', `The webhook is not of the last ${toleranceMs} ms`);
  }
  return parsed(bytes);
}

/** What Rymi writes into `X-Rymi-Signature`: for tests of your own endpoint. */
export function sign(raw: string | Uint8Array, timestamp: string | number, secret: string): string {
  const text = new TextEncoder();
  const bytes = typeof raw === 'string' ? text.encode(raw) : raw;
  const digest = hmac(text.encode(secret), joined(text.encode(`${timestamp}.`), bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Takes as long for a wrong first letter as for a wrong last one. */
function same(expected: string, given: string): boolean {
  let different = expected.length ^ given.length;
  for (let i = 0; i < expected.length; i++) different |= expected.charCodeAt(i) ^ (given.charCodeAt(i) || 0);
  return different === 0;
}

function parsed(bytes: Uint8Array): WebhookEvent {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as WebhookEvent;
  } catch (cause) {
    throw new SignatureRefused('body_unreadable', 'The signature is right, but the body is not JSON', cause);
  }
}
