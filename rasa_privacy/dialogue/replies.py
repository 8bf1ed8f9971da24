"""Answers to our questions: which action takes which, and what follows one that is none. Pure, as `turns` is."""

from dataclasses import replace
from typing import Final

from rasa_privacy.dialogue.names import (
    ASK,
    CONFIRM,
    CORRECT,
    ERASE,
    GRANT,
    KEEP,
    LIMIT,
    REFUSE,
    RESTRICT,
    SEND_CODE,
    TOO_YOUNG,
    UNCHANGED,
    UNCLEAR,
    WITHDRAW,
    action_of,
)
from rasa_privacy.dialogue.turn_view import Decision, Kind, Pending

#: What answers which question, and the action that takes the answer.
YES_OR_NO: Final = {"privacy_grant": GRANT, "privacy_refuse": REFUSE}
ANSWERED_BY: Final[dict[Kind, dict[str, str]]] = {
    "consent": {**YES_OR_NO, "privacy_limit": LIMIT},
    "optional": {**YES_OR_NO, "privacy_limit": LIMIT},
    "age": {"privacy_grant": GRANT, "privacy_refuse": TOO_YOUNG},
    "erase": {"privacy_confirm": ERASE, "privacy_cancel": KEEP},
    "contact": {"privacy_refuse": REFUSE, "privacy_contact": SEND_CODE},
    "code": {"privacy_refuse": REFUSE, "privacy_code": CONFIRM, "privacy_resend": SEND_CODE},
    "correct": {"privacy_refuse": CORRECT, "privacy_value": CORRECT},
    "which": {"privacy_refuse": UNCHANGED, "privacy_cancel": UNCHANGED},
}
#: What may be said of a code that waits, whatever question is open.
OF_A_CODE: Final = {"privacy_code": CONFIRM, "privacy_resend": SEND_CODE}
#: What an answer counts as that stays unclear.
_NOES: Final[dict[Kind, str]] = {
    "consent": REFUSE,
    "optional": REFUSE,
    "age": REFUSE,
    "erase": KEEP,
    "contact": REFUSE,
    "code": ASK,
}
#: Those that are asked again in their own words where an answer is none.
_AGAIN: Final[tuple[Kind, ...]] = ("contact", "code", "correct", "which")
#: Those that ask which purpose or item is meant.
_CHOOSING: Final = (WITHDRAW, RESTRICT, CORRECT)


def asked_by(pending: Pending) -> str:
    """Return the action that asks a question in its own words."""
    if pending.kind == "which":
        found = action_of(pending.action or "")
        return found if found in _CHOOSING else UNCHANGED
    return CORRECT if pending.kind == "correct" else ASK


def unclear(pending: Pending) -> Decision:
    """Return what follows an answer that is none: the question once more, and after that what is the safe answer."""
    if not pending.repeated:
        again = asked_by(pending) if pending.kind in _AGAIN else UNCLEAR
        return Decision(again, replace(pending, repeated=True))
    if pending.kind in ("correct", "which"):
        return Decision(CORRECT if pending.kind == "correct" else UNCHANGED, pending.held)
    return Decision(_NOES[pending.kind])
