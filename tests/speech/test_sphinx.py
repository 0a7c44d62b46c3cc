"""The recogniser that needs nothing: pocketsphinx in worker processes."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
from tests.speech.ear_promise import VOCABULARY, EarPromise, heard
from tests.speech.sounding import cough, phoned, push, said
from tests.support.waiting import until

from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.promises import Abilities, EarStream, Expected, Heard, Listeners, Vocabulary, Word
from rymi_server.speech_engines.sphinx import frequent_words
from rymi_server.speech_engines.sphinx.confidence import believable, overall
from rymi_server.speech_engines.sphinx.ear import SphinxEar, sphinx_worker
from rymi_server.speech_engines.sphinx.grammars import grammar_for, is_believable
from rymi_server.speech_engines.sphinx.language_model import arpa
from rymi_server.speech_engines.sphinx.phrases import lines, spelt
from rymi_server.speech_engines.sphinx.pronouncing import phones
from rymi_server.speech_engines.workers.ear import WorkerEar
from rymi_server.speech_engines.workers.process import WorkerProcess

SLOW_LOOP_SECONDS = 0.5


@pytest.fixture(scope="module")
async def worker() -> AsyncIterator[WorkerProcess]:
    worker = sphinx_worker()
    yield worker
    await worker.aclose()


@pytest.fixture
def ear(worker: WorkerProcess) -> SphinxEar:
    return SphinxEar([worker])


async def asked(ear: SphinxEar, expected: Expected, sound: bytes) -> Heard:
    stream = await ear.listen(VOCABULARY, Listeners())
    stream.expect(expected)
    push(stream, sound)
    result = await stream.finish_utterance()
    await stream.aclose()
    return result


async def hears(stream: EarStream, word: str) -> bool:
    push(stream, said(word))
    try:
        return (await stream.finish_utterance()).text.endswith(word)
    except EngineFailed:
        return False


class TestPocketsphinx(EarPromise):
    async def test_is_labelled_as_a_demonstration(self, ear: SphinxEar) -> None:
        assert ear.abilities.quality == "demo"

    async def test_hears_what_the_agent_talks_about(self, ear: SphinxEar) -> None:
        (result,) = await heard(ear, said("appointment"))
        assert "to book" in result.text
        assert "appointment" in result.text
        assert result.confidence is not None
        assert result.confidence > 0.5

    async def test_hears_it_on_a_phone_that_is_silent_before(self, ear: SphinxEar) -> None:
        (result,) = await heard(ear, phoned("appointment"))
        assert "to book" in result.text
        assert "appointment" in result.text

    async def test_says_when_each_word_was_spoken(self, ear: SphinxEar) -> None:
        _, second = await heard(ear, said("yes"), said("opening_hours"))
        ended = second.words[-1].ended_at_ms
        silent_from = (len(said("yes")) + len(said("opening_hours"))) // 32 - 700
        assert ended is not None
        assert abs(ended - silent_from) < 300

    async def test_hears_a_number_that_was_asked_for(self, ear: SphinxEar) -> None:
        result = await asked(ear, Expected("phone"), said("phone_number"))
        assert result.text.endswith("five five five one two three four five six seven")

    async def test_hears_no_yes_in_a_question(self, ear: SphinxEar) -> None:
        assert "hours" in (await asked(ear, Expected("yes_no"), said("opening_hours"))).text

    async def test_makes_no_words_of_coughs(self, ear: SphinxEar) -> None:
        results = await heard(ear, *(cough(seed) for seed in range(12)))
        assert sum(bool(result.text) for result in results) <= 1

    async def test_learns_words_that_no_dictionary_has(self, ear: SphinxEar) -> None:
        stream = await ear.listen(Vocabulary(phrases=("welcome to rymiflux", "!!", "")), Listeners())
        push(stream, said("yes"))
        assert (await stream.finish_utterance()).text == "yes"
        await stream.aclose()

    async def test_never_holds_up_the_event_loop(self, ear: SphinxEar) -> None:
        stream = await ear.listen(VOCABULARY, Listeners())
        push(stream, said("appointment") * 5)
        finishing = asyncio.ensure_future(stream.finish_utterance())
        longest = 0.0
        while not finishing.done():
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - before)
        await stream.aclose()
        assert longest < SLOW_LOOP_SECONDS

    async def test_fails_only_the_running_utterance_when_its_process_dies(self, worker: WorkerProcess) -> None:
        stream = await SphinxEar([worker]).listen(VOCABULARY, Listeners())
        push(stream, said("opening_hours"))
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(EngineFailed):
            await stream.finish_utterance()

        await until("the stream hears again", lambda: hears(stream, "yes"))
        await stream.aclose()

    async def test_fails_only_the_running_utterance_when_its_process_is_stuck(self, worker: WorkerProcess) -> None:
        ear = WorkerEar(Abilities("pocketsphinx"), [worker], patience=3)
        stream = await ear.listen(VOCABULARY, Listeners())
        push(stream, said("opening_hours"))
        stuck = worker.pid
        assert stuck is not None
        os.kill(stuck, signal.SIGSTOP)
        with pytest.raises(EngineFailed, match="not answered in time"):
            await stream.finish_utterance()
        await until("the stream hears again", lambda: hears(stream, "yes"))
        await stream.aclose()
        with pytest.raises(ProcessLookupError):
            os.kill(stuck, 0)

    async def test_leaves_no_stream_in_the_worker(self, worker: WorkerProcess) -> None:
        before = worker.streams
        await heard(SphinxEar([worker]), said("yes"))
        assert worker.streams == before


class TestTheGates:
    def test_drop_words_of_low_confidence(self) -> None:
        good, bad = Word("hours", 0.9, 0, 400), Word("the", 0.1, 400, 500)
        assert believable([good, bad]) == (good,)
        assert overall([good]) == 0.9

    def test_take_one_little_word_for_noise(self) -> None:
        assert believable([Word("the", 1.0, 0, 200)]) == ()
        assert believable([Word("yes", 1.0, 0, 200)]) != ()
        assert overall([]) is None


class TestTheGrammars:
    def test_exist_for_what_they_help_with(self) -> None:
        assert grammar_for(None) is None
        assert grammar_for(Expected("name")) is None
        assert grammar_for(Expected("digits")) is None
        assert (grammar_for(Expected("digits", digits=4)) or "").count("<d>") == 5
        assert "(invisalign|whitening)" in (grammar_for(Expected("choice", ("Whitening!", "Invisalign", ""))) or "")

    def test_are_believed_only_where_little_was_said(self) -> None:
        yes_no = Expected("yes_no")
        assert is_believable(yes_no, ["yes"], ["yes"])
        assert not is_believable(yes_no, ["what", "are", "your", "hours"], ["yes"])
        assert not is_believable(yes_no, [], ["yes"])
        assert is_believable(Expected("phone"), ["five", "to", "for", "one", "the"], ["five"])
        assert not is_believable(Expected("phone"), ["what", "are", "your", "hours"], ["five"])


class TestThePhrases:
    @pytest.mark.parametrize(
        ("phrase", "words"),
        [
            ("What's on at 3?", "what's on at three"),
            ("$1,250", "one two hundred fifty"),
            ("42 Oak St.", "forty two oak st"),
            ("007", "zero zero seven"),
            ("!?", ""),
        ],
    )
    def test_are_spelt_as_they_are_said(self, phrase: str, words: str) -> None:
        assert spelt(phrase) == words

    def test_put_the_agent_s_own_beside_what_anybody_says(self) -> None:
        text = lines(["Do you do Invisalign?"], ["whitening"])
        assert text.count("do you do invisalign") == text.count("whitening") == 2
        assert "yes please" in text


class TestTheLanguageModel:
    def test_knows_the_common_words_as_pocketsphinx_does(self) -> None:
        anew = "python -m rymi_server.speech_engines.sphinx.frequent_words"
        assert frequent_words.from_the_model() == frequent_words.FILE.read_text(), anew

    def test_adds_up_to_one(self) -> None:
        model = arpa(["a b", "a c"], {"a": 0.4, "b": 0.2, "c": 0.2, "d": 0.1, "</s>": 0.1})
        singles = [line.split() for line in model.partition("1-grams:\n")[2].partition("\n\n")[0].splitlines()]
        assert sum(10 ** float(chance) for chance, word, *_ in singles if word != "<s>") == pytest.approx(1, abs=1e-3)


class TestPronouncing:
    def test_speaks_the_recogniser_s_phones(self) -> None:
        assert phones("t\u02c8u\u02d0\u03b8e\u026ak") == "T UW TH EY K"
        assert phones("") == ""
