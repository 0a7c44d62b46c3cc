import { describe, expect, test } from 'vitest';
import { ok, refused, scripted } from './scripted.js';

const page = (ids: string[], next_cursor: string | null) => ok({ calls: ids.map((id) => ({ id })), total: 3, limit: 2, offset: 0, next_cursor });
const ids = async (of: AsyncIterable<{ id: string }>) => {
  const found: string[] = [];
  for await (const each of of) found.push(each.id);
  return found;
};

describe('a list', () => {
  test('is its first page when awaited, asked for once', async () => {
    const { rymi, asked } = scripted([page(['a', 'b'], 'b')]);
    const list = rymi.calls.list({ limit: 2, status: 'completed' });
    expect(asked).toHaveLength(0);
    expect((await list).calls.map((each) => each.id)).toEqual(['a', 'b']);
    expect((await list).next_cursor).toBe('b');
    expect(asked.map((each) => each.path)).toEqual(['/v1/calls?limit=2&status=completed']);
  });

  test('is every thing of every page when iterated, by cursor', async () => {
    const { rymi, asked } = scripted([page(['a', 'b'], 'b'), page(['c'], null)]);
    expect(await ids(rymi.calls.list({ limit: 2, offset: 5 }))).toEqual(['a', 'b', 'c']);
    expect(asked.map((each) => each.path)).toEqual(['/v1/calls?limit=2&offset=5', '/v1/calls?limit=2&cursor=b']);
  });

  test('goes on by offset where there is no cursor, and stops at the end or at an empty page', async () => {
    const some = (names: string[], total: number) => ok({ agents: names.map((id) => ({ id })), total, limit: 2, offset: 0 });
    const { rymi, asked } = scripted([some(['a', 'b'], 3), some(['c'], 3)]);
    expect(await ids(rymi.agents.list({ limit: 2 }))).toEqual(['a', 'b', 'c']);
    expect(asked[1]!.path).toBe('/v1/agents?limit=2&offset=2');
    const shrunk = scripted([some(['a', 'b'], 4), some([], 4)]);
    expect(await ids(shrunk.rymi.agents.list({ limit: 2 }))).toEqual(['a', 'b']);
  });

  test('asks no further than is read', async () => {
    const { rymi, asked } = scripted([page(['a', 'b'], 'b')]);
    for await (const _ of rymi.calls.list()) break;
    expect(asked).toHaveLength(1);
  });

  test('fails where its page fails, awaited, caught or iterated', async () => {
    const turns = () => [refused(401, 'unauthorized')];
    await expect(scripted(turns()).rymi.calls.list()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(await scripted(turns()).rymi.calls.list().catch(() => 'caught')).toBe('caught');
    await expect(ids(scripted(turns()).rymi.calls.active())).rejects.toMatchObject({ code: 'unauthorized' });
  });
});
