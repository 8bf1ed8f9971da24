"""What the variable part ("hole") of a foreign log line may show.

A line is cut into literal text, which stands in somebody's source code and so is nobody's personal data, and holes.
The kind of a hole comes from the expression that fills it, also read from the source:

* `PERSONAL`: it names a text, a value, a sender or the like: never shown;
* `QUANTITY`: a duration, a port, a confidence: numbers of up to 6 digits are shown;
* `CODE`: the name of a class, module, action or constant: identifiers are shown;
* `PATH`: a file of the bot: shown if its ending is one of code, configuration and models;
* `OTHER`: shown if every word is in the vocabulary.

What is not shown becomes `[withheld]`, and so does a value that was remembered, whatever its kind.
"""

import enum
import re
from typing import Final
from urllib.parse import urlsplit

from rasa_privacy.components.log_registry import REGISTRY, VOCABULARY, WITHHELD

MAX_SHOWN_CHARS: Final = 400  # a longer hole is a dump of something


class Kind(enum.Enum):
    """What fills a hole, judged by its expression."""

    PERSONAL = "personal"
    QUANTITY = "quantity"
    CODE = "code"
    PATH = "path"
    OTHER = "other"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PERSONAL: Final = _words(
    "address answer body candidates content conversation entities entity events example examples headers input json "
    "latest message messages metadata payload phone query recipient remote reply response responses sender session "
    "slots text texts token tokens tracker trackers user username utterance uuid value values"
)
_SECRET: Final = _words("auth credential credentials key password secret token")
_QUANTITY: Final = _words(
    "accuracy attempt attempts before byte bytes confidence delay elapsed epoch folds interval port retries retry "
    "seconds status threshold timeout version workers"
)
_CODE: Final = _words("cls module qualname")
_NAMED: Final = _words("action followup form loop utter validate validation")
_PATH: Final = _words("file filename path directory dir folder tar model")

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_STRING: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_CONSTANT: Final = re.compile(r"^(?:\w+\.)*[A-Z][A-Z0-9_]{2,}$")
_DUNDERS: Final = ("__name__", "__qualname__", "__module__", "__class__")
_NUMBER: Final = re.compile(r"^-?\d{1,6}(?:\.\d{1,20})?(?:e-?\d{1,3})?$|^\d{1,3}(?:\.\d{1,6}){2,3}\w{0,8}$")
_IDENTIFIER: Final = re.compile(r"^[A-Za-z_][\w.]{0,99}$")
_ACTION: Final = re.compile(r"^(?:action|utter|validate)_[a-z0-9_]{1,80}$|^(?:policy_\d+_)?[A-Z][A-Za-z]{1,60}Policy$")
_FILE: Final = re.compile(
    r"^[\w./\\:~+-]{1,300}\.(?:py|ya?ml|json|toml|ini|cfg|db|sqlite3?|log|md|txt|pkl|tar\.gz)$", re.IGNORECASE
)
_SPLIT: Final = re.compile(r"([\s,;()\[\]{}'\"]+)")

VOCABULARY.allow(
    _words(
        "True False None DEBUG INFO WARNING ERROR CRITICAL debug info warning error critical exception "
        "GET POST PUT PATCH DELETE HEAD OPTIONS http https localhost 0.0.0.0 127.0.0.1 "
        "action_listen action_restart action_session_start action_default_fallback action_deactivate_loop "
        "action_back action_extract_slots action_revert_fallback_events action_unlikely_intent "
        "action_two_stage_fallback action_default_ask_affirmation action_default_ask_rephrase "
        "action_validate_slot_mappings action_send_text restart back session_start nlu_fallback out_of_scope "
        "EXTERNAL rest socketio cmdline callback requested_slot session_started_metadata"
    )
)
_ROUTES: Final = _words(
    "webhook webhooks rest callback socketio conversations tracker events predict execute trigger_intent model parse "
    "train test status health version domain actions stream static"
)


def kind_of(expression: str) -> Kind:
    """Judge a hole by the source of its expression.

    Words that a bot's own actions may use for what people tell them (policy, package, score) are no sign of code. An
    intent's name is no sign either: of a message such as `/name` it is what the person wrote.
    """
    words = {word.lower() for word in _WORD.findall(_STRING.sub("", expression))}
    if expression.endswith(_DUNDERS) or (_CONSTANT.match(expression) and not words & _SECRET):
        return Kind.CODE
    if expression.startswith("len("):
        return Kind.QUANTITY
    if words & (_PERSONAL | _SECRET):
        return Kind.PERSONAL
    if words & _QUANTITY:
        return Kind.QUANTITY
    if words & _CODE or ("name" in words and words & _NAMED):
        return Kind.CODE
    return Kind.PATH if words & _PATH else Kind.OTHER


def shown(kind: Kind, text: str) -> str:
    """Return what a hole of this kind shows of its text: all, a shortened URL, or `[withheld]`."""
    if not text:
        return text
    if kind is Kind.PERSONAL or len(text) > MAX_SHOWN_CHARS or REGISTRY.knows(text.strip(" '\"")):
        return WITHHELD
    pieces = _SPLIT.split(text)
    words = [_word(kind, piece) if index % 2 == 0 else piece for index, piece in enumerate(pieces)]
    return WITHHELD if any(word is None for word in words) else "".join(word for word in words if word is not None)


def _word(kind: Kind, word: str) -> str | None:
    """Return the shown form of one word, or None if it must not be shown."""
    if not word or word in VOCABULARY or _ACTION.match(word):
        return word
    if word.startswith(("http://", "https://")):
        return _url(word)
    if REGISTRY.knows(word):
        return None
    if kind is Kind.QUANTITY and _NUMBER.match(word):
        return word
    if kind is Kind.CODE and _IDENTIFIER.match(word):
        return word
    return word if kind is Kind.PATH and _FILE.match(word) else None


def _url(url: str) -> str:
    """Keep the scheme, a known host, the port and the known parts of the route; a query is withheld."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return WITHHELD
    place = host if host in VOCABULARY else WITHHELD
    route = "/".join(step if not step or step in _ROUTES else WITHHELD for step in parts.path.split("/"))
    return f"{parts.scheme}://{place}{f':{port}' if port else ''}{route}{'?' + WITHHELD if parts.query else ''}"
