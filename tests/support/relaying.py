"""Carries bytes both ways: for servers in tests that stand on the way to another."""

import asyncio


async def relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, *, first: bytes = b""
) -> None:
    """Until one of the two ends hangs up. Both connections are closed then, however it came to that."""
    try:
        there, back = await asyncio.open_connection(host, port)
    except BaseException:
        writer.close()
        raise
    back.write(first)
    ways = [asyncio.create_task(_pour(*way)) for way in ((reader, back), (there, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        writer.close()
        back.close()
        await asyncio.wait(ways)


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while part := await source.read(65_536):
            target.write(part)
            await target.drain()
    except OSError:
        pass  # One of the two is gone without a good-bye, which is an end, too.
