"""A mail server that keeps what it is given, or refuses it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailBox:
    """`refuses` is its answer to every recipient, as `550 nobody here`."""

    refuses: str | None = None
    got: list[EmailMessage] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def answer(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        answer("220 tests")
        with contextlib.closing(writer):
            while line := (await reader.readline()).decode().strip():
                match line.split()[0].upper():
                    case "RCPT" if self.refuses:
                        answer(self.refuses)
                    case "DATA":
                        answer("354 go on")
                        raw = await reader.readuntil(b"\r\n.\r\n")
                        self.got.append(message_from_bytes(raw[:-3], policy=policy.default))  # type: ignore[arg-type]
                        answer("250 kept")
                    case "QUIT":
                        answer("221 bye")
                        await writer.drain()
                        return
                    case _:
                        answer("250 tests")
                await writer.drain()


@contextlib.asynccontextmanager
async def mail_box(refuses: str | None = None) -> AsyncIterator[MailBox]:
    box = MailBox(refuses)
    server = await asyncio.start_server(box.serve, "127.0.0.1", 0)
    box.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()
