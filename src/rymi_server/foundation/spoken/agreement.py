"""Whether somebody said yes or no."""

import re

from rymi_server.foundation.spoken.words import plain

_YES = re.compile(
    r"\b(yes|yeah|yea|yep|yup|ya|sure|correct|right|exactly|okay|of course|absolutely|definitely|certainly|please do|"
    r"go ahead|sounds good|that works|works for me|that is fine|that would be (great|good|nice|fine|perfect)|alright|"
    r"all right|perfect|great|fine|i would|i do|i am|it is|i would love to|gladly|affirmative|that is it|uh huh|mhm)\b"
)
_NO = re.compile(r"\b(no|nope|nah|not|never|wrong|incorrect|negative|neither)\b")
_NO_THAT_AGREES = re.compile(r"\b(no problem|why not|no worries|no objections?|not a problem|do not mind)\b")
_YES_WITHIN_A_NO = re.compile(r"\b(not|never) (\w+ ){0,2}(right|correct|sure|fine|okay|great|exactly|perfect)\b")
_NO_FIRST = re.compile(r"^(um |uh |well |oh |sorry )*(no|nope|nah|not|never|i do not|i am not|that is not|wrong)\b")
_TURNED = re.compile(r"\bno (it is|that is|that would be|you are) (fine|okay|right|correct|great|good|perfect)\b")


def yes_or_no(text: str) -> bool | None:
    """None where it is neither. `No problem, go ahead` is yes; `not really` is no; `yeah no that's fine` is yes."""
    said = plain(text)
    if _NO_THAT_AGREES.search(said) or _TURNED.search(said):
        return True
    yes, no = _YES.search(said), _NO.search(said)
    if no is None:
        return True if yes else None
    if yes is None or _NO_FIRST.search(said) or _YES_WITHIN_A_NO.search(said):
        return False
    return yes.start() < no.start()
