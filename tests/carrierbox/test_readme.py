"""The README's samples and tables, so that what it promises is what there is."""

import json
import re
from pathlib import Path

from tests.carrierbox.lab import Lab

import carrierbox
from carrierbox import stock
from carrierbox.callees.magic import magic_numbers
from carrierbox.callees.script import Say, read_script
from carrierbox.delivery.faults import ACTS
from carrierbox.settings import OPTIONS

README = Path(carrierbox.__file__).with_name("README.md").read_text()


def section(heading: str) -> str:
    return README.split(f"{heading}\n", 1)[1].split("\n## ", 1)[0]


class TestTheReadme:
    def test_gives_a_script_that_can_be_performed(self) -> None:
        sample = re.search(r"```json\n(.*?)```", section("## Who answers"), re.DOTALL)
        assert sample is not None
        raw = json.loads(sample[1])
        raw["moves"] = [move for move in raw["moves"] if move["do"] != "play"]
        assert read_script(raw).moves[-1] == Say("I am going to hang up right in the", cut_ms=1500)

    def test_names_every_magic_number(self) -> None:
        assert set(re.findall(r"^\| `(\+\d+)`", section("## Who answers"), re.MULTILINE)) == set(magic_numbers())

    def test_names_the_accounts_that_are_there(self) -> None:
        named = section("## The first call")
        for secret in (stock.TWILIO_SID, stock.TWILIO_TOKEN, stock.PLIVO_ID, stock.PLIVO_TOKEN, stock.VONAGE_KEY):
            assert secret in named
        assert stock.VONAGE_SECRET in named
        assert stock.VONAGE_SIGNATURE_SECRET in named
        assert all(numbers[0] in named for numbers in stock.NUMBERS.values())

    def test_names_every_fault(self) -> None:
        rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", section("### Faults"), re.MULTILINE)
        assert {target: set(re.findall(r"`(\w+)`", acts)) for target, acts in rows} == {
            str(target): {str(act) for act in acts} for target, acts in ACTS.items()
        }

    def test_names_every_setting(self) -> None:
        named = section("## Settings").replace(
            "`plivo-…`, `vonage-…`", "plivo-calls-per-second vonage-calls-per-second"
        )
        assert [name for name in OPTIONS if name.replace("_", "-") not in named] == []

    async def test_names_no_control_path_that_is_not_there(self, lab: Lab) -> None:
        table = section("## The control API").split("### Faults")[0]
        paths = re.findall(r"`(GET|POST) (/\w+)", table)
        assert len(paths) >= 10
        for method, path in paths:
            at = f"{lab.address}{path}" if path == "/healthz" else f"{lab.address}/control{path}"
            async with lab.http.request(method, at, json={}) as response:
                assert response.status not in (404, 405), path
