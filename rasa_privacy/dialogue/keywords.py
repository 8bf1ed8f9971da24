"""What is recognised by fixed wordings, before any classifier: opt-out words, core privacy requests, yes and no.

Rules:

1. A wording counts only as the whole message, after capitals, punctuation, emoji and polite words are taken away; the
   polite words stay where the wording itself holds one.
   "Stop. Thank you" is STOP (47 CFR 64.1200(a)(10)); "We have got to stop littering" is not.
2. A message that is longer than `wordings.MAX_CHARACTERS` matches nothing; it is not cut, since the rest could turn the
   meaning round.
3. What is not clearly a yes is not a yes (GDPR Art. 4(11)): a yes with a condition or a question is "unclear".
4. While a question is open, what stands on a button of ours means what the button does: a channel may show none, and
   people type what they read.

The wordings are data: `packs/<language>.keywords.yml`, and the buttons of `packs/<language>.yml`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from rasa_privacy.dialogue.packs import load_keywords, load_pack
from rasa_privacy.dialogue.wordings import PARTS, Reading, compile_wordings, fold, read, words_in

Answer = Literal["yes", "no", "unclear"]
Question = Literal["consent", "erase"]

#: What the buttons of each question mean.
_PRESSED: Final[Mapping[Question, Mapping[Answer, str]]] = {
    "consent": {"yes": "privacy_grant", "no": "privacy_refuse"},
    "erase": {"yes": "privacy_confirm", "no": "privacy_cancel"},
}
#: The intents of a yes to each question.
_AGREEING: Final = frozenset(pressed["yes"] for pressed in _PRESSED.values())
_REQUEST: Final = "privacy_"
_ASKED: Final = "asked_privacy_"
_THEN: Final = "then_privacy_"
_AGREED: Final = "agreed_privacy_"
_FORM: Final = "form_privacy_"
_HELP: Final = "privacy_help"
#: The wordings that are read in a language that the bot does not speak, and what may stand before them.
_CORE: Final = {
    "opt_out": "before_stop",
    **dict.fromkeys(("privacy_delete", "privacy_access", "privacy_export", "privacy_withdraw"), "opening"),
}
#: What may be asked in short of what a form asks for; "again" or "a complaint" may be an answer.
ABOUT_A_FORM: Final = ("privacy_why", "privacy_how_long", "privacy_who_sees", "privacy_what", "privacy_where")


def opt_out(text: str, language: str, *, in_form: bool = False, in_window: bool = False) -> bool:
    """Return whether the whole message asks to stop everything.

    Args:
        text: The message as the person wrote it.
        language: Code of a language pack.
        in_form: Whether a form runs or a question is open; then `cancel` means that, and is no opt-out.
        in_window: Whether it was written in a window that `end`, `quit` or `cancel` closes; then those are no opt-out.
    """
    lexicon = _lexicon(language)
    forms = lexicon.forms(text)
    alone = not in_window and (_is_one(lexicon.ends, forms) or (not in_form and _is_one(lexicon.outside_form, forms)))
    return alone or _is_one(lexicon.opt_out, forms)


def cancels(text: str, language: str) -> bool:
    """Return whether the whole message is a word such as `cancel`, which in a form is about the form."""
    lexicon = _lexicon(language)
    return _is_one(lexicon.outside_form, lexicon.forms(text))


def closes(text: str, language: str) -> bool:
    """Return whether the whole message is a word such as `end` or `cancel`, which closes a window on a web page."""
    lexicon = _lexicon(language)
    return any(_is_one(words, lexicon.forms(text)) for words in (lexicon.ends, lexicon.outside_form))


def privacy_request(text: str, language: str, *, asked: bool = False, then: bool = False) -> str | None:
    """Return the intent of a core wording such as "please delete my data", or None.

    Args:
        text: The message as the person wrote it.
        language: Code of a language pack.
        asked: Whether a question of ours is open; then a bare "why?" is about it.
        then: Whether it follows another request in the same message: "and send me a copy".
    """
    lexicon = _lexicon(language)
    forms = lexicon.forms(text)
    found = _requested(forms, lexicon.requests) or (_asked_for(forms, lexicon) if asked else None)
    return found or (_requested(forms, lexicon.then) if then else None)


def core_request(text: str, language: str) -> str | None:
    """Return the intent of a wording by which people delete, see, take out, withdraw or stop, or None.

    Of two words at least, since one word may be any in another language. It needs a part of the language's wordings
    only, so it is ready in a quarter of the time.
    """
    core = _core(language)
    forms = _forms(text, core.spellings, core.fillers)
    return _requested(forms, core.requests) if forms and len(forms[0].split()) > 1 else None


def reply(text: str, language: str, *, question: Question = "consent") -> Answer | None:
    """Return how the message answers a question of ours, or None where it is no answer; only called while one is open.

    Args:
        text: The message as the person wrote it.
        language: Code of a language pack.
        question: What was asked: "delete it" is a yes to one and no answer to the other.
    """
    lexicon = _lexicon(language)
    reading = lexicon.read(text)
    if reading is None:
        return None
    words, forms = lexicon.joined(reading.words), lexicon.forms(text)
    if not words:
        return _by_symbols(reading, lexicon)
    doubted = reading.asks or not lexicon.doubting.isdisjoint(reading.symbols)
    pressed = _pressed(forms, lexicon, question)
    if doubted and (reading.asks or pressed == "yes"):
        pressed = None
    if pressed is not None or _is_one(lexicon.unclear, forms):
        return pressed or "unclear"
    if _is_one(lexicon.yes[question], forms):
        return "unclear" if doubted else "yes"
    if _is_one(lexicon.no[question], forms):
        return "no"
    found = set(words.split())
    hedged = doubted or not lexicon.hedges.isdisjoint(found)
    # "Ok, but why do you need this?" is a question to answer, not an answer to weigh; "hmm maybe" is neither.
    weighed = found <= lexicon.hedges or (hedged and not lexicon.agreement[question].isdisjoint(found))
    return "unclear" if weighed and _requested(forms, lexicon.requests) is None else None


def is_hedged(text: str, language: str) -> bool:
    """Return whether a word or sign turns, limits or doubts a yes, or it asks; then a guess at a yes is no yes."""
    lexicon = _lexicon(language)
    reading = lexicon.read(text)
    if reading is None or reading.asks or not lexicon.doubting.isdisjoint(reading.symbols):
        return True
    return not lexicon.hedges.isdisjoint(reading.words)


def says_only_yes(text: str, language: str) -> bool | None:
    """Return whether the message is words of agreement and words that are known beside one; None where it has none.

    "Yes under protest" is told from "yes, I do" by the words that no agreement of the pack has.
    """
    lexicon = _lexicon(language)
    reading = lexicon.read(text)
    words = set(reading.words) if reading is not None else set()
    if lexicon.agreement["erase"].isdisjoint(words):
        return None
    return words <= lexicon.beside_yes


def has_telling_word(text: str, language: str, intent: str) -> bool:
    """Return whether the message has a word without which a classifier's guess at this privacy intent is none.

    Args:
        text: The message as the person wrote it.
        language: Code of a language pack.
        intent: What the classifier guessed; one that has no telling words needs none.
    """
    lexicon = _lexicon(language)
    words = lexicon.telling.get(intent)
    reading = lexicon.read(text)
    # A message too long to be a wording is a story, which may tell in any words.
    return words is None or reading is None or not words.isdisjoint(reading.words)


def words_of(text: str, language: str) -> tuple[str, ...]:
    """Return the message as comparable words without polite ones; none where it is too long to be a wording."""
    lexicon = _lexicon(language)
    reading = lexicon.read(text)
    return tuple(lexicon.joined(reading.words).split()) if reading is not None else ()


def request_here(text: str, language: str, *, in_form: bool, agreed: bool) -> str | None:
    """Return the intent of a wording that means something about privacy only where it is said, or None.

    Args:
        text: The message as the person wrote it.
        language: Code of a language pack.
        in_form: Whether a form asks for something personal; then a bare "who gets it?" is about that.
        agreed: Whether the person has agreed to something; then "send me a receipt" is about that.
    """
    lexicon = _lexicon(language)
    forms = lexicon.forms(text)
    short = {name: pattern for name, pattern in lexicon.asked.items() if name in ABOUT_A_FORM}
    asked = _requested(forms, short) or _requested(forms, lexicon.form) if in_form else None
    return asked or (_requested(forms, lexicon.agreed) if agreed else None)


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """One language's wordings, compiled. Each pattern matches words that are each followed by a blank."""

    spellings: Mapping[str, tuple[str, ...]]
    fillers: frozenset[str]
    agreement: Mapping[Question, frozenset[str]]
    beside_yes: frozenset[str]
    hedges: frozenset[str]
    signs: Mapping[str, Answer]
    doubting: frozenset[str]
    telling: Mapping[str, frozenset[str]]
    opt_out: re.Pattern[str]
    ends: re.Pattern[str]
    outside_form: re.Pattern[str]
    requests: Mapping[str, re.Pattern[str]]
    asked: Mapping[str, re.Pattern[str]]
    then: Mapping[str, re.Pattern[str]]
    agreed: Mapping[str, re.Pattern[str]]
    form: Mapping[str, re.Pattern[str]]
    yes: Mapping[Question, re.Pattern[str]]
    no: Mapping[Question, re.Pattern[str]]
    unclear: re.Pattern[str]
    buttons: Mapping[str, str]

    def read(self, text: str) -> Reading | None:
        """Return the message as comparable words."""
        return read(text, self.spellings)

    def joined(self, words: Iterable[str]) -> str:
        """Return the telling words, each followed by a blank."""
        return _joined(words, self.fillers)

    def forms(self, text: str) -> tuple[str, ...]:
        """Return the message as it may be a wording, each word followed by a blank; nothing where it is too long.

        That is without polite words; where it has some, as it was said too, and without those that it begins with,
        since a wording may hold one itself.
        """
        return _forms(text, self.spellings, self.fillers)


