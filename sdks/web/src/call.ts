/** One call, from this browser: what happens in it as events, what can be done in it as methods. */
import {
  type AudioCaptureOptions,
  ConnectionState,
  type Participant,
  type RemoteTrack,
  Room,
  RoomEvent,
  Track,
} from 'livekit-client';
import { Emitter } from './emitter.js';
import { type EndReason, endReason } from './ending.js';
import { CallError, connectFailure, microphoneFailure } from './errors.js';
import { Levels } from './levels.js';
import { Microphone } from './microphone.js';
import { AGENT_STATE, type AgentState, isAgent, type Person, person } from './people.js';
import { CHAT, type Line, TOPIC, Transcript } from './transcript.js';

export interface CallOptions {
  /** `access.url` and `access.token` of a participant, as the API gives them. */
  url: string;
  token: string;
  /** False to listen and type only. A token that may not speak does so by itself. */
  microphone?: boolean | AudioCaptureOptions;
  /** How long entering may take: 20 seconds unless you say otherwise. */
  connectTimeoutMs?: number;
}

export interface CallEvents {
  /** This browser is in the call. */
  started: void;
  transcript: Line;
  speaking: { participant: Person; speaking: boolean };
  participant: { participant: Person; change: 'joined' | 'left' };
  agent_state: { state: AgentState; participant: Person };
  reconnecting: void;
  reconnected: void;
  muted: { muted: boolean };
  /** Another device is used, or the list of devices is another one. */
  device: { kind: MediaDeviceKind | null; deviceId: string | null };
  /** The browser plays nothing until the page was touched; see `unlockAudio`. */
  audio_blocked: { blocked: boolean };
  ended: { reason: EndReason };
  /** Something went wrong and the call goes on, unless `ended` follows. */
  error: CallError;
}

export type CallState = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'ended';

const CONNECT_MS = 20_000;
const KEYS = '0123456789*#ABCD';

export class Call extends Emitter<CallEvents> {
  /** The LiveKit room, for what this class does not do. */
  readonly room: Room;
  #state: CallState = 'idle';
  #joining: Promise<void> | undefined;
  #agentState: AgentState | undefined;
  #startedAt = 0;
  #speaking = new Set<string>();
  #agents = new Set<string>();
  #sounds: RemoteTrack[] = [];
  readonly #microphone: Microphone;
  readonly #levels = new Levels();
  readonly #transcript = new Transcript((line) => this.emit('transcript', line), () => Math.round(performance.now() - this.#startedAt));
  readonly #unlock = () => void this.unlockAudio();

