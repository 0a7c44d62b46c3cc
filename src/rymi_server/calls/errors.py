"""What can be wrong with asking for a call."""

from rymi_server.foundation.errors import NotFound, Refused


class UnknownCall(NotFound):
    def __init__(self) -> None:
        super().__init__("Call not found")


class CallIsOver(Refused):
    status, code = 409, "call_already_ended"

    def __init__(self) -> None:
        super().__init__("The call is already completed or failed.")


class RunIsLost(Refused):
    status, code = 410, "run_is_lost"

    def __init__(self) -> None:
        super().__init__("Another agent was sent for instead of this one.")


class CallNotCompleted(Refused):
    status, code = 400, "call_not_completed"

    def __init__(self) -> None:
        super().__init__("The call is not in completed status.")


class IdentityTaken(Refused):
    status, code = 400, "validation_error"

    def __init__(self, identity_field: str) -> None:
        message = "Each browser participant of a call needs an identity of its own."
        super().__init__(message, details=[{"field": identity_field, "message": message}])


class NotReady(Refused):
    """The thing belongs to this call and will exist later, or would have if the call had made it."""

    status, code = 404, "not_ready"