@dataclass(frozen=True, slots=True)
class _Core:
    """What `core_request` needs of one language."""

    spellings: Mapping[str, tuple[str, ...]]
    fillers: frozenset[str]
    requests: Mapping[str, re.Pattern[str]]


@lru_cache(maxsize=32)
def _core(language: str) -> _Core:
    sections, spelt, where = load_keywords(language), spelt_wordings(language), f"packs/{language}.keywords.yml"
    requests = {
        name if name.startswith(_REQUEST) else "privacy_stop": _whole(spelt, where, name, opening=opening)
        for name, opening in _CORE.items()
    }
    return _Core(_spellings(sections["spellings"]), frozenset(sections["fillers"].split()), requests)


def _whole(spelt: Mapping[str, str], where: str, *names: str, opening: str, times: int = 1) -> re.Pattern[str]:
    """Return what matches a message that is one of the wordings, with what may stand around it."""
    core = "|".join(compile_wordings(spelt, name, where) for name in names)
    before = f"(?:{compile_wordings(spelt, opening, where)}){{0,3}}"
    after = f"(?:{compile_wordings(spelt, 'closing', where)}){{0,2}}"
    return re.compile(f"{before}(?:{core}){{1,{times}}}{after}")


def _forms(text: str, spellings: Mapping[str, tuple[str, ...]], fillers: frozenset[str]) -> tuple[str, ...]:
    reading = read(text, spellings)
    telling = _joined(reading.words, fillers) if reading is not None else ""
    if reading is None or not telling:
        return ()
    said = tuple(f"{word} " for word in reading.words)
    first = next(at for at, word in enumerate(reading.words) if word not in fillers)
    return tuple(dict.fromkeys((telling, "".join(said), "".join(said[first:]))))


