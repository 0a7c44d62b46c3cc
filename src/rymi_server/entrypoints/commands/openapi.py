"""`rymi openapi`: the API's document, the same text every time."""

import json

from rymi_server.http.app import api


def run() -> None:
    print(json.dumps(api().openapi(), indent=2, sort_keys=True, ensure_ascii=False))
