"""Why a key does not open the door."""

from rymi_server.foundation.errors import NotFound, Refused


class InvalidApiKey(Refused):
    status, code = 401, "unauthorized"

    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class PublishableKeyRefused(Refused):
    """A publishable key asked for more than it may."""

    status, code = 403, "publishable_key_scope"


class UnknownKey(NotFound):
    def __init__(self) -> None:
        super().__init__("API key not found")


class LastKey(Refused):
    status, code = 409, "last_key"

    def __init__(self) -> None:
        super().__init__("This is the account's only API key. Create another one before you revoke it.")


class KeyAlreadyReplaced(Refused):
    status, code = 409, "key_already_replaced"

    def __init__(self) -> None:
        super().__init__("This API key has been replaced already and works only for a while yet.")
