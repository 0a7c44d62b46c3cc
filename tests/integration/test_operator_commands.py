"""`rymi tenants`, `keys`, `credits` and `migrate`, as an operator types them."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.asking import SECRET

from rymi_server.agents import store as agents
from rymi_server.entrypoints.cli import app
from rymi_server.entrypoints.outcome import outcome
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import AgentId, TenantId
from rymi_server.foundation.sealed import pepper_from_text
from rymi_server.http.talk.passes import PassRefused, TalkPass, talk_pass_of

Rymi = Callable[..., str]


@pytest.fixture
def rymi(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Rymi:
    """Type a command; read what it answers, or its one sentence of refusal."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("RYMI_SECRET", SECRET)
    monkeypatch.setenv("RYMI_DATA_DIR", str(tmp_path))

    def type_in(*words: str) -> str:
        try:
            code = outcome(lambda: app(args=list(words)))
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        assert bool(said.err) == bool(code), said
        return said.err or said.out

    return type_in


async def typed(rymi: Rymi, *words: str) -> str:
    """The command has an event loop of its own."""
    return await asyncio.to_thread(rymi, *words)


async def new_agents(url: str, tenant: TenantId, *names: str) -> list[AgentId]:
    database = Database(url, connections=1)
    try:
        async with database.transaction() as tx:
            return [(await agents.create(tx, tenant, name, "operator", {}, SystemClock().now())).id for name in names]
    finally:
        await database.close()


class TestTenants:
    def test_are_created_and_listed_with_their_plan(self, rymi: Rymi) -> None:
        created = rymi("tenants", "create", "Acme").strip()
        assert rymi("tenants", "list") == f"{created}  custom    Acme\n"

    def test_are_paused_with_a_reason_and_resumed(self, rymi: Rymi) -> None:
        rymi("tenants", "create", "Acme")
        assert rymi("tenants", "pause", "Acme", "--reason", "unpaid") == "Acme is paused.\n"
        assert rymi("tenants", "list").endswith("Acme  paused: unpaid\n")
        assert rymi("tenants", "resume", "Acme") == "Acme may call again.\n"
        assert rymi("tenants", "list").endswith("Acme\n")

    def test_change_to_a_plan_that_exists(self, rymi: Rymi) -> None:
        rymi("tenants", "create", "Acme")
        assert rymi("tenants", "plan", "Acme", "go") == "Acme is on the plan go.\n"
        assert rymi("tenants", "plan", "Acme", "gold").startswith("rymi: There is no plan 'gold'. RYMI_PLANS has: free")

    @pytest.mark.parametrize(("name", "why"), [("Acme", "There is a tenant 'Acme' already"), (" ", "needs a name")])
    def test_are_called_what_nobody_else_is(self, rymi: Rymi, name: str, why: str) -> None:
        created = rymi("tenants", "create", "Acme").strip()
        assert why in rymi("tenants", "create", name)
        assert rymi("tenants", "list") == f"{created}  custom    Acme\n"

    def test_that_do_not_exist_are_named(self, rymi: Rymi) -> None:
        assert rymi("tenants", "pause", "Nobody") == "rymi: There is no tenant 'Nobody'.\n"

    def test_are_somewhere(self, rymi: Rymi) -> None:
        rymi("tenants", "create", "Acme")
        assert rymi("tenants", "time-zone", "Acme", "Europe/Berlin") == "Acme is in Europe/Berlin.\n"
        assert "no time zone 'Berlin'" in rymi("tenants", "time-zone", "Acme", "Berlin")
        assert rymi("tenants", "time-zone", "Acme") == "Acme is in UTC.\n"


