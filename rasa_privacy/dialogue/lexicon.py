"""`Lexicon`: the fixed wordings of one language, compiled, with all that its messages are compared by.

What is asked of it stands in `keywords`; how a wording is written and a message read, in `wordings`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from rasa_privacy.dialogue.packs import load_keywords, load_ordinary, load_pack
from rasa_privacy.dialogue.wordings import PARTS, Reading, compile_wordings, fold, read, words_in

Answer = Literal["yes", "no", "unclear"]
Question = Literal["consent", "erase"]

#: What the buttons of each question mean.
PRESSED: Final[Mapping[Question, Mapping[Answer, str]]] = {
    "consent": {"yes": "privacy_grant", "no": "privacy_refuse"},
    "erase": {"yes": "privacy_confirm", "no": "privacy_cancel"},
}
#: The intents of a yes to each question.
AGREEING: Final = frozenset(pressed["yes"] for pressed in PRESSED.values())
_REQUEST: Final = "privacy_"
_ASKED: Final = "asked_privacy_"
_THEN: Final = "then_privacy_"
_AGREED: Final = "agreed_privacy_"
_FORM: Final = "form_privacy_"
_HELP: Final = "privacy_help"
_WORD: Final = re.compile(r"[^\W\d_]+")
#: The wordings that are read in a language that the bot does not speak, and what may stand before them.
_CORE: Final = {
    "opt_out": "before_stop",
    **dict.fromkeys(("privacy_delete", "privacy_access", "privacy_export", "privacy_withdraw"), "opening"),
}


@dataclass(frozen=True, slots=True)
class Core:
    """Some requests of one language, compiled. Each pattern matches words that are each followed by a blank."""

    spellings: Mapping[str, tuple[str, ...]]
    fillers: frozenset[str]
    requests: Mapping[str, re.Pattern[str]]

    def forms(self, text: str) -> tuple[str, ...]:
        """Return the message as it may be a wording, each word followed by a blank; nothing where it is too long.

        That is without polite words; where it has some, as it was said too, and without those that it begins with,
        since a wording may hold one itself.
        """
        return _forms(text, self.spellings, self.fillers)


@dataclass(frozen=True, slots=True)
class Lexicon(Core):
    """All wordings of one language, compiled as those of `Core`."""

    agreement: Mapping[Question, frozenset[str]]
    beside_yes: frozenset[str]
    hedges: frozenset[str]
    signs: Mapping[str, Answer]
    doubting: frozenset[str]
    ironic_twice: Mapping[str, frozenset[str]]
    telling: Mapping[str, frozenset[str]]
    opt_out: re.Pattern[str]
    ends: re.Pattern[str]
    outside_form: re.Pattern[str]
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

    def doubts(self, reading: Reading) -> bool:
        """Return whether a sign, dots at the end, or a yes that is said twice make a yes doubtful."""
        twice = (word for word in reading.repeated if word in self.ironic_twice)
        # Beside a word that means it, as in "ja ja, gerne", a yes that is said twice is one.
        ironic = any({*reading.words} <= self.ironic_twice[word] for word in twice)
        return reading.trails or ironic or not self.doubting.isdisjoint(reading.symbols)

    def joined(self, words: Iterable[str]) -> str:
        """Return the telling words, each followed by a blank."""
        return _joined(words, self.fillers)


@lru_cache(maxsize=32)
def lexicon_of(language: str) -> Lexicon:
    """Return all wordings of a language; the first call for each takes longer."""
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
    return Lexicon(
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
        ironic_twice=_ironic_twice(sections, spellings),
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
        no={"consent": pattern("refuse", "refuse_all", times=2), "erase": pattern("refuse", "refuse_erase", times=2)},
        unclear=pattern("unclear"),
        buttons=_buttons(language, spellings, fillers),
    )


@lru_cache(maxsize=32)
def core_of(language: str) -> Core:
    """Return the requests that are read in a language that the bot does not speak, in a quarter of the time."""
    sections, spelt, where = load_keywords(language), spelt_wordings(language), f"packs/{language}.keywords.yml"
    requests = {
        name if name.startswith(_REQUEST) else "privacy_stop": _whole(spelt, where, name, opening=opening)
        for name, opening in _CORE.items()
    }
    return Core(_spellings(sections["spellings"]), frozenset(sections["fillers"].split()), requests)


@lru_cache(maxsize=32)
def known_words(language: str) -> frozenset[str]:
    """Return the words of a language as they are written: of its examples and its everyday messages.

    Those of its fixed wordings are not among them: every pack has the STOP of others.
    """
    examples = (str(block["examples"]) for block in load_pack(language).nlu)
    texts = (*load_ordinary(language).values(), *examples)
    return frozenset(word for text in texts for word in plain_words(text))


def plain_words(text: str) -> list[str]:
    """Return the words of a text without case and accents, and otherwise as they are written."""
    return _WORD.findall(fold(text))


def spelt_wordings(language: str) -> dict[str, str]:
    """Return a pack's sections spelt as messages are read, without which a wording could never be found in one."""
    sections = load_keywords(language)
    spellings = _spellings(sections["spellings"])
    return {name: PARTS.sub(lambda part: _spelt(part[0], spellings), text) for name, text in sections.items()}


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


def _beside_yes(language: str, sections: Mapping[str, str], spellings: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Return each word of the pack's agreements: its wordings, and the examples that its recogniser learns."""
    named = " ".join(
        sections[name] for name in ("agree", "agree_erase", "agreement", "agreement_erase", "beside_yes", "fillers")
    )
    blocks = [str(block["examples"]) for block in load_pack(language).nlu if block["intent"] in AGREEING]
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


def _ironic_twice(sections: Mapping[str, str], spellings: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """Return each yes that said twice is irony, with all words of a message in which it stays so."""
    found = {}
    for line in sections["ironic_twice"].splitlines():
        word, _, beside = line.partition(":")
        spelt = (meant for each in (word, *beside.split()) for meant in spellings.get(fold(each), (fold(each),)))
        found[fold(word.strip())] = frozenset(spelt)
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
