/**
 * Turns text streams into lines of a transcript. A line has one segment id; it may come as one stream that grows (the
 * agent), or as many streams of which each replaces the one before (a person, who is understood better and better). What is
typed is a line, too.
 */
import type { Person } from './people.js';

export interface Line {
  /** The same for every state of one line. */
  readonly segmentId: string;
  readonly role: Person['role'];
  readonly text: string;
  readonly participant: Person;
  /** Nothing of it will change any more. */
  readonly isFinal: boolean;
  /** Since the call began, where the agent says so; else since this browser came in. */
  readonly startedAtMs: number;
}

export interface TextStream extends AsyncIterable<string> {
  readonly info: { readonly id: string; readonly attributes?: Record<string, string> };
}

export const TOPIC = 'lk.transcription';
/** What is typed. */
export const CHAT = 'lk.chat';
const SEGMENT = 'lk.segment_id';
const FINAL = 'lk.transcription_final';
const STARTED = 'rymi.started_at_ms';

const isFinal = (stream: TextStream) => stream.info.attributes?.[FINAL] === 'true';

export class Transcript {
  /** Of lines that are not final yet: when they began, and what they said last. */
  readonly #open = new Map<string, { startedAtMs: number; text: string }>();

  constructor(
    private readonly say: (line: Line) => void,
    private readonly elapsedMs: () => number,
  ) {}

  /** Of what is typed, nothing changes any more once it has come. */
  async read(stream: TextStream, participant: Person, saidOnce = isFinal(stream)): Promise<void> {
    const segmentId = stream.info.attributes?.[SEGMENT] ?? stream.info.id;
    const line = { segmentId, role: participant.role, participant };
    let text = '';
    let whole = true;
    try {
      for await (const part of stream) {
        text += part;
        if (!saidOnce) this.#show(line, text, false, stream);
      }
    } catch {
      // Its writer is gone: what has come of the line is all of it.
      whole = false;
    }
    this.#show(line, text, !whole || saidOnce || isFinal(stream), stream);
  }

  /** By this browser's own person. */
  typed(segmentId: string, text: string, participant: Person): void {
    this.say({ segmentId, role: participant.role, participant, text, isFinal: true, startedAtMs: this.elapsedMs() });
  }

  #show(line: Omit<Line, 'text' | 'isFinal' | 'startedAtMs'>, text: string, isFinal: boolean, stream: TextStream): void {
    const key = `${line.participant.identity} ${line.segmentId}`;
    const before = this.#open.get(key);
    const said = Number(stream.info.attributes?.[STARTED] ?? Number.NaN);
    const startedAtMs = Number.isFinite(said) ? said : (before?.startedAtMs ?? this.elapsedMs());
    if (isFinal) this.#open.delete(key);
    else this.#open.set(key, { startedAtMs, text });
    // The end of a stream says nothing new of a line that goes on, and nothing at all of one that never had words.
    if (isFinal ? text === '' && !before : text === (before?.text ?? '')) return;
    this.say({ ...line, text, isFinal, startedAtMs });
  }
}
