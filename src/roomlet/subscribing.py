"""What one participant hears: which tracks it follows, and how its client is brought to receive them.

A client with a single peer connection is asked for another offer and given tracks in the sections it offers. A client
with two is offered sections by the server.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from livekit.protocol import rtc

from roomlet import offers, sdp
from roomlet.answers import NO_PAYLOAD_TYPE, Answer, Outgoing
from roomlet.offers import Slot
from roomlet.sdp import Description
from roomlet.tracks import PublishedTrack, Subscription

if TYPE_CHECKING:
    from roomlet.participant import Participant

log = logging.getLogger(__name__)
GATHER_SECONDS = 0.01
"""Changes that come together are negotiated together."""
KINDS = ("audio", "video")


class Subscribing:
    def __init__(self, participant: "Participant", auto_subscribe: bool) -> None:
        self._who, self._auto_subscribe = participant, auto_subscribe
        self._unwanted: set[str] = set()
        self._wanted: set[str] = set()
        self._refused: set[str] = set()
        self._is_open = False
        self._gathering: asyncio.TimerHandle | None = None
        self.by_track: dict[str, Subscription] = {}

    def open(self) -> None:
        self._is_open = True
        self.follow_all()

    def close(self) -> None:
        self._is_open = False
        if self._gathering is not None:
            self._gathering.cancel()
        for subscription in self.by_track.values():
            subscription.stop()
        self.by_track.clear()

    def follow_all(self) -> None:
        for track in list(self._who.surroundings.tracks_of_others(self._who)):
            self.follow(track)

    def follow(self, track: PublishedTrack) -> None:
        """Subscribes if the participant may, and wants to."""
        if not self._is_open or not self._who.permission.can_subscribe or track.sid in self.by_track:
            return
        if track.publisher is self._who or not track.is_announced:
            return
        if not self._wants(track.sid):
            return
        if self._may_hear(track):
            subscription = self.by_track[track.sid] = Subscription(track, self._who.subscribing_transport)
            track.subscriptions.append(subscription)
            self._renegotiate()
        elif track.sid not in self._refused:
            self._refused.add(track.sid)
            self._tell_permission(track, allowed=False)

    def reconsider(self, track: PublishedTrack) -> None:
        """Its publisher has chosen anew who may hear it."""
        if track.publisher is self._who or not self._is_open:
            return
        if self._may_hear(track):
            if track.sid in self._refused:
                self._refused.discard(track.sid)
                self._tell_permission(track, allowed=True)
                self.follow(track)
        elif track.sid in self.by_track:
            self._refused.add(track.sid)
            self._tell_permission(track, allowed=False)
            self.drop(track.sid)

    def _wants(self, sid: str) -> bool:
        return sid in self._wanted or (self._auto_subscribe and sid not in self._unwanted)

    def _may_hear(self, track: PublishedTrack) -> bool:
        return track.publisher.hearers.include(self._who.identity, self._who.sid, track.sid)

    def _tell_permission(self, track: PublishedTrack, allowed: bool) -> None:
        self._who.send(
            subscription_permission_update=rtc.SubscriptionPermissionUpdate(
                participant_sid=track.publisher.sid, track_sid=track.sid, allowed=allowed
            )
        )

    def drop(self, sid: str) -> None:
        subscription = self.by_track.pop(sid, None)
        if subscription is not None:
            subscription.stop()
            self._renegotiate()

    def drop_all(self) -> None:
        for sid in list(self.by_track):
            self.drop(sid)

    def choose(self, sids: Iterable[str], subscribe: bool) -> None:
        """Nobody knows of a track before it is there, so a wish about any other is not kept."""
        tracks = {track.sid: track for track in self._who.surroundings.tracks_of_others(self._who)}
        for sid in sids:
            track = tracks.get(sid)
            if track is None:
                continue
            if subscribe:
                self._unwanted.discard(sid)
                self._wanted.add(sid)
                self.follow(track)
            else:
                self._wanted.discard(sid)
                self._unwanted.add(sid)
                self.drop(sid)

    def forget(self, sid: str) -> None:
        """The track is gone for good."""
        self._wanted.discard(sid)
        self._unwanted.discard(sid)
        self._refused.discard(sid)
        self.drop(sid)

    def outgoing(self, subscription: Subscription) -> Outgoing:
        return Outgoing(subscription.track.publisher.sid, subscription.track.sid, subscription.ssrc)

    def _renegotiate(self) -> None:
        if self._gathering is None and self._is_open:
            self._gathering = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        if self._is_open:
            self._negotiate()

    # --- what the two styles do differently

    def assign(self, offer: Description) -> dict[str, Subscription]:
        """Which subscription each section of the client's offer is to carry."""
        raise NotImplementedError

    def on_answered(self, answer: Answer) -> None:
        raise NotImplementedError

    def on_resumed(self) -> None:
        raise NotImplementedError

    def accept(self, answer: rtc.SessionDescription) -> None:
        raise NotImplementedError

    def _negotiate(self) -> None:
        raise NotImplementedError


