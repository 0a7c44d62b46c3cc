"""`POST /v1/calls`."""

import jwt
from tests.support.asking import Customer, web


class TestCreatingAWebCall:
    async def test_answers_201_with_access_to_the_room(self, acme: Customer) -> None:
        agent = await acme.new_agent()
        answer = await acme.post("/v1/calls", {"agent_id": agent, "participants": [web("browser-tab-1")]})
        assert answer.status_code == 201, answer.text
        call = answer.json()
        (person,) = call["participants"]
        assert call["status"] == "connecting"
        assert call["room_name"] == f"call_{call['id']}"
        assert call["agent"] == {"id": agent, "name": "Aria"}
        assert person["status"] == "joining"
        claims = jwt.decode(person["access"]["token"], options={"verify_signature": False})
        assert claims["sub"] == "browser-tab-1"
        assert claims["video"]["room"] == call["room_name"]
        assert claims["video"]["roomJoin"] is True
