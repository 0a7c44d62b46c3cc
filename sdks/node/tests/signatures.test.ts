import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { RymiError, sign, verifySignature } from '../src/index.js';

const SECRET = 'whsec_0123456789abcdef';
const NOW = 1_775_046_600_000;
const EVENT = { type: 'call.completed', event: 'call.completed', timestamp: '2026-04-01T12:30:00Z', data: { call_id: 'ä' } };
const RAW = JSON.stringify(EVENT);
const reference = (raw: string | Buffer, at: string | number, secret: string) =>
  createHmac('sha256', secret).update(`${at}.`).update(raw).digest('hex');
const SIGNATURE = reference(RAW, NOW, SECRET);

function code(verify: () => unknown): string {
  try {
    verify();
  } catch (error) {
    return (error as RymiError).code;
  }
  return 'passed';
}

describe('a webhook', () => {
  test('that Rymi sent is its event, from text or from bytes', () => {
    expect(verifySignature(RAW, SIGNATURE, String(NOW), SECRET, { now: NOW })).toEqual(EVENT);
    expect(verifySignature(Buffer.from(RAW), SIGNATURE.toUpperCase(), NOW, SECRET, { now: NOW + 299_999 })).toEqual(EVENT);
  });

  test('is refused when anything of it was changed', () => {
    const at = { now: NOW };
    expect(code(() => verifySignature(`${RAW} `, SIGNATURE, NOW, SECRET, at))).toBe('signature_mismatch');
    expect(code(() => verifySignature(RAW, SIGNATURE, NOW + 1, SECRET, at))).toBe('signature_mismatch');
    expect(code(() => verifySignature(RAW, SIGNATURE, NOW, `${SECRET}x`, at))).toBe('signature_mismatch');
    expect(code(() => verifySignature(RAW, SIGNATURE.slice(1), NOW, SECRET, at))).toBe('signature_mismatch');
    expect(code(() => verifySignature(RAW, `${SIGNATURE}0`, NOW, SECRET, at))).toBe('signature_mismatch');
    expect(code(() => verifySignature(RAW, `${SIGNATURE}\0`, NOW, SECRET, at))).toBe('signature_mismatch');
  });

  test('is refused when its headers are missing or odd', () => {
    for (const missing of [undefined, null, '']) {
      expect(code(() => verifySignature(RAW, missing, NOW, SECRET))).toBe('signature_missing');
      expect(code(() => verifySignature(RAW, SIGNATURE, missing, SECRET))).toBe('signature_missing');
    }
    for (const odd of ['1e3', '-1', 'NaN', '0x10', ' 5', Number.NaN, 1.5]) {
      expect(code(() => verifySignature(RAW, reference(RAW, odd, SECRET), odd, SECRET)), String(odd)).toBe('timestamp_unreadable');
    }
  });

  test('is refused when it is old, or of the future', () => {
    expect(code(() => verifySignature(RAW, SIGNATURE, NOW, SECRET, { now: NOW + 300_001 }))).toBe('timestamp_outside_tolerance');
    expect(code(() => verifySignature(RAW, SIGNATURE, NOW, SECRET, { now: NOW - 300_001 }))).toBe('timestamp_outside_tolerance');
    expect(code(() => verifySignature(RAW, SIGNATURE, NOW, SECRET, { now: Number.NaN }))).toBe('timestamp_outside_tolerance');
    expect(code(() => verifySignature(RAW, SIGNATURE, NOW, SECRET))).toBe('timestamp_outside_tolerance');
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 86_400_001, null])('cannot have its tolerance switched off by %s', (tolerance) => {
    const old = NOW + 10 * 86_400_000;
    expect(code(() => verifySignature(RAW, SIGNATURE, NOW, SECRET, { now: old, toleranceMs: tolerance as number }))).toBe('wrong_tolerance');
  });

  test('has the usual tolerance where none is given', () => {
    const old = NOW + 300_001;
    expect(code(() => verifySignature(RAW, SIGNATURE, NOW, SECRET, { now: old, toleranceMs: undefined as never }))).toBe('timestamp_outside_tolerance');
  });

  test('is not taken when it was parsed before, nor without a secret', () => {
    expect(code(() => verifySignature(EVENT as never, SIGNATURE, NOW, SECRET))).toBe('raw_body_needed');
    expect(code(() => verifySignature(RAW, SIGNATURE, NOW, ''))).toBe('secret_needed');
  });

  test('that is signed and no JSON says so', () => {
    const raw = Buffer.from([0xff]);
    expect(code(() => verifySignature(raw, reference(raw, NOW, SECRET), NOW, SECRET, { now: NOW }))).toBe('body_unreadable');
  });
});

test('the signature is HMAC-SHA256, whatever is signed', () => {
  for (let length = 0; length < 200; length++) {
    const body = randomBytes(length);
    const secret = randomBytes((length % 90) + 1).toString('base64');
    expect(sign(body, length, secret)).toBe(reference(body, length, secret));
  }
});
