/** The talk page: from the lobby into a call and out again. */
import type { Call, Rymi as Sdk } from '../web/src/index.js';
import { type Agent, agents, call as begin, invitationLink, type Joined, join, linkOf } from './asking.js';
import { dialogs } from './dialogs.js';
import { Lines, nameOf } from './lines.js';
import { alarm, choices, find, initial, label, scene } from './page.js';

declare const Rymi: typeof Sdk;

const STATES: Record<string, string> = {
  initializing: 'Getting ready…',
  idle: 'Listening',
  listening: 'Listening',
  thinking: 'Thinking…',
  speaking: 'Speaking',
};
const ENDS: Record<string, string> = {
  left: 'You hung up.',
  call_ended: 'The call has ended.',
  removed: 'You were taken out of the call.',
  joined_elsewhere: 'You joined from another window.',
  connection_lost: 'The connection was lost.',
  server_gone: 'The server stopped.',
};
const WITHOUT_AGENT_MS = 10_000;
const MICROPHONE = /^microphone_|^insecure_page$/;
const METER_MS = 80;
const NAME = 'rymi-talk-name';

const link = linkOf(location.hash);
let known: Agent[] = [];
let call: Call | undefined;
let joined: Joined | undefined;
let starting = false;
let startedAt = 0;
let ticking: ReturnType<typeof setInterval> | undefined;

const agentName = () => joined?.agent.name.split(',')[0] ?? 'Agent';
const lines = new Lines(find('lines'), agentName);
const failed = (error: unknown) => alarm(error instanceof Error ? error.message : String(error));

async function lobby(): Promise<void> {
  find<HTMLInputElement>('name').value = localStorage.getItem(NAME) ?? 'Guest';
  if (!link.credential) {
    scene('lobby');
    find('title').textContent = 'This link is not complete';
    find('lead').textContent = 'Open the link that `rymi up` printed, or put a publishable key behind it: /talk#sb_publishable_…';
    find('start').hidden = true;
    return;
  }
  if (link.invited) {
    find('title').textContent = 'You are invited to a call';
    find('lead').textContent = 'Say your name and come in. Everybody in the call hears you, and so does the agent.';
    find('agents').hidden = true;
    label(find('go'), 'mic', 'Join the call');
  } else {
    known = await agents(link);
    choices(known);
    if (known.length === 0) alarm('There is no agent yet. Create one, then reload this page.');
    find<HTMLButtonElement>('go').disabled = known.length === 0;
  }
  scene('lobby');
}

async function start(): Promise<void> {
  // A call that begins twice goes on once, and nobody could hang it up.
  if (starting) return;
  starting = true;
  const name = find<HTMLInputElement>('name').value.trim() || 'Guest';
  const chosen = document.querySelector<HTMLInputElement>('[name=agent]:checked')?.value ?? '';
  localStorage.setItem(NAME, name);
  alarm('');
  find<HTMLButtonElement>('go').disabled = true;
  try {
    joined = link.invited ? await join(link, name) : await begin(link, chosen, name);
    call = follow(Rymi.createCall(joined.participant.access));
    enter(joined);
    await call.connect();
  } catch (error) {
    failed(error);
    call = undefined;
    scene('lobby');
  } finally {
    starting = false;
    find<HTMLButtonElement>('go').disabled = false;
  }
}

function enter(into: Joined): void {
  scene('call');
  lines.clear();
  document.title = `${agentName()} · Rymi`;
  find('agent').textContent = into.agent.name;
  find('initial').textContent = initial(into.agent.name);
  find('demo').hidden = !into.agent.demo;
  find('clock').textContent = '0:00';
  label(find('mute'), 'mic', 'Mute');
  find('mute').setAttribute('aria-pressed', 'false');
  say('Connecting…', 'away');
}

