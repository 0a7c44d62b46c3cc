"""Who is speaking, from the levels senders declare, and how good each connection is, from the losses they report."""

from collections.abc import Iterable

from livekit.protocol import models, rtc

from roomlet.participant import Participant

QUIETEST = 10 ** (-40 / 20)
NOTICEABLE = 0.05
GAIN = 4
"""Speech has a mean level far below full scale; clients draw the level between 0 and 1."""
GOOD_LOSS, POOR_LOSS = 0.02, 0.08


class Speakers:
    def __init__(self) -> None:
        self._speaking: dict[str, float] = {}
        self._told: dict[str, models.ConnectionQuality] = {}

    def change(self, participants: Iterable[Participant]) -> list[models.SpeakerInfo]:
        """Only what changed since the last time: new speakers, noticeably louder or quieter ones, and who stopped."""
        now = {p.sid: level for p in participants if (level := _level(p)) > QUIETEST}
        before, self._speaking = self._speaking, now
        changed = [
            models.SpeakerInfo(sid=sid, level=min(1.0, level * GAIN), active=True)
            for sid, level in now.items()
            if sid not in before or abs(before[sid] - level) > NOTICEABLE
        ]
        silent = [models.SpeakerInfo(sid=sid, level=0, active=False) for sid in before if sid not in now]
        return changed + silent

    def now(self) -> list[models.SpeakerInfo]:
        """For whoever comes while others speak."""
        return [
            models.SpeakerInfo(sid=sid, level=min(1.0, level * GAIN), active=True)
            for sid, level in self._speaking.items()
        ]

    def change_of_qualities(self, participants: Iterable[Participant]) -> list[rtc.ConnectionQualityInfo]:
        """Everybody's, as soon as one of them is new or connected better or worse than was told; else none."""
        now = [connection_quality(participant.sid, _worst_loss(participant)) for participant in participants]
        before, self._told = self._told, {each.participant_sid: each.quality for each in now}
        return now if self._told.items() - before.items() else []


def connection_quality(sid: str, fraction_lost: float) -> rtc.ConnectionQualityInfo:
    quality = models.ConnectionQuality.POOR
    if fraction_lost < GOOD_LOSS:
        quality = models.ConnectionQuality.EXCELLENT
    elif fraction_lost < POOR_LOSS:
        quality = models.ConnectionQuality.GOOD
    return rtc.ConnectionQualityInfo(participant_sid=sid, quality=quality, score=4.5 - 20 * min(fraction_lost, 0.15))


def _worst_loss(participant: Participant) -> float:
    upward = [track.reception.fraction_lost for track in participant.publishing.tracks.values()]
    downward = [subscription.fraction_lost for subscription in participant.subscribing.by_track.values()]
    return max([0.0, *upward, *downward])


def _level(participant: Participant) -> float:
    levels = [track.loudness.take() for track in participant.publishing.tracks.values() if not track.info.muted]
    return max(levels, default=0.0)
