"""Twilio's language, as the rest of the server needs it."""

from rymi_server.telephony.carriers.account_wire import AccountWire
from rymi_server.telephony.carriers.twilio import callbacks, documents, signatures

TWILIO_WIRE = AccountWire(signatures, callbacks, documents)
