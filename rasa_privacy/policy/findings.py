"""`Finding`: what `rasa-privacy check` says of a bot. Codes are never used again for something else."""

from dataclasses import dataclass
from typing import Final, Literal

#: Every code, and what it looks for. RP014, RP015, RP023 and RP050 were used by earlier releases.
CODES: Final = {
    "RP001": "a slot is neither an item nor named under not_personal",
    "RP002": "a purpose guards an action or form that the domain does not have",
    "RP003": "an item names a slot that the domain does not have",
    "RP004": "an item names an entity that the domain does not have",
    "RP005": "a form asks for an item that none of its purposes lists",
    "RP006": "a form asks for personal data and no purpose guards it",
    "RP007": "DataMinimizer is not in the pipeline",
    "RP008": "DataMinimizer is not the last component of the pipeline",
    "RP009": "ConsentPolicy is not among the policies",
    "RP010": "PrivacyImporter, or an importer for the bot's own files, is missing",
    "RP011": "the tracker store is not the encrypted one, or its settings are wrong",
    "RP012": "the bot's actions do not import ours",
    "RP013": "the key folder can be read by others",
    "RP016": "the controller still has the texts that init wrote",
    "RP017": "no purpose uses an item",
    "RP018": "a purpose needs consent and guards nothing, so nothing asks for it",
    "RP019": "no action server is configured",
    "RP020": "the pipeline or the policies are left to Rasa's automatic configuration",
    "RP021": "a personal slot is filled from an entity that belongs to no item",
    "RP022": "import looks for consent in a slot that the domain does not have",
    "RP024": "a purpose requires another one, so that a no closes both",
    "RP025": "replies names an intent that the domain does not have",
    "RP026": "minimum_age reads a slot that the domain does not have",
    "RP027": "the event broker is not ours, or its settings are wrong",
    "RP028": "something outside the package gets whole conversations or messages",
    "RP029": "an action reads a slot that it is not sent",
    "RP030": "an item is kept until a form is done that the domain does not have",
    "RP035": "codes are to be sent (double_opt_in, identity), and privacy_sender does not say how",
    "RP038": "a role may see or change values and names no item",
    "RP039": "no role may look after operators",
    "RP040": "a role may break the glass, and nobody would be told",
    "RP051": "a regulation's profile is out of date, or past the day on which it was to be looked at again",
    "RP052": "the notice misses a part that a regulation wants",
    "RP053": "minimum_age is missing or too low for a regulation",
    "RP054": "a response shows an item of a special category",
    "RP055": "a story, rule or action goes around the gate",
    "RP056": "a store of Rasa's own lies beside ours",
    "RP057": "the API is started without a token",
    "RP058": "the connection to a database on another computer is not insisted to be TLS",
    "RP059": "debug logs are switched on",
    "RP060": "an action writes personal data to the screen or to a log",
    "RP061": "a waiver waives nothing",
    "RP062": "retain counts from a form or an action that the domain does not have",
    "RP063": "what a detector of privacy.yml needs is not installed",
    "RP064": "a review of what is stored is overdue",
    "RP065": "a channel does not read a browser's opt-out that a regulation wants honoured",
    "RP066": "requests names an intent that the domain does not have",
    "RP067": "an intent of the bot's own seems to mean a request, and requests does not say so",
    "RP068": "the bot has a yes or a no of its own, and replies names none",
}
#: Those that the bot's files do not show. Only who looks into the store finds them, so elsewhere a waiver may wait.
OF_THE_STORE: Final = frozenset(("RP064",))

#: What `rasa-privacy init` writes for the builder to replace.
PLACEHOLDER_NAME: Final = "Your Organisation"
PLACEHOLDER_CONTACT: Final = "privacy@your-organisation.example"
PLACEHOLDER_URL: Final = "https://your-organisation.example/privacy"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend.

    Attributes:
        code: A key of `CODES`.
        place: File, and line and column where they are known.
        why: What is wrong, in one sentence.
        remedy: What to do, in one sentence.
        severity: An error stops a release; a warning is for reading.
        waived: The reason for which privacy.yml waives it; empty where it does not.
    """

    code: str
    place: str
    why: str
    remedy: str
    severity: Literal["error", "warning"] = "error"
    waived: str = ""

    def __str__(self) -> str:
        return f"{self.severity} {self.code} {self.place}: {self.why}; {self.remedy}"
