"""The packages as npm packs them: ESM, CommonJS, types, what is in them and what is not, and how large they are."""

import gzip
import json
from pathlib import Path

import pytest
from tests.sdks import seeds
from tests.sdks.building import Project, run

LARGEST_WEB_GZIPPED = 8_000

NODE_IN_TYPES = """
import { ApiError, Rymi, type CreatedCallBody, type ErrorCode } from '@rymi/node';
const rymi = new Rymi({ apiKey: 'rymi_x' });
export async function all(): Promise<string | undefined> {
  const participants = [{ transport: 'pstn' as const, identity: '+15551234567' }];
  const call: CreatedCallBody = await rymi.calls.create({ agent_id: 'a', participants });
  for await (const each of rymi.calls.list({ status: 'completed' })) console.log(each.total_cost);
  for await (const event of rymi.calls.stream(call.id)) if (event.event === 'transcript') console.log(event.data.text);
  // @ts-expect-error There is no such transport.
  await rymi.calls.create({ agent_id: 'a', participants: [{ transport: 'pigeon', identity: 'x' }] });
  // @ts-expect-error An agent needs a name.
  await rymi.agents.create({});
  const code = (error: unknown): ErrorCode | undefined => (error instanceof ApiError ? error.code : undefined);
  return code(1);
}
"""
WEB_IN_TYPES = """
import { type Call, CallError, type Line, Rymi } from '@rymi/web';
import '@rymi/web/element';
export function follow(url: string, token: string): Call {
  const call = Rymi.createCall({ url, token });
  call.on('transcript', (line: Line) => console.log(line.role === 'agent', line.participant.identity));
  call.on('ended', ({ reason }) => console.log(reason === 'left'));
  call.on('error', (error: CallError) => console.log(error.code));
  // @ts-expect-error There is no such event.
  call.on('begun', () => undefined);
  document.querySelector('rymi-call')?.hangUp();
  return call;
}
"""
BACKEND = "declare function fetchFromYourBackend(): Promise<{ url: string; token: string }>;\n"
RESPONSE = "declare const response: { participants: [{ access: { url: string; token: string } }] };\n"
TOKENS = "declare const serverUrl: string, clientToken: string;\n"


def check_types(project: Project, name: str, source: str, *flags: str) -> None:
    path = project.write(name, source)
    tsc = project.folder / "node_modules" / "typescript" / "bin" / "tsc"
    always = ("--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--ignoreConfig")
    run("node", tsc, *always, *flags, path, cwd=project.folder)


MODULES = [("mts", ("--module", "nodenext")), ("cts", ("--module", "nodenext"))]
BUNDLED = ("ts", ("--module", "esnext", "--moduleResolution", "bundler"))


class TestTypes:
    @pytest.mark.parametrize(("ending", "flags"), [*MODULES, BUNDLED], ids=["esm", "cjs", "bundler"])
    def test_of_the_node_sdk_are_right(self, ending: str, flags: tuple[str, ...], project: Project) -> None:
        check_types(project, f"types-node.{ending}", NODE_IN_TYPES, *flags, "--types", "node", "--lib", "es2022")

    @pytest.mark.parametrize(("ending", "flags"), [*MODULES, BUNDLED], ids=["esm", "cjs", "bundler"])
    def test_of_the_web_sdk_are_right(self, ending: str, flags: tuple[str, ...], project: Project) -> None:
        # The types of livekit-client do not pass the check of libraries themselves.
        check_types(project, f"types-web.{ending}", WEB_IN_TYPES, *flags, "--skipLibCheck")

    @pytest.mark.parametrize(
        "source",
        [BACKEND + seeds.WEB_FROM_BACKEND, RESPONSE + seeds.WEB_FROM_CALLS, TOKENS + seeds.WEB_FROM_TOKENS],
        ids=["backend", "calls", "tokens"],
    )
    def test_fit_what_users_were_shown_for_the_web(self, source: str, project: Project) -> None:
        check_types(project, "types-shown-web.mts", source, "--module", "nodenext", "--skipLibCheck")

    def test_fit_what_users_were_shown_for_node(self, project: Project) -> None:
        check_types(project, "types-shown.mts", seeds.NODE, "--module", "nodenext", "--types", "node")


