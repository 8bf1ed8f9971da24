"""What may follow our actions: an answer of the person, the conversation where it was, or the end of a form."""

from typing import Final

from rasa_privacy.dialogue.names import (
    ASK,
    CONFIRM,
    CORRECT,
    ERASE,
    EXPLAIN,
    EXPORT,
    FORGET,
    GRANT,
    KEEP,
    LIMIT,
    PREVIEW,
    RECEIPT,
    RESTRICT,
    SEND_CODE,
    SHOW,
    STATUS,
    UNCLEAR,
    WITHDRAW,
)

#: After these a message can be an answer.
QUESTIONS: Final = (
    ASK,
    GRANT,
    LIMIT,
    SEND_CODE,
    CONFIRM,
    PREVIEW,
    ERASE,
    EXPLAIN,
    UNCLEAR,
    CORRECT,
    SHOW,
    EXPORT,
    WITHDRAW,
    RESTRICT,
)
#: After these the conversation goes on where it was.
RETURNING: Final = (SHOW, EXPLAIN, WITHDRAW, PREVIEW, ERASE, KEEP, RECEIPT, FORGET, CORRECT, RESTRICT, STATUS, EXPORT)
#: After these the running form may lack a purpose that it needs, which the person knows: it just ends.
CLOSING: Final = (WITHDRAW, ERASE, RESTRICT)
#: Those that may leave a question of their own, for which the conversation waits.
WAITING: Final = (PREVIEW, ERASE, CORRECT, SHOW, EXPORT, WITHDRAW, RESTRICT)
