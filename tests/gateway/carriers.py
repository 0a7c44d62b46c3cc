"""Places a call on each carrier, through the carrier's own client, whose audio goes to a media socket."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from plivo import plivoxml
from tests.carrierbox.carrier_sdks import plivo_client, twilio_client, vonage_client
from tests.carrierbox.customer import Customer
from tests.carrierbox.lab import Lab
from tests.carrierbox.test_vonage_calls import application
from twilio.twiml.voice_response import Connect, VoiceResponse
from vonage_voice import CreateCallRequest
from vonage_voice.models.connect_endpoints import WebsocketEndpoint
from vonage_voice.models.ncco import Connect as VonageConnect

from carrierbox import stock

Place = Callable[[Lab, Customer, str, str], Awaitable[str]]
"""Lab, customer, media address, number to call. Returns the box's id of the call."""


def twilio_document(url: str) -> tuple[str, str]:
    response, connect = VoiceResponse(), Connect()
    connect.stream(url=url)
    response.append(connect)
    return "text/xml", str(response)


async def on_twilio(lab: Lab, customer: Customer, url: str, number: str) -> str:
    path = f"/answer/{number[1:]}"
    customer.documents[path] = twilio_document(url)
    client = twilio_client(lab.address)
    ask = {"url": f"{customer.address}{path}", "to": number, "from_": stock.NUMBERS["twilio"][0]}
    return (await asyncio.to_thread(lambda: client.calls.create(**ask))).sid


async def on_plivo(lab: Lab, customer: Customer, url: str, number: str) -> str:
    path = f"/answer/{number[1:]}"
    stream = plivoxml.StreamElement(
        content=url,
        bidirectional=True,
        keepCallAlive=True,
        contentType="audio/x-l16;rate=16000",
        audioTrack="inbound",
    )
    response = plivoxml.ResponseElement()
    response.add(stream)
    customer.documents[path] = ("application/xml", response.to_string())
    ask = {"from_": stock.NUMBERS["plivo"][0], "to_": number, "answer_url": f"{customer.address}{path}"}
    client = plivo_client(lab.address)
    return str((await asyncio.to_thread(lambda: client.calls.create(**ask))).request_uuid)


async def on_vonage(lab: Lab, customer: Customer, url: str, number: str) -> str:
    endpoint = WebsocketEndpoint(uri=url, contentType="audio/l16;rate=16000", headers={"a": "b"})
    ncco = [VonageConnect(endpoint=[endpoint], from_=stock.NUMBERS["vonage"][0][1:])]
    path = f"/answer/{number[1:]}"
    document = [each.model_dump(by_alias=True, exclude_none=True) for each in ncco]
    customer.documents[path] = ("application/json", json.dumps(document))
    request = CreateCallRequest(
        to=[{"type": "phone", "number": number[1:]}],
        from_={"type": "phone", "number": stock.NUMBERS["vonage"][0][1:]},
        answer_url=[f"{customer.address}{path}"],
    )
    client = vonage_client(lab.address, await application(lab, customer))
    return (await asyncio.to_thread(lambda: client.voice.create_call(request))).uuid


CARRIERS: dict[str, Place] = {"twilio": on_twilio, "plivo": on_plivo, "vonage": on_vonage}
