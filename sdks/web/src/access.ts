/** Creates a call with a publishable key: for pages that have no server of their own. */
import { CallError } from './errors.js';

export interface AccessRequest {
  /** `sb_publishable_…`: it may call one agent and nothing else, so a page may show it to everybody. */
  publishableKey: string;
  /** Where your Rymi is, such as `https://rymi.example.com`. */
  baseUrl: string;
  /** Who this browser is in the call; made up otherwise. */
  identity?: string;
  /** For the agent's prompts. */
  variables?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  signal?: AbortSignal;
  /** Sends the request: `fetch` otherwise. */
  transport?: (url: string, init: RequestInit) => Promise<Response>;
}

export interface Access {
  url: string;
  token: string;
  callId: string;
  agent: { id: string; name: string };
}

interface Created {
  id: string;
  agent: { id: string; name: string };
  participants: [{ access: { url: string; token: string } }];
}

export async function requestAccess(asked: AccessRequest): Promise<Access> {
  const { publishableKey, baseUrl, variables, metadata } = asked;
  if (!/^(sb_publishable|rymi_pk)_/.test(publishableKey)) {
    throw new CallError('wrong_argument', 'A page needs a publishable key (sb_publishable_…); a secret one belongs on a server');
  }
  const identity = asked.identity ?? `web-${Math.random().toString(36).slice(2, 10)}`;
  const created = await post<Created>(
    `${baseUrl.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1/calls`,
    publishableKey,
    { participants: [{ transport: 'webrtc', identity }], variables, metadata },
    asked,
  );
  return { ...created.participants[0].access, callId: created.id, agent: created.agent };
}

/** One answer of the API, or one error that says what came instead. */
export async function post<Answer>(
  url: string,
  bearer: string,
  body: unknown,
  { signal, transport = fetch }: Pick<AccessRequest, 'signal' | 'transport'> = {},
): Promise<Answer> {
  let response: Response;
  let text: string;
  try {
    response = await transport(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
    text = await response.text();
  } catch (cause) {
    if (signal?.aborted) throw new CallError('aborted', 'The request was aborted', { cause });
    throw new CallError('server_unreachable', `No answer from ${url}`, { cause });
  }
  const answered = { status: response.status, requestId: response.headers.get('x-request-id') };
  let said: { error?: unknown; code?: unknown };
  try {
    said = JSON.parse(text) as typeof said;
  } catch (cause) {
    throw new CallError('unexpected_answer', `${url} does not answer like the API`, { cause, ...answered });
  }
  if (response.ok) return said as Answer;
  throw new CallError(String(said.code ?? 'unexpected_answer'), String(said.error ?? response.statusText), answered);
}
