"""What every responder promises, whatever it thinks with."""

import json

from rymi_server.runtime.thinking.replies import Heard, Responder, Step, Words


async def answer(responder: Responder, *heard: str | Heard) -> list[Step]:
    turn = [Heard("caller", each) if isinstance(each, str) else each for each in heard]
    return [step async for step in responder.respond(turn)]


async def words(responder: Responder, *heard: str | Heard) -> str:
    return " ".join(step.text for step in await answer(responder, *heard) if isinstance(step, Words))


class ResponderPromises:
    """`self.responder()` makes a fresh one, or one that remembers."""

    def responder(self, remembered: dict[str, object] | None = None) -> Responder:
        raise NotImplementedError

    async def test_answers_what_it_was_told(self) -> None:
        assert await words(self.responder(), "yes please")

    async def test_remembers_in_plain_json(self) -> None:
        responder = self.responder()
        await answer(responder, "yes please")
        assert json.loads(json.dumps(responder.memory())) == responder.memory()

    async def test_takes_a_turn_back_when_the_answer_is_not_heard_out(self) -> None:
        responder = self.responder()
        before = responder.memory()
        steps = responder.respond([Heard("caller", "yes please")])
        await anext(steps)
        await steps.aclose()  # type: ignore[attr-defined]
        assert responder.memory() == before

    async def test_goes_on_where_its_predecessor_stopped(self) -> None:
        first = self.responder()
        await answer(first, "yes please")
        successor = self.responder(first.memory())
        assert successor.memory() == first.memory()

    def test_does_not_prompt_silence_without_end(self) -> None:
        assert self.responder().silence(50) is None
