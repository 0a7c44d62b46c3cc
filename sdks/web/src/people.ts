/** Who is in the call, read off what the room knows of them. */
import type { Participant } from 'livekit-client';

/** `agent` is the AI; `user` is everybody else, in browsers and on phones. */
export type Role = 'agent' | 'user';

export type AgentState = 'initializing' | 'idle' | 'listening' | 'thinking' | 'speaking' | (string & {});

export interface Person {
  /** As the call was created with for browsers; the participant's id for phones and the agent. */
  readonly identity: string;
  /** The participant's id in the API. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly isMe: boolean;
}

export const AGENT_STATE = 'lk.agent.state';
const PARTICIPANT_ID = 'rymi.participant_id';

export function isAgent(participant: Participant): boolean {
  return participant.isAgent || AGENT_STATE in participant.attributes;
}

export function person(participant: Participant): Person {
  return {
    identity: participant.identity,
    id: participant.attributes[PARTICIPANT_ID] ?? participant.identity,
    name: participant.name || participant.identity,
    role: isAgent(participant) ? 'agent' : 'user',
    isMe: participant.isLocal,
  };
}
