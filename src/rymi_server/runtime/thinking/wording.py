"""What the playbook responder says of its own accord. Variants take turns, so that nothing is said twice in a row."""

GOOD = ("All right", "Perfect", "Good", "Great", "Lovely")
GO_ON = ("Great.", "Wonderful.", "All right.", "Perfect.")
NOT_UNDERSTOOD = ("Sorry, I did not get that.", "I am sorry, could you say that in other words?")
HOW_ELSE = "All right. What can I do for you?"
GO_AHEAD = "Of course. What would you like to know?"
WHAT_TO_CHANGE = "I am sorry. What should I change?"
SAY_AGAIN = "I am sorry."
OTHER_WORDS = "All right. Then please say it in other words."
TAKE_YOUR_TIME = "Take your time."
QUIET = "All right, I am listening."
OPTED_OUT = "I understand. We will not call you again. I am sorry for the trouble. Goodbye."
CONNECTING = "Of course. One moment please, I will get somebody for you."
CALLBACK_NUMBER = "Of course. Which number can my colleague reach you on?"
CALLBACK_PROMISED = "Thank you. A colleague will call you back as soon as possible."
NEVER_MIND = "All right, let us go on."
LEFT_OPEN = "Never mind, we can leave that open."
GOODBYE_TO_ONE = "Goodbye!"
THERE = ("Are you still there?", "I cannot hear you.")
HEARD = "Yes, I can hear you well."
HOW_ARE_YOU = "I am very well, thank you."
ONE_MOMENT = "One moment, please."
NOT_FOUND_OUT = "I am sorry, I cannot look that up right now."
WELCOME = "You are welcome."
HELLO = "Hello!"
NOT_MY_TOPIC = "I am afraid that is nothing I can talk about."


def took(echoes: list[str], turn: int) -> str:
    """`All right, a cleaning, on Tuesday.`"""
    return f"{one_of(GOOD, turn)}, {', '.join(echoes)}." if echoes else one_of(GO_ON, turn)


def one_of(variants: tuple[str, ...], turn: int) -> str:
    return variants[turn % len(variants)]


def let_us_say(echo: str) -> str:
    return f"Then let us say {echo.removeprefix('at ').removeprefix('on ')}."


def goodbye_from(company: str) -> str:
    """For somebody who leaves before anything was agreed, where the playbook's own words would not be true."""
    return f"Thank you for talking to {company or 'us'}. Goodbye!"


def is_it_this(echo: str) -> str:
    return f"{echo[:1].upper()}{echo[1:]}. Is that right?"


def do_you_mean(titles: list[str]) -> str:
    return f"Did you mean {' or '.join(_within(title) for title in titles)}?"


def introduction(name: str, company: str) -> str:
    at = f" of {company}" if company else ""
    return f"I am {name}, the assistant{at}." if name else f"I am the assistant{at}."


def honest(name: str, company: str) -> str:
    at = f" at {company}" if company else ""
    who = f"I am {name}, a virtual assistant{at}." if name else f"I am a virtual assistant{at}."
    return f"{who} A computer, yes, but I do my best."


def abilities(titles: list[str], has_questions: bool) -> str:
    about = " or ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)
    if not about:
        return "I will help you as well as I can."
    return f"I can tell you about {about}" + (", and take down what you need." if has_questions else ".")


def _within(title: str) -> str:
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]
