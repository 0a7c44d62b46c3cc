"""Text for an ear: `runtime/thinking/speakable.py`."""

import pytest

from rymi_server.runtime.thinking.speakable import speakable


class TestSpeakable:
    @pytest.mark.parametrize(
        ("written", "spoken"),
        [
            ("**Hello**, _there_ `you`", "Hello, _there_ you"),
            ("# Prices\n- A check-up\n- A cleaning", "Prices A check-up A cleaning"),
            ("See [our page](https://x.example/a).", "See our page."),
            ("Go to https://www.example.com/a-b?x=1.", "Go to example dot com slash a dash b."),
            ("Write to ann.lee@example.com, please", "Write to ann dot lee at example dot com, please"),
            (
                "It is $60 or $1,250.50.",
                "It is sixty dollars or one thousand two hundred fifty dollars and fifty cents.",
            ),
            ("$1 and €2", "one dollar and two euros"),
            ("$5 million", "five million dollars"),
            ("at 9:30 am and 14:00", "at nine thirty a m and two p m"),
            ("8 am to 6pm", "eight a m to six p m"),
            ("10:00 o'clock", "ten o'clock o'clock"),
            ("20% off", "twenty percent off"),
            ("the 21st", "the twenty first"),
            ("on 2026-03-05", "on March fifth, twenty twenty six"),
            ("call +1 (202) 555-0100 now", "call one two zero, two five five, five zero one, zero zero now"),
            ("3.5 km", "three point five km"),
            ("🙂 Hi 👋🏽", "Hi"),
            ("a\x00b", "ab"),
            ("[ann] Hello", "Hello"),
            ("🙂", ""),
            ("B2B and 4K", "B2B and 4K"),
        ],
    )
    def test_reads_like_speech(self, written: str, spoken: str) -> None:
        assert speakable(written) == spoken

    def test_leaves_figures_of_other_languages_to_the_voice(self) -> None:
        assert speakable("**Das** kostet 60 €.", "de-DE") == "Das kostet 60 €."

    def test_is_quick_with_hostile_text(self) -> None:
        for hostile in (
            "*" * 20_000,
            "[" * 20_000,
            "1-" * 10_000,
            "<" * 20_000,
            "a@" * 10_000,
            "`" * 20_001,
            "1,000," * 5_000,
        ):
            speakable(hostile)
