import { describe, expect, test } from 'vitest';
import { CallError, Rymi } from '../src/index.js';

const CREATED = { id: 'c1', agent: { id: 'a1', name: 'Mia' }, participants: [{ access: { url: 'wss://rooms', token: 't' } }] };
const json = (body: unknown, status = 201) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', 'x-request-id': 'req_1' } });

function asking(answer: Response | Error, more: object = {}) {
  const asked: Array<{ url: string; init: RequestInit }> = [];
  const transport = async (url: string, init: RequestInit) => {
    asked.push({ url, init });
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const access = Rymi.requestAccess({ publishableKey: 'sb_publishable_1', baseUrl: 'https://rymi.test/v1/', transport, ...more });
  return { asked, access, code: access.then(() => 'worked', (error: CallError) => error.code) };
}

describe('a page that asks for a call', () => {
  test('gets what createCall takes', async () => {
    const { asked, access } = asking(json(CREATED), { identity: 'me', variables: { a: 1 } });
    expect(await access).toEqual({ url: 'wss://rooms', token: 't', callId: 'c1', agent: { id: 'a1', name: 'Mia' } });
    expect(asked[0]!.url).toBe('https://rymi.test/v1/calls');
    expect(JSON.parse(String(asked[0]!.init.body))).toEqual({ participants: [{ transport: 'webrtc', identity: 'me' }], variables: { a: 1 } });
  });

  test('is told what the API said', async () => {
    const { access } = asking(json({ error: 'No credit', code: 'insufficient_credits' }, 402));
    await expect(access).rejects.toMatchObject({ code: 'insufficient_credits', message: 'No credit', status: 402, requestId: 'req_1' });
  });

  test('is told what came instead', async () => {
    expect(await asking(new Response('<html>')).code).toBe('unexpected_answer');
    expect(await asking(new Response('{}', { status: 500 })).code).toBe('unexpected_answer');
    expect(await asking(new TypeError('fetch failed')).code).toBe('server_unreachable');
    const signal = AbortSignal.abort();
    expect(await asking(new DOMException('x', 'AbortError'), { signal }).code).toBe('aborted');
  });

  test('never sends a secret key', async () => {
    const { asked, code } = asking(json(CREATED), { publishableKey: 'rymi_live_1' });
    expect(await code).toBe('wrong_argument');
    expect(asked).toHaveLength(0);
  });
});
