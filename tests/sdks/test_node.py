"""`@rymi/node` as it is packed, against a running API."""

import json

from tests.sdks.building import HERE, SDKS, Project
from tests.support.up import Up

PATHS = json.loads((SDKS / "contract" / "openapi.json").read_text())["paths"]


def environment(up: Up) -> dict[str, str]:
    """Pages that the API does not have yet are asked for all the same, and refused."""
    has = {"RYMI_HAS_STREAM": "/v1/calls/{call_id}/stream", "RYMI_HAS_CARRIERS": "/v1/telephony/status"}
    return {
        "RYMI_API_KEY": up.key(),
        "RYMI_BASE_URL": up.url,
        **{name: "1" for name, path in has.items() if path in PATHS},
    }


class TestTheNodeSdk:
    def test_has_every_method_answered_by_the_api(self, project: Project, up: Up) -> None:
        script = project.write("every_method.mjs", (HERE / "node" / "every_method.mjs").read_text())
        assert "methods" in project.node(script, **environment(up))
