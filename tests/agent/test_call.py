"""A call as it is held, with people made of sound."""

from pathlib import Path

from tests.agent.holding import held_call
from tests.agent.scripted import ScriptedEar
from tests.agent.voices import spoken


class TestACall:
    async def test_greets_answers_and_ends_when_everyone_has_left(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["What about Saturday?"])) as call:
            call.room.enter("alice")
            await call.said("agent: Hello, this is the test agent.")
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("alice: What about Saturday?")
            await call.said("agent: We are closed on Saturday.")
            call.room.leave("alice")
            assert await call.ends() == "everyone_left"
            assert call.turns[-1].answer_heard_at_ms is not None
