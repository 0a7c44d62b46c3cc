"""Who hears which fact. Whatever is published must stand here, or nobody would ever know."""

from rymi_server.agents.facts import AgentPublished
from rymi_server.call_control.transfer import brief_human, come_back_to_caller, look_for_human
from rymi_server.calls.facts import (
    AgentClosed,
    CallEnded,
    CallStarted,
    HandoffWanted,
    ParticipantJoined,
    ParticipantLeft,
)
from rymi_server.credits.facts import BalanceLow
from rymi_server.foundation.clock import SystemClock
from rymi_server.keys.facts import ApiKeyCreated, ApiKeyRevoked
from rymi_server.numbers.facts import NumberAssigned
from rymi_server.post_call.begin import begin_when_call_ended, go_on_when_agent_closed
from rymi_server.post_call.facts import PostCallCompleted, RecordingReady
from rymi_server.queue.facts import Listeners
from rymi_server.rooms.closing import close_when_call_ended
from rymi_server.telephony.hang_up import hang_up_when_call_ended
from rymi_server.webhooks.hearing import NewsDesk

_desk = NewsDesk(SystemClock())

LISTENERS: Listeners = {
    CallStarted: (_desk.of_call,),
    ParticipantJoined: (_desk.of_call, brief_human),
    ParticipantLeft: (_desk.of_call, come_back_to_caller),
    HandoffWanted: (look_for_human,),
    CallEnded: (
        close_when_call_ended,
        begin_when_call_ended,
        hang_up_when_call_ended,
        _desk.of_call,
        _desk.of_batch,
    ),
    AgentClosed: (go_on_when_agent_closed,),
    RecordingReady: (_desk.of_call,),
    PostCallCompleted: (_desk.of_call,),
    BalanceLow: (_desk.of_balance,),
    ApiKeyCreated: (_desk.of_key_created,),
    ApiKeyRevoked: (_desk.of_key_revoked,),
    AgentPublished: (_desk.of_agent,),
    NumberAssigned: (_desk.of_number,),
}
