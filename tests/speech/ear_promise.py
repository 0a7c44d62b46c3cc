"""What every engine that hears must do, whoever makes it. A test class inherits it and gives `ear`."""

import asyncio

from tests.speech.sounding import push, said, silence

from rymi_server.speech_engines.promises import Ear, EarStream, Expected, Heard, Listeners, Vocabulary

VOCABULARY = Vocabulary(
    phrases=("what are your hours", "when are you open", "i want an appointment", "i want to book a visit"),
    keywords=("opening hours",),
)


async def heard(ear: Ear, *sounds: bytes, vocabulary: Vocabulary = VOCABULARY) -> list[Heard]:
    """The result of each sound, one after the other on one line."""
    stream = await ear.listen(vocabulary, Listeners())
    results = []
    for sound in sounds:
        push(stream, sound)
        results.append(await stream.finish_utterance())
    await stream.aclose()
    return results


class EarPromise:
    async def hear(self, stream: EarStream, sound: bytes) -> None:
        """All at once, which most engines cannot tell from a line on which it comes bit by bit."""
        push(stream, sound)

    async def test_gives_one_result_for_each_utterance(self, ear: Ear) -> None:
        first, second = await heard(ear, said("opening_hours"), said("yes"))
        assert "hours" in first.text.lower()
        assert "yes" in second.text.lower()
        assert "hours" not in second.text.lower()

    async def test_gives_an_empty_result_for_silence(self, ear: Ear) -> None:
        assert [each.text for each in await heard(ear, silence(1), silence(0.5))] == ["", ""]

    async def test_gives_a_result_where_nothing_came_at_all(self, ear: Ear) -> None:
        stream = await ear.listen(VOCABULARY, Listeners())
        assert (await stream.finish_utterance()).text == ""
        await stream.aclose()

    async def test_forgets_what_was_no_speech(self, ear: Ear) -> None:
        stream = await ear.listen(VOCABULARY, Listeners())
        await self.hear(stream, said("opening_hours"))
        stream.drop_utterance()
        await self.hear(stream, said("yes"))
        result = await stream.finish_utterance()
        await stream.aclose()
        assert "hours" not in result.text.lower()
        assert "yes" in result.text.lower()

    async def test_hears_people_apart(self, ear: Ear) -> None:
        one, other = await asyncio.gather(heard(ear, said("opening_hours")), heard(ear, said("yes")))
        assert "hours" in one[0].text.lower()
        assert "hours" not in other[0].text.lower()

    async def test_takes_in_what_is_expected_and_what_is_not(self, ear: Ear) -> None:
        stream = await ear.listen(VOCABULARY, Listeners())
        stream.expect(Expected("yes_no"))
        push(stream, said("yes"))
        asked = await stream.finish_utterance()
        stream.expect(None)
        push(stream, said("opening_hours"))
        free = await stream.finish_utterance()
        await stream.aclose()
        assert "yes" in asked.text.lower()
        assert "hours" in free.text.lower()

    async def test_gives_drafts_where_it_says_so(self, ear: Ear) -> None:
        drafts: list[str] = []
        stream = await ear.listen(VOCABULARY, Listeners(on_draft=drafts.append))
        push(stream, said("opening_hours"))
        await stream.finish_utterance()
        await stream.aclose()
        assert bool(drafts) is ear.abilities.gives_drafts

    async def test_names_itself_in_the_result(self, ear: Ear) -> None:
        (result,) = await heard(ear, said("yes"))
        assert result.engine == ear.abilities.name

    async def test_may_be_closed_in_the_middle(self, ear: Ear) -> None:
        stream = await ear.listen(VOCABULARY, Listeners())
        push(stream, said("opening_hours", after=0))
        await stream.aclose()
        (result,) = await heard(ear, said("yes"))
        assert "yes" in result.text.lower()
