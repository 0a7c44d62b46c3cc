"""SRTP for one peer: keys out of the DTLS handshake, then protect and unprotect. Packets that fail are nobody's.

libsrtp does it and is called as C calls it, through pylibsrtp's binding. Each session of pylibsrtp's own copies packets
through memory of its own, and with hundreds of them no processor remembers all of it from one packet to the next.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pylibsrtp

# The binding is not in its `__all__`: it means to be called through its own session.
from pylibsrtp import Policy, ffi, lib  # type: ignore[attr-defined]

REPLAY_WINDOW = 1024
LONGEST = 2048
LONGEST_TRAILER = 4 + 16 + 128
"""What protecting may add: SRTCP's index, the tag, and a key's name."""


@dataclass(frozen=True, slots=True)
class Profile:
    name: bytes
    """What DTLS negotiates."""
    number: int
    """What libsrtp calls it."""
    key_bytes: int
    salt_bytes: int

    @property
    def material_bytes(self) -> int:
        return 2 * (self.key_bytes + self.salt_bytes)


def _is_built_in(profile: Profile) -> bool:
    try:
        Policy(srtp_profile=profile.number)
    except pylibsrtp.Error:
        return False
    return True


PROFILES = tuple(
    profile
    for profile in (
        Profile(b"SRTP_AEAD_AES_128_GCM", Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
        Profile(b"SRTP_AES128_CM_SHA1_80", Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
    )
    if _is_built_in(profile)
)
"""In order of preference. A libsrtp built without OpenSSL has no GCM."""


def profile_named(name: bytes) -> Profile | None:
    return next((profile for profile in PROFILES if profile.name == name), None)


class SrtpError(Exception):
    """libsrtp refused a packet, or the key; the number is one of its `srtp_err_status_t`."""


class Workspace(threading.local):
    """Where libsrtp finds a packet and leaves it: one for all sessions of a thread."""

    def __init__(self) -> None:
        self.memory = ffi.new("unsigned char[]", LONGEST + LONGEST_TRAILER)
        self.bytes = ffi.buffer(self.memory)
        self.length = ffi.new("int *")


_workspace = Workspace()
_protect, _unprotect = lib.srtp_protect, lib.srtp_unprotect


class Session:
    """One direction of one peer's packets, for the thread that made it. Whatever is refused raises `SrtpError`."""

    __slots__ = ("_bytes", "_context", "_length", "_memory", "_owner")

    def __init__(self, profile: Profile, key: bytes, direction: int) -> None:
        policy = ffi.new("srtp_policy_t *")
        _succeed(lib.srtp_crypto_policy_set_from_profile_for_rtp(ffi.addressof(policy.rtp), profile.number))
        _succeed(lib.srtp_crypto_policy_set_from_profile_for_rtcp(ffi.addressof(policy.rtcp), profile.number))
        # libsrtp copies the key when it makes the session; until then somebody has to hold it.
        held = ffi.new("unsigned char[]", key)
        policy.key, policy.ssrc.type = held, direction
        policy.window_size, policy.allow_repeat_tx = REPLAY_WINDOW, 1
        created = ffi.new("srtp_t *")
        _succeed(lib.srtp_create(created, policy))
        self._context, self._owner = created[0], ffi.gc(created, _give_back)
        self._memory, self._bytes, self._length = _workspace.memory, _workspace.bytes, _workspace.length

    # The two that every packet passes repeat what they share, because a call would cost as much.

    def protect(self, packet: bytes) -> bytes:
        size = len(packet)
        if size > LONGEST:
            raise SrtpError("the packet is too long")
        space, length = self._bytes, self._length
        space[0:size], length[0] = packet, size
        if refusal := _protect(self._context, self._memory, length):
            raise SrtpError(refusal)
        protected: bytes = space[0 : length[0]]
        return protected

    def unprotect(self, packet: bytes) -> bytes:
        size = len(packet)
        if size > LONGEST:
            raise SrtpError("the packet is too long")
        space, length = self._bytes, self._length
        space[0:size], length[0] = packet, size
        if refusal := _unprotect(self._context, self._memory, length):
            raise SrtpError(refusal)
        plain: bytes = space[0 : length[0]]
        return plain

    def protect_rtcp(self, packet: bytes) -> bytes:
        return self._through(lib.srtp_protect_rtcp, packet)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        return self._through(lib.srtp_unprotect_rtcp, packet)

    def _through(self, function: Callable[..., int], packet: bytes) -> bytes:
        size = len(packet)
        if size > LONGEST:
            raise SrtpError("the packet is too long")
        self._bytes[0:size], self._length[0] = packet, size
        _succeed(function(self._context, self._memory, self._length))
        done: bytes = self._bytes[0 : self._length[0]]
        return done


def sessions(profile: Profile, material: bytes, is_server: bool = True) -> tuple[Session, Session]:
    """The inbound and the outbound session of one side, from RFC 5764's keying material."""
    key, salt = profile.key_bytes, profile.salt_bytes
    client = material[:key] + material[2 * key : 2 * key + salt]
    server = material[key : 2 * key] + material[2 * key + salt : 2 * (key + salt)]
    inbound, outbound = (client, server) if is_server else (server, client)
    return (
        Session(profile, inbound, Policy.SSRC_ANY_INBOUND),
        Session(profile, outbound, Policy.SSRC_ANY_OUTBOUND),
    )


def _succeed(refusal: int) -> None:
    if refusal:
        raise SrtpError(refusal)


def _give_back(created: Any) -> None:
    lib.srtp_dealloc(created[0])
