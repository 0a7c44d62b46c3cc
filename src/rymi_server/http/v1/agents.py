"""`/v1/agents`: the agents of an account, and the calls of each."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from rymi_server.agents import store
from rymi_server.agents.errors import UnknownAgent
from rymi_server.agents.models import Agent
from rymi_server.call_views import listed
from rymi_server.call_views.shapes import instant
from rymi_server.calls.listing import Filter, page
from rymi_server.calls.models import CallStatus
from rymi_server.credits.rates import CHEAPEST_ROLE
from rymi_server.foundation.database import Transaction
from rymi_server.http.documentation import ONCE, WITH_BODY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import AskingDep
from rymi_server.http.idempotency import Answer, once
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import agent_examples as examples
from rymi_server.http.v1.agent_bodies import (
    AgentBody,
    AgentListBody,
    ChangedAgentBody,
    CreatedAgentBody,
    DeletedAgentBody,
    NewAgentBody,
    UpdatedAgentBody,
)
from rymi_server.http.v1.agent_options import OPTIONS, LlmOptionsBody
from rymi_server.http.v1.call_bodies import CallListBody
from rymi_server.http.v1.fields import WindowDep
from rymi_server.numbers.store import detach_agent
from rymi_server.runtime.thinking.prompts import compile_prompt, raw_system_prompt
from rymi_server.runtime.thinking.variables import values_of
from rymi_server.telephony.number_routing import enqueue_routing

routes = APIRouter(prefix="/v1/agents", tags=["Agents"], route_class=SecretKeyRoute)

_LISTED = ("voice", "llm_provider", "llm_model", "language")
_LONGEST_NAME = 256


@routes.get(
    "",
    operation_id="listAgents",
    summary="List agents",
    responses={**success(200, AgentListBody, "Newest first.", examples.AGENT_LIST), **refusals(*WITH_SECRET_KEY)},
)
async def list_agents(asking: AskingDep, window: WindowDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        found = await store.page(tx, asking.caller.tenant.id, window)
    return JSONResponse(found.as_json("agents", [_listed(agent) for agent in found.rows], window))


@routes.post(
    "",
    operation_id="createAgent",
    summary="Create an agent",
    status_code=201,
    responses={
        **success(201, CreatedAgentBody, "The agent can be called.", examples.CREATED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE),
    },
)
async def create_agent(asking: AskingDep, body: NewAgentBody) -> JSONResponse:
    said = {key: value for key, value in body.said().items() if value is not None}
    name, role = said.pop("name"), said.pop("agent_role", CHEAPEST_ROLE)

    async def create(tx: Transaction) -> Answer:
        agent = await store.create(tx, asking.caller.tenant.id, name, role, said, asking.edge.clock.now())
        return Answer(201, {"status": "created", "id": agent.id})

    return await once(asking, create)


# Before `/{agent_id}`, which would take it for an id.
@routes.get(
    "/llm-options",
    operation_id="listLlmOptions",
    summary="Models and voices to choose from",
    description="A catalog, not a limit: an agent takes the name of any model or voice.",
    responses={
        **success(200, LlmOptionsBody, "What works without an account first.", examples.LLM_OPTIONS),
        **refusals(*WITH_SECRET_KEY),
    },
)
async def llm_options() -> JSONResponse:
    return JSONResponse(OPTIONS)


@routes.get(
    "/{agent_id}",
    operation_id="getAgent",
    summary="An agent",
    responses={
        **success(200, AgentBody, "The agent.", examples.AGENT),
        **refusals(*WITH_SECRET_KEY, UnknownAgent),
    },
)
async def get_agent(asking: AskingDep, agent_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        return JSONResponse(_shown(await store.get(tx, asking.caller.tenant.id, agent_id)))


@routes.put(
    "/{agent_id}",
    operation_id="updateAgent",
    summary="Change an agent",
    description="Only the fields that are sent change; null takes a field back. Calls keep the agent as it was.",
    responses={
        **success(200, UpdatedAgentBody, "The next call has the change.", examples.UPDATED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, UnknownAgent),
    },
)
async def update_agent(asking: AskingDep, agent_id: str, body: ChangedAgentBody) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        agent = await store.lock(tx, asking.caller.tenant.id, agent_id)
        await store.update(tx, agent, _changed(agent, body.said()), asking.edge.clock.now())
    return JSONResponse({"status": "updated", "id": agent.id})


@routes.delete(
    "/{agent_id}",
    operation_id="deleteAgent",
    summary="Delete an agent",
    description="Its calls stay. Numbers that it answered are answered by nobody until they are attached again.",
    responses={
        **success(200, DeletedAgentBody, "The agent is gone.", examples.DELETED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, UnknownAgent),
    },
)
async def delete_agent(asking: AskingDep, agent_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        agent = await store.lock(tx, asking.caller.tenant.id, agent_id)
        await detach_agent(tx, agent.tenant_id, agent.id)
        await enqueue_routing(tx, agent.tenant_id)
        await store.delete(tx, agent.tenant_id, agent.id, asking.edge.clock.now())
    return JSONResponse({"status": "deleted", "id": agent.id})


@routes.post(
    "/{agent_id}/clone",
    operation_id="cloneAgent",
    summary="Copy an agent",
    status_code=201,
    responses={
        **success(201, CreatedAgentBody, "A new agent of the same kind.", examples.CREATED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE, UnknownAgent),
    },
)
async def clone_agent(asking: AskingDep, agent_id: str) -> JSONResponse:
    async def clone(tx: Transaction) -> Answer:
        agent = await store.get(tx, asking.caller.tenant.id, agent_id)
        name = f"{agent.name[: _LONGEST_NAME - 7]} (Copy)"
        now = asking.edge.clock.now()
        copy = await store.create(tx, agent.tenant_id, name, agent.agent_role, agent.config, now)
        return Answer(201, {"status": "created", "id": copy.id})

    return await once(asking, clone)


@routes.get(
    "/{agent_id}/calls",
    operation_id="listAgentCalls",
    summary="The calls of an agent",
    responses={
        **success(200, CallListBody, "Newest first.", examples.CALLS_OF_AGENT),
        **refusals(*WITH_SECRET_KEY, UnknownAgent),
    },
)
async def list_agent_calls(
    asking: AskingDep,
    agent_id: str,
    window: WindowDep,
    status: Annotated[CallStatus | None, Query(description="Only calls in this status.")] = None,
) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        agent = await store.get(tx, asking.caller.tenant.id, agent_id)
        found = await page(tx, agent.tenant_id, Filter(status=status, agent_id=agent.id), window, None)
    return JSONResponse({**listed.as_json(found, window), "agent_id": agent.id})


def _changed(agent: Agent, said: dict[str, Any]) -> Agent:
    name, role = said.pop("name", None), said.pop("agent_role", agent.agent_role)
    config = {key: value for key, value in {**agent.config, **said}.items() if value is not None}
    return replace(agent, name=name or agent.name, agent_role=role or CHEAPEST_ROLE, config=config)


def _listed(agent: Agent) -> dict[str, Any]:
    about = {key: agent.config.get(key) for key in _LISTED}
    return {
        "id": agent.id,
        "name": agent.name,
        "agent_role": agent.agent_role,
        **about,
        "created_at": instant(agent.created_at),
    }


def _shown(agent: Agent) -> dict[str, Any]:
    config = agent.config
    defaults = values_of([each for each in config.get("variables", []) if isinstance(each, dict)], {}).by_name
    return {
        **agent.frozen(),
        "raw_system_prompt": raw_system_prompt(config),
        "compiled_prompt": compile_prompt(config, defaults, keep_unknown=True).text,
        "created_at": instant(agent.created_at),
        "updated_at": instant(agent.updated_at),
    }
