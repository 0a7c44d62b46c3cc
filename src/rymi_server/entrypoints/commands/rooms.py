"""`rymi rooms`: the embedded room server."""

from rymi_server.entrypoints.commands.beside import program

app = program("roomlet")
