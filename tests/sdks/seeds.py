"""Code that users were shown. It runs as it stands here, for ever; the READMEs show it."""

NODE = """\
import { Rymi } from '@rymi/node';
const rymi = new Rymi();

// Create a call with mixed participants
const call = await rymi.calls.create({
  agent_id: 'your-agent-id',
  participants: [
    { transport: 'webrtc', identity: 'dashboard-user' },
    { transport: 'pstn', identity: '+15551234567', from_number: '+15559876543' }
  ]
});

// WebRTC participant gets LiveKit access
const webrtcParticipant = call.participants.find(p => p.transport === 'webrtc');
console.log(webrtcParticipant?.access?.token);
"""

WEB_FROM_BACKEND = """\
import { Rymi } from '@rymi/web';

// Your backend creates the call and returns access credentials
const { url, token } = await fetchFromYourBackend();
const call = Rymi.createCall({ url, token });

call.on('transcript', ({ role, text }) => {
  // role indicates which participant spoke
  console.log(`${role}: ${text}`);
});

await call.connect();
"""

WEB_FROM_CALLS = """\
import { Rymi } from '@rymi/web';

const call = Rymi.createCall({
  url: response.participants[0].access.url,
  token: response.participants[0].access.token,
});
call.on('started', () => console.log('Connected'));
await call.connect();
"""

WEB_FROM_TOKENS = """\
import { Rymi } from '@rymi/web';
const call = Rymi.createCall({ url: serverUrl, token: clientToken });
call.on('started', () => console.log('Connected'));
await call.connect();
"""
