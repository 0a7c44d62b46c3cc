"""`@rymi/node` as it is packed, against a running API."""

from tests.sdks.building import HERE, Project
from tests.support.up import Up


def environment(up: Up) -> dict[str, str]:
    return {"RYMI_API_KEY": up.key(), "RYMI_BASE_URL": up.url}


class TestTheNodeSdk:
    def test_has_every_method_answered_by_the_api(self, project: Project, up: Up) -> None:
        script = project.write("every_method.mjs", (HERE / "node" / "every_method.mjs").read_text())
        assert "methods" in project.node(script, **environment(up))
