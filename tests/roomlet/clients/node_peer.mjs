// A participant on @livekit/rtc-node: plays a tone, listens for another, and answers data. Speaks JSON lines.
import { AudioFrame, AudioSource, AudioStream, LocalAudioTrack, Room, RoomEvent, TrackPublishOptions, TrackSource, dispose }
  from '@livekit/rtc-node';

const [url, token, playHz, other, listenHz] = process.argv.slice(2);
const RATE = 48000;
const say = (line) => console.log(JSON.stringify(line));

function strength(samples, hz) {
  let real = 0, imaginary = 0, power = 0;
  for (let i = 0; i < samples.length; i++) {
    const angle = (2 * Math.PI * hz * i) / RATE;
    real += samples[i] * Math.cos(angle);
    imaginary -= samples[i] * Math.sin(angle);
    power += samples[i] ** 2;
  }
  return power ? (2 * (real ** 2 + imaginary ** 2)) / (samples.length * power) : 0; // 1 for a pure tone of that frequency.
}

async function listen(track) {
  let samples = [];
  for await (const frame of new AudioStream(track, RATE, 1)) {
    samples.push(...frame.data);
    if (samples.length < RATE / 4) continue;
    const loudness = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
    if (strength(samples, +listenHz) > 0.9 && loudness > 300) { say({ heard: +listenHz }); return; }
    samples = [];
  }
}

const room = new Room();
room.on(RoomEvent.TrackSubscribed, (track, publication, who) => who.identity === other && listen(track));
room.on(RoomEvent.DataReceived, async (data, who) => {
  const text = new TextDecoder().decode(data);
  if (text.startsWith('ping')) await room.localParticipant.publishData(new TextEncoder().encode(`pong to ${who.identity}`), { reliable: true });
});
room.on(RoomEvent.Disconnected, (reason) => say({ disconnected: String(reason) }));
await room.connect(url, token, { autoSubscribe: true, dynacast: false });
const source = new AudioSource(RATE, 1);
const options = new TrackPublishOptions();
options.source = TrackSource.SOURCE_MICROPHONE;
await room.localParticipant.publishTrack(LocalAudioTrack.createAudioTrack('tone', source), options);
say({ joined: room.localParticipant.identity });
let position = 0, playing = true;
process.stdin.on('data', () => {}).on('end', async () => { playing = false; await room.disconnect(); await dispose(); process.exit(0); });
while (playing) {
  const samples = Int16Array.from({ length: 480 }, () => Math.sin((2 * Math.PI * +playHz * position++) / RATE) * 12000);
  await source.captureFrame(new AudioFrame(samples, RATE, 1, 480));
}
