"""Plivo's language, as the rest of the server needs it."""

from rymi_server.telephony.carriers.account_wire import AccountWire
from rymi_server.telephony.carriers.plivo import callbacks, documents, signatures

PLIVO_WIRE = AccountWire(signatures, callbacks, documents)
