"""Asking people whether their call may be recorded, and understanding what they say to it."""

import re
from typing import Final

QUESTION: Final = "Before we start: may I record this call? Please say yes or no."
AGAIN: Final = "Sorry, may I record this call? Please say yes or no."
REFUSED: Final = "That is fine, I am not recording."

_NO = re.compile(r"\b(no|nope|not|don't|do not|never|rather not|nein|non)\b", re.IGNORECASE)
_YES = re.compile(r"\b(yes|yeah|yep|yup|sure|ok|okay|of course|fine|go ahead|ja|oui|sí|si)\b", re.IGNORECASE)


def answer_to_consent(text: str) -> bool | None:
    """None where it is neither a yes nor a no. A no anywhere is a no."""
    if _NO.search(text):
        return False
    return True if _YES.search(text) else None
