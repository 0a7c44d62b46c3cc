"""What each signal message from a client does. Decoding and sockets are elsewhere."""

import time
from collections.abc import Callable

from livekit.protocol import models, rtc

from roomlet.hearers import hearers_of
from roomlet.limits import size_of
from roomlet.participant import Participant


def act(participant: Participant, request: rtc.SignalRequest) -> None:
    """Messages without an entry need nothing: an ICE-lite server has no use for `trickle`, the others are video's."""
    kind = request.WhichOneof("message")
    action = ACTIONS.get(kind) if kind is not None else None
    if action is not None and not participant.has_left:
        action(participant, request)


def _offer(participant: Participant, request: rtc.SignalRequest) -> None:
    participant.publishing.answer(request.offer)


def _answer(participant: Participant, request: rtc.SignalRequest) -> None:
    participant.subscribing.accept(request.answer)


def _add_track(participant: Participant, request: rtc.SignalRequest) -> None:
    participant.publishing.add(request.add_track)


def _mute(participant: Participant, request: rtc.SignalRequest) -> None:
    participant.publishing.mute(request.mute.sid, request.mute.muted)


def _ping(participant: Participant, request: rtc.SignalRequest) -> None:
    participant.send(pong=_now_ms())


def _ping_request(participant: Participant, request: rtc.SignalRequest) -> None:
    pong = rtc.Pong(last_ping_timestamp=request.ping_req.timestamp, timestamp=_now_ms())
    participant.send(pong_resp=pong)


def _subscription(participant: Participant, request: rtc.SignalRequest) -> None:
    asked = request.subscription
    sids = [*asked.track_sids, *(sid for tracks in asked.participant_tracks for sid in tracks.track_sids)]
    participant.subscribing.choose(sids, asked.subscribe)


def _subscription_permission(participant: Participant, request: rtc.SignalRequest) -> None:
    participant.choose_hearers(hearers_of(request.subscription_permission))


def _update_metadata(participant: Participant, request: rtc.SignalRequest) -> None:
    update = request.update_metadata
    reason, message = _why_not(participant, update)
    if reason == rtc.RequestResponse.OK:
        participant.update(update.metadata, update.name, update.attributes)
    response = rtc.RequestResponse(request_id=update.request_id, reason=reason, message=message)
    participant.send(request_response=response)


def _why_not(participant: Participant, update: rtc.UpdateParticipantMetadata) -> tuple[rtc.RequestResponse.Reason, str]:
    limits = participant.limits
    if not participant.permission.can_update_metadata:
        return rtc.RequestResponse.NOT_ALLOWED, "does not have permission to update own metadata"
    if len(update.metadata.encode()) > limits.metadata_bytes:
        return rtc.RequestResponse.LIMIT_EXCEEDED, "metadata size exceeds limits"
    if len(update.name.encode()) > limits.name_length:
        return rtc.RequestResponse.LIMIT_EXCEEDED, "name length exceeds limits"
    if size_of(participant.attributes_after(update.attributes)) > limits.attributes_bytes:
        return rtc.RequestResponse.LIMIT_EXCEEDED, "attributes size exceeds limits"
    return rtc.RequestResponse.OK, ""


def _update_audio_track(participant: Participant, request: rtc.SignalRequest) -> None:
    track = participant.publishing.tracks.get(request.update_audio_track.track_sid)
    if track is not None:
        track.info.audio_features[:] = request.update_audio_track.features
        participant.changed()


def _sync_state(participant: Participant, request: rtc.SignalRequest) -> None:
    """A client that resumed says again what it did not want to hear."""
    asked = request.sync_state.subscription
    participant.subscribing.choose(list(asked.track_sids), asked.subscribe)


def _simulate(participant: Participant, request: rtc.SignalRequest) -> None:
    scenario = request.simulate.WhichOneof("scenario")
    if scenario == "leave_request_full_reconnect":
        unknown = models.DisconnectReason.UNKNOWN_REASON
        participant.send(leave=rtc.LeaveRequest(reason=unknown, action=rtc.LeaveRequest.RECONNECT))
    elif scenario == "server_leave":
        participant.surroundings.remove(participant, models.DisconnectReason.SERVER_SHUTDOWN)


def _leave(participant: Participant, request: rtc.SignalRequest) -> None:
    participant.surroundings.remove(participant, models.DisconnectReason.CLIENT_INITIATED, notify=False)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


ACTIONS: dict[str, Callable[[Participant, rtc.SignalRequest], None]] = {
    "offer": _offer,
    "answer": _answer,
    "add_track": _add_track,
    "mute": _mute,
    "ping": _ping,
    "ping_req": _ping_request,
    "subscription": _subscription,
    "subscription_permission": _subscription_permission,
    "update_metadata": _update_metadata,
    "update_audio_track": _update_audio_track,
    "sync_state": _sync_state,
    "simulate": _simulate,
    "leave": _leave,
}
