"""What one participant publishes: announced over signalling first, bound to a section of an offer later."""

import time
from typing import TYPE_CHECKING

from livekit.protocol import models, rtc

from roomlet import answers, sdp
from roomlet.answers import Agreed, Incoming
from roomlet.identifiers import new_id
from roomlet.sdp import Description, Section
from roomlet.tracks import PublishedTrack

if TYPE_CHECKING:
    from roomlet.participant import Participant

MIME_TYPES = {"audio": "audio/opus", "video": "video/VP8"}
NO_AGREEMENT = Agreed(111, answers.NO_PAYLOAD_TYPE, nack=False, level_id=0)


class Publishing:
    def __init__(self, participant: "Participant") -> None:
        self._who = participant
        self._announced: dict[str, PublishedTrack] = {}
        self._retired: set[str] = set()
        self._version = 0
        self.tracks: dict[str, PublishedTrack] = {}

    def add(self, request: rtc.AddTrackRequest) -> None:
        """Answers at once; the track counts as published when an offer brings its section and media is up."""
        if not self._who.may_publish(request.source):
            self._refuse(request, rtc.RequestResponse.NOT_ALLOWED, "not allowed to publish this source")
            return
        known = next((t for t in self._all() if t.client_id == request.cid), None)
        if known is None and len(self._all()) >= self._who.limits.tracks_per_participant:
            self._refuse(request, rtc.RequestResponse.LIMIT_EXCEEDED, "too many tracks")
            return
        if known is None:
            known = self._announced[request.cid] = self._who.new_track(_track_info(request), request.cid)
            self._retired.discard(request.cid)
        self._who.send(track_published=rtc.TrackPublishedResponse(cid=request.cid, track=known.info))

    def answer(self, offer: rtc.SessionDescription) -> None:
        """Every offer is the whole state: what it no longer contains has been unpublished. Raises `BadDescription`."""
        description = sdp.parse(offer.sdp)
        who = self._who
        who.publishing_transport.accept_offer(description)
        published = self._match(description)
        subscribed = who.subscribing.assign(description)
        self._version += 1
        answer = answers.compose(
            description,
            who.publishing_transport.local(),
            self._version,
            {mid: _incoming(track.info) for mid, (track, _) in published.items()},
            {mid: who.subscribing.outgoing(subscription) for mid, subscription in subscribed.items()},
        )
        for mid, (track, section) in published.items():
            track.bind(mid, section.ssrcs[0], answer.agreed.get(mid, NO_AGREEMENT))
        who.send(
            answer=rtc.SessionDescription(
                type="answer", sdp=answer.text, id=offer.id, mid_to_track_id=answer.track_sids
            )
        )
        self._take_effect([track for track, _ in published.values()])
        who.subscribing.on_answered(answer)

    def mute(self, sid: str, muted: bool) -> None:
        track = next((t for t in self._all() if t.sid == sid), None)
        if track is not None and track.info.muted != muted:
            track.mute(muted)
            self._who.changed()

    def unpublish(self, track: PublishedTrack) -> None:
        if self.tracks.pop(track.sid, None) is None:
            return
        self._retired.add(track.client_id)
        track.unbind()
        self._who.send(track_unpublished=rtc.TrackUnpublishedResponse(track_sid=track.sid))
        self._who.surroundings.on_unpublished(track)

    def keep_to_rights(self) -> None:
        """Ends what may not be published any more, and what was announced and would be with the next offer."""
        may = self._who.may_publish
        for track in [track for track in self.tracks.values() if not may(track.info.source)]:
            self.unpublish(track)
        for client_id in [client_id for client_id, t in self._announced.items() if not may(t.info.source)]:
            track = self._announced.pop(client_id)
            self._retired.add(client_id)
            self._who.send(track_unpublished=rtc.TrackUnpublishedResponse(track_sid=track.sid))

    def close(self) -> None:
        for track in self.tracks.values():
            track.unbind()

    def _all(self) -> list[PublishedTrack]:
        return [*self._announced.values(), *self.tracks.values()]

    def _match(self, description: Description) -> dict[str, tuple[PublishedTrack, Section]]:
        matched: dict[str, tuple[PublishedTrack, Section]] = {}
        for section in description.sections:
            if section.is_media and section.is_live and section.sends and section.ssrcs:
                track = self._track_for(section)
                if track is not None:
                    matched[section.mid] = (track, section)
        return matched

    def _track_for(self, section: Section) -> PublishedTrack | None:
        """By the client's own id; a client that writes another id into its offer gets the oldest of that kind."""
        for track in self.tracks.values():
            if track.mid == section.mid and track.client_id == section.track_id:
                return track
        client_id = section.track_id
        if client_id not in self._announced and client_id not in self._retired:
            client_id = next((cid for cid, t in self._announced.items() if t.kind == section.kind), "")
        if client_id not in self._announced:
            return None
        track = self._announced.pop(client_id)
        track.client_id = section.track_id or client_id
        return track

    def _take_effect(self, present: list[PublishedTrack]) -> None:
        for track in [track for track in self.tracks.values() if track not in present]:
            self.unpublish(track)
        for track in present:
            if track.sid not in self.tracks:
                self.tracks[track.sid] = track
                self._who.surroundings.on_published(track)

    def _refuse(self, request: rtc.AddTrackRequest, reason: rtc.RequestResponse.Reason, message: str) -> None:
        self._who.send(request_response=rtc.RequestResponse(reason=reason, message=message, add_track=request))


def _track_info(request: rtc.AddTrackRequest) -> models.TrackInfo:
    kind = "video" if request.type == models.TrackType.VIDEO else "audio"
    info = models.TrackInfo(
        sid=new_id("TR_"),
        type=request.type,
        name=request.name,
        muted=request.muted,
        width=request.width,
        height=request.height,
        source=request.source,
        mime_type=MIME_TYPES[kind],
        disable_red=request.disable_red,
        disable_dtx=request.disable_dtx,
        stereo=request.stereo,
        encryption=request.encryption,
        stream=request.stream,
        audio_features=request.audio_features,
    )
    info.version.unix_micro = time.time_ns() // 1000
    return info


def _incoming(info: models.TrackInfo) -> Incoming:
    features = info.audio_features
    return Incoming(
        disable_red=info.disable_red,
        dtx=not (info.disable_dtx or models.AudioTrackFeature.TF_NO_DTX in features),
        stereo=info.stereo or models.AudioTrackFeature.TF_STEREO in features,
    )
