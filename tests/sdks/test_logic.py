"""What the SDKs decide, tested by Vitest; and that what is generated is of this contract."""

from pathlib import Path

from tests.sdks.building import ROOT, SDKS, Project, run, skip_without_node

SITE = ROOT / "src" / "rymi_server" / "http" / "talk" / "site"


def test_the_sdks_pass_their_own_tests() -> None:
    skip_without_node()
    run("node", "node_modules/vitest/vitest.mjs", "run", cwd=SDKS)


def test_the_generated_types_are_of_the_committed_contract() -> None:
    skip_without_node()
    run("node", "contract/generate.mjs", "--check", cwd=SDKS)


def test_the_talk_page_is_committed_as_it_is_built(project: Project) -> None:
    def files(folder: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    committed, built = files(SITE), files(project.talk_site)
    different = {name for name in committed | built if committed.get(name) != built.get(name)}
    assert different == set(), "run `make sdks`"
