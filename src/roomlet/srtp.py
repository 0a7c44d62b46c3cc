"""SRTP for one peer: keys out of the DTLS handshake, then protect and unprotect. Packets that fail are nobody's."""

from dataclasses import dataclass

import pylibsrtp
from pylibsrtp import Policy, Session

REPLAY_WINDOW = 1024


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

SrtpError = pylibsrtp.Error
__all__ = ["PROFILES", "Profile", "Session", "SrtpError", "profile_named", "sessions"]


def profile_named(name: bytes) -> Profile | None:
    return next((profile for profile in PROFILES if profile.name == name), None)


def sessions(profile: Profile, material: bytes, is_server: bool = True) -> tuple[Session, Session]:
    """The inbound and the outbound session of one side, from RFC 5764's keying material."""
    key, salt = profile.key_bytes, profile.salt_bytes
    client = material[:key] + material[2 * key : 2 * key + salt]
    server = material[key : 2 * key] + material[2 * key + salt : 2 * (key + salt)]
    inbound, outbound = (client, server) if is_server else (server, client)
    return (
        _session(profile, inbound, Policy.SSRC_ANY_INBOUND),
        _session(profile, outbound, Policy.SSRC_ANY_OUTBOUND),
    )


def _session(profile: Profile, key: bytes, direction: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile.number)
    policy.allow_repeat_tx = True
    policy.window_size = REPLAY_WINDOW
    return Session(policy)
