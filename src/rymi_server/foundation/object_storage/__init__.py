"""Where files are kept: a folder of this machine, or a bucket of S3 and what speaks like it.

Knows keys, bytes and links that expire; nothing of what the files are.
"""

from rymi_server.foundation.object_storage.keys import BadKey
from rymi_server.foundation.object_storage.links import Links
from rymi_server.foundation.object_storage.opening import WrongStorageUrl, open_storage, why_no_storage
from rymi_server.foundation.object_storage.promises import NoSuchObject, ObjectStorage, StorageUnavailable

__all__ = [
    "BadKey",
    "Links",
    "NoSuchObject",
    "ObjectStorage",
    "StorageUnavailable",
    "WrongStorageUrl",
    "open_storage",
    "why_no_storage",
]
