"""A file as Google gives it to an account, of an account that does not exist."""

import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def account_file(folder: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "account.json"
    file.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "p",
                "private_key_id": "k",
                "private_key": key.private_bytes(encoding, form, serialization.NoEncryption()).decode(),
                "client_email": "a@p.test",
                "token_uri": "https://127.0.0.1/token",
            }
        )
    )
    return file
