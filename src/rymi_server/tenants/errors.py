"""What a tenant may be refused, whatever they ask."""

from rymi_server.foundation.errors import Refused


class TenantPaused(Refused):
    status, code = 403, "tenant_paused"

    def __init__(self, reason: str | None) -> None:
        because = f": {reason}" if reason else "."
        super().__init__(f"This account is paused by its operator, so no call can be started{because}")


class UnknownTenant(Refused):
    status, code = 404, "not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no tenant {name!r}.")
