import { afterEach, describe, expect, test, vi } from 'vitest';
import { ApiError, never, Rymi, RymiError } from '../src/index.js';
import { ok, refused, scripted } from './scripted.js';

const CALL = { agent_id: 'a', participants: [{ transport: 'webrtc' as const, identity: 'me' }] };
const network = () => new TypeError('fetch failed', { cause: Object.assign(new Error(''), { code: 'ECONNREFUSED' }) });

async function failure(of: PromiseLike<unknown>): Promise<RymiError> {
  try {
    await of;
  } catch (error) {
    expect(error).toBeInstanceOf(RymiError);
    return error as RymiError;
  }
  throw new Error('it did not fail');
}

describe('a client', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('reads its key and its address from the environment', async () => {
    vi.stubEnv('RYMI_API_KEY', 'rymi_env');
    vi.stubEnv('RYMI_BASE_URL', 'https://env.test/v1/');
    const fetched = vi.spyOn(globalThis, 'fetch').mockResolvedValue(ok({}));
    await new Rymi().billing.balance();
    expect(fetched.mock.calls[0]![0]).toBe('https://env.test/v1/billing/balance');
    expect(new Headers(fetched.mock.calls[0]![1]!.headers).get('authorization')).toBe('Bearer rymi_env');
  });

  test('says at once what is missing or wrong', () => {
    vi.stubEnv('RYMI_API_KEY', '');
    const code = (make: () => Rymi) => {
      try {
        make();
      } catch (error) {
        return (error as RymiError).code;
      }
      return 'made';
    };
    expect(code(() => new Rymi())).toBe('missing_api_key');
    expect(code(() => new Rymi({ apiKey: 'rymi_x\n' }))).toBe('wrong_api_key');
    for (const baseURL of ['nowhere', 'ftp://x', 'https://x/?a=1', 'https://me:pw@x']) {
      expect(code(() => new Rymi({ apiKey: 'rymi_x', baseURL })), baseURL).toBe('wrong_base_url');
    }
  });

  test('refuses a secret key on a page', () => {
    vi.stubGlobal('document', {});
    expect(() => new Rymi({ apiKey: 'rymi_live_1' })).toThrow(/on a page/);
    expect(() => new Rymi({ apiKey: 'sb_publishable_1' })).not.toThrow();
    vi.unstubAllGlobals();
  });

  test('asks with the right path, query and body', async () => {
    const { rymi, asked } = scripted([ok({}), ok({}), ok({})]);
    await rymi.dnc.remove('+1 (555)/..');
    await rymi.analytics.spend({ from: '2026-01-01' });
    await rymi.calls.create({ agent_id: 'a', to: '+15551234567' });
    expect(asked[0]!.path).toBe('/v1/dnc/%2B1%20(555)%2F..');
    expect(asked[1]!.path).toBe('/v1/analytics/spend?from=2026-01-01');
    expect(asked[2]!.body).toEqual({ agent_id: 'a', participants: [{ transport: 'pstn', identity: '+15551234567' }] });
  });

  test.each(['', '.', '..', undefined])('never asks another path for the id %j', async (id) => {
    const { rymi, asked } = scripted([]);
    expect((await failure(Promise.resolve().then(() => rymi.calls.retrieve(id as string)))).code).toBe('wrong_argument');
    expect(asked).toHaveLength(0);
  });
});

