"""What operators do: the words under `may` of a role in privacy.yml, and the words of the audit log."""

from types import MappingProxyType
from typing import Final

#: What a role may be allowed, and what it means.
VERBS: Final = MappingProxyType(
    {
        "view": "read what is stored of one person",
        "export": "hand out a copy of what is stored of one person",
        "rectify": "change what is stored of one person",
        "restrict": "stop the use of one person's data, or let it go on",
        "erase": "delete a person",
        "consent": "record or end consents, and export the ledger",
        "requests": "see and handle the requests of people",
        "audience": "export who may be written to",
        "suppress": "see, add and lift suppressions",
        "import": "take conversations over from another store",
        "keys": "change the keys, replay deletions, and index contacts",
        "retention": "run the sweep, and acknowledge reviews",
        "report": "see counts and reports",
        "audit": "read and export the audit log, and review alarms",
        "operators": "add and revoke operators",
    }
)

#: Those that reach the data of people, for which training may be asked.
REACHES_PEOPLE: Final = frozenset(
    ("view", "export", "rectify", "restrict", "erase", "consent", "requests", "audience", "suppress", "import")
)

#: Words that only the audit log has: what happens to operators themselves.
LOGIN: Final = "login"
TRAINING: Final = "training"
BREAK_GLASS: Final = "break_glass"
REVIEW: Final = "review"

#: And what came from outside by itself: a message that nobody typed, or an action that was named past the dialogue.
TRIGGER: Final = "trigger"

#: And that a book was verified, with how far.
VERIFY: Final = "verify"

#: Who acts where it is the person that the data is about, in the chat. Operators' labels have no `+`.
PERSON: Final = "subject+chat"

#: Every word of the audit log.
AUDITED: Final = frozenset((*VERBS, LOGIN, TRAINING, BREAK_GLASS, REVIEW, TRIGGER, VERIFY))
