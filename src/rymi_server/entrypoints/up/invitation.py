"""How to make a first call: a page to open, a command, and a line for the API that works as it is printed."""

import json
import shlex
from datetime import datetime

from rymi_server.entrypoints.ports import url_on_this_machine
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.up.demo import CREDIT, NUMBER, TENANT, Demo
from rymi_server.foundation.sealed import pepper_from_text
from rymi_server.http.talk.passes import TalkPass, talk_pass, talk_url


def talk_address(settings: Settings) -> str:
    """Whoever has named an address for the outside has others in mind than this machine."""
    if "public_base_url" in settings.model_fields_set:
        return settings.public_base_url
    return url_on_this_machine(settings.http_host, settings.http_port)


def invitation_to_call(settings: Settings, key: str, demo: Demo | None, now: datetime, *, first: bool) -> str:
    if demo is None:
        return "Make a key to call with: rymi keys create --tenant NAME (`rymi tenants list` shows the names)."
    made = f"Made to try things: tenant {TENANT!r} with {CREDIT} USD of credit, an agent, and its number {NUMBER}.\n\n"
    body = {"agent_id": demo.agent_id, "participants": [{"transport": "webrtc", "identity": "me"}]}
    url = url_on_this_machine(settings.http_host, settings.http_port)
    credential = talk_pass(pepper_from_text(settings.required_secret()), TalkPass(demo.tenant_id), now)
    page = talk_url(talk_address(settings), credential)
    return (made if first else "") + "\n".join(
        (
            "Talk to the agent in your browser (the link is good for a week):",
            "",
            page,
            "",
            "Or watch a call in another terminal:  rymi call --web",
            "",
            "Make a call:",
            "",
            f"curl -X POST {url}/v1/calls \\",
            f"  -H 'Authorization: Bearer {key}' \\",
            "  -H 'Content-Type: application/json' \\",
            f"  -d {shlex.quote(json.dumps(body))}",
            "",
            "For the lines in the README and the guides:",
            "",
            f"export RYMI_URL={url} RYMI_KEY={key} RYMI_AGENT={demo.agent_id}",
            "",
            "Stop with Ctrl-C.",
        )
    )