class SingleSubscribing(Subscribing):
    def __init__(self, participant: "Participant", auto_subscribe: bool) -> None:
        super().__init__(participant, auto_subscribe)
        self._awaits_offer = False
        self._is_settled = True
        self._offered = dict.fromkeys(KINDS, 0)
        self._asked = dict.fromkeys(KINDS, 0)

    def assign(self, offer: Description) -> dict[str, Subscription]:
        self._awaits_offer = False
        free = {
            kind: [s.mid for s in offer.sections if s.kind == kind and s.is_live and s.direction == "recvonly"]
            for kind in KINDS
        }
        self._offered = {kind: len(mids) for kind, mids in free.items()}
        assigned: dict[str, Subscription] = {}
        for subscription in self.by_track.values():
            mids = free[subscription.track.kind]
            if subscription.mid in mids:
                mids.remove(subscription.mid)
                assigned[subscription.mid] = subscription
        for subscription in self.by_track.values():
            mids = free[subscription.track.kind]
            if assigned.get(subscription.mid) is not subscription and mids:
                subscription.mid = mids.pop(0)
                assigned[subscription.mid] = subscription
        return assigned

    def on_answered(self, answer: Answer) -> None:
        for subscription in self.by_track.values():
            agreed = answer.agreed.get(subscription.mid)
            if agreed is not None and answer.track_sids.get(subscription.mid) == subscription.track.sid:
                subscription.agree(agreed.payload_type, agreed.red_payload_type)
                if agreed.nack:
                    subscription.track.keep_history()
                subscription.start()
        self._is_settled = True
        if self._needs_sections():
            self._renegotiate()

    def on_resumed(self) -> None:
        # What was asked for while nobody listened was not heard. The client offers by itself now, with what it has.
        self._awaits_offer = False
        self._asked = dict.fromkeys(KINDS, 0)

    def accept(self, answer: rtc.SessionDescription) -> None:
        log.info("an answer came from a client that was offered nothing")

    def _renegotiate(self) -> None:
        self._is_settled = False
        super()._renegotiate()

    def _negotiate(self) -> None:
        """Asks for an offer. Asking for no new section is legal, and the only way to start a renegotiation."""
        if self._awaits_offer or self._is_settled:
            return
        self._awaits_offer = True
        missing = {}
        for kind in KINDS:
            # What was asked once is not asked again: some clients never bring it.
            have = max(self._offered[kind], self._asked[kind])
            missing[kind] = max(0, self._followed(kind) - have)
            self._asked[kind] = max(have, self._followed(kind))
        self._who.send(
            media_sections_requirement=rtc.MediaSectionsRequirement(
                num_audios=missing["audio"], num_videos=missing["video"]
            )
        )

    def _followed(self, kind: str) -> int:
        return sum(1 for subscription in self.by_track.values() if subscription.track.kind == kind)

    def _needs_sections(self) -> bool:
        return any(self._followed(kind) > max(self._offered[kind], self._asked[kind]) for kind in KINDS)


class DualSubscribing(Subscribing):
    def __init__(self, participant: "Participant", auto_subscribe: bool) -> None:
        super().__init__(participant, auto_subscribe)
        self._slots: list[Slot] = []
        self._awaits_answer = self._has_more = False
        self._offer_id = 0

    def open(self) -> None:
        """The first offer goes out even without a track: clients wait for this connection to come up."""
        super().open()
        if self._who.permission.can_subscribe:
            self._negotiate()

    def _gather_no_more(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    def assign(self, offer: Description) -> dict[str, Subscription]:
        return {}

    def on_answered(self, answer: Answer) -> None:
        """The client's own offers carry nothing it hears."""

    def on_resumed(self) -> None:
        self._awaits_answer = False
        self._who.subscribing_transport.restart()
        self._negotiate()

    def _negotiate(self) -> None:
        if self._awaits_answer:
            self._has_more = True
            return
        self._awaits_answer, self._has_more = True, False
        self._gather_no_more()
        self._fill_slots()
        self._offer_id += 1
        sids = {slot.mid: slot.stream.track_sid for slot in self._slots if slot.stream is not None}
        text = offers.compose(self._slots, self._who.subscribing_transport.local(), self._offer_id)
        offer = rtc.SessionDescription(type="offer", sdp=text, id=self._offer_id, mid_to_track_id=sids)
        self._who.send(offer=offer)

    def _fill_slots(self) -> None:
        for slot in self._slots:
            if slot.stream is not None and slot.stream.track_sid not in self.by_track:
                slot.stream = None
        carried = {slot.stream.track_sid for slot in self._slots if slot.stream is not None}
        for subscription in self.by_track.values():
            if subscription.track.sid in carried:
                continue
            slot = self._free_slot(subscription.track.kind)
            slot.stream = self.outgoing(subscription)
            subscription.mid = slot.mid
            subscription.track.keep_history()

    def _free_slot(self, kind: str) -> Slot:
        for slot in self._slots:
            if slot.kind == kind and slot.stream is None:
                return slot
        self._slots.append(Slot(kind, str(len(self._slots) + 1)))
        return self._slots[-1]

    def accept(self, answer: rtc.SessionDescription) -> None:
        """Raises `BadDescription`."""
        if answer.id and answer.id != self._offer_id:
            return
        description = sdp.parse(answer.sdp)
        self._who.subscribing_transport.accept_answer(description)
        self._awaits_answer = False
        sections = {section.mid: section for section in description.sections}
        for subscription in self.by_track.values():
            section = sections.get(subscription.mid)
            if section is None or section.direction not in ("recvonly", "sendrecv"):
                continue
            has_red = str(offers.RED) in section.formats
            payload_type = offers.AUDIO if subscription.track.kind == "audio" else offers.VIDEO
            subscription.agree(payload_type, offers.RED if has_red else NO_PAYLOAD_TYPE)
            subscription.start()
        if self._has_more:
            self._renegotiate()
