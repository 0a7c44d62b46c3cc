"""How to make a first call, in a line that works as it is printed."""

import json
import shlex

from rymi_server.entrypoints.ports import url_on_this_machine
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.up.demo import CREDIT, NUMBER, TENANT, Demo


def invitation_to_call(settings: Settings, key: str, demo: Demo | None, *, first: bool) -> str:
    if demo is None:
        return "Make a key to call with: rymi keys create --tenant NAME (`rymi tenants list` shows the names)."
    made = f"Made to try things: tenant {TENANT!r} with {CREDIT} USD of credit, an agent, and its number {NUMBER}.\n\n"
    body = {"agent_id": demo.agent_id, "participants": [{"transport": "webrtc", "identity": "me"}]}
    url = url_on_this_machine(settings.http_host, settings.http_port)
    return (made if first else "") + "\n".join(
        (
            "Make a call:",
            "",
            f"curl -X POST {url}/v1/calls \\",
            f"  -H 'Authorization: Bearer {key}' \\",
            "  -H 'Content-Type: application/json' \\",
            f"  -d {shlex.quote(json.dumps(body))}",
            "",
            "Stop with Ctrl-C.",
        )
    )
