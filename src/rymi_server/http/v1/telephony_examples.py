"""Examples for the telephony page of the API's document."""

CONNECTED = {
    "status": "connected",
    "provider": "twilio",
    "account_name": "Acme Twilio",
    "message": "twilio account connected successfully",
}
VALID = {"valid": True, "accountName": "Acme Twilio"}
STATUS = {"connected": True, "provider": "twilio", "account_name": "Acme Twilio", "account_country": None}
NUMBERS = {
    "numbers": [
        {
            "id": "num_01936f0e33337e3c9d536a1f2b3c4d5e",
            "provider": "twilio",
            "phone_number": "+15551234567",
            "number_status": "active",
            "backend_agent_id": "01936f0e-1111-7e3c-9d53-6a1f2b3c4d5e",
        }
    ]
}
DISCONNECTED = {"status": "disconnected", "message": "Telephony disconnected."}
PROVIDERS = {
    "providers": [
        {
            "id": "twilio",
            "displayName": "Twilio",
            "credentialFields": [
                {"name": "auth_id", "label": "Account SID", "required": True},
                {"name": "auth_token", "label": "Auth Token", "required": True, "secret": True},
            ],
        }
    ]
}
HOURS = {"calling_hours": {"opens": "08:00", "closes": "21:00", "weekdays": [1, 2, 3, 4, 5]}}
NO_HOURS = {"calling_hours": None}
