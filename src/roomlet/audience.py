"""Tells several listeners what happened in rooms, in the order they were given."""

from collections.abc import Sequence

from livekit.protocol import models

from roomlet.participant import Participant
from roomlet.room import Room, RoomListener
from roomlet.tracks import PublishedTrack


class Audience:
    def __init__(self, listeners: Sequence[RoomListener]) -> None:
        self._listeners = listeners

    def on_room_opened(self, room: Room) -> None:
        for listener in self._listeners:
            listener.on_room_opened(room)

    def on_participant_active(self, room: Room, participant: Participant) -> None:
        for listener in self._listeners:
            listener.on_participant_active(room, participant)

    def on_track_published(self, room: Room, track: PublishedTrack, participant: Participant) -> None:
        for listener in self._listeners:
            listener.on_track_published(room, track, participant)

    def on_track_unpublished(self, room: Room, track: PublishedTrack, participant: Participant) -> None:
        for listener in self._listeners:
            listener.on_track_unpublished(room, track, participant)

    def on_participant_left(self, room: Room, participant: Participant) -> None:
        for listener in self._listeners:
            listener.on_participant_left(room, participant)

    def on_signal_lost(self, room: Room, participant: Participant) -> None:
        for listener in self._listeners:
            listener.on_signal_lost(room, participant)

    def on_room_closed(self, room: Room, reason: models.RoomEndReason) -> None:
        for listener in self._listeners:
            listener.on_room_closed(room, reason)
