"""Which agents a room is to have, and the jobs that bring them there.

A dispatch says that an agent serves a room. Each dispatch needs one job for the room and, where workers of those
kinds exist, one for each participant or publisher. A need waits for a worker, is given to one, and is given to another
when that one dies.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from livekit.protocol import agent, models
from livekit.protocol.agent_dispatch import AgentDispatch, JobRestartPolicy, RoomAgentDispatch

from roomlet.errors import LimitReached, NotFound
from roomlet.identifiers import new_id
from roomlet.metrics import Counters
from roomlet.participant import Participant
from roomlet.room import Room
from roomlet.tokens import Claims, Grants, Keyring
from roomlet.tracks import PublishedTrack
from roomlet.workers import Worker, Workers

log = logging.getLogger(__name__)
JobType, JobStatus, Reason = agent.JobType, agent.JobStatus, models.DisconnectReason
MOST_RESTARTS = 3
"""An agent that fails this often in one room is broken, not unlucky."""
AGENT_NAME_ATTRIBUTE = "lk.agent_name"
DIED = (Reason.CONNECTION_TIMEOUT, Reason.SIGNAL_CLOSE, Reason.AGENT_ERROR, Reason.JOIN_FAILURE)


@dataclass(eq=False, slots=True)
class Need:
    """One job that a dispatch wants done."""

    dispatch: "Dispatch"
    kind: agent.JobType
    participant: models.ParticipantInfo | None = None
    restarts: int = 0
    is_asking: bool = False
    is_over: bool = False
    job: agent.Job | None = None
    worker: Worker | None = None

    @property
    def is_waiting(self) -> bool:
        return self.job is None and not self.is_asking and not self.is_over


@dataclass(eq=False, slots=True)
class Dispatch:
    proto: AgentDispatch
    room: Room
    needs: list[Need] = field(default_factory=list)


class Dispatcher:
    """Listens to rooms and to workers, and brings them together."""

    def __init__(self, workers: Workers, keyring: Keyring, counters: Counters, leave_seconds: float, most: int) -> None:
        self._workers, self._keyring, self._counters = workers, keyring, counters
        self._leave_seconds, self._most = leave_seconds, most
        self._dispatches: dict[Room, dict[str, Dispatch]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        workers.report_to(self)

    # --- what the API asks

    def create(self, room: Room, wanted: RoomAgentDispatch) -> AgentDispatch:
        of_room = self._dispatches.setdefault(room, {})
        if len(of_room) >= self._most:
            raise LimitReached(f"this room has its {self._most} agent dispatches (ROOMLET_LIMIT_DISPATCHES_PER_ROOM)")
        proto = AgentDispatch(
            id=new_id("AD_"),
            agent_name=wanted.agent_name,
            room=room.name,
            metadata=wanted.metadata,
            restart_policy=wanted.restart_policy,
            deployment=wanted.deployment,
        )
        proto.attributes.update(wanted.attributes)
        proto.state.created_at = time.time_ns()
        dispatch = of_room[proto.id] = Dispatch(proto, room)
        self._need(dispatch, JobType.JT_ROOM)
        for participant in room.participants.values():
            self._need_for(dispatch, participant)
        return proto

    def list(self, room: Room | None, dispatch_id: str = "") -> list[AgentDispatch]:
        found = self._dispatches.get(room, {}).values() if room is not None else ()
        return [_shown(dispatch) for dispatch in found if not dispatch_id or dispatch.proto.id == dispatch_id]

    def delete(self, room: Room, dispatch_id: str) -> AgentDispatch:
        """The worker is told, its agent has a moment to leave by itself, and is then removed."""
        dispatch = self._dispatches.get(room, {}).pop(dispatch_id, None)
        if dispatch is None:
            raise NotFound("dispatch ID not found")
        dispatch.proto.state.deleted_at = time.time_ns()
        for need in dispatch.needs:
            need.is_over = True
            if need.job is not None:
                self._dismiss(room, need.job, need.worker)
        return dispatch.proto

    # --- what rooms report

    def on_room_opened(self, room: Room) -> None:
        """A room that asks for nobody by name gets whoever serves without a name."""
        for wanted in room.options.agents or (RoomAgentDispatch(),):
            self.create(room, wanted)

    def on_participant_active(self, room: Room, participant: Participant) -> None:
        for dispatch in list(self._dispatches.get(room, {}).values()):
            self._need_for(dispatch, participant)

    def on_track_published(self, room: Room, track: PublishedTrack, participant: Participant) -> None:
        self.on_participant_active(room, participant)

    def on_track_unpublished(self, room: Room, track: PublishedTrack, participant: Participant) -> None:
        """A publisher's agent stays for the participant."""

    def on_participant_left(self, room: Room, participant: Participant) -> None:
        for dispatch in self._dispatches.get(room, {}).values():
            dispatch.needs = [need for need in dispatch.needs if not _is_about(need, participant) or need.job]
        need = self._need_of(room, participant)
        if need is None or need.job is None:
            return
        if need.worker is not None:
            need.worker.terminate(need.job.id)
        died = participant.info().disconnect_reason in DIED
        self._end(need, JobStatus.JS_FAILED if died else JobStatus.JS_SUCCESS, "the agent's connection died" * died)

    def on_signal_lost(self, room: Room, participant: Participant) -> None:
        """An agent whose worker is gone too will not resume."""
        need = self._need_of(room, participant)
        if need is not None and (need.worker is None or need.worker.is_closed):
            room.remove(participant, Reason.AGENT_ERROR)

    def on_room_closed(self, room: Room, reason: models.RoomEndReason) -> None:
        for dispatch in self._dispatches.pop(room, {}).values():
            for need in dispatch.needs:
                need.is_over = True
                if need.job is not None and need.worker is not None:
                    need.worker.terminate(need.job.id)

    # --- what workers report

    def on_worker_free(self, worker: Worker) -> None:
        for need in list(self._all_needs()):
            self._serve(need)

    def on_job_update(self, worker: Worker, update: agent.UpdateJobStatus) -> None:
        need = next((n for n in self._all_needs() if n.worker is worker and n.job and n.job.id == update.job_id), None)
        if need is None or need.job is None:
            return
        if update.status in (JobStatus.JS_SUCCESS, JobStatus.JS_FAILED):
            self._end(need, update.status, update.error)
        else:
            need.job.state.status = update.status

    def on_worker_gone(self, worker: Worker) -> None:
        """Its agents died with it, except those that are still connected themselves: they may outlive a restart of
        their worker and are only given up when their own signalling breaks."""
        for need in list(self._all_needs()):
            if need.worker is worker and need.job is not None:
                agent_itself = need.dispatch.room.participants.get(need.job.state.participant_identity)
                if agent_itself is None or not agent_itself.has_signal:
                    self._end(need, JobStatus.JS_FAILED, "the worker is gone")

    # --- needs and jobs

    def _need_for(self, dispatch: Dispatch, participant: Participant) -> None:
        if participant.is_dependent or not participant.is_active:
            return
        kinds = [JobType.JT_PARTICIPANT]
        if any(track.is_announced for track in participant.publishing.tracks.values()):
            kinds.append(JobType.JT_PUBLISHER)
        for kind in kinds:
            if not any(need.kind == kind and _is_about(need, participant) for need in dispatch.needs):
                self._need(dispatch, kind, participant.info())

    def _need(self, dispatch: Dispatch, kind: agent.JobType, participant: models.ParticipantInfo | None = None) -> None:
        need = Need(dispatch, kind, participant)
        dispatch.needs.append(need)
        self._serve(need)

    def _serve(self, need: Need) -> None:
        if need.is_waiting and self._workers.able(need.dispatch.proto.agent_name, need.kind):
            need.is_asking = True
            task = asyncio.get_running_loop().create_task(self._ask_workers(need))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _ask_workers(self, need: Need) -> None:
        """A worker that refuses is not asked again for this need before another one registers or frees up."""
        asked: set[str] = set()
        try:
            while worker := self._next(need, asked):
                asked.add(worker.id)
                job = self._new_job(need)
                answer = await worker.offer(job)
                if need.is_over or need.dispatch.room.is_closed:
                    return
                if answer is not None and answer.terminate:
                    need.is_over = True
                    return
                if answer is not None and answer.available and not worker.is_closed:
                    self._assign(need, job, worker, answer)
                    return
        finally:
            need.is_asking = False
        log.warning("no worker took an agent's job", extra={"room": need.dispatch.room.sid})

    def _next(self, need: Need, asked: set[str]) -> Worker | None:
        able = self._workers.able(need.dispatch.proto.agent_name, need.kind)
        return next((worker for worker in able if worker.id not in asked), None)

    def _new_job(self, need: Need) -> agent.Job:
        proto = need.dispatch.proto
        job = agent.Job(
            id=new_id("AJ_"),
            dispatch_id=proto.id,
            type=need.kind,
            room=need.dispatch.room.info(),
            agent_name=proto.agent_name,
            metadata=proto.metadata,
            deployment=proto.deployment,
        )
        if need.participant is not None:
            job.participant.CopyFrom(need.participant)
        job.attributes.update(proto.attributes)
        return job

    def _assign(self, need: Need, job: agent.Job, worker: Worker, answer: agent.AvailabilityResponse) -> None:
        identity = answer.participant_identity or f"agent-{job.id}"
        now = time.time_ns()
        state = agent.JobState(
            status=JobStatus.JS_RUNNING,
            started_at=now,
            updated_at=now,
            participant_identity=identity,
            worker_id=worker.id,
        )
        job.state.CopyFrom(state)
        claims = Claims(
            identity=identity,
            name=answer.participant_name,
            metadata=answer.participant_metadata,
            kind="agent",
            attributes={**answer.participant_attributes, AGENT_NAME_ATTRIBUTE: worker.agent_name},
            grants=_agent_grants(need.dispatch.room.name, worker.permission),
        )
        proto = need.dispatch.proto
        proto.state.jobs.append(job)
        need.job, need.worker = proto.state.jobs[-1], worker
        worker.assign(job, self._keyring.for_agent(claims, time.time()))
        self._counters.jobs_assigned += 1
        log.info("an agent job was assigned", extra={"job": job.id, "worker": worker.id})

    def _end(self, need: Need, status: agent.JobStatus, error: str) -> None:
        """A failed job is given out again while people are still there for it."""
        job, room = need.job, need.dispatch.room
        if job is None:
            return
        job.state.status, job.state.error = status, error
        job.state.ended_at = job.state.updated_at = time.time_ns()
        need.job = need.worker = None
        identity = job.state.participant_identity
        failed = status == JobStatus.JS_FAILED
        if failed and identity in room.participants and not room.is_closed:
            room.remove(room.participants[identity], Reason.AGENT_ERROR)
        policy_allows = need.dispatch.proto.restart_policy != JobRestartPolicy.JRP_NEVER
        people = any(not participant.is_dependent for participant in room.participants.values())
        if not failed or need.is_over or not policy_allows or not people or need.restarts >= MOST_RESTARTS:
            need.is_over = True
            return
        need.restarts += 1
        self._counters.jobs_restarted += 1
        log.warning("an agent job is given out again", extra={"job": job.id, "reason": error})
        self._serve(need)

    def _dismiss(self, room: Room, job: agent.Job, worker: Worker | None) -> None:
        if worker is not None:
            worker.terminate(job.id)
        asyncio.get_running_loop().call_later(self._leave_seconds, _remove_agent, room, job.state.participant_identity)

    def _need_of(self, room: Room, participant: Participant) -> Need | None:
        if not participant.is_agent:
            return None
        for dispatch in self._dispatches.get(room, {}).values():
            for need in dispatch.needs:
                if need.job is not None and need.job.state.participant_identity == participant.identity:
                    return need
        return None

    def _all_needs(self) -> Iterator[Need]:
        for of_room in self._dispatches.values():
            for dispatch in of_room.values():
                yield from dispatch.needs


