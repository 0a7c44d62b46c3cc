"""Which URLs a webhook may go to, as far as the URL alone can tell. Where names lead is seen on delivery."""

from rymi_server.foundation.public_url import NotPublic, refuse_private
from rymi_server.webhooks.errors import UnsafeTarget


def refuse_unsafe(url: str, *, allow_private: bool) -> None:
    """Raise `UnsafeTarget` unless `url` is a public https one. `allow_private` is for development: any http host."""
    try:
        refuse_private(url, allow_private=allow_private)
    except NotPublic as problem:
        raise UnsafeTarget(str(problem)) from problem
