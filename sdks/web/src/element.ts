/**
 * `<rymi-call>`: a button that becomes a call. It needs a publishable key, and nothing else of the page.
 *
 *     <rymi-call publishable-key="sb_publishable_…" base-url="https://rymi.example.com" label="Talk to us"></rymi-call>
 *
 * Colours follow the page's light or dark scheme; `--rymi-accent` and `part` names are there to change them.
 */
import { type Call, CallError, type Line, Rymi } from './index.js';

const STYLE = `
:host{display:inline-block;max-width:100%;font:15px/1.45 system-ui,sans-serif;color-scheme:light dark;--a:var(--rymi-accent,light-dark(#0b6e4f,#3ddc97));--b:light-dark(#fff,#15181c);--t:light-dark(#15181c,#f1f3f5);--l:light-dark(#0002,#fff3);--on:light-dark(#fff,#06281c)}
*{box-sizing:border-box}
button{font:inherit;font-weight:600;border:1px solid var(--l);border-radius:99px;padding:.6em 1.15em;cursor:pointer;background:var(--b);color:var(--t)}
button:focus-visible{outline:3px solid var(--a);outline-offset:2px}
.go{background:var(--a);color:var(--on);border-color:#0000}
.box{width:22rem;max-width:100%;background:var(--b);color:var(--t);border:1px solid var(--l);border-radius:1rem;padding:1rem;box-shadow:0 8px 30px #0003}
[hidden]{display:none!important}
p{margin:0 0 .6em}
.s{display:flex;gap:.5em;align-items:center;font-weight:600;margin:0}
.s:before{content:"";width:.6em;height:.6em;border-radius:50%;background:var(--a);transform:scale(calc(1 + var(--v,0)));transition:transform .1s}
ol{list-style:none;margin:.8em 0;padding:0;max-height:14rem;overflow:auto;display:grid;gap:.45em}
li{padding:.5em .75em;border-radius:.8em;background:var(--l);justify-self:start;max-width:90%}
li.user{justify-self:end;background:var(--a);color:var(--on)}
li.draft{opacity:.65}
.row{display:flex;gap:.5em;justify-content:flex-end}
.e{color:light-dark(#b3261e,#ff8a80)}
@media(prefers-reduced-motion:reduce){.s:before{transition:none}}`;

const BODY = `<button class="go" part="start"></button>
<div class="box" part="panel" role="group" hidden><p class="s" role="status" part="status"></p>
<ol role="log" aria-live="polite" aria-label="Transcript" tabindex="0" part="transcript" hidden></ol>
<div class="row"><button class="m" part="mute" aria-pressed="false">Mute</button><button class="x" part="end">Hang up</button></div></div>
<p class="e" role="alert" part="error" hidden></p>`;

const SAID: Record<string, string> = { initializing: 'One moment…', listening: 'Listening', thinking: 'Thinking…', speaking: 'Speaking' };
const LOCAL_ORIGIN = typeof document !== 'undefined' && document.currentScript ? new URL((document.currentScript as HTMLScriptElement).src).origin : '';
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

export class RymiCallElement extends Base {
  /** The call that is going on. */
  call: Call | undefined;
  #lines = new Map<string, HTMLElement>();
  #frame = 0;
  #stop: AbortController | undefined;

  connectedCallback(): void {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: 'open' });
    root.innerHTML = BODY;
    // Not a <style>: pages with a strict content security policy have none.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const label = this.getAttribute('label') ?? 'Talk to us';
    this.#find('.go').textContent = label;
    this.#find('.box').setAttribute('aria-label', label);
    this.#find('.go').onclick = () => void this.start();
    this.#find('.x').onclick = () => void this.hangUp();
    this.#find('.m').onclick = () => void (this.call?.muted ? this.call.unmute() : this.call?.mute());
    root.addEventListener('keydown', (event) => (event as KeyboardEvent).key === 'Escape' && void this.hangUp());
  }

  disconnectedCallback(): void {
    void this.hangUp();
  }

  /** Resolves when the call has begun, or its failure is shown. */
  async start(): Promise<void> {
    if (this.#stop) return;
    const stop = (this.#stop = new AbortController());
    this.#error('');
    this.#lines.clear();
    this.#find('ol').replaceChildren();
    this.#show(true);
    this.#status('Connecting…');
    try {
      const access = await Rymi.requestAccess({
        publishableKey: this.getAttribute('publishable-key') ?? '',
        baseUrl: this.getAttribute('base-url') ?? (LOCAL_ORIGIN || location.origin),
        identity: this.getAttribute('identity') ?? undefined,
        signal: stop.signal,
      });
      const call = (this.call = this.#follow(Rymi.createCall(access)));
      this.dispatchEvent(new CustomEvent('rymi-call', { detail: call, bubbles: true, composed: true }));
      await call.connect();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.#over();
      if (error.code !== 'aborted') this.#error(error.message);
    }
  }

  async hangUp(): Promise<void> {
    this.#stop?.abort();
    await this.call?.disconnect();
  }

  #follow(call: Call): Call {
    call.on('started', () => {
      this.#status('Connected');
      this.#find('.x').focus();
      this.#beat();
    });
    call.on('agent_state', ({ state }) => this.#status(SAID[state] ?? 'Connected'));
    call.on('reconnecting', () => this.#status('Reconnecting…'));
    call.on('reconnected', () => this.#status('Connected'));
    call.on('audio_blocked', ({ blocked }) => blocked && this.#status('Click anywhere to hear'));
    call.on('transcript', (line) => this.#line(line));
    call.on('muted', ({ muted }) => {
      this.#find('.m').textContent = muted ? 'Unmute' : 'Mute';
      this.#find('.m').setAttribute('aria-pressed', String(muted));
    });
    call.on('error', (error) => this.#error(error.message));
    call.on('ended', () => this.#over());
    return call;
  }

  #line({ segmentId, participant, role, text, isFinal }: Line): void {
    const list = this.#find('ol');
    const key = participant.identity + segmentId;
    const item = this.#lines.get(key) ?? list.appendChild(document.createElement('li'));
    this.#lines.set(key, item);
    item.className = `${role}${isFinal ? '' : ' draft'}`;
    item.textContent = text;
    list.hidden = false;
    list.scrollTop = list.scrollHeight;
  }

  #beat(): void {
    this.#find('.s').style.setProperty('--v', String(this.call?.level('agent') ?? 0));
    this.#frame = requestAnimationFrame(() => this.#beat());
  }

  #over(): void {
    cancelAnimationFrame(this.#frame);
    const inside = this.shadowRoot!.activeElement;
    this.call = this.#stop = undefined;
    this.#show(false);
    if (inside) this.#find('.go').focus();
  }

  #show(calling: boolean): void {
    this.#find('.go').hidden = calling;
    this.#find('.box').hidden = !calling;
    if (calling) this.#find('.x').focus();
  }

  #status(text: string): void {
    this.#find('.s').textContent = text;
  }

  #error(text: string): void {
    const line = this.#find('.e');
    line.textContent = text;
    line.hidden = !text;
  }

  #find(selector: string): HTMLElement {
    return this.shadowRoot!.querySelector<HTMLElement>(selector)!;
  }
}

if (globalThis.customElements && !customElements.get('rymi-call')) customElements.define('rymi-call', RymiCallElement);

declare global {
  interface HTMLElementTagNameMap {
    'rymi-call': RymiCallElement;
  }
}
