"""What people say in any conversation, whatever it is about. Only plain cases: what is unclear is none of these."""

import re

from rymi_server.foundation.spoken.words import normal

_FILLERS = frozenset(
    [
        "um",
        "uh",
        "er",
        "hmm",
        "mm",
        "mhm",
        "ah",
        "oh",
        "well",
        "so",
        "like",
        "and",
        "you",
        "know",
        "i",
        "mean",
        "just",
        "actually",
    ]
)
_LONGEST_GOODBYE = 12

_INTENTS = {
    "opt_out": r"\b((do|please do) not|never|stop) (ever )?(call|calling|ring|phone|contact|"
    r"contacting)\b(?! (back|in|up))"
    r"( (me|us|this number|here))?|\b(take|remove|delete) (me|us|my number|this number) (off|from)\b|\bunsubscribe\b|"
    r"\bopt(ed)? (me )?out\b|\bdo not call list\b|\b(lose|forget) (my|this) number\b",
    "human": r"\b(speak|talk|speaking|talking) (to|with) (a |an |the |your |some )?(real |actual |live |human )*"
    r"(human|person|someone|somebody|people|agent|operator|manager|supervisor|representative|doctor|dentist|colleague|"
    r"being|receptionist|boss)\b|"
    r"\b(real|live|actual) (person|human|agent)\b|\b(transfer|connect|put) me (through|to)\b|"
    r"\bgive me (a|an|the|your) (human|person|operator|manager|agent|supervisor)\b|^(operator|human|agent|"
    r"representative)( please)?$|"
    r"\bget me (a|someone|somebody)\b|\b(let|have) (a |someone |somebody )?(human|person)? ?call me( back)?\b|"
    r"\bcall me back\b|\bcan (someone|somebody) call me\b|"
    r"^(\w+ ){0,4}(human|operator|representative)( please)?$",
    "repeat": r"\b(repeat|say) (that|it|this)( again| once more)?\b|\bsay again\b|\bcome again\b|\bpardon( me)?\b|"
    r"^(sorry |i am sorry )?(what|what was that|what did you say|excuse me|huh)( sorry| please)?$|"
    r"\b(did|could|can) not (hear|understand|catch) (you|that|it)\b|\bone more time\b|\b(can|"
    r"could) you repeat\b|^again( please)?$",
    "wait": r"\b(wait|hold on|hang on|hold the line|one moment|just a moment|give me a (second|moment|minute|sec)|"
    r"just a (second|minute|sec)|one (second|minute|sec)|let me (check|see|look|think)|bear with me)\b",
    "goodbye": r"\b(bye|goodbye|bye bye|good bye|see you( soon| then| later)?|have a (nice|good|great|lovely) "
    r"(day|one|evening|weekend|afternoon)|talk to you (soon|later)|hang up|that is all( for (now|today))?|"
    r"that will be all|nothing else|end (the|this) call|i have to go|i got to go|good night|that is it thank you)\b",
    "who": r"\b(who (is|are) (this|you|calling|there)|who am i (talking|speaking) (to|with)|what is your name|"
    r"your name( again)?)\b",
    "robot": r"\b(are you|is this|am i (talking|speaking) (to|with)) (an? )?(real |human |actual )*"
    r"(robot|bot|machine|computer|human|ai|person|artificial|recording|real)\b|\bare you (real|human)\b",
    "how_are_you": r"\bhow (are|is) (you|it going|your day)\b|\bhow do you do\b",
    "abilities": r"\bwhat (can|could|do) you (do|help|offer)\b|\bhow can you help\b|\bwhat are you for\b|^help( me)?$|"
    r"\bwhat (can|could) i (ask|say|do)\b|\bwhat are my options\b",
    "hear_me": r"\b(can|do) you hear me\b|\bare you (still )?there\b|\bis (anybody|anyone|somebody|someone) there\b|"
    r"\b(test|testing) (one|1)\b",
    "quiet": r"^(please )?(stop|be quiet|quiet|shut up|stop talking|enough|silence)( please| it| talking)?$",
    "thanks": r"^(okay |great |perfect |wonderful |good |yes |all right )?(thank you|thanks|cheers)( so much|"
    r" very much| a lot)?$",
    "hello": r"^(hi|hello|hey|good (morning|afternoon|evening)|hi there|hello there|hello hello|howdy)( \w+)?$",
    "unknown": r"\b(i do not know|i am not sure|not sure|no idea|i have no idea|does not matter|do not care|whatever|"
    r"any ?(time|day|one)( is| would be| works)?|whenever|you (choose|decide|pick)|up to you|"
    r"either( one| is fine)?)\b",
    "start_over": r"\bstart (over|again|from the beginning)\b|\bfrom the (top|start|beginning)\b",
}
_PATTERNS = {intent: re.compile(pattern) for intent, pattern in _INTENTS.items()}
_QUESTION = re.compile(
    r"^(so |and |but |okay |um |well |yes |no |hi |hello |sorry )*(what|how|where|when|why|which|who|whose|is|"
    r"are|do|does|"
    r"did|can|could|will|would|may|should|have you|has)\b"
    r"|\b(what|how (much|many|long|far|do|can|about|does)|where|what time|is there|are there|are you|do you|"
    r"does it|is it|"
    r"do i|can i|could i|may i|should i|is that|i wonder|wondering|tell me|like to know|want to know|need to know)\b"
)
_WISH = re.compile(
    r"\b(can|could|may|shall|would) (i|we|you) (\w+ ){0,2}(come|book|have|get|make|schedule|see|do|put|take|"
    r"move|bring)\b|"
    r"\b(i|we) (would like|want|need|have|prefer|will take)\b|\bhow about\b|\bdo you have (\w+ ){0,3}(free|"
    r"available|anything|something|slots?|time)\b|\bwhat about\b|\bdoes .{1,40} work\b|"
    r"\bis .{1,40} (possible|okay|free)\b"
)


def intents_of(text: str) -> frozenset[str]:
    """Everything of the kind that is plainly in it."""
    said = " ".join(normal(text))
    found = {intent for intent, pattern in _PATTERNS.items() if pattern.search(said)}
    if "robot" in found:
        found.discard("human")
    if "goodbye" in found and len(said.split()) > _LONGEST_GOODBYE:
        found.discard("goodbye")
    return frozenset(found)


def is_nothing(text: str) -> bool:
    """Whether only sounds of thinking were made."""
    return all(word in _FILLERS for word in normal(text))


def is_question(text: str) -> bool:
    """Whether something is asked. A recogniser writes no question mark."""
    return "?" in text or bool(_QUESTION.search(" ".join(normal(text))))


def is_wish(text: str) -> bool:
    """Whether something is wanted, though it may sound like a question: `can I come on Tuesday`."""
    return bool(_WISH.search(" ".join(normal(text))))
