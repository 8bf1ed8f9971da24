"""`Operation`: one thing that the API does, as data: routes, checks and the OpenAPI document are made of it.

An operation's function gets a `Call`, which knows who calls, and the decoded body and query. It runs in a thread, since
the store waits for its database. It asks `Call.permit` for what it needs, as the commands of the command line do; what
it calls below takes a permit, so that one cannot be forgotten.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from rasa_privacy.access.admission import admit
from rasa_privacy.access.login import Operator
from rasa_privacy.access.permit import Permit
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.rights.extension import OpenSender
from rasa_privacy.rights.opendsr import OpenDsr
from rasa_privacy.rights.senders import Sender as MessageSender
from rasa_privacy.storage.audit_record import MAX_REASON
from rasa_privacy.storage.vault import Vault

#: `channel` in the ledger of what is done here.
CHANNEL: Final = "api"

#: What somebody types as an identifier: no control characters, which no database would take as they are.
_LINE: Final = r"^[^\x00-\x1f\x7f]+$"
#: What a reason in a header may be.
REASON_FORM: Final = r"^[ -~]*$"
#: What an Idempotency-Key may be.
KEY_FORM: Final = r"^[A-Za-z0-9._:-]{1,64}$"
Sender: TypeAlias = Annotated[
    str,
    Meta(min_length=1, max_length=255, pattern=_LINE, description="Rasa's conversation key. It is personal data."),
]
Reason: TypeAlias = Annotated[
    str, Meta(max_length=MAX_REASON, description="Why, for the audit log: a ticket for example, and no personal data.")
]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=_LINE)]
Number: TypeAlias = Annotated[str, Meta(pattern=r"^RQ(-[0-9A-HJKMNP-TV-Z]{4}){3}$", description="Number of a request.")]


#: OpenDSR 2.0, section 1.1.
UUID_FORM: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
RequestId: TypeAlias = Annotated[str, Meta(pattern=UUID_FORM, description="A UUID of version 4, in small letters.")]


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a call brings.

    Attributes:
        reason: Why, for the audit log; needed for values in the clear.
    """

    reason: Reason = ""


class AboutPerson(Body, kw_only=True):
    """A call about one person.

    Attributes:
        sender: Rasa's conversation key.
    """

    sender: Sender


class Query(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The query of a call that reads; it holds no personal data."""


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that is sent as it is made.

    Attributes:
        media_type: Its type.
        pieces: The bytes. What fails in the middle breaks the connection off, so that the half is not taken for all.
    """

    media_type: str
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is encoded already.

    Attributes:
        body: The body.
        status: The status.
        headers: Headers beside those that every answer has.
        media_type: The type of the body.
    """

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/json"


def no_sender() -> MessageSender:
    """Refuse to send.

    Raises:
        ConfigurationError: Always.
    """
    raise ConfigurationError("no message can be sent from here: the API was made without an endpoints file")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operator.

    Attributes:
        vault: The open store.
        operator: Who calls.
        body: The decoded body, or None.
        query: The decoded query, or None.
        number: Number or id of a request in the path, or empty.
        reason: Why, as they said.
        raw: The body as it came.
        opendsr: OpenDSR as it is set up, or None.
        open_sender: Opens what sends messages to people.
        permits: The permits that it was given so far.
    """

    vault: Vault
    operator: Operator
    body: Any
    query: Any
    number: str
    reason: str
    raw: bytes = b""
    opendsr: OpenDsr | None = None
    open_sender: OpenSender = no_sender
    permits: list[Permit] = field(default_factory=list)

    def permit(
        self, verb: str, *, clear: bool = False, purposes: Iterable[str] = (), items: Iterable[str] = ()
    ) -> Permit:
        """Return the permit of who calls, as `access.admission.admit`.

        Raises:
            AccessError: They may not do that.
        """
        made = admit(self.vault, self.operator, verb, reason=self.reason, clear=clear, purposes=purposes, items=items)
        self.permits.append(made)
        return made


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the API does.

    Attributes:
        method: `GET`, `POST` or `DELETE`.
        path: Its path; `{number}` stands for the number of a request, `{id}` for one of OpenDSR.
        name: Its operationId.
        summary: One sentence for the document.
        run: What does it.
        gives: The struct of the answer, or the media types of a stream.
        takes: The struct of the body, or None.
        asks: The struct of the query, or None.
        changes: Whether it changes something, so that an Idempotency-Key is heeded.
        problems: Statuses that it may answer beside those that every operation may.
        status: The status where it is done.
    """

    method: Literal["GET", "POST", "DELETE"]
    path: str
    name: str
    summary: str
    run: Callable[[Call], Any]
    gives: type | tuple[str, ...]
    takes: type[msgspec.Struct] | None = None
    asks: type[Query] | None = None
    changes: bool = False
    problems: tuple[int, ...] = ()
    status: int = 200

    @property
    def is_opendsr(self) -> bool:
        """Whether it is one of OpenDSR, which has errors of its own."""
        return self.path.startswith("/v2/")


@dataclass(frozen=True, slots=True)
class Public:
    """A path that answers everybody, and knows nothing of people.

    Attributes:
        path: Its path.
        name: Its operationId.
        give: Returns the answer.
        media_type: The type of the answer where all is well.
        problems: Statuses that it may answer beside 200.
    """

    path: str
    name: str
    give: Callable[[Vault], Reply]
    media_type: str = "application/json"
    problems: tuple[int, ...] = ()
