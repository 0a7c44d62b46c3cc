"""What an agent may do besides talking: its tools, as a chat model and a playbook are told of them.

offered = tools_of(agent)          # .available, and .unavailable with the reason of each
step = step_for(tool, arguments)   # of a tool that the call itself carries out
outcome = await executor.run(tool, arguments)  # of an HTTP tool
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rymi_server.foundation.json_schemas import UnusableSchema, compile_schema
from rymi_server.foundation.public_url import NotPublic, refuse_private
from rymi_server.runtime.thinking.reading import mapping, mappings, text_of
from rymi_server.runtime.thinking.replies import EndCall, HandOff, PressKeys, Step

END_CALL, HAND_OFF, OPT_OUT, WEBHOOK = "end_call", "handoff_to_human", "opt_out", "call_webhook"
PRESS_KEYS = "press_keys"
# In the order of the numbers that they have in signalling (RFC 4733).
KEYS = "0123456789*#ABCD"
_MOST_KEYS = 32
# Of the API's list these need accounts that this server does not keep.
ELSEWHERE = (
    *("check_calendar_availability", "list_calendar_events", "create_calendar_event", "update_calendar_event"),
    *("delete_calendar_event", "lookup_customer", "send_whatsapp_message", "send_telegram_message", "send_asset"),
)
TOOL_IDS = (END_CALL, HAND_OFF, OPT_OUT, WEBHOOK, PRESS_KEYS, *ELSEWHERE)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SHORTEST_TIMEOUT_MS, LONGEST_TIMEOUT_MS, USUAL_TIMEOUT_MS = 1_000, 10_000, 5_000

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,4096}")
# These are the connection's own, or would smuggle a second request.
_OWN_HEADERS = frozenset(
    ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"]
)
_MOST_HEADERS = 32
_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_ms: int = USUAL_TIMEOUT_MS


@dataclass(frozen=True, slots=True)
class Tool:
    """`parameters` is a JSON Schema of an object. `http` is set for tools that ask somebody else."""

    name: str
    description: str
    parameters: dict[str, Any]
    http: HttpRequest | None = None
    # Whether it changes something out there: then it is never run for a turn that may still be taken back.
    writes: bool = True
    hand_off_to: str | None = None


@dataclass(frozen=True, slots=True)
class Unavailable:
    tool_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Offered:
    available: tuple[Tool, ...]
    unavailable: tuple[Unavailable, ...] = ()

    def named(self, name: str) -> Tool | None:
        return next((tool for tool in self.available if tool.name == name), None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`content` is JSON or text, for the model to read; of a failure it says what went wrong."""

    succeeded: bool
    content: Any


class ToolExecutor(Protocol):
    async def run(self, tool: Tool, arguments: Mapping[str, Any]) -> Outcome:
        """Within the tool's time, whatever the other side does. Never raises for it."""
        ...


class WrongBinding(ValueError):
    """Says what is wrong with a tool as it was written."""


def tools_of(agent: Mapping[str, Any]) -> Offered:
    """Ending the call and opting out always; the rest as the agent binds it."""
    available = [_END_CALL, _OPT_OUT]
    unavailable: list[Unavailable] = []
    for binding in mappings(agent.get("tools")):
        tool_id = text_of(binding, "tool_id")
        if reason := _reason_against(tool_id, binding):
            unavailable.append(Unavailable(tool_id, reason))
        elif tool_id == HAND_OFF:
            number = text_of(mapping(binding, "provider_settings"), "number", "transfer_number") or None
            available.append(Tool(HAND_OFF, _HAND_OFF_SAYS, _HAND_OFF_TAKES, hand_off_to=number))
        elif tool_id == PRESS_KEYS:
            available.append(_PRESS_KEYS)
        elif tool_id == WEBHOOK and (tool := _webhook(binding)):
            available.append(tool)
    return Offered(tuple({tool.name: tool for tool in available}.values()), tuple(unavailable))


def hand_off_of(agent: Mapping[str, Any]) -> tuple[bool, str | None]:
    """Whether a human can be got, and where, if the agent says where."""
    tool = tools_of(agent).named(HAND_OFF)
    return tool is not None, tool.hand_off_to if tool else None


def step_for(tool: Tool, arguments: Mapping[str, Any]) -> Step | None:
    """What the call itself has to do; None for a tool that somebody else carries out, or where it matters who asks."""
    if tool.name == END_CALL:
        return EndCall(str(arguments.get("reason") or "completed")[:200], str(arguments.get("farewell") or "")[:500])
    if tool.name == HAND_OFF:
        return HandOff(str(arguments.get("briefing") or "")[:2_000], tool.hand_off_to)
    if tool.name == PRESS_KEYS:
        keys = str(arguments.get("keys") or "").upper()
        return PressKeys("".join(key for key in keys if key in KEYS)[:_MOST_KEYS])
    return None


