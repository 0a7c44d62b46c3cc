"""What both agents of the benchmark say."""

STORY = (
    "Once upon a time there was a telephone that nobody wanted to answer. It rang and rang in the hall of a very old "
    "house, until one day a small mouse climbed onto the table and lifted the receiver with both of its paws. "
) * 2


def answer_to(_: str) -> str:
    return STORY