  constructor(private readonly options: CallOptions) {
    super();
    this.room = new Room({ adaptiveStream: false, dynacast: false });
    const wanted = typeof options.microphone === 'object' ? options.microphone : {};
    this.#microphone = new Microphone(this.room, wanted, {
      isIn: () => this.room.state !== ConnectionState.Disconnected && this.#state !== 'ended',
      muted: (muted) => this.emit('muted', { muted }),
      goesWithout: (error) => this.emit('error', error),
    });
    this.#listen();
  }

  get state(): CallState {
    return this.#state;
  }

  get muted(): boolean {
    return this.#microphone.muted;
  }

  /** Whether this browser sends, or could if it were not muted, or is about to: people may still be asked for it. */
  get hasMicrophone(): boolean {
    return this.#microphone.isThere;
  }

  get agentState(): AgentState | undefined {
    return this.#agentState;
  }

  /** Everybody in the call, this browser first. */
  get participants(): Person[] {
    return [this.room.localParticipant, ...this.room.remoteParticipants.values()].map((each) => this.#person(each));
  }

  /**
   * Enter the call. Resolves when this browser is in it and its microphone is on. Without a microphone one is in all the
   * same, can listen and type, and an `error` event says why.
   */
  connect(): Promise<void> {
    this.#joining ??= this.#join();
    return this.#joining;
  }

  /** Leave. The call goes on for the others. */
  async disconnect(): Promise<void> {
    await this.room.disconnect();
    this.#end('left');
  }

  /** Holds from now on, also for a microphone that is still asked for. */
  mute(): Promise<void> {
    return this.#microphone.mute();
  }

  /** Also asks for the microphone again where there was none. */
  unmute(): Promise<void> {
    return this.#microphone.unmute();
  }

  /** Something typed, for the agent. */
  async sendText(text: string): Promise<void> {
    if (text.trim() === '') throw new CallError('wrong_argument', 'There is no text to send');
    const me = this.#in().localParticipant;
    const { id } = await me.sendText(text, { topic: CHAT });
    this.#transcript.typed(id, text, this.#person(me));
  }

  /** Keys of a phone: `0`–`9`, `*`, `#`, `A`–`D`, one after the other. */
  async sendDtmf(keys: string): Promise<void> {
    const codes = [...keys.toUpperCase()].map((key) => KEYS.indexOf(key));
    if (codes.length === 0 || codes.includes(-1)) throw new CallError('wrong_argument', `Not keys of a phone: ${JSON.stringify(keys)}`);
    for (const code of codes) await this.#in().localParticipant.publishDtmf(code, KEYS.charAt(code));
  }

  /** From 0 to 1: `me`, the `agent`, or the identity of somebody. */
  level(of: 'me' | 'agent' | (string & {})): number {
    const all: Participant[] = [this.room.localParticipant, ...this.room.remoteParticipants.values()];
    const who = all.find((each) => (of === 'me' ? each.isLocal : of === 'agent' ? isAgent(each) : each.identity === of));
    if (of === 'me' && this.muted) return 0;
    const [publication] = who?.audioTrackPublications.values() ?? [];
    return this.#levels.of(publication?.track?.mediaStreamTrack);
  }

  microphones(): Promise<MediaDeviceInfo[]> {
    return Room.getLocalDevices('audioinput', false);
  }

  speakers(): Promise<MediaDeviceInfo[]> {
    return Room.getLocalDevices('audiooutput', false);
  }

  useMicrophone(deviceId: string): Promise<void> {
    return this.#use('audioinput', deviceId);
  }

  useSpeaker(deviceId: string): Promise<void> {
    return this.#use('audiooutput', deviceId);
  }

  /** Whether the browser plays nothing yet. The first touch of the page unlocks it, too. */
  get audioBlocked(): boolean {
    return !this.room.canPlaybackAudio;
  }

  /** Call it from a click. */
  async unlockAudio(): Promise<void> {
    try {
      await this.room.startAudio();
    } catch (cause) {
      this.emit('error', new CallError('device_failed', `Audio cannot be played: ${String(cause)}`, { cause }));
    }
  }

  async #join(): Promise<void> {
    if (this.#state === 'ended') throw new CallError('call_over', 'This call was left; create another one');
    const claims = this.#checked();
    this.#state = 'connecting';
    const entering = this.#enter();
    const speaks = this.options.microphone !== false && claims.video?.canPublish !== false;
    // Asking for the microphone takes as long as people think; the room need not wait for it.
    const sending = speaks ? this.#microphone.send(entering.then(() => true, () => false)) : undefined;
    try {
      await entering;
    } catch (cause) {
      this.#state = 'ended';
      this.#levels.close();
      throw cause instanceof CallError ? cause : connectFailure(cause, (claims.exp ?? Infinity) * 1000 < Date.now());
    }
    this.#started();
    await sending;
  }

  /** livekit-client tries for ever where something answers that is no room server. */
  async #enter(): Promise<void> {
    const { url, token, connectTimeoutMs = CONNECT_MS } = this.options;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      void this.room.disconnect();
    }, connectTimeoutMs);
    try {
      await this.room.connect(url, token);
    } catch (cause) {
      if (late) throw new CallError('timed_out', `The call could not be entered within ${connectTimeoutMs} ms`, { cause });
      throw cause;
    } finally {
      clearTimeout(timer);
    }
  }

  #started(): void {
    this.#startedAt = performance.now();
    this.#state = 'connected';
    this.emit('started', undefined);
    for (const each of this.room.remoteParticipants.values()) this.#came(each);
  }

  /** What the token says, unread by any server: only to say more clearly what is wrong. */
  #checked(): { exp?: number; video?: { canPublish?: boolean } } {
    const { url, token } = this.options;
    if (!URL.canParse(url) || !/^(ws|http)s?:$/.test(new URL(url).protocol)) {
      throw new CallError('wrong_url', `Not the URL of a call: ${JSON.stringify(url)}`);
    }
    try {
      return JSON.parse(atob(token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/')));
    } catch (cause) {
      throw new CallError('wrong_token', 'Not the token of a call', { cause });
    }
  }

  #listen(): void {
    const room = this.room;
    room.registerTextStreamHandler(TOPIC, (stream, { identity }) => void this.#transcript.read(stream, this.#who(identity)));
    room.registerTextStreamHandler(CHAT, (stream, { identity }) => void this.#transcript.read(stream, this.#who(identity), true));
    room
      .on(RoomEvent.TrackSubscribed, (track) => this.#play(track))
      .on(RoomEvent.TrackUnsubscribed, (track) => this.#stop(track))
      .on(RoomEvent.ParticipantConnected, (who) => this.#came(who))
      .on(RoomEvent.ParticipantDisconnected, (who) => this.emit('participant', { participant: this.#person(who), change: 'left' }))
      .on(RoomEvent.ParticipantAttributesChanged, (changed, who) => AGENT_STATE in changed && this.#agentIs(who))
      .on(RoomEvent.ActiveSpeakersChanged, (speakers) => this.#speak(speakers))
      .on(RoomEvent.SignalReconnecting, () => this.#reconnecting())
      .on(RoomEvent.Reconnecting, () => this.#reconnecting())
      .on(RoomEvent.Reconnected, () => this.#reconnected())
      .on(RoomEvent.TrackMuted, (_, who) => who.isLocal && this.#microphone.becomes(true))
      .on(RoomEvent.TrackUnmuted, (_, who) => who.isLocal && this.#microphone.becomes(false))
      .on(RoomEvent.MediaDevicesChanged, () => this.emit('device', { kind: null, deviceId: null }))
      .on(RoomEvent.ActiveDeviceChanged, (kind, deviceId) => this.emit('device', { kind, deviceId }))
      .on(RoomEvent.AudioPlaybackStatusChanged, () => this.#audio())
      .on(RoomEvent.Disconnected, (reason) => this.#state !== 'connecting' && this.#end(endReason(reason)));
  }

  #came(participant: Participant): void {
    this.emit('participant', { participant: this.#person(participant), change: 'joined' });
    if (AGENT_STATE in participant.attributes) this.#agentIs(participant);
  }

  #agentIs(participant: Participant): void {
    const state = participant.attributes[AGENT_STATE];
    if (!state || state === this.#agentState) return;
    this.#agentState = state;
    this.emit('agent_state', { state, participant: this.#person(participant) });
  }

  #speak(speakers: Participant[]): void {
    const now = new Map(speakers.map((each) => [each.identity, each]));
    for (const identity of this.#speaking) {
      if (!now.has(identity)) this.emit('speaking', { participant: this.#who(identity), speaking: false });
    }
    for (const [identity, each] of now) {
      if (!this.#speaking.has(identity)) this.emit('speaking', { participant: this.#person(each), speaking: true });
    }
    this.#speaking = new Set(now.keys());
  }

  #play(track: RemoteTrack): void {
    if (track.kind !== Track.Kind.Audio) return;
    track.attach();
    this.#sounds.push(track);
  }

  #stop(track: RemoteTrack): void {
    track.detach();
    this.#sounds = this.#sounds.filter((each) => each !== track);
  }

  #audio(): void {
    const blocked = this.audioBlocked;
    for (const touch of ['pointerdown', 'keydown']) {
      document[blocked ? 'addEventListener' : 'removeEventListener'](touch, this.#unlock);
    }
    this.emit('audio_blocked', { blocked });
  }

  #reconnecting(): void {
    if (this.#state !== 'connected') return;
    this.#state = 'reconnecting';
    this.emit('reconnecting', undefined);
  }

  #reconnected(): void {
    if (this.#state !== 'reconnecting') return;
    this.#state = 'connected';
    this.emit('reconnected', undefined);
  }

  #end(reason: EndReason): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    for (const touch of ['pointerdown', 'keydown']) document.removeEventListener(touch, this.#unlock);
    this.#sounds.forEach((track) => track.detach());
    this.#levels.close();
    if (reason === 'connection_lost') this.emit('error', new CallError(reason, 'The connection to the call was lost'));
    this.emit('ended', { reason });
  }

  async #use(kind: MediaDeviceKind, deviceId: string): Promise<void> {
    try {
      await this.room.switchActiveDevice(kind, deviceId);
    } catch (cause) {
      throw kind === 'audioinput' ? microphoneFailure(cause) : new CallError('device_failed', String(cause), { cause });
    }
  }

  #in(): Room {
    if (this.#state !== 'connected' && this.#state !== 'reconnecting') throw new CallError('not_connected', 'This browser is not in the call');
    return this.room;
  }

  #who(identity: string): Person {
    const known = this.room.getParticipantByIdentity(identity);
    if (known) return this.#person(known);
    // Gone already, with something still to be said of them.
    return { identity, id: identity, name: identity, role: this.#agents.has(identity) ? 'agent' : 'user', isMe: false };
  }

  #person(participant: Participant): Person {
    const found = person(participant);
    if (found.role === 'agent') this.#agents.add(found.identity);
    return found;
  }
}
