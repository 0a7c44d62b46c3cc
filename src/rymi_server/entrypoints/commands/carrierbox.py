"""`rymi carrierbox`: the carriers in a box."""

from rymi_server.entrypoints.commands.beside import program

app = program("carrierbox")
