"""Google Cloud's speech services on this machine: over gRPC and TLS, under Google's own names.

The plugin takes no other address, so a proxy on the way, as gRPC knows them, leads Google's names here.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.cloud import speech_v1, texttospeech_v1
from tests.speech.vendors import RATE, Vendor, loud_seconds, sentence, tone
from tests.support.relaying import relay

NAMES = ("speech.googleapis.com", "texttospeech.googleapis.com")
_ENDS_AFTER_S = 0.5


@dataclass(frozen=True)
class Identity:
    """Who claims to be Google, and the file by which they are believed."""

    key: bytes
    certificate: bytes
    file: Path


@asynccontextmanager
async def google_cloud(identity: Identity, patch: pytest.MonkeyPatch) -> AsyncIterator[Vendor]:
    vendor = Vendor()
    key, certificate = identity.key, identity.certificate
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_speech(vendor), _voices(vendor)))
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
    await server.start()
    async with _proxy_to(port) as proxy:
        patch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", str(identity.file))
        patch.setenv("grpc_proxy", proxy)
        yield vendor
    await server.stop(0.2)


def identity(folder: Path) -> Identity:
    """Make one for a process: gRPC reads whom it trusts only once."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in NAMES]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "roots.pem"
    file.write_bytes(certificate.public_bytes(encoding))
    return Identity(private, certificate.public_bytes(encoding), file)


@asynccontextmanager
async def _proxy_to(port: int) -> AsyncIterator[str]:
    """Leads whoever asks for one of Google's names to this port."""
    running: set[asyncio.Task[None]] = set()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert asked.startswith(tuple(f"CONNECT {name}:443" for name in NAMES)), asked
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await relay(reader, writer, "127.0.0.1", port)

    async def held(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        task.add_done_callback(running.discard)
        with contextlib.suppress(asyncio.CancelledError):
            await connect(reader, writer)
        writer.close()

    server = await asyncio.start_server(held, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for task in list(running):
            task.cancel()
        if running:
            await asyncio.wait(list(running))


def _voices(vendor: Vendor) -> Any:
    async def synthesize(request: Any, context: Any) -> Any:
        asked = {"voice": request.voice.name, "model": request.voice.model_name, "text": request.input.text}
        vendor.asked.append({"what": "tts", "auth": dict(context.invocation_metadata())["authorization"], **asked})
        if vendor.fails:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")
        assert request.audio_config.audio_encoding == texttospeech_v1.AudioEncoding.PCM
        return texttospeech_v1.SynthesizeSpeechResponse(audio_content=tone(request.input.text))

    method = grpc.unary_unary_rpc_method_handler(
        synthesize,
        request_deserializer=texttospeech_v1.SynthesizeSpeechRequest.deserialize,
        response_serializer=texttospeech_v1.SynthesizeSpeechResponse.serialize,
    )
    return grpc.method_handlers_generic_handler(
        "google.cloud.texttospeech.v1.TextToSpeech", {"SynthesizeSpeech": method}
    )


@dataclass
class _Line:
    """One stream of sound. It tells drafts without confidence, and ends an utterance by itself."""

    loud_s: float = 0.0
    heard_s: float = 0.0
    began_s: float = 0.0
    quiet_s: float = 0.0
    told: str = ""
    rest: bytes = field(default=b"")

    def hear(self, pcm: bytes) -> list[Any]:
        seconds = len(pcm) / 2 / RATE
        loud_s = loud_seconds(pcm)
        if loud_s and not self.loud_s:
            self.began_s = self.heard_s
        self.loud_s += loud_s
        self.heard_s += seconds
        self.quiet_s = 0.0 if loud_s else self.quiet_s + seconds
        text = sentence(self.loud_s)
        if text and self.quiet_s >= _ENDS_AFTER_S:
            self.loud_s, self.told = 0.0, ""
            return [self._result(text, final=True)]
        if text == self.told:
            return []
        self.told = text
        return [self._result(text, final=False)]

    def _result(self, text: str, *, final: bool) -> Any:
        end = self.heard_s - self.quiet_s
        start_time, end_time = dt.timedelta(seconds=self.began_s), dt.timedelta(seconds=end)
        words = [speech_v1.WordInfo(word=word, start_time=start_time, end_time=end_time) for word in text.split()]
        said = speech_v1.SpeechRecognitionAlternative(transcript=text, confidence=0.9 if final else 0.0, words=words)
        return speech_v1.StreamingRecognizeResponse(
            results=[speech_v1.StreamingRecognitionResult(alternatives=[said], is_final=final, language_code="en-us")]
        )


def _speech(vendor: Vendor) -> Any:
    async def recognize(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        line = _Line()
        async for request in requests:
            if request.streaming_config.config.model:
                config = request.streaming_config.config
                phrases = [phrase.value for each in config.adaptation.phrase_sets for phrase in each.phrases]
                auth = dict(context.invocation_metadata())["authorization"]
                asked = {"model": config.model, "language": config.language_code, "phrases": phrases}
                asked["masks"] = config.profanity_filter
                vendor.asked.append({"what": "stt", "auth": auth, **asked})
                if vendor.fails:
                    await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")
                continue
            for result in line.hear(request.audio_content):
                yield result

    method = grpc.stream_stream_rpc_method_handler(
        recognize,
        request_deserializer=speech_v1.StreamingRecognizeRequest.deserialize,
        response_serializer=speech_v1.StreamingRecognizeResponse.serialize,
    )
    return grpc.method_handlers_generic_handler("google.cloud.speech.v1.Speech", {"StreamingRecognize": method})
