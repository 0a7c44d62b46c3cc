"""The voice that needs nothing: espeak-ng in a process of its own."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from tests.speech.voice_promise import VoicePromise

from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.espeak import EspeakVoice, espeak_worker
from rymi_server.speech_engines.espeak_names import LANGUAGES, REGIONS, voice_named
from rymi_server.speech_engines.promises import Abilities
from rymi_server.speech_engines.workers.espeak import Library
from rymi_server.speech_engines.workers.process import Receiver, WorkerProcess
from rymi_server.speech_engines.workers.voice import WorkerVoice
from rymi_server.speech_engines.workers.wire import Kind, Message, said

MANNER = {"voice": "en-us", "words_a_minute": 170, "pitch": 50}
EARLY_OWNER = [sys.executable, "-m", "tests.speech.early_owner"]


@pytest.fixture(scope="module")
async def worker() -> AsyncIterator[WorkerProcess]:
    worker = espeak_worker()
    yield worker
    await worker.aclose()


@pytest.fixture
def voice(worker: WorkerProcess) -> EspeakVoice:
    return EspeakVoice(worker, "en-us+f3")


def of_little_patience(worker: WorkerProcess) -> WorkerVoice:
    return WorkerVoice(Abilities("espeak"), 22_050, worker, MANNER, patience=0.5)


async def spoken(voice: WorkerVoice, text: str) -> int:
    return sum([len(piece) async for piece in voice.speak(text)])


class TestEspeak(VoicePromise):
    async def test_names_what_it_cannot_do(self, worker: WorkerProcess) -> None:
        with pytest.raises(EngineFailed, match="there is no voice 'nobody'"):
            await spoken(EspeakVoice(worker, "nobody"), "Hello.")

    async def test_fails_only_the_running_line_when_its_process_dies(self, worker: WorkerProcess) -> None:
        voice = EspeakVoice(worker)
        assert await spoken(voice, "Hello.") > 0
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        speaking = asyncio.ensure_future(spoken(voice, "This is a long story."))
        await asyncio.sleep(0)
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(EngineFailed):
            await speaking
        assert await spoken(voice, "I am back.") > 0

    async def test_fails_only_the_running_line_when_its_process_is_stuck(self, worker: WorkerProcess) -> None:
        voice = of_little_patience(worker)
        assert await spoken(voice, "Hello.") > 0
        stuck = worker.pid
        assert stuck is not None
        os.kill(stuck, signal.SIGSTOP)
        with pytest.raises(EngineFailed, match="gone silent"):
            await spoken(voice, "This is never said.")
        assert await spoken(voice, "I am back.") > 0
        with pytest.raises(ProcessLookupError):
            os.kill(stuck, 0)

    async def test_leaves_a_process_alone_that_speaks_to_others_meanwhile(self, worker: WorkerProcess) -> None:
        await worker.start()
        busy, ended = worker.pid, asyncio.Event()
        other = worker.open(Receiver(lambda message: ended.set() if message.kind is Kind.DONE else None, ended.set))
        worker.send(said(Kind.SPEAK, other, {"text": "This is a long story. " * 20_000, **MANNER}))
        with pytest.raises(EngineFailed, match="gone silent"):
            await spoken(of_little_patience(worker), "When is it my turn?")
        worker.send(Message(Kind.STOP, other))
        await ended.wait()
        worker.close(other)
        assert await spoken(EspeakVoice(worker), "Now.") > 0
        assert worker.pid == busy

    @pytest.mark.parametrize("moment", range(8))
    async def test_stops_when_its_listener_is_cancelled_at_whatever_moment(
        self, voice: EspeakVoice, moment: int
    ) -> None:
        """Also just as the next sound is taken, of many that wait."""
        takes_many = asyncio.Event()

        async def listen() -> None:
            async for _ in voice.speak("This is a long story, and nobody wants to hear it to its end. " * 20):
                if not takes_many.is_set():
                    await asyncio.sleep(0.1)  # In which they are made.
                    takes_many.set()

        listening = asyncio.create_task(listen())
        await takes_many.wait()
        for _ in range(moment):
            await asyncio.sleep(0)
        listening.cancel()
        await asyncio.wait([listening])
        assert listening.cancelled()

    async def test_leaves_no_process_behind(self) -> None:
        worker = espeak_worker()
        await worker.start()
        pid = worker.pid
        await worker.aclose()
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


class TestItsProcess:
    def test_ends_without_a_word_where_its_owner_ends_while_it_gets_ready(self) -> None:
        owners, own = socket.socketpair()
        owners.close()
        with own:
            ended = subprocess.run(
                [sys.executable, "-m", "rymi_server.speech_engines.workers.espeak", str(own.fileno())],
                pass_fds=[own.fileno()],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
        assert (ended.returncode, ended.stderr) == (0, "")


class TestAProcessThatComesUpEarly:
    """Forked from its owner, where that can be."""

    def test_speaks_holds_nothing_of_its_owner_and_is_replaced_when_it_dies(self) -> None:
        ended = subprocess.run(EARLY_OWNER, capture_output=True, text=True, check=False, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, "")
        found = json.loads(ended.stdout)
        assert found["sound"] > 0
        assert found["let_go"]
        assert found["failed"]
        assert found["is_another"]
        assert found["sound_again"] > 0

    def test_ends_with_its_owner(self) -> None:
        with subprocess.Popen([*EARLY_OWNER, "stay"], stdout=subprocess.PIPE, text=True) as owner:
            assert owner.stdout
            pid = json.loads(owner.stdout.readline())["pid"]
            os.kill(pid, 0)
            owner.kill()
            # Both write there, so this is the end of both.
            assert owner.stdout.read() == ""


class TestVoiceNames:
    @pytest.mark.parametrize(
        ("name", "voice"),
        [
            (None, "en-us"),
            ("en-US", "en-us"),
            ("en_GB", "en"),
            ("en-gb+f3", "en+f3"),
            ("fr-FR", "fr"),
            ("zh", "cmn"),
            ("pt-BR", "pt-br"),
            ("pt-PT", "pt"),
            ("hi-IN", "hi"),
            ("de-CH", "de"),
            ("xx", None),
            ("en-us+../../etc", None),
        ],
    )
    def test_come_from_languages_and_variants(self, name: str | None, voice: str | None) -> None:
        assert voice_named(name) == voice

    def test_are_all_known_to_the_library(self) -> None:
        library = Library()
        named = {voice_named(name) for name in LANGUAGES | REGIONS}
        assert [name for name in sorted(filter(None, named)) if not library.choose(name)] == []
