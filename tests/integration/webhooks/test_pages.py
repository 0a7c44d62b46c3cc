"""The pages about webhooks say what is true, and their sample works."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rymi_server.webhooks.catalog import EMITTED, RESERVED
from rymi_server.webhooks.signing import signed_headers

DOCS = Path(__file__).parents[3] / "docs"
SECRET, BODY = "a secret of at least 16 characters", '{"data":"é"}'.encode()


def sample() -> Callable[[dict[str, str], bytes, str], bool]:
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "guides/webhooks.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    verify: Callable[[dict[str, str], bytes, str], bool] = names["is_from_rymi"]
    return verify


def headers(age: timedelta = timedelta()) -> dict[str, str]:
    signed = signed_headers("call.completed", BODY, SECRET, datetime.now(UTC) - age)
    return {name.lower(): value for name, value in signed.items()}


class TestTheSample:
    def test_recognises_what_is_ours(self) -> None:
        assert sample()(headers(), BODY, SECRET)

    def test_refuses_what_is_not(self) -> None:
        verify = sample()
        assert not verify(headers(), BODY + b" ", SECRET)
        assert not verify(headers(), BODY, "another secret of theirs")
        assert not verify(headers(timedelta(minutes=6)), BODY, SECRET)
        assert not verify({}, BODY, SECRET)
        assert not verify({**headers(), "x-rymi-timestamp": "now"}, BODY, SECRET)


class TestTheReference:
    def test_lists_every_event_that_is_sent_and_no_other(self) -> None:
        page = (DOCS / "reference/webhooks.md").read_text()
        assert set(re.findall(r"^\| `([a-z_.]+)` \|", page, re.MULTILINE)) >= set(EMITTED)
        assert [name for name in RESERVED if f"`{name}`" not in page] == []