def _joined(words: Iterable[str], fillers: frozenset[str]) -> str:
    return "".join(f"{word} " for word in words if word not in fillers)


def _is_one(pattern: re.Pattern[str], forms: Iterable[str]) -> bool:
    return any(pattern.fullmatch(form) for form in forms)


def _requested(forms: Sequence[str], patterns: Mapping[str, re.Pattern[str]]) -> str | None:
    return next((intent for intent, pattern in patterns.items() if _is_one(pattern, forms)), None)


def _pressed(forms: Iterable[str], lexicon: _Lexicon, question: Question) -> Answer | None:
    """Return what the message answers where it is what stands on a button of such a question."""
    meant = {lexicon.buttons[form] for form in forms if form in lexicon.buttons}
    return next((answer for answer, intent in _PRESSED[question].items() if intent in meant), None)


def _asked_for(forms: Sequence[str], lexicon: _Lexicon) -> str | None:
    """Return what is asked for while a question is open: by a short wording, or by what stands on a button."""
    answers = {intent for pressed in _PRESSED.values() for intent in pressed.values()}
    shown = (lexicon.buttons[form] for form in forms if form in lexicon.buttons)
    return _requested(forms, lexicon.asked) or next((intent for intent in shown if intent not in answers), None)


def _by_symbols(reading: Reading, lexicon: _Lexicon) -> Answer | None:
    answers = {lexicon.signs[symbol] for symbol in reading.symbols if symbol in lexicon.signs}
    if len(answers) > 1:
        return "unclear"
    return answers.pop() if answers else None


def spelt_wordings(language: str) -> dict[str, str]:
    """Return a pack's sections spelt as messages are read, without which a wording could never be found in one."""
    sections = load_keywords(language)
    spellings = _spellings(sections["spellings"])
    return {name: PARTS.sub(lambda part: _spelt(part[0], spellings), text) for name, text in sections.items()}


