"""The live stream of a call: what is kept and what passes by, for readers who come, go, and come again."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest
from tests.http.test_internal_agents import Agent, said
from tests.support.asking import CLOCK, NOBODY, SECRET, Customer, client_for, new_customer, settings_for_tests, web
from tests.support.calling import everybody_joins
from tests.support.installation import api_at_a_port

from rymi_server.call_views.live_feed import LiveFeed, Watch
from rymi_server.call_views.live_stream import Place
from rymi_server.calls import store
from rymi_server.entrypoints.building import build_edge
from rymi_server.foundation.database import Database
from rymi_server.post_call.begin import begin
from rymi_server.post_call.finalize import Finalizer


@dataclass
class Event:
    name: str
    data: dict[str, Any]
    id: str | None


@dataclass
class Reader:
    """Somebody who reads a stream."""

    lines: AsyncIterator[str]
    seen: list[Event] = field(default_factory=list)

    async def next(self, name: str | None = None) -> Event:
        """The next event (of that name)."""
        async with asyncio.timeout(10):
            while True:
                event = await self._one()
                self.seen.append(event)
                if name in (None, event.name):
                    return event

    async def rest(self) -> list[Event]:
        with contextlib.suppress(StopAsyncIteration):
            while True:
                await self.next()
        return self.seen

    async def _one(self) -> Event:
        found: dict[str, str] = {}
        async with asyncio.timeout(10):
            while (line := await anext(self.lines)) or "data" not in found:
                name, _, value = line.partition(": ")
                if name:
                    found[name] = value
        return Event(found["event"], json.loads(found["data"]), found.get("id"))


@dataclass
class Live:
    acme: Customer
    database: Database
    call: dict[str, Any]
    url: str

    @property
    def agent(self) -> Agent:
        return Agent(self.acme.http, self.call["id"], self.acme.tenant.id)

    @contextlib.asynccontextmanager
    async def reading(self, last: str | None = None, *, call_id: str | None = None) -> AsyncIterator[Reader]:
        headers = {"Authorization": f"Bearer {self.acme.key}", **({"Last-Event-ID": last} if last else {})}
        url = f"/v1/calls/{call_id or self.call['id']}/stream"
        async with self.acme.http.stream("GET", url, headers=headers, timeout=30) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield Reader(aiter(answer.aiter_lines()))

    async def is_over(self, first: int) -> None:
        """The call ends, its agent says no more, and its transcript is put in the order in which lines began."""
        await self.acme.post(f"/v1/calls/{self.call['id']}/end")
        await self.agent.report(first=first, closing=True)
        async with self.database.transaction() as tx:
            await begin(tx, await store.lock(tx, self.acme.tenant.id, self.call["id"]))
        await Finalizer(self.database, CLOCK)({"tenant_id": self.acme.tenant.id, "call_id": self.call["id"]})
        whole = (await self.acme.get(f"/v1/calls/{self.call['id']}/transcript")).json()["segments"]
        assert [line["text"] for line in whole] == ["began first", "told first"]


def _gist(event: Event) -> str:
    return next(event.data[name] for name in ("text", "message", "state", "status") if name in event.data)


@pytest.fixture
async def live(database: Database) -> AsyncIterator[Live]:
    """A call in an API at a port, because a stream is read while it is written."""
    settings = settings_for_tests(http_port=1)
    settings = settings.model_copy(update={"http_port": 0})
    async with api_at_a_port(settings, database) as url, httpx.AsyncClient(base_url=url) as http:
        acme = await new_customer(database, http)
        body = {"agent_id": await acme.new_agent(), "participants": [web("ann")]}
        yield Live(acme, database, (await acme.post("/v1/calls", body)).json(), url)


class TestAStream:
    async def test_begins_with_how_things_are_and_all_that_is_kept(self, live: Live) -> None:
        await live.agent.report(said("Hello", segment="s_1"), said("Hi", speaker="agent"))
        async with live.reading() as reader:
            status = (await reader.next()).data
            assert (status["status"], [p["identity"] for p in status["participants"]]) == ("connecting", ["ann"])
            assert (await reader.next()).data["message"] == "Call created"
            line = (await reader.next()).data
            assert (line["text"], line["sequence"], line["segment_id"]) == ("Hello", 0, "s_1")
            assert (await reader.next()).data["speaker"] == "agent"

    async def test_goes_on_with_what_happens(self, live: Live) -> None:
        async with live.reading() as reader:
            await reader.next("event")
            await everybody_joins(live.database, live.call["id"])
            assert (await reader.next("status")).data["status"] == "in_progress"
            await live.agent.report({"kind": "happened", "message": "A remark"})
            assert (await reader.next("event")).data["message"] == "A remark"
            await live.agent.report(said("Hello"), first=1)
            assert (await reader.next("transcript")).data["text"] == "Hello"

    async def test_goes_on_too_for_who_spells_the_call_in_capitals(self, live: Live) -> None:
        async with live.reading(call_id=live.call["id"].upper()) as reader:
            await reader.next("event")
            await live.agent.report({"kind": "happened", "message": "A remark"})
            assert (await reader.next("event")).data["message"] == "A remark"
            await live.agent.report(said("Hello"), first=1)
            assert (await reader.next("transcript")).data["text"] == "Hello"

    async def test_shows_what_passes_by(self, live: Live) -> None:
        async with live.reading() as reader:
            await reader.next("event")
            await live.agent.report(
                {**said("Hel", identity="ann"), "kind": "drafted"},
                {"kind": "speaking", "participant_id": None, "speaking": True, "at_ms": 7},
                {"kind": "agent_state", "state": "thinking", "at_ms": 8},
            )
            draft = await reader.next("draft")
            assert (draft.data["text"], draft.data["identity"], draft.id) == ("Hel", "ann", None)
            assert (await reader.next()).data == {"participant_id": None, "speaking": True, "at_ms": 7}
            assert (await reader.next()).data == {"state": "thinking", "at_ms": 8}

    async def test_ends_once_the_agent_has_told_its_last(self, live: Live) -> None:
        await live.agent.report()
        async with live.reading() as reader:
            await reader.next("event")
            await live.acme.post(f"/v1/calls/{live.call['id']}/end")
            await live.agent.report(said("Goodbye", speaker="agent"), closing=True)
            assert (await reader.next("transcript")).data["text"] == "Goodbye"
            assert (await reader.next()).data["status"] == "completed"
            assert (await reader.next()).data["message"] == "Call ended"
            end = await reader.next()
            assert (end.name, end.data["end_reason"]) == ("end", "ended_by_api")
            with pytest.raises(StopAsyncIteration):
                await reader.next()

    async def test_tells_of_the_end_after_the_goodbye_that_came_with_it(self, live: Live) -> None:
        await everybody_joins(live.database, live.call["id"])
        await live.agent.report({"kind": "happened", "message": "A remark"})
        async with live.reading() as reader:
            await reader.next("event")
            state = {"kind": "agent_state", "state": "listening", "at_ms": 9}
            goodbye = said("Goodbye", speaker="agent")
            await live.agent.report(goodbye, {"kind": "end_wanted", "reason": "silence"}, state, first=1, closing=True)
            told = [_gist(event) for event in await reader.rest()]
        assert told[-6:] == ["A remark", "Goodbye", "listening", "completed", "Call ended", "completed"]

    async def test_tells_of_the_end_without_waiting_for_the_recording(self, live: Live) -> None:
        await live.agent.report()
        async with live.reading() as reader:
            await reader.next("event")
            await live.acme.post(f"/v1/calls/{live.call['id']}/end")
            await live.agent.report(said("Goodbye", speaker="agent"), {"kind": "all_said"})
            told = [_gist(await reader.next()) for _ in range(3)]
            assert told == ["Goodbye", "completed", "Call ended"]
            await live.agent.report(first=2, closing=True)
            assert (await reader.next()).name == "end"

    async def test_tells_of_the_end_last_to_who_comes_after_it(self, live: Live) -> None:
        await everybody_joins(live.database, live.call["id"])
        await live.agent.report(said("Hello"), {"kind": "end_wanted", "reason": "silence"}, closing=True)
        async with live.reading() as reader:
            told = [_gist(event) for event in await reader.rest()]
        assert told[0] == "Call created"
        assert told[-4:] == ["Hello", "completed", "Call ended", "completed"]

    async def test_misses_nothing_of_the_end_for_who_was_gone_then(self, live: Live) -> None:
        await live.agent.report()
        async with live.reading() as reader:
            await reader.next("event")
            await live.acme.post(f"/v1/calls/{live.call['id']}/end")
            await live.agent.report(said("Goodbye", speaker="agent"))
            last = (await reader.next("transcript")).id
        await live.agent.report(first=1, closing=True)
        async with live.reading(last) as reader:
            told = [_gist(event) for event in await reader.rest()]
        assert told == ["completed", "Call ended", "completed"]

    async def test_is_taken_up_where_it_was_left(self, live: Live) -> None:
        await live.agent.report(said("one"))
        async with live.reading() as reader:
            last = (await reader.next("transcript")).id
        await live.agent.report(said("two"), {"kind": "happened", "message": "Later"}, first=1)
        async with live.reading(last) as reader:
            assert (await reader.next()).name == "status"
            assert (await reader.next()).data["message"] == "Later"
            assert (await reader.next()).data["text"] == "two"
            await live.agent.report({"kind": "happened", "message": "Later still"}, first=3)
            assert (await reader.next()).data["message"] == "Later still"

    async def test_is_taken_up_where_it_was_left_though_its_lines_were_put_in_order(self, live: Live) -> None:
        await everybody_joins(live.database, live.call["id"])
        await live.agent.report(said("told first", at=2_000))
        async with live.reading() as reader:
            first = await reader.next("transcript")
        await live.agent.report(said("began first", at=500), first=1)
        await live.is_over(first=2)
        async with live.reading(first.id) as reader:
            rest = [event.data for event in await reader.rest() if event.name == "transcript"]
        assert [line["text"] for line in rest] == ["began first"]
        assert [first.data["sequence"], rest[0]["sequence"]] == [0, 1]

    async def test_goes_on_for_a_slow_reader_though_its_lines_were_put_in_order(self, live: Live) -> None:
        edge = build_edge(settings_for_tests(secret=SECRET), live.database, CLOCK)
        await everybody_joins(live.database, live.call["id"])
        await live.agent.report(said("told first", at=2_000))
        sent = aiter(edge.live_calls.stream(live.acme.tenant.id, live.call["id"], Place()))
        while "told first" not in await anext(sent):
            pass
        await live.agent.report(said("began first", at=500), first=1)
        await live.is_over(first=2)
        rest = "".join([each async for each in sent])
        assert (rest.count("told first"), rest.count("began first")) == (0, 1)

    async def test_that_was_read_to_its_end_is_no_more(self, live: Live) -> None:
        await live.acme.post(f"/v1/calls/{live.call['id']}/end")
        async with live.reading() as reader:
            end = (await reader.rest())[-1]
        assert end.name == "end"
        headers = {"Last-Event-ID": str(end.id)}
        answer = await live.acme.get(f"/v1/calls/{live.call['id']}/stream", headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")

    async def test_is_for_as_many_readers_as_there_are(self, live: Live) -> None:
        async with live.reading() as one, live.reading() as other:
            for reader in (one, other):
                await reader.next("event")
            await live.agent.report(said("Hello"))
            for reader in (one, other):
                assert (await reader.next("transcript")).data["text"] == "Hello"

    async def test_survives_the_loss_of_its_connection_to_the_database(self, live: Live) -> None:
        async with live.reading() as reader:
            await reader.next("event")
            async with await psycopg.AsyncConnection.connect(live.database.url, autocommit=True) as operator:
                ended = await operator.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'"
                )
                assert ended.rowcount == 1
            await live.agent.report(said("Hello"))
            assert (await reader.next("transcript")).data["text"] == "Hello"


class TestWhatIsRefused:
    @pytest.mark.parametrize("last", ["x", "1", "1-", "-1-2", "1-2-3", "9" * 40 + "-1"])
    async def test_a_place_that_is_none(self, acme: Customer, last: str) -> None:
        answer = await acme.get(f"/v1/calls/{NOBODY}/stream", headers={"Last-Event-ID": last})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    async def test_more_streams_than_there_may_be(self, database: Database) -> None:
        async with client_for(database, live_streams=0) as http:
            acme = await new_customer(database, http)
            body = {"agent_id": await acme.new_agent(), "participants": [web()]}
            call_id = (await acme.post("/v1/calls", body)).json()["id"]
            answer = await acme.get(f"/v1/calls/{call_id}/stream")
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_streams")
        assert answer.headers["Retry-After"] == "5"


class TestAReaderWhoDoesNotKeepUp:
    async def test_is_told_so(self) -> None:
        watch = Watch()
        for _ in range(300):
            watch.tell("{}")
        assert watch.overrun
        assert len(await watch.news(1) or []) == 256

    async def test_is_cut_and_may_come_again(self, database: Database) -> None:
        edge = build_edge(settings_for_tests(secret=SECRET), database, CLOCK)
        async with client_for(database) as http:
            acme = await new_customer(database, http)
            body = {"agent_id": await acme.new_agent(), "participants": [web()]}
            call_id = (await acme.post("/v1/calls", body)).json()["id"]
        sent = aiter(edge.live_calls.stream(acme.tenant.id, call_id, Place()))
        assert "retry" in await anext(sent)
        for watch in edge.live_calls.feed._watches[call_id]:
            for _ in range(300):
                watch.tell('{"kind": "agent_state", "state": "thinking", "at_ms": 1}')
        rest = [each async for each in sent]
        assert rest[-1].startswith("event: cut\n")
        assert "too_slow" in rest[-1]

    async def test_comes_again_too_when_the_process_stops(self, live: Live, database: Database) -> None:
        edge = build_edge(settings_for_tests(secret=SECRET), database, CLOCK)
        sent = aiter(edge.live_calls.stream(live.acme.tenant.id, live.call["id"], Place()))
        await anext(sent)
        edge.live_calls.feed.stop()
        assert "restart" in [each async for each in sent][-1]


class TestTheFeed:
    async def test_is_connected_only_while_somebody_watches(self, database: Database) -> None:
        feed = LiveFeed(database.url, 10)
        async with feed.watching(NOBODY) as watch:
            assert await watch.news(10) == []
            assert feed._listening is not None
        assert feed._listening is None
