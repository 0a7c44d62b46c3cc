"""What may be wrong with a call that is asked for."""

from rymi_server.foundation.errors import Refused


class NoCallerId(Refused):
    status, code = 400, "no_caller_id"

    def __init__(self) -> None:
        super().__init__(
            "Give a `from_number`, or register a number (POST /v1/numbers): without one a phone call has no caller ID."
        )


class NotOurNumber(Refused):
    """A caller ID that the connected account does not have."""

    status, code = 400, "from_number_unknown"

    def __init__(self, numbers: list[str]) -> None:
        super().__init__(
            "A `from_number` is neither a number of the connected carrier account nor registered (POST /v1/numbers).",
            numbers=numbers,
        )


class AgentRequired(Refused):
    status, code = 400, "validation_error"

    def __init__(self) -> None:
        message = "Field required"
        super().__init__("agent_id: Field required", details=[{"field": "agent_id", "message": message}])


class NobodyAnswers(Refused):
    """A number was called that no agent answers."""

    status, code = 404, "number_unanswered"

    def __init__(self) -> None:
        super().__init__("No agent answers this number.")


class NoPhoneToTransfer(Refused):
    status, code = 409, "no_phone_to_transfer"

    def __init__(self) -> None:
        super().__init__("Only a phone that is in the call can be handed over; a browser cannot. A warm transfer can.")


class WhichPhone(Refused):
    status, code = 400, "validation_error"

    def __init__(self) -> None:
        message = "Several phones are in the call. Say which one is to be handed over."
        super().__init__(f"participant_id: {message}", details=[{"field": "participant_id", "message": message}])
