"""Which storage a URL names: `file:///folder`, or `s3://bucket/prefix?endpoint=…&region=…`.

Keys of S3 are never in the URL: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and their like are read where they always are.
"""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from obstore.store import S3Store

from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.object_storage.bucket import BucketStorage
from rymi_server.foundation.object_storage.folder import FolderStorage
from rymi_server.foundation.object_storage.links import Links
from rymi_server.foundation.object_storage.promises import ObjectStorage

if TYPE_CHECKING:
    from obstore.store import S3Config  # Types only: the module does not have it when it runs.

_OPTIONS = ("endpoint", "public_endpoint", "region", "virtual_hosted")


class WrongStorageUrl(Unavailable):
    code = "wrong_storage_url"

    def __init__(self, why: str) -> None:
        super().__init__(f"STORAGE_URL {why}.", retryable=False)


def open_storage(url: str, links: Links | None = None) -> ObjectStorage:
    """`links` sign what a folder serves; a process that makes no links needs none."""
    if wrong := why_no_storage(url):
        raise WrongStorageUrl(wrong)
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStorage(Path(unquote(parts.path)), links)
    return _bucket(parts.netloc, parts.path.strip("/"), dict(parse_qsl(parts.query)))


def why_no_storage(url: str) -> str | None:
    """What is wrong with this URL; None where it names a storage."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        return "must not carry credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if unknown := dict(parse_qsl(parts.query)).keys() - set(_OPTIONS):
        return f"has options that it cannot have: {', '.join(sorted(unknown))}"
    match parts.scheme:
        case "file" if not parts.netloc and parts.path.startswith("/"):
            return None
        case "s3" if parts.netloc:
            return None
        case _:
            return "is neither file:///a/folder nor s3://bucket"


def _bucket(name: str, prefix: str, options: dict[str, str]) -> BucketStorage:
    store = _store(name, prefix, options, options.get("endpoint"))
    public = options.get("public_endpoint")
    return BucketStorage(store, _store(name, prefix, options, public) if public else None)


def _store(name: str, prefix: str, options: dict[str, str], endpoint: str | None) -> S3Store:
    config: S3Config = {"virtual_hosted_style_request": options.get("virtual_hosted") == "true"}
    if endpoint:
        config["endpoint"] = endpoint
    if "region" in options:
        config["region"] = options["region"]
    plain = bool(endpoint and endpoint.startswith("http://"))
    return S3Store(
        name,
        prefix=prefix or None,
        config=config,
        client_options={"allow_http": plain, "timeout": timedelta(seconds=60), "connect_timeout": timedelta(seconds=5)},
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
    )
