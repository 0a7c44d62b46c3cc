/** Server-sent events: bytes in, events out. Knows the format and nothing of calls. */

export interface SentEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** Collects lines into events, across any cut of the bytes. */
export class EventParser {
  /** How long the server wants a reader to wait before it comes back. */
  retryMs: number | undefined;
  lastId: string | undefined;
  private rest = '';
  private name = '';
  private data: string[] = [];
  private readonly decoder = new TextDecoder();

  push(bytes: Uint8Array): SentEvent[] {
    this.rest += this.decoder.decode(bytes, { stream: true });
    const found: SentEvent[] = [];
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.rest);
      if (!end) return found;
      const line = this.rest.slice(0, end.index);
      this.rest = this.rest.slice(end.index + end[0].length);
      const event = this.line(line);
      if (event) found.push(event);
    }
  }

  private line(line: string): SentEvent | undefined {
    if (line === '') return this.finished();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.name = value;
    else if (field === 'id' && !value.includes('\0')) this.lastId = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return undefined;
  }

  private finished(): SentEvent | undefined {
    const event = { id: this.lastId, event: this.name || 'message', data: this.data.join('\n') };
    const empty = this.data.length === 0;
    this.name = '';
    this.data = [];
    return empty ? undefined : event;
  }
}