@lru_cache(maxsize=32)
def _lexicon(language: str) -> _Lexicon:
    sections = load_keywords(language)
    where = f"packs/{language}.keywords.yml"
    spellings, fillers = _spellings(sections["spellings"]), frozenset(sections["fillers"].split())
    spelt = spelt_wordings(language)

    def pattern(*names: str, opening: str = "greeting", times: int = 1) -> re.Pattern[str]:
        return _whole(spelt, where, *names, opening=opening, times=times)

    def intents(prefix: str) -> dict[str, re.Pattern[str]]:
        names = [name for name in sections if name.startswith(prefix)]
        # "I need help" is what a bot's own help is asked for; HELP alone is the CTIA's word.
        openings = {name: "greeting" if name == _HELP else "opening" for name in names}
        return {_REQUEST + name.removeprefix(prefix): pattern(name, opening=openings[name]) for name in names}

    agreement = sections["agreement"].split()
    # A thumb alone is too little to be a clear yes.
    signs: dict[str, Answer] = dict.fromkeys(sections["good_signs"].split(), "unclear")
    doubt = sections["doubt_signs"].split()
    signs.update(dict.fromkeys(doubt, "unclear"))
    signs.update(dict.fromkeys(sections["bad_signs"].split(), "no"))
    return _Lexicon(
        spellings=spellings,
        fillers=fillers,
        agreement={
            "consent": frozenset(agreement),
            "erase": frozenset(agreement + sections["agreement_erase"].split()),
        },
        beside_yes=_beside_yes(language, sections, spellings),
        hedges=frozenset(sections["hedges"].split()),
        signs=signs,
        doubting=frozenset(doubt + sections["bad_signs"].split()),
        telling=_telling(sections, where),
        opt_out=pattern("opt_out", opening="before_stop"),
        ends=pattern("opt_out_outside_window"),
        outside_form=pattern("opt_out_outside_form"),
        requests=intents(_REQUEST),
        asked=intents(_ASKED),
        then=intents(_THEN),
        agreed=intents(_AGREED),
        form=intents(_FORM),
        yes={"consent": pattern("agree", times=3), "erase": pattern("agree", "agree_erase", times=3)},
        no={"consent": pattern("refuse", times=2), "erase": pattern("refuse", "refuse_erase", times=2)},
        unclear=pattern("unclear"),
        buttons=_buttons(language, spellings, fillers),
    )


def _beside_yes(language: str, sections: Mapping[str, str], spellings: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Return each word of the pack's agreements: its wordings, and the examples that its recogniser learns."""
    named = " ".join(
        sections[name] for name in ("agree", "agree_erase", "agreement", "agreement_erase", "beside_yes", "fillers")
    )
    blocks = [str(block["examples"]) for block in load_pack(language).nlu if block["intent"] in _AGREEING]
    examples = (read(line, spellings) for block in blocks for line in block.splitlines())
    words = {fold(word) for word in re.findall(r"\w+", named)}
    known = {meant for word in words for meant in spellings.get(word, (word,))}
    return frozenset(known.union(*(said.words for said in examples if said is not None)))


def _buttons(language: str, spellings: Mapping[str, tuple[str, ...]], fillers: frozenset[str]) -> dict[str, str]:
    """Return the intent of each button of ours by what stands on it, as a message is compared."""
    found: dict[str, str] = {}
    for variations in load_pack(language).responses.values():
        for button in (each for variation in variations for each in variation.get("buttons") or []):
            intent = str(button["payload"]).partition("{")[0].removeprefix("/")
            for form in _forms(button["title"], spellings, fillers):
                found.setdefault(form, intent)
    return found


def _spellings(lines: str) -> dict[str, tuple[str, ...]]:
    """Return the words that each way of writing stands for."""
    found: dict[str, tuple[str, ...]] = {}
    for line in lines.splitlines():
        meant, _, written = line.partition(":")
        for way in written.split():
            found[way] = tuple(meant.split())
    return found


def _spelt(word: str, spellings: Mapping[str, tuple[str, ...]]) -> str:
    """Return a word or sign of a wording in the spelling in which messages are read."""
    return " ".join(spellings.get(fold(word), (word,)))


def _telling(sections: Mapping[str, str], where: str) -> dict[str, frozenset[str]]:
    """Return each intent's telling words; `<name>` stands for all words of that section."""
    found = {}
    for line in sections["telling"].splitlines():
        intent, _, words = line.partition(":")
        found[intent.strip()] = words_in(sections, words, where)
    return found
