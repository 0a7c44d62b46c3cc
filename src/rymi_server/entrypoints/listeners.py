"""Who hears which fact. Whatever is published must stand here, or nobody would ever know."""

from rymi_server.call_control.transfer import brief_human, come_back_to_caller, look_for_human
from rymi_server.calls.facts import CallEnded, CallStarted, HandoffWanted, ParticipantJoined, ParticipantLeft
from rymi_server.post_call.settle import settle_when_call_ended
from rymi_server.queue.facts import Listeners
from rymi_server.rooms.closing import close_when_call_ended
from rymi_server.telephony.hang_up import hang_up_when_call_ended

LISTENERS: Listeners = {
    CallStarted: (),
    ParticipantJoined: (brief_human,),
    ParticipantLeft: (come_back_to_caller,),
    HandoffWanted: (look_for_human,),
    CallEnded: (close_when_call_ended, settle_when_call_ended, hang_up_when_call_ended),
}
