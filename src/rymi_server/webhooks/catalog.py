"""The names of everything that a customer can ask to be told."""

EMITTED = (
    "call.started",
    "call.completed",
    "call.failed",
    "call.intelligence.ready",
    "call.recording.ready",
    "participant.joined",
    "participant.left",
    "batch.completed",
    "agent.number_assigned",
    "agent.published",
    "agent.failed",
    "billing.low_balance",
    "billing.balance_depleted",
    "system.api_key_created",
    "system.api_key_revoked",
)
# Accepted, so that a customer's set-up need not change once they are sent.
RESERVED = (
    "auth.welcome",
    "billing.topup_confirmed",
    "billing.payment_failed",
    "custom.alert",
)
EVERY = (*EMITTED, *RESERVED)
