/** This browser's microphone in a room: asked for once at a time, sent, and muted or not whatever is still on its way. */
import { type AudioCaptureOptions, createLocalAudioTrack, type LocalAudioTrack, type Room, Track } from 'livekit-client';
import { CallError, microphoneFailure } from './errors.js';

export interface Owner {
  /** Whether this browser is in the call, or about to be. */
  isIn(): boolean;
  muted(muted: boolean): void;
  /** There is no microphone, and why. */
  goesWithout(error: CallError): void;
}

export class Microphone {
  #muted = false;
  /** From the question for it until it is sent. */
  #sending: Promise<void> | undefined;
  /** What is recorded and not sent yet: livekit-client knows of no track before it is published. */
  #recorded: LocalAudioTrack | undefined;

  constructor(
    private readonly room: Room,
    private readonly wanted: AudioCaptureOptions,
    private readonly owner: Owner,
  ) {}

  get muted(): boolean {
    return this.#muted;
  }

  /** Also while people are still asked for it. */
  get isThere(): boolean {
    return this.#sending !== undefined || this.#sent !== undefined;
  }

  async mute(): Promise<void> {
    this.becomes(true);
    if (this.#recorded) this.#recorded.mediaStreamTrack.enabled = false;
    await this.#sent?.mute();
  }

  async unmute(): Promise<void> {
    await this.#sent?.unmute();
    this.becomes(false);
    if (this.#recorded) this.#recorded.mediaStreamTrack.enabled = true;
    if (this.#sent === undefined && this.owner.isIn()) await this.send(Promise.resolve(true));
  }

  /** Told by the room, too: others may mute. */
  becomes(muted: boolean): void {
    if (muted === this.#muted) return;
    this.#muted = muted;
    this.owner.muted(muted);
  }

  /** Ask for it, and send it once the room was `entered`. Once at a time: two would be heard, and one of them muted. */
  send(entered: Promise<boolean>): Promise<void> {
    if (this.#sending) return this.#sending;
    const sending = this.#publish(entered).finally(() => {
      if (this.#sending === sending) this.#sending = undefined;
    });
    return (this.#sending = sending);
  }

  get #sent(): LocalAudioTrack | undefined {
    return this.room.localParticipant.getTrackPublication(Track.Source.Microphone)?.audioTrack as LocalAudioTrack | undefined;
  }

  async #publish(entered: Promise<boolean>): Promise<void> {
    const track = await this.#record();
    if (!track) return;
    if (!(await entered) || !this.owner.isIn()) return track.stop();
    if (this.#muted) await track.mute();
    this.#recorded = track;
    try {
      await this.room.localParticipant.publishTrack(track, { source: Track.Source.Microphone, dtx: true, red: true });
      // What was wanted meanwhile, the server is to know as well.
      await (this.#muted ? track.mute() : track.unmute());
    } catch (cause) {
      track.stop();
      if (this.owner.isIn()) this.#goWithout(new CallError('not_allowed', `The microphone could not be sent: ${String(cause)}`, { cause }));
    } finally {
      this.#recorded = undefined;
    }
  }

  /** Undefined once the owner was told why there is none. */
  async #record(): Promise<LocalAudioTrack | undefined> {
    try {
      return await createLocalAudioTrack({ echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...this.wanted });
    } catch (cause) {
      this.#goWithout(microphoneFailure(cause));
      return undefined;
    }
  }

  #goWithout(error: CallError): void {
    this.#sending = undefined;
    this.owner.goesWithout(error);
  }
}