class TestKeys:
    def test_are_shown_once_and_listed_by_their_beginning(self, rymi: Rymi) -> None:
        rymi("tenants", "create", "Acme")
        key = rymi("keys", "create", "--tenant", "Acme", "--label", "server").strip()
        listed = rymi("keys", "list", "--tenant", "Acme")
        assert re.fullmatch(rf"key_\w+  {key[:10]}…  made \S+  used never  server\n", listed)

    def test_are_revoked_except_the_last(self, rymi: Rymi) -> None:
        rymi("tenants", "create", "Acme")
        for label in ("old", "new"):
            rymi("keys", "create", "--tenant", "Acme", "--label", label)
        new, old = (line.split()[0] for line in rymi("keys", "list", "--tenant", "Acme").splitlines())
        assert rymi("keys", "revoke", old, "--tenant", "Acme").endswith("… opens nothing any more.\n")
        assert "only API key" in rymi("keys", "revoke", new, "--tenant", "Acme")


class TestCredits:
    def test_are_added_and_shown_with_their_movements(self, rymi: Rymi) -> None:
        rymi("tenants", "create", "Acme")
        assert rymi("credits", "add", "25", "--tenant", "Acme", "--note", "welcome") == "25.00 USD\n"
        assert rymi("credits", "add", "--tenant", "Acme", "--", "-5.50") == "19.50 USD\n"
        balance, taken, given = rymi("credits", "show", "--tenant", "Acme").splitlines()
        assert balance == "balance 19.500 USD, of which 0.000 are held for running calls"
        assert "-5.5000" in taken
        assert given.endswith("+25.0000  grant       welcome")

    @pytest.mark.parametrize("amount", ["much", "0", "NaN", "1e20", "0.0000001"])
    def test_must_be_an_amount(self, rymi: Rymi, amount: str) -> None:
        assert "not an amount" in rymi("credits", "add", amount, "--tenant", "Acme")


class TestMigrate:
    def test_says_that_there_is_nothing_to_do(self, rymi: Rymi) -> None:
        assert re.fullmatch(r"The database is at \w+\.\n", rymi("migrate"))


class TestTalkLink:
    PEPPER = pepper_from_text(SECRET)

    async def test_opens_the_talk_page_for_all_agents_of_a_tenant(self, rymi: Rymi) -> None:
        acme = (await typed(rymi, "tenants", "create", "Acme")).strip()
        page, given = (await typed(rymi, "talk-link", "--tenant", "Acme", "--days", "2")).strip().split("#")
        assert page == "http://127.0.0.1:8000/talk"
        now = SystemClock().now()
        assert talk_pass_of(self.PEPPER, given, now + timedelta(days=1.9)) == TalkPass(TenantId(acme))
        with pytest.raises(PassRefused):
            talk_pass_of(self.PEPPER, given, now + timedelta(days=2.1))

    async def test_opens_it_for_one_agent_by_name_or_id(self, rymi: Rymi, database_url: str) -> None:
        acme = TenantId((await typed(rymi, "tenants", "create", "Acme")).strip())
        (mia,) = await new_agents(database_url, acme, "Mia")
        for named in ("Mia", mia):
            link = (await typed(rymi, "talk-link", "--tenant", "Acme", "--agent", named)).strip()
            opens = talk_pass_of(self.PEPPER, link.partition("#")[2], SystemClock().now())
            assert opens == TalkPass(acme, mia)

    async def test_is_made_for_no_agent_that_is_not_there_or_not_the_only_one(
        self, rymi: Rymi, database_url: str
    ) -> None:
        acme = TenantId((await typed(rymi, "tenants", "create", "Acme")).strip())
        both = await new_agents(database_url, acme, "Mia", "Mia")
        assert await typed(rymi, "talk-link", "--tenant", "Acme", "--agent", "Bo") == "rymi: There is no agent 'Bo'.\n"
        said = await typed(rymi, "talk-link", "--tenant", "Acme", "--agent", "Mia")
        assert all(each in said for each in both)

    def test_goes_where_others_reach_the_api(self, rymi: Rymi, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PUBLIC_BASE_URL", "https://rymi.example.com")
        rymi("tenants", "create", "Acme")
        assert rymi("talk-link", "--tenant", "Acme").startswith("https://rymi.example.com/talk#")
