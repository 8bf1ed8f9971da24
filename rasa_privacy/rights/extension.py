"""Putting off the answer to a request (GDPR Art. 12(3); 11 CCR 7021(b)).

Rules:

1. A request is extended once, before its date, where its regulation allows it, for a reason of REASONS_TO_EXTEND, and
   after the person was told: by a notice that this package sends, or by staff.
2. First it is looked whether the request may be extended, then the notice is handed over, then the extension is
   recorded. A notice that could not be sent leaves the request as it was. One that is killed in between has told the
   person and extended nothing: who runs it again tells them again.
3. The notice names the request, why it takes longer, and the new date; and whom to ask. It goes where `writing_to`
   says, in the person's language.
4. The history says NOTICE_SENT; where staff told the person by themselves, a letter for example, TOLD_BY_STAFF.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record
from rasa_privacy.dialogue.phrases import phrases_of
from rasa_privacy.errors import RequestError
from rasa_privacy.rights.clocks import extended
from rasa_privacy.rights.requests import change, find_open, kind_of, locked, named
from rasa_privacy.rights.senders import Sender, hand_over
from rasa_privacy.rights.writing_to import contact_on_file, language_of
from rasa_privacy.storage import requests
from rasa_privacy.storage.requests import Request, Step
from rasa_privacy.storage.vault import Vault

#: GDPR Art. 12(3), 11 CCR 7021(b).
REASONS_TO_EXTEND: Final = ("complexity", "number_of_requests")
#: `step` of a request whose person was told of the extension: by our notice, or by staff in another way.
NOTICE_SENT: Final = "notice_sent"
TOLD_BY_STAFF: Final = "told_by_staff"

#: Opens what sends messages.
OpenSender = Callable[[], Sender]


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to a person about their request.

    Attributes:
        to: A contact on file.
        subject: One line.
        text: The message.
        until: The new date that it names, aware and in UTC.
    """

    to: str = field(repr=False)
    subject: str
    text: str
    until: datetime


def extended_until(vault: Vault, request: Request, reason: str, at: datetime) -> datetime:
    """Return the date to which an open request may be put off now.

    Raises:
        RequestError: As `extend`.
    """
    number = request.number
    if reason not in REASONS_TO_EXTEND:
        raise RequestError(f"a request is extended for one of these reasons: {', '.join(REASONS_TO_EXTEND)}")
    later = extended(kind_of(request), request.regulation, request.opened_at, request.answer_by, vault.regulations)
    if later is None:
        names = ", ".join(dict.fromkeys((request.regulation, *vault.policy.regulations)))
        raise RequestError(f"{number}: a request of this kind cannot be extended under {names}")
    if request.extended_at is not None:
        raise RequestError(f"{number}: it was extended on {request.extended_at:%Y-%m-%d}, and that is possible once")
    if request.state == "identity":
        raise RequestError(f"{number}: it waits for the person's proof; note that first")
    if at > request.answer_by:
        raise RequestError(f"{number}: its date is over, so it cannot be extended; answer it without delay")
    return later


def extend(  # noqa: PLR0913, PLR0917 - store, transaction, and what is extended why and by whom
    vault: Vault,
    connection: Any,
    number: str,
    reason: str,
    actor: str,
    at: datetime,
    *,
    told: str = TOLD_BY_STAFF,
) -> Request:
    """Put the date off, after the person was told that and why.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`.
        number: The request's.
        reason: One of REASONS_TO_EXTEND.
        actor: Name of the member of staff.
        at: The moment, aware and in UTC.
        told: How the person was told: TOLD_BY_STAFF or NOTICE_SENT.

    Raises:
        RequestError: There is no such request, it is closed, was extended, its date is over or a regulation does not
            allow it; or the reason is none of REASONS_TO_EXTEND.
    """
    request = locked(connection, number)
    later = extended_until(vault, request, reason, at)
    requests.add_step(connection, number, Step(at, told, named(actor), None))
    step = Step(at, "extended", named(actor), reason)
    return change(connection, request, step, state="extended", answer_by=later, extended_at=at)


def extend_with_notice(vault: Vault, number: str, reason: str, permit: Permit, open_sender: OpenSender) -> Request:
    """Tell the person that and why it takes longer, and put the date off.

    Args:
        vault: The open store.
        number: The request's.
        reason: One of REASONS_TO_EXTEND.
        permit: For `requests`.
        open_sender: Opens what sends the notice; called once it is clear that there is one to send.

    Raises:
        RequestError: The request may not be extended, or no contact on file may be written to.
        ConfigurationError: There is no sender, or its settings are wrong.
        SenderError: The notice could not be handed over.
        AccessError: The permit is for something else.
    """
    permit.require("requests")
    now = vault.clock()
    with vault.database.read() as connection:
        notice = notice_of(vault, connection, number, reason, now)
    hand_over(open_sender(), notice.to, notice.subject, notice.text)

    def work(connection: Any) -> Request:
        changed = extend(vault, connection, number, reason, permit.operator, now, told=NOTICE_SENT)
        if changed.answer_by != notice.until:
            raise RequestError(
                f"{number}: its date changed while the notice went out; nothing was put off, so run it again"
            )
        record(vault, connection, permit, subject_id=changed.subject_id, counts={"requests": 1, "notices": 1})
        return changed

    return vault.database.transact(work)


def notice_of(vault: Vault, connection: Any, number: str, reason: str, now: datetime) -> Notice:
    """Return the notice of an extension.

    Raises:
        RequestError: As `extend_with_notice`.
    """
    request = find_open(connection, number)
    until = extended_until(vault, request, reason, now)
    to = contact_on_file(vault, connection, request.subject_id)
    phrases = phrases_of(language_of(vault, connection, request.subject_id or b""))
    controller = vault.policy.controller
    about = {
        "number": number,
        "kind": phrases.say(f"request_{request.kind}"),
        "because": phrases.say(f"because_{reason}"),
        "received": phrases.day(request.opened_at),
        "before": phrases.day(request.answer_by),
        "date": phrases.day(until),
        "controller": controller.name,
        "contact": controller.officer or controller.contact,
    }
    return Notice(to, phrases.say("extension_subject", **about), phrases.say("extension_text", **about), until)