function follow(now: Call): Call {
  now.on('started', began);
  now.on('transcript', (line) => lines.show(line));
  now.on('agent_state', ({ state }) => say(STATES[state] ?? state, state));
  now.on('participant', ({ participant, change }) => {
    people();
    if (participant.role === 'agent') say(change === 'left' ? 'The agent left' : (STATES[now.agentState ?? ''] ?? 'Connected'), change === 'left' ? 'away' : 'listening');
    else lines.event(`${nameOf(participant, agentName())} ${change}`);
  });
  now.on('speaking', ({ participant, speaking }) => find('people').querySelector(`[data-id="${CSS.escape(participant.identity)}"]`)?.classList.toggle('speaking', speaking));
  now.on('muted', ({ muted }) => {
    find('mute').setAttribute('aria-pressed', String(muted));
    label(find('mute'), muted ? 'mic-off' : 'mic', muted ? 'Unmute' : 'Mute');
  });
  now.on('reconnecting', () => say('Reconnecting…', 'away'));
  now.on('reconnected', () => say(STATES[now.agentState ?? ''] ?? 'Connected', now.agentState ?? 'listening'));
  now.on('audio_blocked', ({ blocked }) => alarm(blocked ? 'Click anywhere to hear the agent.' : ''));
  now.on('error', (error) => {
    if (!MICROPHONE.test(error.code)) return failed(error);
    label(find('mute'), 'mic-off', 'Unmute');
    alarm(`${error.message}. You can listen and type; press Unmute to try again.`);
  });
  now.on('ended', ({ reason }) => over(ENDS[reason] ?? 'The call has ended.'));
  return now;
}

function began(): void {
  startedAt = Date.now();
  say('Waiting for the agent…', 'away');
  people();
  ticking = setInterval(tick, 1000);
  meters();
  setTimeout(() => {
    const alone = call?.participants.every((each) => each.role !== 'agent');
    if (call?.state === 'connected' && alone) alarm('No agent has come yet. Is an agent worker running? `rymi doctor` says what is missing.');
  }, WITHOUT_AGENT_MS);
}

function over(why: string): void {
  clearInterval(ticking);
  document.querySelectorAll('dialog').forEach((box) => box.close());
  say(why, 'away');
  find('people').replaceChildren();
  lines.close();
  find<HTMLButtonElement>('save').hidden = lines.text === '';
  find('again').hidden = link.invited;
  scene('over');
  find('again').focus();
  call = undefined;
}

function say(text: string, state: string): void {
  find('state').textContent = text;
  document.body.dataset['agent'] = state;
}

function people(): void {
  const present = (call?.participants ?? []).filter((each) => each.role !== 'agent');
  find('people').replaceChildren(
    ...present.map((each) => {
      const item = Object.assign(document.createElement('li'), { textContent: nameOf(each, agentName()) });
      item.dataset['id'] = each.identity;
      return item;
    }),
  );
}

function tick(): void {
  const seconds = Math.floor((Date.now() - startedAt) / 1000);
  find('clock').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function meters(): void {
  if (!call) return;
  find('orb').style.setProperty('--level', call.level('agent').toFixed(3));
  find('level').style.setProperty('--mine', call.level('me').toFixed(3));
  // The style sheet fills in between; a meter at every frame would cost more than the call.
  setTimeout(() => requestAnimationFrame(meters), METER_MS);
}

async function toggle(): Promise<void> {
  if (!call) return;
  await (call.muted || !call.hasMicrophone ? call.unmute() : call.mute());
  // There was none before, so nothing was unmuted that would say so.
  if (call.hasMicrophone && !call.muted) {
    label(find('mute'), 'mic', 'Mute');
    alarm('');
  }
}

function save(): void {
  const url = URL.createObjectURL(new Blob([lines.text], { type: 'text/plain' }));
  Object.assign(document.createElement('a'), { href: url, download: `call-${joined?.call_id ?? ''}.txt` }).click();
  URL.revokeObjectURL(url);
}

find('start').addEventListener('submit', (event) => {
  event.preventDefault();
  void start();
});
find('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const input = find<HTMLInputElement>('text');
  const text = input.value.trim();
  if (!text || !call) return;
  call.sendText(text).then(() => (input.value = ''), failed);
});
find('mute').addEventListener('click', () => toggle().catch(failed));
find('end').addEventListener('click', () => call?.disconnect().catch(failed));
find('again').addEventListener('click', () => void start());
find('save').addEventListener('click', save);
find('alert').querySelector('button')!.addEventListener('click', () => alarm(''));
addEventListener('hashchange', () => location.reload());
dialogs(() => call, () => (joined ? invitationLink(joined.invitation) : ''), failed);
lobby().catch((error) => {
  scene('lobby');
  find('start').hidden = true;
  find('title').textContent = 'This link does not open';
  find('lead').textContent = error instanceof Error ? error.message : String(error);
});
