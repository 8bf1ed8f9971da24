"""Putting off the answer to a request, with a notice that this package sends (GDPR Art. 12(3); 11 CCR 7021(b)).

Rules:

1. First it is looked whether the request may be extended, then the notice is handed over, then the extension is
   recorded. A notice that could not be sent leaves the request as it was. One that is killed in between has told the
   person and extended nothing: who runs it again tells them again.
2. The notice names the request, why it takes longer, and the new date; and whom to ask. It goes where `writing_to`
   says, in the person's language.
3. The history says NOTICE_SENT; where staff told the person by themselves, a letter for example, TOLD_BY_STAFF.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record
from rasa_privacy.dialogue.phrases import phrases_of
from rasa_privacy.errors import RequestError
from rasa_privacy.rights.requests import NOTICE_SENT, extend, extended_until, find_open
from rasa_privacy.rights.senders import Sender, hand_over
from rasa_privacy.rights.writing_to import contact_on_file, language_of
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import Vault

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


def extend_with_notice(vault: Vault, number: str, reason: str, permit: Permit, open_sender: OpenSender) -> Request:
    """Tell the person that and why it takes longer, and put the date off.

    Args:
        vault: The open store.
        number: The request's.
        reason: One of `requests.REASONS_TO_EXTEND`.
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
