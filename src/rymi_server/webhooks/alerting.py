"""Tells an endpoint's `alert_email` that a delivery was given up, over the mail server that the operator has named.

A mail that is sent twice (its worker was killed) is the same one to its reader, by its Message-ID.
"""

import asyncio
import smtplib
import ssl
from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from typing import Any, Final

import structlog

from rymi_server.foundation.database import Database
from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.ids import TenantId
from rymi_server.queue.enqueue import NewJob
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.webhooks import deliveries, store
from rymi_server.webhooks.errors import UnknownDelivery, UnknownWebhook
from rymi_server.webhooks.mail_server import MailServer
from rymi_server.webhooks.models import Delivery, Endpoint

log = structlog.get_logger(__name__)

ALERT = JobKind("webhooks", "alert", attempts=8, backoff=Backoff(first_ms=60_000))
_SECONDS: Final = 15
_REFUSED_FOR_GOOD: Final = 500


class MailFailed(Unavailable):
    """The mail server cannot be reached, or does not take the mail."""

    code = "mail_failed"

    def __init__(self, why: str, *, retryable: bool = True) -> None:
        super().__init__(f"A mail was not sent: {why}", retryable=retryable)


def alert_job(delivery_id: str, tenant_id: str, now: datetime) -> NewJob:
    return NewJob({"delivery_id": delivery_id, "tenant_id": tenant_id, "at": int(now.timestamp())})


class Alerter:
    """The job."""

    def __init__(self, database: Database, server: MailServer | None) -> None:
        self._database = database
        self._server = server

    async def __call__(self, job: Mapping[str, Any]) -> None:
        tenant_id = TenantId(job["tenant_id"])
        try:
            async with self._database.transaction() as tx:
                delivery = await deliveries.get(tx, tenant_id, job["delivery_id"])
                endpoint = await store.get(tx, tenant_id, delivery.endpoint_id)
        except (UnknownDelivery, UnknownWebhook):
            return  # It was deleted meanwhile, with its endpoint.
        if endpoint.alert_email is None or self._server is None:
            return
        mail = mail_of(endpoint, delivery, endpoint.alert_email, self._server.sender)
        mail["Message-ID"] = f"<{delivery.id}.{job['at']}@rymi>"
        await asyncio.to_thread(_sent, self._server, mail)
        log.info("webhook_alert_sent", endpoint_id=endpoint.id, delivery_id=delivery.id)


def mail_of(endpoint: Endpoint, delivery: Delivery, to: str, sender: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = f"Rymi: a {delivery.event} webhook could not be delivered"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(
        f"The webhook {delivery.event} ({delivery.event_id}) could not be delivered to {endpoint.url}.\n"
        f"It was tried {delivery.attempts} times and is not tried any more.\n\n"
        f"How each attempt went:  GET /v1/webhooks/deliveries/{delivery.id}\n"
        f"To have it sent again:  POST /v1/webhooks/deliveries/{delivery.id}/redeliver\n\n"
        "While deliveries to this endpoint fail you are told at most once an hour.\n"
    )
    return mail


def _sent(server: MailServer, mail: EmailMessage) -> None:
    trust = ssl.create_default_context()
    try:
        if server.secure:
            with smtplib.SMTP_SSL(server.host, server.port, timeout=_SECONDS, context=trust) as smtp:
                _handed_over(smtp, server, mail)
            return
        with smtplib.SMTP(server.host, server.port, timeout=_SECONDS) as smtp:
            smtp.ehlo()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=trust)
            elif server.user:
                raise MailFailed("the mail server offers no TLS, and the password is not sent without", retryable=False)
            _handed_over(smtp, server, mail)
    except smtplib.SMTPResponseException as error:
        raise MailFailed(_told(error.smtp_error), retryable=error.smtp_code < _REFUSED_FOR_GOOD) from error
    except smtplib.SMTPRecipientsRefused as error:
        code, why = next(iter(error.recipients.values()))
        raise MailFailed(_told(why), retryable=code < _REFUSED_FOR_GOOD) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailFailed(str(error) or type(error).__name__) from error


def _handed_over(smtp: smtplib.SMTP, server: MailServer, mail: EmailMessage) -> None:
    if server.user:
        smtp.login(server.user, server.password)
    smtp.send_message(mail)


def _told(why: bytes | str) -> str:
    return (why.decode(errors="replace") if isinstance(why, bytes) else why)[:300]
