import { describe, expect, test } from 'vitest';
import type { Person } from '../src/people.js';
import { type Line, type TextStream, Transcript } from '../src/transcript.js';

const AGENT: Person = { identity: 'a1', id: 'a1', name: 'Mia', role: 'agent', isMe: false };
const ME: Person = { identity: 'me', id: 'p1', name: 'me', role: 'user', isMe: true };

/** A stream of one segment. `end` is what its writer adds when it is done; undefined for one who never was. */
function stream(segment: string, parts: string[], final: boolean, end: { final?: boolean; breaks?: boolean } = {}): TextStream {
  const info = { id: `s-${segment}`, attributes: { 'lk.segment_id': segment, 'lk.transcription_final': String(final) } as Record<string, string> };
  return {
    info,
    async *[Symbol.asyncIterator]() {
      yield* parts;
      if (end.breaks) throw new Error('the writer has gone');
      if (end.final) info.attributes['lk.transcription_final'] = 'true';
    },
  };
}

function following(clock = { now: 0 }) {
  const lines: Line[] = [];
  return { lines, clock, transcript: new Transcript((line) => lines.push(line), () => clock.now) };
}
const said = (lines: Line[]) => lines.map((line) => [line.text, line.isFinal]);

describe('a transcript', () => {
  test('shows a line that grows, and its end once', async () => {
    const { lines, transcript } = following();
    await transcript.read(stream('1', ['Hello, ', 'there.'], false, { final: true }), AGENT);
    expect(said(lines)).toEqual([['Hello, ', false], ['Hello, there.', false], ['Hello, there.', true]]);
    expect(lines.every((line) => line.segmentId === '1' && line.role === 'agent')).toBe(true);
  });

  test('shows a line that is replaced until it is right', async () => {
    const { lines, clock, transcript } = following();
    for (const [at, text, final] of [[100, 'I', false], [200, 'I want', false], [250, 'I want', false], [300, 'I want this', true]] as const) {
      clock.now = at;
      await transcript.read(stream('2', [text], final), ME);
    }
    expect(said(lines)).toEqual([['I', false], ['I want', false], ['I want this', true]]);
    expect(lines.map((line) => line.startedAtMs)).toEqual([100, 100, 100]);
  });

  test('keeps lines of two people under one segment id apart', async () => {
    const { lines, transcript } = following();
    await transcript.read(stream('1', ['Yes'], false), ME);
    await transcript.read(stream('1', ['Yes'], false), AGENT);
    expect(lines.map((line) => line.participant.identity)).toEqual(['me', 'a1']);
  });

  test('finishes what its writer left', async () => {
    const { lines, transcript } = following();
    await transcript.read(stream('3', ['I was ab'], false, { breaks: true }), AGENT);
    expect(said(lines)).toEqual([['I was ab', false], ['I was ab', true]]);
  });

  test('says nothing of a line without words, and takes one back that had some', async () => {
    const { lines, transcript } = following();
    await transcript.read(stream('4', [''], true), ME);
    expect(lines).toEqual([]);
    await transcript.read(stream('5', ['uh'], false), ME);
    await transcript.read(stream('5', [''], true), ME);
    expect(said(lines)).toEqual([['uh', false], ['', true]]);
  });

  test('takes the beginning of a line from the agent where it says so', async () => {
    const { lines, transcript } = following({ now: 5000 });
    const told = stream('6', ['Hello'], true);
    told.info.attributes!['rymi.started_at_ms'] = '1200';
    await transcript.read(told, AGENT);
    const odd = stream('7', ['Hello'], true);
    odd.info.attributes!['rymi.started_at_ms'] = 'soon';
    await transcript.read(odd, AGENT);
    expect(lines.map((line) => line.startedAtMs)).toEqual([1200, 5000]);
  });

  test('does with a stream that names no segment', async () => {
    const { lines, transcript } = following();
    await transcript.read({ info: { id: 'x' }, async *[Symbol.asyncIterator]() { yield 'Hi'; } }, AGENT);
    expect(said(lines)).toEqual([['Hi', false]]);
    expect(lines[0]!.segmentId).toBe('x');
  });
});
