"""What people and agents say in the benchmark of agents: the same to both."""

from rymi_server.speech_engines.promises import Vocabulary

ASK, INTERRUPT = "tell me a story", "what about saturday"
GREETING = "Hello there."
STORY = (
    "Once upon a time there was a telephone that nobody wanted to answer. It rang and rang in the hall of a very old "
    "house, until one day a small mouse climbed onto the table and lifted the receiver with both of its paws. "
) * 2
CLOSED = "We are closed on Saturday."
VOCABULARY = Vocabulary(phrases=(ASK, INTERRUPT))


def answer_to(text: str) -> str:
    return STORY if "story" in text else CLOSED
