"""The accounts of the carriers in the box. They exist nowhere else, so whoever connects one means the box."""

BOX_ACCOUNT = "ACb0000000000000000000000000000001"
BOX_TOKEN = "carrierbox-twilio-token"
BOX_ACCOUNTS = frozenset({BOX_ACCOUNT, "MACARRIERBOX00000001", "cb000001"})
