/** The one error of a call: match on `code`; `message` is for people and may change. */
import { ConnectionError, ConnectionErrorReason, DisconnectReason } from 'livekit-client';

export type CallErrorCode =
  | 'wrong_url'
  | 'wrong_token'
  | 'token_refused'
  | 'token_expired'
  | 'call_over'
  | 'server_unreachable'
  | 'connection_lost'
  | 'timed_out'
  | 'aborted'
  | 'not_connected'
  | 'not_allowed'
  | 'wrong_argument'
  | 'microphone_denied'
  | 'microphone_missing'
  | 'microphone_in_use'
  | 'microphone_failed'
  | 'insecure_page'
  | 'device_failed'
  | 'unexpected_answer'
  /** Codes of the API, when a call is created with a publishable key. */
  | (string & {});

export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: CallErrorCode;
  /** Of the API's answer, where there was one. */
  readonly status: number | undefined;
  readonly requestId: string | undefined;

  constructor(code: CallErrorCode, message: string, more: { cause?: unknown; status?: number; requestId?: string | null } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.status = more.status;
    this.requestId = more.requestId ?? undefined;
  }
}

const NOT_FOUND = 404;

/** Why a room could not be entered. */
export function connectFailure(cause: unknown, expired: boolean): CallError {
  const say = (code: CallErrorCode, message: string) => new CallError(code, message, { cause });
  if (!(cause instanceof ConnectionError)) return say('server_unreachable', `The call could not be entered: ${String(cause)}`);
  switch (cause.reason) {
    case ConnectionErrorReason.NotAllowed:
      if (cause.status === NOT_FOUND) return say('call_over', 'This call is over');
      return expired ? say('token_expired', 'The token of this call has expired') : say('token_refused', 'The token does not open this call');
    case ConnectionErrorReason.LeaveRequest:
      return dismissed(cause);
    case ConnectionErrorReason.Cancelled:
      return say('aborted', 'The call was left before it was entered');
    case ConnectionErrorReason.Timeout:
      return say('timed_out', 'The server of the call did not answer in time');
    default:
      return say('server_unreachable', `The server of the call cannot be reached: ${cause.message}`);
  }
}

const OVER = new Set<unknown>([DisconnectReason.ROOM_DELETED, DisconnectReason.ROOM_CLOSED, DisconnectReason.PARTICIPANT_REMOVED]);

/** The server said to leave before one was in. */
function dismissed(cause: ConnectionError): CallError {
  if (OVER.has(cause.context)) return new CallError('call_over', 'The call ended while it was entered', { cause });
  const why = DisconnectReason[cause.context as DisconnectReason] ?? 'no reason';
  return new CallError('server_unreachable', `The server of the call let nobody in (${why})`, { cause });
}

const MICROPHONE: Record<string, [CallErrorCode, string]> = {
  NotAllowedError: ['microphone_denied', 'The microphone is not allowed on this page'],
  NotFoundError: ['microphone_missing', 'There is no microphone'],
  OverconstrainedError: ['microphone_missing', 'The chosen microphone is not there'],
  NotReadableError: ['microphone_in_use', 'The microphone is used by another program'],
};

/** Why there is no microphone. */
export function microphoneFailure(cause: unknown): CallError {
  if (!globalThis.isSecureContext || !navigator.mediaDevices) {
    return new CallError('insecure_page', 'Browsers give microphones to pages on https (or localhost) only', { cause });
  }
  const name = (cause as { name?: string } | null)?.name ?? '';
  const [code, message] = MICROPHONE[name] ?? ['microphone_failed', `The microphone does not work: ${String(cause)}`];
  return new CallError(code, message, { cause });
}