def refuse_wrong(binding: Mapping[str, Any], *, allow_private: bool = False) -> None:
    """Raise `WrongBinding` for a tool that could never be used."""
    tool_id = binding.get("tool_id")
    if tool_id not in TOOL_IDS:
        raise WrongBinding(f"there is no tool {tool_id!r}; there are {', '.join(TOOL_IDS)}")
    timeout = binding.get("timeout_ms")
    if timeout is not None and not (
        isinstance(timeout, int)
        and not isinstance(timeout, bool)
        and SHORTEST_TIMEOUT_MS <= timeout <= LONGEST_TIMEOUT_MS
    ):
        raise WrongBinding(f"timeout_ms is from {SHORTEST_TIMEOUT_MS} to {LONGEST_TIMEOUT_MS}")
    if binding.get("side_effect") not in {None, "read", "write"}:
        raise WrongBinding("side_effect is read or write")
    if tool_id == WEBHOOK:
        _refuse_wrong_webhook(mapping(binding, "provider_settings"), allow_private=allow_private)


# --- webhooks --------------------------------------------------------------------------------------------------------


def _refuse_wrong_webhook(about: Mapping[str, Any], *, allow_private: bool) -> None:
    if not _NAME.fullmatch(text_of(about, "name")):
        raise WrongBinding("provider_settings.name is what a model calls it: letters, digits and _")
    if text_of(about, "name") in TOOL_IDS:
        raise WrongBinding("provider_settings.name is taken")
    if not text_of(about, "description"):
        raise WrongBinding("provider_settings.description tells the model when to use it")
    try:
        refuse_private(text_of(about, "url"), allow_private=allow_private)
    except NotPublic as problem:
        raise WrongBinding(f"provider_settings.url {problem}") from problem
    if (about.get("method") or "POST") not in METHODS:
        raise WrongBinding(f"provider_settings.method is one of {', '.join(METHODS)}")
    _refuse_wrong_headers(about.get("headers"))
    parameters = about.get("parameters")
    if parameters is None:
        return
    try:
        compile_schema(parameters)
    except UnusableSchema as problem:
        raise WrongBinding(f"provider_settings.parameters: {problem.message}") from problem
    if parameters.get("type") != "object":
        raise WrongBinding("provider_settings.parameters describes an object")


def _refuse_wrong_headers(headers: Any) -> None:
    if headers is None:
        return
    if not isinstance(headers, dict) or len(headers) > _MOST_HEADERS:
        raise WrongBinding(f"provider_settings.headers is an object of up to {_MOST_HEADERS} texts")
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise WrongBinding(f"provider_settings.headers must not have {name!r}")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise WrongBinding(f"provider_settings.headers: {name} is not a line of plain text")
        if "{{" in value:
            raise WrongBinding(f"provider_settings.headers: {name} has a placeholder; secrets are not kept here")


def _webhook(binding: Mapping[str, Any]) -> Tool | None:
    """None where an older binding is of no use; the agent then does without it."""
    about = mapping(binding, "provider_settings")
    try:
        refuse_wrong(binding, allow_private=True)
    except WrongBinding:
        return None
    method = about.get("method") or "POST"
    return Tool(
        text_of(about, "name"),
        text_of(about, "description")[:1_024],
        about.get("parameters") or _NO_PARAMETERS,
        HttpRequest(
            text_of(about, "url"), method, about.get("headers") or {}, binding.get("timeout_ms") or USUAL_TIMEOUT_MS
        ),
        writes=binding.get("side_effect", "read" if method == "GET" else "write") == "write",
    )


def _reason_against(tool_id: str, binding: Mapping[str, Any]) -> str:
    """In the API's words; empty where nothing speaks against it."""
    if binding.get("enabled") is False:
        return "agent_tool_disabled"
    if tool_id in ELSEWHERE:
        return "missing_credential" if binding.get("credential_ref") is None else "provider_not_configured"
    if tool_id not in TOOL_IDS:
        return "not_supported_in_runtime"
    if tool_id == WEBHOOK and _webhook(binding) is None:
        return "policy_blocked"
    return ""


# --- what every agent has --------------------------------------------------------------------------------------------


def _described(**properties: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": said} for name, said in properties.items()},
        "required": list(properties)[:1],
        "additionalProperties": False,
    }


_END_CALL = Tool(
    END_CALL,
    "Ends the call. Use it when everything is settled and goodbye was said or wished for, never in the middle.",
    _described(
        reason="Why, in a few words: completed, not_interested, wrong_number, …", farewell="Your last sentence."
    ),
)
_OPT_OUT = Tool(
    OPT_OUT,
    "Notes that somebody does not want to be called again. Use it as soon as they say so, then say goodbye.",
    # Of one who is alone nothing need be said.
    {**_described(who="Of several people on the call, whose wish it is: ann, if it was [ann]."), "required": []},
)
_PRESS_KEYS = Tool(
    PRESS_KEYS,
    "Presses keys of the phone's keypad, for a menu or an extension at the other end of a phone line.",
    _described(keys="The keys in their order: digits, * and #."),
)
_HAND_OFF_SAYS = "Gets a human on the line. Use it when the caller asks for a person, or you cannot help."
_HAND_OFF_TAKES = _described(briefing="What the human has to know, in two sentences.")
