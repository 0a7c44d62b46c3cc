"""Who answers at a magic number, and what they do against what they hear. Pure: time is a count of frames."""

import base64

import pytest
from tests.carrierbox.sound import mulaw_tone, tone

from carrierbox.callees.magic import PREFIX, magic_numbers, script_for
from carrierbox.callees.party import Party, Turn, rehearse
from carrierbox.callees.script import (
    BadScript,
    Being,
    Listen,
    Overhear,
    Pickup,
    Play,
    Press,
    Say,
    Script,
    Stay,
    Wait,
    read_script,
)
from carrierbox.line import g711
from carrierbox.line.recording import write_wav
from carrierbox.line.tones import keys

WORD = mulaw_tone(300, 0.2)


class SaysWord:
    """Says the same word whatever the text."""

    async def say(self, text: str, voice: str = "en-us") -> bytes:
        return WORD


async def party(*moves: object, script: Script | None = None) -> Party:
    script = script or Script(tuple(moves))
    return Party(script, await rehearse(script.moves, SaysWord()))


def hear(party: Party, sound: bytes) -> list[Turn]:
    frames = [sound[i : i + g711.FRAME] for i in range(0, len(sound), g711.FRAME)]
    return [party.tick(frame) for frame in frames]


def quiet(party: Party, ms: int) -> list[Turn]:
    return hear(party, g711.SILENCE * (ms // g711.FRAME_MS))


def hung_up_after(turns: list[Turn]) -> int | None:
    return next((i * g711.FRAME_MS for i, turn in enumerate(turns) if turn.hung_up), None)


class TestMagicNumbers:
    def test_are_eleven_and_everybody_else_says_one_line(self) -> None:
        assert len(magic_numbers()) == 11
        assert script_for("+12025550155").name == "says one line"
        assert script_for("+442079460000").name == "says one line"

    @pytest.mark.parametrize(
        ("ending", "pickup"),
        [("01", Pickup.BUSY), ("02", Pickup.NO_ANSWER), ("03", Pickup.REJECTS), ("00", Pickup.ANSWERS)],
    )
    def test_pick_up_or_do_not(self, ending: str, pickup: Pickup) -> None:
        assert script_for(PREFIX + ending).pickup is pickup

    def test_have_a_machine_and_bad_lines_among_them(self) -> None:
        assert script_for(f"{PREFIX}04").being is Being.MACHINE
        assert script_for(f"{PREFIX}07").condition.noise_db == -30
        assert script_for(f"{PREFIX}08").condition.loss > 0
        assert script_for(f"{PREFIX}08").condition.jitter_ms > 0

    async def test_talks_waits_for_the_other_side_and_says_goodbye(self) -> None:
        talker = await party(script=script_for(f"{PREFIX}00"))
        notes: list[str] = []
        for _ in range(4):
            notes += [note for turn in quiet(talker, 1000) for note in turn.notes]
            notes += [note for turn in hear(talker, mulaw_tone(400, 0.6)) for note in turn.notes]
        last = quiet(talker, 6000)
        assert notes == [
            "says: Hello?",
            "says: What are your opening hours?",
            "says: I would like to book an appointment.",
            "says: Okay, thank you. Goodbye.",
        ]
        assert hung_up_after(last) is not None

    async def test_hangs_up_in_the_middle_of_a_word(self) -> None:
        script = script_for(f"{PREFIX}05")
        long = tuple(Play(WORD * 20, cut_ms=m.cut_ms) if isinstance(m, Say) else m for m in script.moves)
        turns = quiet(Party(script, long), 4000)
        assert hung_up_after(turns) == 400 + 1500
        assert turns[(400 + 1480) // 20].sound != g711.SILENCE

    async def test_barges_in_while_the_other_side_is_speaking(self) -> None:
        rude = await party(script=script_for(f"{PREFIX}10"))
        quiet(rude, 1000)
        turns = hear(rude, mulaw_tone(400, 2.0))
        began = next(i for i, turn in enumerate(turns) if turn.notes)
        assert 1180 <= began * g711.FRAME_MS <= 1220


class TestAParty:
    async def test_says_its_line_frame_by_frame_and_hangs_up(self) -> None:
        turns = quiet(await party(Say("hello")), 300)
        assert b"".join(turn.sound or b"" for turn in turns[:10]) == WORD
        assert hung_up_after(turns) == 200

    async def test_listens_until_the_other_side_is_quiet(self) -> None:
        listener = await party(Listen(quiet_ms=400), Say("now"))
        assert not any(turn.notes for turn in quiet(listener, 3000))
        assert not any(turn.notes for turn in hear(listener, mulaw_tone(400, 1.0)))
        spoke = next(i for i, turn in enumerate(quiet(listener, 1000)) if turn.notes)
        assert (spoke + 1) * g711.FRAME_MS == 400

    async def test_loses_patience_with_silence(self) -> None:
        assert hung_up_after(quiet(await party(Listen(patience_ms=500)), 1000)) == 500
        assert hung_up_after(quiet(await party(Overhear(200, patience_ms=500)), 1000)) == 500

    async def test_presses_keys_one_after_the_other_without_sound_while_they_are_down(self) -> None:
        turns = quiet(await party(Press("1w2")), 2000)
        assert [turn.pressed for turn in turns if turn.pressed] == ["1", "2"]
        down = [i * g711.FRAME_MS for i, turn in enumerate(turns) if turn.sound is None]
        assert down == [*range(0, 160, 20), *range(740, 900, 20)]

    async def test_hears_each_key_once(self) -> None:
        turns = hear(await party(Stay()), keys("0123456789*#A") + g711.SILENCE * 5)
        assert [note for turn in turns for note in turn.notes] == [f"heard key {key}" for key in "0123456789*#A"]

    async def test_takes_speech_for_no_key(self) -> None:
        turns = hear(await party(Stay()), WORD * 10)
        assert [note for turn in turns for note in turn.notes] == []

    async def test_does_what_it_is_told_in_between_and_then_goes_on_staying(self) -> None:
        guest = await party(Stay())
        quiet(guest, 100)
        guest.interject(await rehearse((Say("told to"),), SaysWord()))
        turns = quiet(guest, 2000)
        assert turns[0].notes == ("says: told to",)
        assert hung_up_after(turns) is None

    async def test_finishes_its_line_before_it_does_what_it_is_told(self) -> None:
        guest = await party(Say("first"), Wait(5000))
        quiet(guest, 100)
        guest.interject(await rehearse((Say("second"),), SaysWord()))
        turns = quiet(guest, 300)
        assert [i for i, turn in enumerate(turns) if turn.notes] == [5]


class TestAScript:
    def test_is_read_from_json(self) -> None:
        wav = base64.b64encode(write_wav(tone(300, 0.1))).decode()
        script = read_script(
            {
                "name": "mine",
                "ring_ms": 100,
                "being": "machine",
                "line": {"loss": 0.1, "jitter_ms": 200, "noise_db": -40},
                "moves": [
                    {"do": "say", "text": "hi", "voice": "en-us+f3", "cut_ms": 100},
                    {"do": "play", "wav_base64": wav},
                    {"do": "wait", "ms": 100},
                    {"do": "listen"},
                    {"do": "overhear", "speech_ms": 500},
                    {"do": "press", "digits": "1w#"},
                    {"do": "beep"},
                    {"do": "stay"},
                ],
            }
        )
        kinds = [type(move).__name__ for move in script.moves]
        assert kinds == ["Say", "Play", "Wait", "Listen", "Overhear", "Press", "Beep", "Stay"]
        assert (script.being, script.condition.loss, script.condition.noise_db) == (Being.MACHINE, 0.1, -40.0)
        played = script.moves[1]
        assert isinstance(played, Play)
        assert len(played.sound) == 800

    @pytest.mark.parametrize(
        ("raw", "why"),
        [
            ([], "script must be an object"),
            ({"moves": "say"}, "script.moves must be a list"),
            ({"moves": [{"do": "dance"}]}, r"moves\[0\].do must be"),
            ({"moves": [{"do": "say"}]}, r"moves\[0\].text must be text"),
            ({"moves": [{"do": "wait", "ms": -1}]}, r"moves\[0\].ms must be a whole number"),
            ({"moves": [{"do": "press", "digits": "x"}]}, r"moves\[0\].digits must be"),
            ({"moves": [{"do": "play", "wav_base64": "!!"}]}, r"moves\[0\].wav_base64"),
            ({"moves": [{"do": "play", "wav_base64": "aGVsbG8="}]}, "not a WAV"),
            ({"pickup": "maybe"}, "script.pickup must be one of"),
            ({"line": {"loss": 2}}, "script.line.loss must be a number from 0 to 1"),
            ({"moves": [{"do": "stay"}] * 201}, "at most 200"),
        ],
    )
    def test_says_what_is_wrong_with_it(self, raw: object, why: str) -> None:
        with pytest.raises(BadScript, match=why):
            read_script(raw)

    async def test_is_spoken_before_it_is_performed(self) -> None:
        rehearsed = await rehearse((Say("hello"), Wait(20)), SaysWord())
        assert rehearsed == (Play(WORD, "hello"), Wait(20))
