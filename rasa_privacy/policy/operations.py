"""What privacy.yml says of running a bot: operators, removal, other systems, proofs and copies.

No model depends on any of it, so none has to be trained again where it changes (`hashing`).
"""

import re
from typing import Literal

from rasa_privacy.policy.block import Block

_SYSTEM = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
_TOLD = re.compile(r"^(https://[^\s/@]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)(/\S*)?$")


class Role(Block, frozen=True, kw_only=True):
    """What operators with this role may see and do.

    Attributes:
        items: The items whose values they see or change; no other value is shown to them.
        purposes: The purposes whose data they see or change. Of another one they get no data key.
        may: What they may do, words of `policy.verbs`.
        values: Whether they see values `masked`, or in the `clear`, for which they must give a reason.
        break_glass: Whether they may go beyond all of this in an emergency, with a reason, an alarm and a review.
    """

    items: tuple[str, ...] | Literal["all"] = ()
    purposes: tuple[str, ...] | Literal["all"] = "all"
    may: tuple[str, ...] | Literal["all"] = ()
    values: Literal["masked", "clear"] = "masked"
    break_glass: bool = False


class Training(Block, frozen=True, kw_only=True):
    """What operators must have learned before they get personal data.

    Attributes:
        course: The course; `data-handling` is made of this file.
        valid_for: Duration after which it must be taken again.
        pass_mark: Percent of the questions that must be answered right.
    """

    course: Literal["data-handling"]
    valid_for: str = "12 months"
    pass_mark: int = 80

    def __post_init__(self) -> None:
        """Refuse a pass mark that is none."""
        if not 50 <= self.pass_mark <= 100:  # noqa: PLR2004 - the bound is explained by the message
            raise ValueError("pass_mark must be 50 to 100 percent")


class Audit(Block, frozen=True, kw_only=True):
    """How the audit log is kept.

    Attributes:
        operators: Whether it calls operators by their `name`, or by a `pseudonym` that only the store's keys lead back.
    """

    operators: Literal["name", "pseudonym"] = "name"


class Waiver(Block, frozen=True, kw_only=True):
    """A finding of `rasa-privacy check` that somebody has looked at and lets be.

    Attributes:
        code: Its code, for example `RP024`.
        reason: Why it may be so, for whoever reads the report.
        place: A part of the finding's place; every finding of the code where nothing is said.
    """

    code: str
    reason: str
    place: str | None = None


class OptOut(Block, frozen=True, kw_only=True):
    """Where opt-out words mean something else.

    Attributes:
        chat_windows: Channels, by Rasa's names, on which "end", "quit" or "cancel" alone closes a chat and is no
            opt-out. 47 CFR 64.1200(a)(10) has those words for texts and calls; a channel that carries these is none.
    """

    chat_windows: tuple[str, ...] = ("socketio",)


class Retention(Block, frozen=True, kw_only=True):
    """When what is due is removed.

    Attributes:
        every: How often servers do it, one of them each time; `never` where a timer runs `rasa-privacy retention run`.
        review_every: How often an operator looks again at what is stored (`rasa-privacy review`); None for never.
    """

    every: str = "1 hour"
    review_every: str | None = None


#: What another system may be told of.
Tidings = Literal["erasure", "correction", "withdrawal", "retention"]


class OtherSystem(Block, frozen=True, kw_only=True):
    """A system of the builder's own that is told of each erasure, or of what else it asks for.

    Attributes:
        name: What it is called in requests and certificates.
        url: Where it takes a signed POST; `https`, or `http` on this machine.
        secret: Name of the environment variable with the secret that signs; needed with `url`.
        python: Dotted name of a function, instead of `url`.
        tell: What it is told of. A system that takes everything for an erasure must ask for nothing else.
    """

    name: str
    url: str | None = None
    secret: str | None = None
    python: str | None = None
    tell: tuple[Tidings, ...] = ("erasure",)

    def __post_init__(self) -> None:
        """Refuse what nobody could be told by."""
        if not self.tell:
            raise ValueError("tell must name at least one of erasure, correction, withdrawal and retention")
        if _SYSTEM.match(self.name) is None:
            raise ValueError("name must be 1 to 64 letters, digits, '.', '_' or '-'")
        if (self.url is None) == (self.python is None):
            raise ValueError("a system has either 'url' or 'python'")
        if (self.url is None) != (self.secret is None):
            raise ValueError("'url' needs 'secret', the name of an environment variable, and 'python' has none")
        if self.url is not None and _TOLD.match(self.url) is None:
            raise ValueError("url must begin with https://, or with http:// on this machine")


class StockTable(Block, frozen=True, kw_only=True):
    """An old table `events` of Rasa's own SQL tracker store or SQL event broker, of which erased people are removed.

    Attributes:
        name: What it is called in requests and certificates.
        url: A SQLite file, such as `sqlite:///rasa.db`.
        url_from: Name of the environment variable that holds the URL of another database, since it may hold a password.
    """

    name: str
    url: str | None = None
    url_from: str | None = None

    def __post_init__(self) -> None:
        """Refuse what leads nowhere, and a password in this file."""
        if _SYSTEM.match(self.name) is None:
            raise ValueError("name must be 1 to 64 letters, digits, '.', '_' or '-'")
        if (self.url is None) == (self.url_from is None):
            raise ValueError("an old table has either 'url' or 'url_from'")
        if self.url is not None and not self.url.startswith("sqlite:///"):
            raise ValueError("url must begin with sqlite:///; name the variable with another URL in 'url_from'")


class Erasure(Block, frozen=True, kw_only=True):
    """What else is told of an erasure.

    Attributes:
        webhooks: Systems that must answer before a request to be deleted is done.
        stock_tables: Old tables of Rasa's own from which the person is removed before it is done.
    """

    webhooks: tuple[OtherSystem, ...] = ()
    stock_tables: tuple[StockTable, ...] = ()

    @property
    def systems(self) -> tuple[OtherSystem | StockTable, ...]:
        """Every system that may be told of something."""
        return (*self.webhooks, *self.stock_tables)

    @property
    def erasing(self) -> tuple[OtherSystem | StockTable, ...]:
        """Everything that must answer before a request to be deleted is done."""
        return (*self.telling("erasure"), *self.stock_tables)

    def telling(self, of: Tidings) -> tuple[OtherSystem, ...]:
        """Return the systems that are told of this."""
        return tuple(system for system in self.webhooks if of in system.tell)


class Identity(Block, frozen=True, kw_only=True):
    """Who must prove who they are before the chat shows values, hands out a copy, or looks at other conversations.

    Attributes:
        trusted_channels: Channels whose sender id proves who somebody is, such as `telegram`.
        proof_lasts: For how long a proof counts in its conversation.
    """

    trusted_channels: tuple[str, ...] = ()
    proof_lasts: str = "30 minutes"


class HandOver(Block, frozen=True, kw_only=True):
    """How people collect the copy of their data by themselves.

    Attributes:
        url: Where `rasa-privacy api` is reached by everybody, `https`, or `http` on this machine.
        valid_for: Until when a link can be used, once.
    """

    url: str
    valid_for: str = "24 hours"

    def __post_init__(self) -> None:
        """Refuse an address that others could listen at."""
        if _TOLD.match(self.url) is None or "?" in self.url or "#" in self.url:
            raise ValueError("url must begin with https://, or with http:// on this machine, without '?' and '#'")
