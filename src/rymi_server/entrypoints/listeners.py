"""Who hears which fact. Whatever is published must stand here, or nobody would ever know."""

from rymi_server.call_control.unanswered_handoff import stay_when_nobody_transfers
from rymi_server.calls.facts import CallEnded, CallStarted, HandoffWanted, ParticipantJoined, ParticipantLeft
from rymi_server.post_call.settle import settle_when_call_ended
from rymi_server.queue.facts import Listeners
from rymi_server.rooms.closing import close_when_call_ended
from rymi_server.telephony.hang_up import hang_up_when_call_ended

LISTENERS: Listeners = {
    CallStarted: (),
    ParticipantJoined: (),
    ParticipantLeft: (),
    HandoffWanted: (stay_when_nobody_transfers,),
    CallEnded: (close_when_call_ended, settle_when_call_ended, hang_up_when_call_ended),
}
