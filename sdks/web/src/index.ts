/** Talk to a Rymi agent from a web page. */
import { type Access, type AccessRequest, requestAccess } from './access.js';
import { Call, type CallOptions } from './call.js';

export { Call, type CallEvents, type CallOptions, type CallState } from './call.js';
export { CallError, type CallErrorCode } from './errors.js';
export type { Access, AccessRequest } from './access.js';
export type { EndReason } from './ending.js';
export type { AgentState, Person, Role } from './people.js';
export type { Line } from './transcript.js';

export const Rymi = {
  /** A call that somebody else created: give `access.url` and `access.token`, listen, and `connect()`. */
  createCall: (options: CallOptions): Call => new Call(options),
  /** Creates a call with a publishable key; give what it returns to `createCall`. */
  requestAccess: (asked: AccessRequest): Promise<Access> => requestAccess(asked),
};