describe('what comes instead of an answer', () => {
  test('is an ApiError with code, status, request id and what the code brings', async () => {
    const { rymi } = scripted([refused(409, 'dnc_conflict', { numbers: ['+1'] })]);
    const error = await failure(rymi.calls.create(CALL));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 'dnc_conflict', status: 409, requestId: 'req_1', message: 'no: dnc_conflict', details: { numbers: ['+1'] } });
  });

  test.each([
    ['HTML', () => new Response('<html>hello', { status: 200, headers: { 'content-type': 'text/html' } }), /text\/html/],
    ['an empty body', () => new Response('', { status: 200 }), /instead of JSON/],
    ['half a body', () => new Response('{"id": ', { status: 200, headers: { 'content-type': 'application/json' } }), /does not parse/],
    ['a redirect', () => new Response('', { status: 301, headers: { location: 'https://elsewhere.test/' } }), /elsewhere/],
    ['an error that is not the API\'s', () => new Response('{"oops":1}', { status: 404, headers: { 'content-type': 'application/json' } }), /without an error/],
  ])('is an UnexpectedAnswer for %s', async (_, answer, says) => {
    const { rymi, asked } = scripted([answer()]);
    const error = await failure(rymi.calls.create(CALL));
    expect(error.code).toBe('unexpected_answer');
    expect(error.message).toMatch(says);
    expect(asked).toHaveLength(1);
  });

  test('names the innermost reason when nobody answers', async () => {
    const { rymi } = scripted([network()], { retry: never });
    const error = await failure(rymi.calls.create(CALL));
    expect(error).toMatchObject({ code: 'connection_failed' });
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('is TimedOut when the answer, or its body, does not come in time', async () => {
    const hanging = (_: string, init: RequestInit) =>
      new Promise<Response>((_, reject) => init.signal!.addEventListener('abort', () => reject(init.signal!.reason)));
    const slow = (_: string, init: RequestInit) => {
      const body = new ReadableStream({
        start: (controller) => init.signal!.addEventListener('abort', () => controller.error(init.signal!.reason)),
      });
      return new Response(body, { headers: { 'content-type': 'application/json' } });
    };
    const { rymi } = scripted([hanging, slow], { timeoutMs: 5, retry: never });
    expect((await failure(rymi.calls.queueStats())).code).toBe('timed_out');
    expect((await failure(rymi.calls.queueStats())).code).toBe('timed_out');
  });

  test('is Aborted, before, during and between attempts', async () => {
    const stop = new AbortController();
    const { rymi, asked } = scripted([
      (_, init) =>
        new Promise<Response>((_, reject) => {
          init.signal!.addEventListener('abort', () => reject(init.signal!.reason));
          stop.abort('enough');
        }),
    ]);
    expect(await failure(rymi.calls.queueStats({ signal: stop.signal }))).toMatchObject({ code: 'aborted', cause: 'enough' });
    expect((await failure(rymi.calls.queueStats({ signal: stop.signal }))).code).toBe('aborted');
    expect(asked).toHaveLength(1);
    const between = new AbortController();
    const clock = { now: () => 0, sleep: async () => between.abort('later') };
    const second = scripted([refused(503, 'database_unreachable')], { clock });
    expect((await failure(second.rymi.calls.queueStats({ signal: between.signal }))).code).toBe('aborted');
    expect(second.asked).toHaveLength(1);
  });
});

describe('sending again', () => {
  test('happens under one Idempotency-Key, with longer and longer waits', async () => {
    const { rymi, asked, slept } = scripted([network(), refused(500, 'internal_error'), ok({ id: 'c' })]);
    expect(await rymi.calls.create(CALL)).toEqual({ id: 'c' });
    const keys = asked.map((each) => each.header('idempotency-key'));
    expect(keys[0]).toMatch(/^sdk_[0-9a-f]{32}$/);
    expect(new Set(keys).size).toBe(1);
    expect(slept).toEqual([250, 500]);
  });

  test('uses another key for another call, and yours where you give one', async () => {
    const { rymi, asked } = scripted([ok({}), ok({}), ok({})]);
    await rymi.calls.create(CALL);
    await rymi.calls.create(CALL);
    await rymi.calls.create(CALL, { idempotencyKey: 'order-1' });
    const keys = asked.map((each) => each.header('idempotency-key'));
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]).toBe('order-1');
  });

  test('does not happen to what might then happen twice', async () => {
    for (const turn of [network(), refused(500, 'internal_error'), refused(502, 'x')]) {
      const { rymi, asked } = scripted([turn]);
      await failure(rymi.calls.end('c'));
      expect(asked).toHaveLength(1);
    }
  });

  test('waits as long as the server says, for everything that was not done', async () => {
    const { rymi, slept } = scripted([refused(429, 'rate_limited', {}, { 'retry-after': '7' }), refused(503, 'database_unreachable'), ok({})]);
    await rymi.calls.end('c');
    expect(slept).toEqual([7000, 500]);
  });

  test('does not wait for a plan to have room, nor for minutes', async () => {
    const plan = scripted([refused(429, 'quota_exceeded', {}, { 'retry-after': '5' })]);
    expect((await failure(plan.rymi.calls.create(CALL))).code).toBe('quota_exceeded');
    const long = scripted([refused(429, 'rate_limited', {}, { 'retry-after': '3600' })]);
    expect(await failure(long.rymi.calls.create(CALL))).toMatchObject({ code: 'rate_limited', retryAfterMs: 3_600_000 });
  });

  test('asks again for an answer that is still being made', async () => {
    const { rymi, asked } = scripted([refused(409, 'idempotency_in_progress'), ok({ id: 'c' })]);
    await rymi.calls.create(CALL);
    expect(asked).toHaveLength(2);
  });

  test('gives up in the end, with the last error', async () => {
    const { rymi, asked } = scripted(Array.from({ length: 4 }, () => refused(503, 'database_unreachable')));
    expect((await failure(rymi.calls.queueStats())).code).toBe('database_unreachable');
    expect(asked).toHaveLength(4);
  });

  test('is never done for a refusal', async () => {
    for (const [status, code] of [[400, 'validation_error'], [401, 'unauthorized'], [402, 'insufficient_credits'], [404, 'not_found'], [422, 'idempotency_mismatch']] as const) {
      const { rymi, asked } = scripted([refused(status, code)]);
      expect((await failure(rymi.calls.create(CALL))).code).toBe(code);
      expect(asked).toHaveLength(1);
    }
  });
});
