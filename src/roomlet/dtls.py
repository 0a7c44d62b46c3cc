"""DTLS as the passive side: one certificate for the process, one state machine for each peer. Knows no socket."""

import contextlib
import datetime
import secrets
import struct
from collections.abc import Callable, Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from roomlet import srtp

MTU = 1200
RECORD_HEADER = 13
LARGEST_RECORD = 65536
LIFETIME = datetime.timedelta(days=365)
CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA"
)
DIGESTS: dict[str, type[hashes.HashAlgorithm]] = {
    "sha-1": hashes.SHA1,
    "sha-256": hashes.SHA256,
    "sha-384": hashes.SHA384,
    "sha-512": hashes.SHA512,
}


class HandshakeFailed(Exception):
    """The peer is not who its offer said, or speaks no profile of ours."""


def fingerprint(certificate: x509.Certificate, algorithm: str) -> str:
    digits = certificate.fingerprint(DIGESTS[algorithm]()).hex().upper()
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))


class Certificate:
    """The server's own certificate. Peers trust its fingerprint, which signalling carries, and nothing else of it."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(8))])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + LIFETIME)
            .sign(key, hashes.SHA256())
        )
        self.fingerprint = fingerprint(certificate, "sha-256")
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.set_options(SSL.OP_NO_TICKET)
        # Any certificate is accepted here; the handshake is only believed once its fingerprint matches the offer.
        self.context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        self.context.use_certificate(certificate)
        self.context.use_privatekey(key)
        self.context.set_cipher_list(CIPHERS)
        self.context.set_tlsext_use_srtp(b":".join(profile.name for profile in srtp.PROFILES))


class DtlsPeer:
    """One DTLS association. `send` gets whole datagrams; `receive` returns what the peer said inside it."""

    def __init__(self, certificate: Certificate, send: Callable[[bytes], None], is_server: bool = True) -> None:
        self._send = send
        self._is_server = is_server
        self._connection = SSL.Connection(certificate.context, None)
        self._connection.set_ciphertext_mtu(MTU)
        if is_server:
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()
        self.is_established = False
        self.is_closed = False

    def receive(self, datagram: bytes) -> list[bytes]:
        """Raises `HandshakeFailed` when the handshake cannot succeed any more."""
        if not datagram:
            return []
        self._connection.bio_write(datagram)
        if not self.is_established and not self.handshake():
            return []
        said: list[bytes] = []
        while True:
            try:
                said.append(self._connection.recv(LARGEST_RECORD))
            except SSL.ZeroReturnError:
                self.is_closed = True
                break
            except SSL.Error:
                break
        self._flush()
        return said

    def handshake(self) -> bool:
        """Takes the next step; true once both sides have finished."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return False
        except SSL.Error as error:
            self._flush()
            raise HandshakeFailed(f"DTLS handshake failed: {error}") from error
        self._flush()
        self.is_established = True
        return True

    def send(self, data: bytes) -> None:
        self._connection.send(data)
        self._flush()

    def seconds_until_resend(self) -> float | None:
        seconds: float | None = self._connection.DTLSv1_get_timeout()
        return seconds

    def resend(self) -> None:
        with contextlib.suppress(SSL.Error):
            self._connection.DTLSv1_handle_timeout()
        self._flush()

    def close(self) -> None:
        if self.is_established and not self.is_closed:
            with contextlib.suppress(SSL.Error):
                self._connection.shutdown()
            self._flush()
        self.is_closed = True

    def srtp_sessions(self, fingerprints: Iterable[tuple[str, str]]) -> tuple[srtp.Session, srtp.Session]:
        """The media keys, once the peer's certificate has one of the fingerprints that its offer promised."""
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None or not any(
            algorithm.lower() in DIGESTS and fingerprint(certificate, algorithm.lower()) == value.upper()
            for algorithm, value in fingerprints
        ):
            raise HandshakeFailed("the peer's certificate is not the one its offer promised")
        profile = srtp.profile_named(self._connection.get_selected_srtp_profile())
        if profile is None:
            raise HandshakeFailed("the peer speaks no SRTP profile of ours")
        material = self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", profile.material_bytes)
        return srtp.sessions(profile, material, self._is_server)

    def _flush(self) -> None:
        """A flight is several records; whole records are packed into datagrams that fit any path."""
        try:
            pending = self._connection.bio_read(LARGEST_RECORD)
        except SSL.Error:
            return
        datagram = b""
        while len(pending) >= RECORD_HEADER:
            size = RECORD_HEADER + struct.unpack_from("!H", pending, 11)[0]
            if datagram and len(datagram) + size > MTU:
                self._send(datagram)
                datagram = b""
            datagram += pending[:size]
            pending = pending[size:]
        if datagram:
            self._send(datagram)
