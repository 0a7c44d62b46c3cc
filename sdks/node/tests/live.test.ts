import { describe, expect, test } from 'vitest';
import { type LiveEvent, never } from '../src/index.js';
import { EventParser } from '../src/events.js';
import { ok, refused, scripted } from './scripted.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const streamed = (...parts: string[]) =>
  new Response(
    new ReadableStream({
      start(controller) {
        for (const part of parts) controller.enqueue(bytes(part));
        controller.close();
      },
    }),
    { headers: { 'content-type': 'text/event-stream' } },
  );
const line = (id: number, event: string, data: object) => `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
const OVER = line(9, 'end', { status: 'completed' });
const read = async (events: AsyncIterable<LiveEvent>) => {
  const found: LiveEvent[] = [];
  for await (const each of events) found.push(each);
  return found;
};

describe('the parser', () => {
  const whole = ': hello\r\nid: 1\r\nevent: draft\r\ndata: {"a":\r\ndata: "é"}\r\n\r\nretry: 5\ndata:x\n\nevent: empty\n\n';
  const expected = [
    { id: '1', event: 'draft', data: '{"a":\n"é"}' },
    { id: '1', event: 'message', data: 'x' },
  ];

  test('finds the same events wherever the bytes are cut', () => {
    const all = bytes(whole);
    for (let cut = 0; cut <= all.length; cut++) {
      const parser = new EventParser();
      expect([...parser.push(all.slice(0, cut)), ...parser.push(all.slice(cut))], `cut at ${cut}`).toEqual(expected);
      expect(parser.retryMs).toBe(5);
    }
  });
});

describe('the live stream', () => {
  test('gives every event and ends with the call', async () => {
    const { rymi, asked } = scripted([streamed(line(1, 'transcript', { text: 'Hello' }), ': still here\n\n', OVER)]);
    const events = await read(rymi.calls.stream('c1'));
    expect(events).toEqual([
      { id: '1', event: 'transcript', data: { text: 'Hello' } },
      { id: '9', event: 'end', data: { status: 'completed' } },
    ]);
    expect(asked[0]!.path).toBe('/v1/calls/c1/stream');
    expect(asked[0]!.header('accept')).toBe('text/event-stream');
  });

  test('is taken up after the last event when the connection breaks', async () => {
    const broken = () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue(bytes(line(4, 'event', { message: 'x' })));
            queueMicrotask(() => controller.error(new TypeError('terminated')));
          },
        }, { highWaterMark: 0 }),
        { headers: { 'content-type': 'text/event-stream' } },
      );
    const { rymi, asked, slept } = scripted([broken, new TypeError('fetch failed'), refused(503, 'database_unreachable'), streamed(OVER)]);
    const events = await read(rymi.calls.stream('c1', { lastEventId: '2' }));
    expect(events.at(-1)!.data).toEqual({ status: 'completed' });
    expect(asked[0]!.header('last-event-id')).toBe('2');
    expect(asked.at(-1)!.header('last-event-id')).toMatch(/^[24]$/);
    expect(slept).toHaveLength(3);
  });

  test('waits as long as the server asks before it comes back', async () => {
    const { rymi, slept } = scripted([streamed('retry: 1234\n\n', line(1, 'draft', {})), streamed(OVER)]);
    await read(rymi.calls.stream('c1'));
    expect(slept).toEqual([1234]);
  });

  test('comes back where the server asks for it, and does not tell of that', async () => {
    const { rymi, asked } = scripted([streamed(line(5, 'event', {}), 'event: cut\ndata: {"reason": "restart"}\n\n'), streamed(OVER)]);
    expect((await read(rymi.calls.stream('c1'))).map((each) => each.event)).toEqual(['event', 'end']);
    expect(asked[1]!.header('last-event-id')).toBe('5');
  });

  test('goes on after the end of the call until all of it was told', async () => {
    const over = line(5, 'status', { status: 'completed' });
    const { rymi } = scripted([streamed(over), streamed(line(6, 'transcript', { text: 'Bye' }), OVER)]);
    expect((await read(rymi.calls.stream('c1'))).map((each) => each.event)).toEqual(['status', 'transcript', 'end']);
  });

  test('has nothing to say of a call that is long over', async () => {
    const { rymi } = scripted([new Response(null, { status: 204 })]);
    expect(await read(rymi.calls.stream('c1'))).toEqual([]);
  });

  test('fails at once where coming back cannot help', async () => {
    await expect(read(scripted([refused(404, 'not_found')]).rymi.calls.stream('c1'))).rejects.toMatchObject({ code: 'not_found' });
    await expect(read(scripted([refused(403, 'publishable_key_scope')]).rymi.calls.stream('c1'))).rejects.toMatchObject({ code: 'publishable_key_scope' });
    await expect(read(scripted([ok({})]).rymi.calls.stream('c1'))).rejects.toMatchObject({ code: 'unexpected_answer' });
    const html = new Response('<html>', { headers: { 'content-type': 'text/html' } });
    await expect(read(scripted([html]).rymi.calls.stream('c1'))).rejects.toMatchObject({ code: 'unexpected_answer' });
    await expect(read(scripted([streamed('data: nonsense\n\n')]).rymi.calls.stream('c1'))).rejects.toMatchObject({ code: 'unexpected_answer' });
  });

  test('says where it stopped when it does not come back', async () => {
    const { rymi } = scripted([streamed(line(3, 'draft', {}))], { retry: never });
    await expect(read(rymi.calls.stream('c1'))).rejects.toMatchObject({ code: 'stream_lost', lastEventId: '3' });
  });

  test('takes long silence for a broken connection', async () => {
    const silent = () => new Response(new ReadableStream({}), { headers: { 'content-type': 'text/event-stream' } });
    const { rymi, asked } = scripted([silent, streamed(OVER)]);
    await read(rymi.calls.stream('c1', { silenceMs: 5 }));
    expect(asked).toHaveLength(2);
  });

  test('ends the connection when the reader leaves or aborts', async () => {
    let cancelled = 0;
    const endless = () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(bytes(line(1, 'draft', {}))),
          cancel: () => void cancelled++,
        }, { highWaterMark: 0 }),
        { headers: { 'content-type': 'text/event-stream' } },
      );
    for await (const _ of scripted([endless]).rymi.calls.stream('c1')) break;
    expect(cancelled).toBe(1);
    const stop = new AbortController();
    stop.abort('enough');
    await expect(read(scripted([]).rymi.calls.stream('c1', { signal: stop.signal }))).rejects.toMatchObject({ code: 'aborted' });
  });
});
