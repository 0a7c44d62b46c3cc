"""Tokens: believed only if this server's key signed them, and refreshed without gaining a right."""

import time
from typing import Any

import jwt
import pytest
from livekit import api
from livekit.protocol import models

from roomlet.errors import NotPermitted, Unauthenticated
from roomlet.tokens import Claims, Grants, Keyring

KEY, SECRET = "key", "a-secret-that-is-long-enough-for-tests"
KEYRING = Keyring(KEY, SECRET)


def minted(secret: str = SECRET, **claims: Any) -> str:
    body = {"iss": KEY, "sub": "ann", "exp": int(time.time()) + 60, **claims}
    return jwt.encode(body, secret, algorithm="HS256")


class TestReading:
    def test_livekit_s_own_tokens_are_understood(self) -> None:
        grants = api.VideoGrants(room_join=True, room="r", can_publish=False, hidden=True)
        grants.can_publish_sources = ["microphone"]
        configuration = api.RoomConfiguration(max_participants=3, agents=[api.RoomAgentDispatch(agent_name="bot")])
        minting = api.AccessToken(KEY, SECRET).with_identity("ann").with_name("Ann").with_metadata("m")
        minting = minting.with_attributes({"a": "b"}).with_kind("agent").with_grants(grants)
        claims = KEYRING.read(minting.with_room_config(configuration).to_jwt())
        assert (claims.identity, claims.name, claims.metadata, claims.kind) == ("ann", "Ann", "m", "agent")
        assert (claims.room_to_join, dict(claims.attributes)) == ("r", {"a": "b"})
        assert (claims.grants.can_publish, claims.grants.can_subscribe, claims.grants.hidden) == (False, True, True)
        assert claims.room_configuration.agents[0].agent_name == "bot"
        assert list(claims.grants.permission().can_publish_sources) == [models.TrackSource.MICROPHONE]

    @pytest.mark.parametrize(
        "token",
        [
            "",
            "x.y.z",
            minted("another-secret-that-is-long-enough-too"),
            minted(iss="another"),
            minted(exp=int(time.time()) - 300),
            minted(nbf=int(time.time()) + 300),
            jwt.encode({"iss": KEY, "sub": "ann"}, "", algorithm="none"),
            minted(roomConfig={"maxParticipants": "many"}),
        ],
        ids=["none", "words", "other secret", "other key", "expired", "not yet", "unsigned", "bad room configuration"],
    )
    def test_anything_else_is_refused(self, token: str) -> None:
        with pytest.raises(Unauthenticated):
            KEYRING.read(token)

    @pytest.mark.parametrize(
        "video", [None, "words", [], {"roomJoin": "yes", "room": "r"}, {"roomJoin": True}, {"room": "r"}]
    )
    def test_a_token_that_grants_no_room_opens_none(self, video: object) -> None:
        with pytest.raises(NotPermitted):
            _ = KEYRING.read(minted(video=video)).room_to_join

    def test_administration_is_of_one_room(self) -> None:
        claims = KEYRING.read(minted(video={"roomAdmin": True, "room": "r"}))
        claims.must_administer("r")
        with pytest.raises(NotPermitted):
            claims.must_administer("another")


class TestRefreshing:
    def test_a_fresh_token_says_the_same(self) -> None:
        grants = Grants(room="r", room_join=True, can_publish=False, can_publish_sources=("microphone",))
        configuration = api.RoomConfiguration(max_participants=3, agents=[api.RoomAgentDispatch(agent_name="bot")])
        before = Claims("ann", "Ann", "m", "sip", {"a": "b"}, grants, configuration)
        after = KEYRING.read(KEYRING.refreshed(before, time.time()))
        assert (after.identity, after.name, after.metadata, after.kind) == ("ann", "Ann", "m", "sip")
        assert (after.grants, dict(after.attributes)) == (grants, {"a": "b"})
        assert after.room_configuration == configuration

    def test_it_never_shortens_a_token_nor_lets_one_run_out_before_the_next(self) -> None:
        now = time.time()
        long, short = Claims("ann", expires_at=now + 9999), Claims("ann", expires_at=now + 1)
        assert KEYRING.read(KEYRING.refreshed(long, now)).expires_at == pytest.approx(now + 9999, abs=1)
        assert KEYRING.read(KEYRING.refreshed(short, now)).expires_at >= now + 599

    def test_it_follows_rights_changed_in_mid_call(self) -> None:
        changed = Grants(room="r", room_join=True).changed_to(models.ParticipantPermission(can_subscribe=True))
        assert (changed.can_publish, changed.can_subscribe, changed.room) == (False, True, "r")
