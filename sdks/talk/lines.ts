/** The transcript as it stands on the page. */
import type { Line, Person } from '../web/src/index.js';

const at = (milliseconds: number) => {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
};

/** An identity carries four letters that tell two of one name apart; people need not see them. */
export const nameOf = (person: Person, agentName: string) =>
  person.role === 'agent' ? agentName : person.isMe ? 'You' : person.name.replace(/ [0-9a-f]{4}$/, '');

export class Lines {
  #items = new Map<string, HTMLElement>();
  #said = new Map<string, string>();
  #last = '';

  constructor(
    private readonly list: HTMLElement,
    private readonly agentName: () => string,
  ) {}

  show(line: Line): void {
    const key = `${line.participant.identity} ${line.segmentId}`;
    const name = nameOf(line.participant, this.agentName());
    const item = this.#items.get(key) ?? this.#begin(key, line, name);
    const kind = line.role === 'agent' ? 'agent' : line.participant.isMe ? 'me' : 'other';
    item.className = line.isFinal ? kind : `${kind} draft`;
    item.textContent = line.text;
    item.hidden = line.text === '';
    this.#said.set(key, `[${at(line.startedAtMs)}] ${name}: ${line.text}`);
    this.#scroll();
  }

  event(text: string): void {
    this.#empty();
    this.#add('event', text);
    this.#last = '';
    this.#scroll();
  }

  /** Nothing more will come. */
  close(): void {
    for (const item of this.#items.values()) item.classList.remove('draft');
  }

  clear(): void {
    this.list.replaceChildren();
    this.#items.clear();
    this.#said.clear();
    this.#last = '';
    this.#add('empty', 'What is said appears here.');
  }

  /** For saving. */
  get text(): string {
    return [...this.#said.values()].join('\n');
  }

  #begin(key: string, line: Line, name: string): HTMLElement {
    this.#empty();
    if (this.#last !== line.participant.identity) {
      const who = this.#add(line.participant.isMe ? 'who me' : 'who', name);
      who.append(Object.assign(document.createElement('time'), { textContent: at(line.startedAtMs) }));
    }
    this.#last = line.participant.identity;
    const item = this.#add('', '');
    this.#items.set(key, item);
    return item;
  }

  #add(kind: string, text: string): HTMLElement {
    return this.list.appendChild(Object.assign(document.createElement('li'), { className: kind, textContent: text }));
  }

  #empty(): void {
    this.list.querySelector('.empty')?.remove();
  }

  #scroll(): void {
    this.list.scrollTo({ top: this.list.scrollHeight });
  }
}
