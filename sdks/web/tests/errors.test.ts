import { ConnectionError, DisconnectReason } from 'livekit-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { endReason } from '../src/ending.js';
import { connectFailure, microphoneFailure } from '../src/errors.js';

const refused = (status: number) => ConnectionError.notAllowed('no', status);
const dismissed = (reason: DisconnectReason) => ConnectionError.leaveRequest('leave', reason);

describe('why a call was not entered', () => {
  it.each([
    ['call_over', refused(404), false],
    ['token_refused', refused(401), false],
    ['token_expired', refused(401), true],
    ['call_over', dismissed(DisconnectReason.ROOM_DELETED), false],
    ['call_over', dismissed(DisconnectReason.ROOM_CLOSED), false],
    ['server_unreachable', dismissed(DisconnectReason.SERVER_SHUTDOWN), false],
    ['aborted', ConnectionError.cancelled('left'), false],
    ['timed_out', ConnectionError.timeout('late'), false],
    ['server_unreachable', ConnectionError.serverUnreachable('nobody'), false],
    ['server_unreachable', new TypeError('something else'), false],
  ])('is %s', (code, cause, expired) => {
    const error = connectFailure(cause, expired);
    expect([error.name, error.code, error.cause]).toEqual(['CallError', code, cause]);
  });
});

describe('why there is no microphone', () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([
    ['microphone_denied', 'NotAllowedError'],
    ['microphone_missing', 'NotFoundError'],
    ['microphone_missing', 'OverconstrainedError'],
    ['microphone_in_use', 'NotReadableError'],
    ['microphone_failed', 'SomethingNewError'],
  ])('is %s', (code, name) => {
    vi.stubGlobal('isSecureContext', true);
    vi.stubGlobal('navigator', { mediaDevices: {} });
    expect(microphoneFailure(Object.assign(new Error(''), { name })).code).toBe(code);
  });

  it('is insecure_page where browsers have none to give', () => {
    vi.stubGlobal('isSecureContext', false);
    vi.stubGlobal('navigator', {});
    expect(microphoneFailure(new TypeError('mediaDevices is undefined')).code).toBe('insecure_page');
  });
});

describe('why a call ended', () => {
  it.each([
    [DisconnectReason.CLIENT_INITIATED, 'left'],
    [DisconnectReason.ROOM_DELETED, 'call_ended'],
    [DisconnectReason.ROOM_CLOSED, 'call_ended'],
    [DisconnectReason.DUPLICATE_IDENTITY, 'joined_elsewhere'],
    [DisconnectReason.PARTICIPANT_REMOVED, 'removed'],
    [DisconnectReason.SERVER_SHUTDOWN, 'server_gone'],
    [DisconnectReason.STATE_MISMATCH, 'connection_lost'],
    [undefined, 'connection_lost'],
  ])('is told for %s as %s', (reason, said) => expect(endReason(reason)).toBe(said));
});
