"""`/v1/dnc`."""

import asyncio

import pytest
from tests.support.asking import Customer

LISTED = "+15550009999"


async def on_list(customer: Customer) -> dict[str, str]:
    entries = (await customer.get("/v1/dnc?limit=500")).json()["dnc_entries"]
    return {entry["phone"]: entry["reason"] for entry in entries}


class TestAdding:
    async def test_answers_201_and_lists_the_number(self, acme: Customer) -> None:
        answer = await acme.post("/v1/dnc", {"phone_number": "+1 (555) 000-9999"})
        assert (answer.status_code, answer.json()) == (201, {"status": "blocklisted", "phone_number": LISTED})
        page = (await acme.get("/v1/dnc")).json()
        (entry,) = page.pop("dnc_entries")
        assert page == {"total": 1, "offset": 0, "limit": 50}
        assert entry.pop("opt_out_at").endswith("Z")
        assert entry == {"phone": LISTED, "reason": "API request"}

    async def test_again_keeps_the_date_and_takes_the_new_reason(self, acme: Customer) -> None:
        await acme.post("/v1/dnc", {"phone_number": LISTED, "reason": None})
        (first,) = (await acme.get("/v1/dnc")).json()["dnc_entries"]
        again = await acme.post("/v1/dnc", {"phone_number": LISTED, "reason": "asked twice"})
        assert again.status_code == 201
        (second,) = (await acme.get("/v1/dnc")).json()["dnc_entries"]
        assert second == {**first, "reason": "asked twice"}

    @pytest.mark.parametrize("number", ["", "555", "hello", "5551234567"])
    async def test_refuses_what_is_no_number(self, acme: Customer, number: str) -> None:
        answer = await acme.post("/v1/dnc", {"phone_number": number})
        assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "phone_number")

    async def test_concerns_one_account_only(self, acme: Customer, rival: Customer) -> None:
        await rival.post("/v1/dnc", {"phone_number": LISTED})
        assert await on_list(acme) == {}


class TestAddingMany:
    async def test_lists_the_numbers_and_names_the_rest(self, acme: Customer) -> None:
        numbers = [LISTED, "+1 555 000 9999", "+15550001111", "nobody", "555"]
        answer = await acme.post("/v1/dnc/batch", {"phone_numbers": numbers, "reason": "import"})
        assert answer.status_code == 201
        expected = {"status": "blocklisted", "count": 2, "invalid_count": 2, "invalid": ["nobody", "555"]}
        assert answer.json() == expected
        assert await on_list(acme) == {LISTED: "import", "+15550001111": "import"}

    async def test_takes_a_thousand_and_not_one_more(self, acme: Customer) -> None:
        numbers = [f"+1555{number:07}" for number in range(1_001)]
        too_many = await acme.post("/v1/dnc/batch", {"phone_numbers": numbers})
        assert (too_many.status_code, too_many.json()["details"][0]["field"]) == (400, "phone_numbers")
        assert await on_list(acme) == {}
        answer = await acme.post("/v1/dnc/batch", {"phone_numbers": numbers[1:]})
        assert (answer.status_code, answer.json()["count"]) == (201, 1_000)

    @pytest.mark.parametrize("numbers", [[], [5], [None], "+15550009999", None])
    async def test_needs_a_list_of_texts(self, acme: Customer, numbers: object) -> None:
        assert (await acme.post("/v1/dnc/batch", {"phone_numbers": numbers})).status_code == 400

    async def test_in_opposite_orders_at_once_ends_well(self, acme: Customer) -> None:
        numbers = [f"+1555{number:07}" for number in range(200)]
        orders = [numbers, numbers[::-1]] * 3
        answers = await asyncio.gather(*(acme.post("/v1/dnc/batch", {"phone_numbers": each}) for each in orders))
        assert [answer.status_code for answer in answers] == [201] * 6


class TestChecking:
    async def test_tells_for_each_number_whether_it_may_be_rung(self, acme: Customer, rival: Customer) -> None:
        await acme.post("/v1/dnc", {"phone_number": LISTED})
        await rival.post("/v1/dnc", {"phone_number": "+15550001111"})
        answer = await acme.post("/v1/dnc/check", {"phone_numbers": ["+1 555 000 9999", "+15550001111", "555"]})
        assert answer.status_code == 200
        assert answer.json() == {
            "results": [
                {"phone_number": "+1 555 000 9999", "normalized": LISTED, "blocked": True, "valid": True},
                {"phone_number": "+15550001111", "normalized": "+15550001111", "blocked": False, "valid": True},
                {"phone_number": "555", "normalized": None, "blocked": False, "valid": False},
            ],
            "blocked_count": 1,
            "total_checked": 3,
        }

    async def test_takes_five_hundred_and_not_one_more(self, acme: Customer) -> None:
        assert (await acme.post("/v1/dnc/check", {"phone_numbers": [LISTED] * 501})).status_code == 400
        answer = await acme.post("/v1/dnc/check", {"phone_numbers": [LISTED] * 500})
        assert (answer.status_code, answer.json()["total_checked"]) == (200, 500)


class TestRemoving:
    @pytest.mark.parametrize("written", [LISTED, "%2B15550009999", "+1%20(555)%20000-9999"])
    async def test_takes_the_number_off_the_list(self, acme: Customer, written: str) -> None:
        await acme.post("/v1/dnc", {"phone_number": LISTED})
        answer = await acme.ask("DELETE", f"/v1/dnc/{written}")
        assert (answer.status_code, answer.json()) == (200, {"status": "removed", "phone": LISTED})
        assert await on_list(acme) == {}

    async def test_finds_no_entry_of_another_account(self, acme: Customer, rival: Customer) -> None:
        await rival.post("/v1/dnc", {"phone_number": LISTED})
        answer = await acme.ask("DELETE", f"/v1/dnc/{LISTED}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert await on_list(rival) == {LISTED: "API request"}

    async def test_refuses_what_is_no_number(self, acme: Customer) -> None:
        assert (await acme.ask("DELETE", "/v1/dnc/hello")).status_code == 400


class TestListing:
    async def test_shows_the_newest_first_by_up_to_five_hundred(self, acme: Customer) -> None:
        for digit in range(3):
            await acme.post("/v1/dnc", {"phone_number": f"+1555000111{digit}"})
        page = (await acme.get("/v1/dnc?limit=2&offset=1")).json()
        assert [entry["phone"] for entry in page["dnc_entries"]] == ["+15550001111", "+15550001110"]
        assert (page["total"], page["offset"], page["limit"]) == (3, 1, 2)
        assert (await acme.get("/v1/dnc?limit=500")).status_code == 200
        assert (await acme.get("/v1/dnc?limit=501")).status_code == 400