def _shown(dispatch: Dispatch) -> AgentDispatch:
    """With its jobs, and the room's if that one waits for a worker: it has not been dropped.

    Workers of the other kinds may never have been meant to come, so nobody is told that those are waited for.
    """
    of_room = [need for need in dispatch.needs if need.kind == JobType.JT_ROOM]
    waiting = [need for need in of_room if need.job is None and not need.is_over]
    if not waiting:
        return dispatch.proto
    shown = AgentDispatch()
    shown.CopyFrom(dispatch.proto)
    for need in waiting:
        shown.state.jobs.append(_pending_job(need))
    return shown


def _pending_job(need: Need) -> agent.Job:
    """Without a name: it gets one anew for each worker that is asked."""
    proto = need.dispatch.proto
    job = agent.Job(dispatch_id=proto.id, type=need.kind, agent_name=proto.agent_name, metadata=proto.metadata)
    job.state.status = JobStatus.JS_PENDING
    return job


def _is_about(need: Need, participant: Participant) -> bool:
    return need.participant is not None and need.participant.sid == participant.sid


def _remove_agent(room: Room, identity: str) -> None:
    participant = room.participants.get(identity)
    if participant is not None:
        room.remove(participant, Reason.PARTICIPANT_REMOVED)


def _agent_grants(room: str, permission: models.ParticipantPermission | None) -> Grants:
    grants = Grants(room=room, room_join=True, can_update_own_metadata=True, agent=True)
    return grants.changed_to(permission) if permission is not None else grants
