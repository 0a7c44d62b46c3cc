/** What the page asks the server, with what stands behind `#` in its address. */
export interface Agent {
  id: string;
  name: string;
  about: string;
  demo: boolean;
}

export interface Joined {
  call_id: string;
  agent: { id: string; name: string; demo: boolean };
  participant: { access: { url: string; token: string } };
  invitation: string;
}

/** `#join=…` invites into a call; anything else is a pass or a publishable key. */
export interface Link {
  invited: boolean;
  credential: string;
}

export function linkOf(hash: string): Link {
  const text = decodeURIComponent(hash.replace(/^#/, ''));
  return text.startsWith('join=') ? { invited: true, credential: text.slice(5) } : { invited: false, credential: text };
}

export const invitationLink = (invitation: string) => `${location.origin}/talk#join=${invitation}`;

export const agents = async (link: Link) => (await ask<{ agents: Agent[] }>('GET', '/talk/agents', link)).agents;

export const call = (link: Link, agentId: string, name: string) => ask<Joined>('POST', '/talk/calls', link, { agent_id: agentId, name });

export const join = (link: Link, name: string) => ask<Joined>('POST', '/talk/joins', link, { name });

/** Why there is no answer, or none of use. */
export class Failed extends Error {
  constructor(readonly code: string, message: string, cause?: unknown) {
    super(message, { cause });
  }
}

async function ask<Answer>(method: string, path: string, link: Link, body?: unknown): Promise<Answer> {
  const headers: Record<string, string> = { Authorization: `Bearer ${link.credential}` };
  if (body) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  } catch (cause) {
    throw new Failed('server_unreachable', 'The server does not answer. Is it running?', cause);
  }
  const text = await response.text();
  let said: Record<string, unknown>;
  try {
    said = JSON.parse(text);
  } catch (cause) {
    throw new Failed('unexpected_answer', 'Something else than Rymi answered.', cause);
  }
  if (response.ok) return said as Answer;
  throw new Failed(String(said['code']), plain(String(said['code']), String(said['error'])));
}

/** For people who talk, and have never heard of our API. */
const PLAIN: Record<string, string> = {
  insufficient_credits: 'There is no credit left for calls.',
  quota_exceeded: 'All lines are busy just now. Try again in a moment.',
  rate_limited: 'That was a lot at once. Wait a minute and try again.',
  call_already_ended: 'This call is over.',
  tenant_paused: 'Calls are paused at the moment.',
};

const plain = (code: string, said: string) => PLAIN[code] ?? said;
