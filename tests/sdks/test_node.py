"""`@rymi/node` as it is packed, against a running API."""

import pytest
from tests.sdks.building import HERE, SDKS, Project
from tests.sdks.runtimes import run_at_the_edge, run_script
from tests.support.up import Up


def environment(up: Up) -> dict[str, str]:
    return {"RYMI_API_KEY": up.key(), "RYMI_BASE_URL": up.url}


class TestTheNodeSdk:
    def test_has_every_method_answered_by_the_api_and_a_method_for_every_operation(
        self, project: Project, up: Up
    ) -> None:
        script = project.write("every_method.mjs", (HERE / "node" / "every_method.mjs").read_text())
        contract = str(SDKS / "contract" / "openapi.json")
        assert "methods" in project.node(script, CONTRACT=contract, **environment(up))


class TestInEveryRuntime:
    """Creates, lists over pages, is refused by code, verifies a webhook, and follows a call until it has ended."""

    @pytest.mark.parametrize(
        ("name", "says"),
        [("node-18", "node 18."), ("node-newest", "node 26."), ("bun", "bun 1."), ("deno", "deno 2.")],
    )
    def test_works(self, name: str, says: str, project: Project, up: Up) -> None:
        said = run_script(name, project, up)
        assert said["runtime"].startswith(says)
        assert said["seen"][-1] == "left"

    def test_works_at_the_edge(self, project: Project, up: Up) -> None:
        said = run_at_the_edge(project, up)
        assert "failed" not in said, said["failed"]
        assert said["runtime"] == "Cloudflare-Workers"
        assert said["seen"][-1] == "left"
