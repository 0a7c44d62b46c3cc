/** How loud something is just now, from 0 to 1, for meters. */

const QUIETEST_DB = -55;
const LOUDEST_DB = -10;

export class Levels {
  #context: AudioContext | undefined;
  readonly #meters = new Map<string, { analyser: AnalyserNode; source: AudioNode; samples: Float32Array<ArrayBuffer> }>();

  of(track: MediaStreamTrack | undefined): number {
    if (!track || track.readyState === 'ended') return 0;
    const { analyser, samples } = this.#meters.get(track.id) ?? this.#attach(track);
    if (this.#context?.state === 'suspended') void this.#context.resume();
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    const db = 10 * Math.log10(sum / samples.length + 1e-12);
    return Math.min(1, Math.max(0, (db - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB)));
  }

  close(): void {
    for (const { source } of this.#meters.values()) source.disconnect();
    this.#meters.clear();
    void this.#context?.close();
    this.#context = undefined;
  }

  #attach(track: MediaStreamTrack) {
    this.#context ??= new AudioContext();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1024;
    const source = this.#context.createMediaStreamSource(new MediaStream([track]));
    source.connect(analyser);
    const meter = { analyser, source, samples: new Float32Array(analyser.fftSize) };
    this.#meters.set(track.id, meter);
    return meter;
  }
}
