/** Why a call ended for this browser. */
import { DisconnectReason } from 'livekit-client';

export type EndReason =
  /** `disconnect()` was called. */
  | 'left'
  /** The call is over for everybody. */
  | 'call_ended'
  /** The same identity came in from elsewhere. */
  | 'joined_elsewhere'
  /** Somebody took this participant out. */
  | 'removed'
  /** The network went, and did not come back. */
  | 'connection_lost'
  /** The server of the call stopped. */
  | 'server_gone';

const REASONS: Partial<Record<DisconnectReason, EndReason>> = {
  [DisconnectReason.CLIENT_INITIATED]: 'left',
  [DisconnectReason.DUPLICATE_IDENTITY]: 'joined_elsewhere',
  [DisconnectReason.SERVER_SHUTDOWN]: 'server_gone',
  [DisconnectReason.PARTICIPANT_REMOVED]: 'removed',
  [DisconnectReason.ROOM_DELETED]: 'call_ended',
  [DisconnectReason.ROOM_CLOSED]: 'call_ended',
};

export function endReason(reason: DisconnectReason | undefined): EndReason {
  return (reason !== undefined && REASONS[reason]) || 'connection_lost';
}
