"""`rymi call`: call an agent from the terminal."""

import asyncio
import logging
from typing import Annotated

import typer

from rymi_server.entrypoints.calling.account import Account, CannotCall, where_to_call
from rymi_server.entrypoints.calling.dialogue import NextLine, booking, saying
from rymi_server.entrypoints.calling.phoning import BoxPhone, call_of, where_the_box_is
from rymi_server.entrypoints.calling.talking import Talk, refuse_no_lines
from rymi_server.entrypoints.calling.telling import ForPeople, ForPrograms, Telling
from rymi_server.entrypoints.up.demo import NUMBER

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Say = Annotated[list[str] | None, typer.Option("--say", help="A line to say; give it once for each line.")]
Mic = Annotated[bool, typer.Option("--mic", help="Speak yourself, with this machine's microphone and loudspeaker.")]
Web = Annotated[bool, typer.Option("--web", help="Come in as a web page does (the default).")]
Phone = Annotated[str | None, typer.Option("--phone", help="Ring this number, and watch. +12025550100 always answers.")]
FromPhone = Annotated[bool, typer.Option("--from-phone", help="Ring the demo's number, from a phone in the box.")]
Who = Annotated[str | None, typer.Option("--agent", help="The agent's id or a part of its name; else the newest.")]
Name = Annotated[str, typer.Option("--identity", help="Your name in the call.")]
Voice = Annotated[str, typer.Option(help="Your voice when you speak by text: one of espeak-ng's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what the API says, one JSON object a line.")]


@app.command()
def call(
    web: Web = True,  # noqa: ARG001 - The way where no other is named, and said aloud.
    phone: Phone = None,
    from_phone: FromPhone = False,
    say: Say = None,
    mic: Mic = False,
    agent: Who = None,
    identity: Name = "you",
    voice: Voice = "en-us+f2",
    as_json: AsJson = False,
) -> None:
    """Call an agent and watch the transcript. Without --say or --mic a short demo dialogue is held.

    The account is that of `rymi up` on this machine, or the one of RYMI_API_KEY at RYMI_BASE_URL.
    """
    refuse_no_lines(say or ())
    next_line = saying(say) if say else booking()
    if phone and from_phone:
        raise CannotCall("--phone rings somebody, --from-phone has somebody ring here. Choose one.")
    # LiveKit's client tells of tracks that go away as if they were errors.
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    telling: Telling = ForPrograms() if as_json else ForPeople(identity)
    if phone:
        asyncio.run(_to_phone(telling, identity, agent, phone))
    elif from_phone:
        asyncio.run(_from_phone(telling, identity, next_line, voice))
    else:
        asyncio.run(_call(telling, identity, agent, None if mic else next_line, voice))


async def _to_phone(telling: Telling, identity: str, wanted: str | None, number: str) -> None:
    account = Account.at(*where_to_call())
    try:
        await Talk(account, telling, identity).to_phone(await account.agent(wanted), number)
    finally:
        await account.aclose()


async def _from_phone(telling: Telling, identity: str, next_line: NextLine, voice: str) -> None:
    account, phone = Account.at(*where_to_call()), BoxPhone(where_the_box_is(), voice)
    try:
        call = await call_of(account, await phone.ring(NUMBER))
        agent = await account.agent(call["agent_id"])
        await Talk(account, telling, identity).from_phone(phone, call, agent["name"], next_line)
    finally:
        await phone.aclose()
        await account.aclose()


async def _call(telling: Telling, identity: str, wanted: str | None, lines: NextLine | None, voice: str) -> None:
    account = Account.at(*where_to_call())
    try:
        agent = await account.agent(wanted)
        talk = Talk(account, telling, identity)
        if lines is None:
            await talk.with_devices(agent)
        else:
            await talk.with_lines(agent, lines, voice)
    finally:
        await account.aclose()
