"""Who is told how well everybody is connected."""

from types import SimpleNamespace
from typing import Any, cast

from livekit.protocol import models

from roomlet.participant import Participant
from roomlet.speakers import Speakers

EXCELLENT, POOR = models.ConnectionQuality.EXCELLENT, models.ConnectionQuality.POOR


def participant(sid: str, up: float = 0.0, down: float = 0.0) -> Participant:
    tracks = {"TR": SimpleNamespace(reception=SimpleNamespace(fraction_lost=up))}
    heard: dict[str, Any] = {"TR": SimpleNamespace(fraction_lost=down)}
    return cast(
        Participant,
        SimpleNamespace(
            sid=sid, publishing=SimpleNamespace(tracks=tracks), subscribing=SimpleNamespace(by_track=heard)
        ),
    )


def told(speakers: Speakers, *participants: Participant) -> dict[str, int]:
    return {each.participant_sid: each.quality for each in speakers.change_of_qualities(participants)}


class TestQualities:
    def test_whoever_comes_hears_of_everybody(self) -> None:
        speakers = Speakers()
        assert told(speakers, participant("ann")) == {"ann": EXCELLENT}
        assert told(speakers, participant("ann"), participant("bob")) == {"ann": EXCELLENT, "bob": EXCELLENT}

    def test_while_nothing_changes_nothing_is_told(self) -> None:
        speakers = Speakers()
        told(speakers, participant("ann"), participant("bob"))
        assert told(speakers, participant("ann", up=0.01), participant("bob")) == {}

    def test_a_loss_either_way_is_told_and_so_is_its_end(self) -> None:
        speakers = Speakers()
        told(speakers, participant("ann"), participant("bob"))
        assert told(speakers, participant("ann", up=0.2), participant("bob")) == {"ann": POOR, "bob": EXCELLENT}
        assert told(speakers, participant("ann", up=0.2), participant("bob", down=0.2)) == {"ann": POOR, "bob": POOR}
        assert told(speakers, participant("ann"), participant("bob", down=0.2)) == {"ann": EXCELLENT, "bob": POOR}

    def test_nobody_hears_of_who_left(self) -> None:
        speakers = Speakers()
        told(speakers, participant("ann"), participant("bob"))
        assert told(speakers, participant("ann")) == {}

    def test_who_comes_back_is_new(self) -> None:
        speakers = Speakers()
        told(speakers, participant("ann"), participant("bob"))
        told(speakers, participant("ann"))
        assert told(speakers, participant("ann"), participant("bob")) == {"ann": EXCELLENT, "bob": EXCELLENT}
