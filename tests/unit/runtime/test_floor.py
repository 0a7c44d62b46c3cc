"""Who holds the floor, on a clock that is told."""

from rymi_server.runtime.hearing.floor import Closed, Floor, Opened


def floor_of(*people: str, drafts: bool = False) -> Floor:
    floor = Floor()
    for person in people:
        floor.enter(person, gives_drafts=drafts)
    return floor


class TestTheFloor:
    def test_opens_with_the_first_and_closes_when_the_words_are_in(self) -> None:
        floor = floor_of("alice")
        assert floor.began("alice", 1.0, 100) == [Opened("alice", 100)]
        assert floor.ended("alice", 2.0, words_follow=True) == []
        assert floor.verdict("alice", 2.1, has_words=True) == [Closed()]

    def test_closes_at_once_for_what_was_no_speech(self) -> None:
        floor = floor_of("alice")
        floor.began("alice", 1.0, 100)
        assert floor.ended("alice", 1.5, words_follow=False) == [Closed()]

    def test_does_not_wait_longer_than_half_a_second_for_words(self) -> None:
        floor = floor_of("alice")
        floor.began("alice", 1.0, 100)
        floor.ended("alice", 2.0, words_follow=True)
        assert floor.tick(2.49) == []
        assert floor.tick(2.5) == [Closed()]
        assert floor.verdict("alice", 3.0, has_words=True) == []

    def test_is_one_turn_for_people_who_overlap(self) -> None:
        floor = floor_of("alice", "bob")
        floor.began("alice", 1.0, 100)
        assert floor.began("bob", 1.5, 100) == []
        assert floor.ended("alice", 2.0, words_follow=True) == []
        assert floor.verdict("alice", 2.1, has_words=True) == []
        assert floor.owner == "bob"
        assert floor.ended("bob", 3.0, words_follow=True) == []
        assert floor.verdict("bob", 3.1, has_words=True) == [Closed()]

    def test_stays_open_for_who_begins_while_words_are_awaited(self) -> None:
        floor = floor_of("alice", "bob")
        floor.began("alice", 1.0, 100)
        floor.ended("alice", 2.0, words_follow=True)
        assert floor.began("bob", 2.1, 100) == []
        assert floor.verdict("alice", 2.2, has_words=True) == []
        assert floor.is_open

    def test_closes_when_the_last_speaker_leaves(self) -> None:
        floor = floor_of("alice")
        floor.began("alice", 1.0, 100)
        assert floor.leave("alice") == [Closed()]


class TestATelevision:
    def test_does_not_keep_others_from_being_answered(self) -> None:
        floor = floor_of("alice", "tv")
        floor.began("tv", 0.0, 100)
        floor.began("alice", 1.0, 100)
        floor.ended("alice", 1.8, words_follow=True)
        assert floor.verdict("alice", 1.9, has_words=True) == []
        assert floor.tick(1.95) == []
        assert floor.tick(2.0) == [Closed()]

    def test_holds_nothing_for_long_where_its_words_would_be_seen(self) -> None:
        floor = floor_of("tv", drafts=True)
        floor.began("tv", 0.0, 100)
        assert floor.tick(1.9) == []
        assert floor.tick(2.0) == [Closed()]

    def test_is_a_talker_where_nobody_waits_and_no_drafts_come(self) -> None:
        floor = floor_of("alice", "bob")
        floor.began("alice", 0.0, 100)
        assert floor.tick(20.0) == []
        assert floor.is_open

    def test_has_the_floor_again_with_its_first_word(self) -> None:
        floor = floor_of("alice", drafts=True)
        floor.began("alice", 0.0, 100)
        floor.tick(2.0)
        assert floor.drafted("alice", 2.5) == [Opened("alice", 0)]

    def test_that_talks_in_words_keeps_others_waiting_for_so_long_only(self) -> None:
        floor = floor_of("alice", "tv", drafts=True)
        floor.began("tv", 0.0, 100)
        floor.began("alice", 1.0, 100)
        floor.ended("alice", 2.0, words_follow=True)
        floor.verdict("alice", 2.0, has_words=True)
        for tenth in range(20, 100):
            floor.drafted("tv", tenth / 10)
            assert floor.tick(tenth / 10) == []
        assert floor.tick(10.0) == [Closed()]
