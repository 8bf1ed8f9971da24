"""`Purpose`: one reason to use data as privacy.yml declares it."""

import re
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from rasa_privacy.policy.block import Block

#: GDPR Art. 6(1) a to f, in that order.
Basis = Literal["consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"]

#: When a purpose is asked about: when the person first wants something that it guards, or at the first message.
Moment = Literal["just_in_time", "first_message"]

#: The word in `retain:` for data that stays until the person takes consent back.
UNTIL_WITHDRAWN = "until withdrawn"

_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")


class QuietHours(Block, frozen=True, kw_only=True):
    """When a purpose writes to nobody. `from_` stands in privacy.yml as `from`.

    Attributes:
        from_: Beginning, `HH:MM`.
        to: End, `HH:MM`; before the beginning for hours over midnight.
        time_zone: IANA name, for example `Europe/Berlin`.
    """

    from_: str = msgspec.field(name="from")
    to: str
    time_zone: str

    def __post_init__(self) -> None:
        """Refuse what is no time of the day, and a time zone that is not known."""
        for clock in (self.from_, self.to):
            if _CLOCK.match(clock) is None:
                raise ValueError(f"{clock!r} is no time of the day; write it between quotes, for example '20:00'")
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{self.time_zone!r} is no time zone; write one such as Europe/Berlin") from None


class Purpose(Block, frozen=True, kw_only=True):
    """One reason to use data.

    Attributes:
        says: The purpose in a half-sentence that continues "We need this ...", by language.
        called: A short name for people, by language, such as `the prize draw`.
        basis: The legal basis (GDPR Art. 6(1)).
        because: Why a basis other than consent applies; required then, and shown to people.
        items: Item name to `required` or `optional`.
        guards: Actions and forms that may only run while this purpose is active.
        retain: Duration after the last use, or another rule of `policy.retain`.
        recipients: Who else gets the data.
        consent_lasts: Duration after which a consent ends by itself; None for no end.
        marketing: Whether messages to the person are marketing (opt-out words end it).
        double_opt_in: Whether a yes counts only after a one-time code came back from the contact on file.
        quiet_hours: When nothing is sent for this purpose; None for no such time.
        ask: When the person is asked; None for what the bot does.
        ask_again_after: Duration after a no, from which the bot may ask by itself again; None for never. Whoever wants
            what the purpose guards is asked at once.
        also_ask: Purposes that are asked about after a yes to this one, each on its own. A no to them changes nothing.
        requires: Purposes without which what this one guards stays closed, with the reason by language (bundling).
    """

    says: dict[str, str]
    called: dict[str, str] = {}
    basis: Basis
    because: dict[str, str] = {}
    items: dict[str, Literal["required", "optional"]] = {}
    guards: tuple[str, ...] = ()
    retain: str
    recipients: tuple[str, ...] = ()
    consent_lasts: str | None = None
    marketing: bool = False
    double_opt_in: bool = False
    quiet_hours: QuietHours | None = None
    ask: Moment | None = None
    ask_again_after: str | None = None
    also_ask: tuple[str, ...] = ()
    requires: dict[str, dict[str, str]] = {}

    @property
    def choices(self) -> tuple[str, ...]:
        """The optional items, which are asked about apart from the purpose (ISO/IEC 29184, 5.4.6)."""
        if self.basis != "consent":
            return ()
        return tuple(name for name, need in self.items.items() if need == "optional")
