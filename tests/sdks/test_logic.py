"""What the SDKs decide, tested by Vitest; and that what is generated is of this contract."""

from tests.sdks.building import SDKS, run, skip_without_node


def test_the_sdks_pass_their_own_tests() -> None:
    skip_without_node()
    run("node", "node_modules/vitest/vitest.mjs", "run", cwd=SDKS)


def test_the_generated_types_are_of_the_committed_contract() -> None:
    skip_without_node()
    run("node", "contract/generate.mjs", "--check", cwd=SDKS)
