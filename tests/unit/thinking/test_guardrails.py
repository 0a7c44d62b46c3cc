"""What an agent must not say, attacked: `runtime/thinking/guardrails.py`, `sentences.py`."""

import random

import pytest

from rymi_server.runtime.thinking.guardrails import INSTEAD, OFF_LIMITS, PROHIBITED, Guardrails
from rymi_server.runtime.thinking.sentences import SentenceGate

CLAIMS = ["guaranteed returns", "we are the cheapest", "this cures cancer", "you can never lose money", "100% safe"]
RAILS = Guardrails(["politics", "medical advice", "competitor pricing"], CLAIMS)


class TestClaims:
    @pytest.mark.parametrize(
        "said",
        [
            "Our fund gives you guaranteed returns.",
            "We guarantee you a return of eight percent.",
            "I promise that you will see profits.",
            "Returns? Those are absolutely, positively guaranteed!",
            "It is no doubt true that returns are guaranteed.",
            "It's not a lie that returns are guaranteed.",
            "Not only are returns guaranteed, they are huge.",
            "I would not say that returns are not guaranteed.",
            "GUARANTEED RETURNS",
            "gu\u200bar\u200banteed returns",
            "gu\u00adaran\u00adteed returns",
            "g-u-a-r-a-n-t-e-e-d returns",
            "g u a r a n t e e d returns",
            "**guar**anteed returns",
            "gu4r4nt33d returns",
            "\u0433uaranteed... well, gu\u0430r\u0430nt\u0435\u0435d returns",
            "guara\u0301nteed re\u0301turns",
            "Honestly, we are the cheapest in town.",
            "We really are the very cheapest.",
            "This tea cures cancer.",
            "Cancer is cured by this tea.",
            "You can never lose any money with us.",
            "You can't lose money, never.",
            "It is one hundred percent safe.",
            "It's 100 % safe!",
        ],
    )
    def test_are_found_however_they_are_put(self, said: str) -> None:
        checked = RAILS.check(said)
        assert checked.breach is not None
        assert checked.text == INSTEAD[checked.breach.kind]

    @pytest.mark.parametrize(
        "said",
        [
            "I cannot guarantee any returns.",
            "Returns are never guaranteed.",
            "There are no guaranteed returns.",
            "Nobody can promise you profits.",
            "We aren't the cheapest.",
            "No tea cures cancer.",
            "You can lose money.",
            "Our address is 12 Harbour Street.",
            "You may return the shoes within a week.",
            "I will make sure that somebody calls you.",
            "A cleaning costs ninety dollars.",
        ],
    )
    def test_that_are_denied_or_not_made_pass(self, said: str) -> None:
        assert RAILS.check(said).text == said

    def test_spread_over_two_sentences_are_found(self) -> None:
        checked = RAILS.check("Guaranteed.", "You will see high returns.")
        assert checked.breach is not None
        assert checked.breach.kind == PROHIBITED

    def test_do_not_follow_from_sentences_that_have_nothing_to_do_with_each_other(self) -> None:
        assert RAILS.check("You may return it.", "It is a nice day and I hope you feel very well today.").breach is None


class TestTopics:
    @pytest.mark.parametrize(
        "said",
        [
            "Let us talk about politics.",
            "The political situation is bad.",
            "I would vote for the president.",
            "p.o.l.i.t.i.c.s is fun",
            "Take two ibuprofen, that is my diagnosis.",
            "Our competitor has higher pricing.",
        ],
    )
    def test_that_are_off_limits_are_not_entered(self, said: str) -> None:
        checked = RAILS.check(said)
        assert checked.breach is not None
        assert checked.breach.kind == OFF_LIMITS

    @pytest.mark.parametrize(
        "said", ["A check-up is sixty dollars.", "Our pricing is simple.", "May I have your name?"]
    )
    def test_that_are_allowed_are_talked_about(self, said: str) -> None:
        assert RAILS.check(said).breach is None


class TestTheGate:
    REPLY = "Hello Dr. Smith, it is 3.5 miles. Our fund has guaranteed returns! It is $60. Guaranteed returns, yes. Bye"

    @pytest.mark.parametrize("seed", range(25))
    def test_decides_the_same_however_a_stream_is_cut(self, seed: int) -> None:
        whole = SentenceGate(RAILS)
        expected = whole.feed(self.REPLY) + whole.finish()
        dice, gate, spoken, rest = random.Random(seed), SentenceGate(RAILS), [], self.REPLY
        while rest:
            size = dice.randint(1, 9)
            spoken += gate.feed(rest[:size])
            rest = rest[size:]
        assert spoken + gate.finish() == expected

    def test_speaks_whole_sentences_and_replaces_once(self) -> None:
        gate = SentenceGate(RAILS)
        assert gate.feed(self.REPLY) + gate.finish() == [
            "Hello Dr. Smith, it is three point five miles.",
            INSTEAD[PROHIBITED],
            "It is sixty dollars.",
            "Bye",
        ]
        assert [breach.rule for breach in gate.breaches] == ["guaranteed returns", "guaranteed returns"]

    def test_lets_nothing_out_before_it_is_checked(self) -> None:
        assert SentenceGate(RAILS).feed("Our returns are guaran") == []

    def test_does_not_wait_for_ever_for_an_end(self) -> None:
        gate = SentenceGate(Guardrails())
        said = gate.feed("word " * 200)
        assert said
        assert max(map(len, said)) <= 400

    def test_says_nothing_where_nothing_can_be_said(self) -> None:
        gate = SentenceGate(Guardrails())
        assert gate.feed("```python\nprint(1)\n```\n🙂\n---\n") + gate.finish() == []