class TestModules:
    def test_are_imported_and_required(self, project: Project) -> None:
        for package, exports in (("node", "Rymi ApiError verifySignature"), ("web", "Rymi Call CallError")):
            names = exports.split()
            said = f"console.log(JSON.stringify([{', '.join(f'typeof {each}' for each in names)}]))"
            imported = project.write("imports.mjs", f"import {{ {', '.join(names)} }} from '@rymi/{package}';\n{said}")
            required = project.write(
                "requires.cjs", f"const {{ {', '.join(names)} }} = require('@rymi/{package}');\n{said}"
            )
            for script in (imported, required):
                assert set(json.loads(project.node(script))) <= {"function", "object"}, script

    def test_of_the_element_share_their_classes_and_load_without_a_page(self, project: Project) -> None:
        script = "const web = require('@rymi/web'); const { RymiCallElement } = require('@rymi/web/element');"
        required = project.write("element.cjs", f"{script} console.log(typeof web.Rymi, typeof RymiCallElement)")
        assert project.node(required).split() == ["object", "function"]

    def test_leave_nothing_behind_where_nothing_of_them_is_used(self, project: Project) -> None:
        external = ("--external:livekit-client", "--minify")
        for package in ("web", "node"):
            bundle = project.bundle(f"import '@rymi/{package}';", f"unused-{package}", *external)
            assert len(bundle.read_text().strip()) < 40, bundle.read_text()

    @pytest.mark.parametrize(
        ("source", "most"),
        [
            ("import { verifySignature } from '@rymi/node'; console.log(verifySignature);", 4_000),
            ("import { ApiError } from '@rymi/node'; console.log(ApiError);", 2_000),
            ("import { CallError } from '@rymi/web'; console.log(CallError);", 1_200),
        ],
        ids=["verifySignature", "ApiError", "CallError"],
    )
    def test_leave_only_the_one_thing_that_is_used(self, source: str, most: int, project: Project) -> None:
        bundle = project.bundle(source, f"one-{most}", "--external:livekit-client", "--minify")
        assert len(bundle.read_text()) < most, len(bundle.read_text())


class TestContents:
    @pytest.mark.parametrize("name", ["node", "web"])
    def test_are_what_is_needed_and_nothing_else(self, name: str, project: Project) -> None:
        package = project.package(name)
        assert {path.name for path in package.iterdir()} == {"dist", "LICENSE", "README.md", "package.json"}
        described = json.loads((package / "package.json").read_text())
        named = [described["main"], described["module"], described["types"], *_paths(described["exports"])]
        assert [path for path in named if not (package / path).is_file()] == []

    def test_of_the_node_sdk_depend_on_nothing(self, project: Project) -> None:
        described = json.loads((project.package("node") / "package.json").read_text())
        assert {key for key in described if "ependencies" in key} == set()
        code = (project.package("node") / "dist" / "esm" / "index.js").read_text()
        assert not any(line.startswith("import ") for line in code.splitlines())


class TestSize:
    @pytest.mark.parametrize("entry", ["@rymi/web", "@rymi/web/element"])
    def test_of_the_web_sdk_keeps_to_its_budget(self, entry: str, project: Project) -> None:
        source = f"import * as all from '{entry}'; console.log(all);"
        flags = ("--minify", "--external:livekit-client", "--target=es2022")
        bundle = project.bundle(source, f"size-{entry.count('/')}", *flags)
        assert len(gzip.compress(bundle.read_bytes(), 9)) <= LARGEST_WEB_GZIPPED


def _paths(exports: object) -> list[str]:
    if isinstance(exports, str):
        return [exports]
    assert isinstance(exports, dict)
    return [path for each in exports.values() for path in _paths(each)]


def test_the_readmes_show_what_users_were_shown(project: Project) -> None:
    shown = {"node": [seeds.NODE], "web": [seeds.WEB_FROM_BACKEND, seeds.WEB_FROM_CALLS, seeds.WEB_FROM_TOKENS]}
    for package, snippets in shown.items():
        readme = Path(project.package(package) / "README.md").read_text()
        assert [snippet for snippet in snippets if f"```typescript\n{snippet}```" not in readme] == []
