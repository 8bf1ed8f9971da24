"""What this package adds to a bot, by name: actions, responses that Rasa says by itself, slots and intents.

What each is for stands in the packs (intents, responses), in `actions` (actions) and in `turns` (when which one runs).
"""

from typing import Final

LISTEN: Final = "action_listen"
#: What Rasa does where no policy knows what to do.
FALLBACK: Final = "action_default_fallback"

ASK: Final = "action_privacy_ask_consent"
GRANT: Final = "action_privacy_record_grant"
REFUSE: Final = "action_privacy_record_refusal"
LIMIT: Final = "action_privacy_record_limits"
TOO_YOUNG: Final = "action_privacy_too_young"
SEND_CODE: Final = "action_privacy_send_code"
CONFIRM: Final = "action_privacy_confirm_code"
WITHDRAW: Final = "action_privacy_withdraw"
STOP: Final = "action_privacy_stop"
PREVIEW: Final = "action_privacy_preview_erasure"
ERASE: Final = "action_privacy_erase"
KEEP: Final = "action_privacy_keep"
SHOW: Final = "action_privacy_show_data"
EXPLAIN: Final = "action_privacy_explain"
RECEIPT: Final = "action_privacy_receipt"
FORGET: Final = "action_privacy_forget_last"
CORRECT: Final = "action_privacy_correct"
RESTRICT: Final = "action_privacy_restrict"
STATUS: Final = "action_privacy_request_status"
EXPORT: Final = "action_privacy_hand_over"

#: Those that record an answer to a question about consent.
ANSWERS: Final = (GRANT, REFUSE, LIMIT, SEND_CODE, CONFIRM)

#: Every action of the action server that this package adds.
ACTIONS: Final = (
    ASK,
    GRANT,
    REFUSE,
    LIMIT,
    TOO_YOUNG,
    SEND_CODE,
    CONFIRM,
    WITHDRAW,
    STOP,
    PREVIEW,
    ERASE,
    KEEP,
    SHOW,
    EXPLAIN,
    RECEIPT,
    FORGET,
    CORRECT,
    RESTRICT,
    STATUS,
    EXPORT,
)

#: Responses that Rasa says by itself, also when the action server is down.
UNCLEAR: Final = "utter_privacy_unclear"
UNAVAILABLE: Final = "utter_privacy_unavailable"
NOT_ERASED: Final = "utter_privacy_failed_erase"
CLOSED: Final = "utter_privacy_closed"
LATE: Final = "utter_privacy_late"
UNCHANGED: Final = "utter_privacy_unchanged"
LOCAL: Final = (UNCLEAR, UNAVAILABLE, NOT_ERASED, CLOSED, LATE, UNCHANGED)

#: The slots that carry the dialogue's own state. None of them opens anything: the ledger decides.
PENDING_SLOT: Final = "privacy_pending"
RESULT_SLOT: Final = "privacy_result"
#: The language of the conversation (`language`); the bot's first where it is empty.
LANGUAGE_SLOT: Final = "privacy_language"
#: Whether the person said in this session to be younger than the minimum age.
YOUNG_SLOT: Final = "privacy_too_young"

#: Asks for more before an answer; what then can be asked is shown, and our question stands.
MORE: Final = "privacy_more"
#: A message that may be one of a few requests, which are offered.
UNSURE: Final = "privacy_unsure"

#: Intents that start a turn of their own, and the action that answers.
REQUESTS: Final = {
    "privacy_stop": STOP,
    "privacy_withdraw": WITHDRAW,
    "privacy_delete": PREVIEW,
    "privacy_access": SHOW,
    "privacy_why": EXPLAIN,
    "privacy_how_long": EXPLAIN,
    "privacy_who_sees": EXPLAIN,
    "privacy_officer": EXPLAIN,
    "privacy_what": EXPLAIN,
    "privacy_where": EXPLAIN,
    "privacy_who_are_you": EXPLAIN,
    "privacy_complain": EXPLAIN,
    "privacy_machine": EXPLAIN,
    "privacy_help": EXPLAIN,
    "privacy_export": EXPORT,
    "privacy_correct": CORRECT,
    "privacy_forget_last": FORGET,
    "privacy_restrict": RESTRICT,
    "privacy_object": RESTRICT,
    "privacy_lift": RESTRICT,
    "privacy_do_not_sell": EXPLAIN,
    "privacy_limit_sensitive": EXPLAIN,
    "privacy_human": EXPLAIN,
    "privacy_status": STATUS,
    MORE: EXPLAIN,
    UNSURE: EXPLAIN,
    "privacy_receipt": RECEIPT,
}
#: Those to which, where an intent of the bot's own means them, the bot's own answer follows ours.
ANSWERED_BY_THE_BOT: Final = ("privacy_human",)
#: Intents that only answer a question of ours.
REPLIES: Final = (
    "privacy_grant",
    "privacy_refuse",
    "privacy_confirm",
    "privacy_cancel",
    "privacy_unclear",
    "privacy_limit",
    "privacy_contact",
    "privacy_code",
    "privacy_resend",
    "privacy_value",
)
#: What is obeyed while a human has taken the conversation over.
HEARD_WHILE_PAUSED: Final = (*REQUESTS, "privacy_refuse", "privacy_confirm", "privacy_cancel", "privacy_value")
#: Every intent that this package adds.
INTENTS: Final = (*REQUESTS, *REPLIES)


def action_of(intent: str) -> str | None:
    """Return the action that answers a request, or None for an intent that is none."""
    return REQUESTS.get(intent)
