"""What the API orders of an agent in a call, as people in it hear it."""

import time
from pathlib import Path

from tests.agent.holding import GREETING, STORY, held_call
from tests.agent.patience import eventually
from tests.agent.scripted import ScriptedEar
from tests.agent.voices import spoken
from tests.roomlet.waiting import stays

from rymi_server.runtime.reports import EndWanted, Happened, Order, Speaking


class TestAnOrder:
    async def test_is_followed_once(self, tmp_path: Path) -> None:
        async with held_call(tmp_path) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.orders.append(Order(number=1, kind="say", text="Your credit is nearly gone."))
            await call.said("agent: Your credit is nearly gone.")
            call.orders.append(Order(number=2, kind="say_and_end", text="Goodbye.", reason="credits_exhausted"))
            await call.said("agent: Goodbye.")
            await eventually("the end is asked for", lambda: call.of(EndWanted))
            assert call.of(EndWanted)[0].reason == "credits_exhausted"
            assert len([each for each in call.lines if "credit" in each]) == 1

    async def test_to_step_back_holds_until_it_is_told_to_come_back(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["What about Saturday?", "When are you open?"])) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.orders.append(Order(number=1, kind="step_back"))
            await eventually("it has stepped back", lambda: call.room.guests and call.obeyed == 1)
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("alice: What about Saturday?")
            await stays("the agent is silent", lambda: len(call.lines) == 2, 1.0)
            call.orders.append(Order(number=2, kind="come_back", text="I am here again."))
            await call.said("agent: I am here again.")
            call.room.say("alice", spoken("When are you open?"))
            await call.said("agent: We are open from nine to five.")

    async def test_to_step_back_may_come_while_somebody_speaks(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["When are you open on a normal day?"])) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.room.say("alice", spoken("When are you open on a normal day"))
            await eventually("she speaks", lambda: any(each.participant_id for each in call.of(Speaking)))
            call.orders.append(Order(number=1, kind="step_back"))
            await eventually("it has stepped back", lambda: call.obeyed == 1)
            assert not any("alice" in each for each in call.lines)
            await call.said("alice: When are you open on a normal day?")
            await stays("she is not answered", lambda: len(call.lines) == 2, 1.0)
            call.orders.append(Order(number=2, kind="come_back", text="I am here again."))
            await call.said("agent: I am here again.", 10)


class TestABriefing:
    BRIEF = Order(number=1, kind="brief", text="She wants a refund for two chairs.", participant_id="id-helper")
    THEN = Order(number=2, kind="leave", participant_id="id-helper")

    async def test_is_for_the_human_alone_and_then_the_agent_may_leave(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["What about Saturday?"])) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            asked = time.monotonic()
            call.orders.extend([self.BRIEF, self.THEN])
            call.room.enter("helper")
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("agent: She wants a refund")
            await eventually("it has left", lambda: call.obeyed == 2)
            (begun, only), (over, everybody) = call.room.hearers
            assert (only, everybody) == ("helper", None)
            loud = call.room.line.heard(asked)
            assert begun <= loud[0]
            assert loud[-1] <= over
            assert "The agent leaves the call to the people in it." in [each.message for each in call.of(Happened)]
            assert not [each for each in call.lines if "closed on Saturday" in each]

    async def test_ends_when_the_human_leaves_and_the_agent_waits_to_be_called_back(self, tmp_path: Path) -> None:
        async with held_call(tmp_path) as call:
            call.room.enter("alice")
            call.room.enter("helper")
            await call.said(GREETING)
            long = self.BRIEF.model_copy(update={"text": STORY})
            call.orders.extend([long, self.THEN])
            await eventually("it briefs", lambda: call.room.hearers)
            await call.agent_heard(call.room.hearers[0][0])
            call.room.leave("helper")
            await eventually("everybody hears it again", lambda: len(call.room.hearers) == 2, 5)
            await eventually("the briefing is done with", lambda: call.obeyed == 1, 5)
            await stays("it does not leave", lambda: call.obeyed == 1, 1.0)
            call.orders.append(Order(number=3, kind="come_back", text="I am here again."))
            await call.said("agent: I am here again.")
            await eventually("it is told", lambda: call.obeyed == 3)

    async def test_is_not_said_where_others_would_hear_it(self, tmp_path: Path) -> None:
        async with held_call(tmp_path) as call:
            call.room.enter("alice")
            call.room.enter("helper")
            await call.said(GREETING)
            call.room.refuses_privacy = True
            call.orders.append(self.BRIEF)
            await eventually("it is done with", lambda: call.obeyed == 1)
            why = "The human was not briefed: The room did not make the agent's voice private in time."
            assert why in [each.message for each in call.of(Happened)]
            assert call.lines == [GREETING]
            assert call.room.hearers[-1][1] is None
