"""Regulation profiles: which there are, what one says, and what a newer one changes.

The package's own are in `profiles/<name>-<month>.yml`. A builder's own are in a folder `regulations` beside
privacy.yml, in files of the same form; with `extends` they take over another profile and say only what differs. A
name that the package has is the package's.
"""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec import inspect

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.decoder import Decoder
from rasa_privacy.policy.positions import Problems, compose, read_text
from rasa_privacy.policy.profile_model import Profile, Term, parse_term
from rasa_privacy.policy.suggest import did_you_mean, shown

#: The folder of a builder's own profiles, beside privacy.yml.
FOLDER: Final = "regulations"
#: The clock of the kinds of request that have none of their own.
ANY: Final = "any"
_FILE: Final = re.compile(r"([a-z0-9-]+)-([0-9]{4}-[0-9]{2})\.yml")
_MERGED: Final = ("clocks", "notice", "records")
_OWN: Final = ("profile", "version", "title", "review_by", "extends")
_SOURCE: Final = ("article", "confidence")
_MOST_PARENTS: Final = 5


class Clock(NamedTuple):
    """By when a request must be answered, as terms.

    Attributes:
        answer: Within which it must be answered.
        extension: By how much that may be put off, with notice; None for not at all.
        acknowledge: Within which its receipt must be confirmed; None for no such duty.
        pauses: Whether the clock stops while identity or a clarification is waited for.
        country: Whose holidays count, as two letters (ISO 3166-1).
        article: Where the law says so.
    """

    answer: Term
    extension: Term | None
    acknowledge: Term | None
    pauses: bool
    country: str
    article: str


def deadline(profile: Profile, request_type: str) -> Clock | None:
    """Return a profile's clock for one kind of request, or None where it sets none.

    Args:
        profile: As `load_profile` returns it.
        request_type: For example `access` or `erasure`.
    """
    rule = profile.clocks.get(request_type) or profile.clocks.get(ANY)
    if rule is None:
        return None
    return Clock(
        answer=parse_term(rule.answer),
        extension=_term(rule.extension),
        acknowledge=_term(rule.acknowledge),
        pauses=rule.pauses,
        country=profile.country or "US",
        article=rule.article,
    )


def _term(text: str | None) -> Term | None:
    return None if text is None else parse_term(text)


def profiles(folder: Path | None = None) -> list[str]:
    """Return every profile that there is, as `<name>@<month>`, sorted.

    Args:
        folder: The folder of privacy.yml, for the builder's own profiles.
    """
    own = (folder / FOLDER).glob("*.yml") if folder is not None else ()
    return sorted({*_packaged(), *filter(None, map(_id_of, (file.name for file in own)))})


def load_profile(name: str, folder: Path | None = None) -> Profile:
    """Return one profile with what it extends.

    Args:
        name: `<name>@<month>`.
        folder: The folder of privacy.yml, for the builder's own profiles.

    Raises:
        PolicyError: There is none of this name, it does not parse, or what it extends is not there.
    """
    return _load(name, folder, ())


def newest(name: str, folder: Path | None = None) -> str | None:
    """Return the newest profile of the same name that is newer than this one, or None."""
    kind = name.partition("@")[0]
    newer = [each for each in profiles(folder) if each.partition("@")[0] == kind and each > name]
    return max(newer, default=None)


def is_past_review(profile: Profile, today: date) -> bool:
    """Say whether the day has come on which somebody must look whether a profile still holds."""
    return today >= profile.review_by


def figures(profile: Profile) -> dict[str, str]:
    """Return what a profile says, one line for each figure with its article and confidence, by the figure's path."""
    plain = msgspec.to_builtins(profile)
    return {path: said for name in plain if name not in _OWN for path, said in _lines(plain[name], name)}


def changes(before: Profile, after: Profile) -> list[str]:
    """Return what differs between two profiles, one line for each figure, sorted."""
    old, new = figures(before), figures(after)
    lines = []
    for path in sorted(old.keys() | new.keys()):
        if path not in old:
            lines.append(f"{path} is new: {new[path]}")
        elif path not in new:
            lines.append(f"{path} is gone; it was: {old[path]}")
        elif old[path] != new[path]:
            lines.append(f"{path}: {old[path]} becomes {new[path]}")
    return lines


def parse_profile(text: str, file: str) -> Profile:
    """Return the profile that a text says, without what it extends.

    Raises:
        PolicyError: The text is wrong; one line `file:line:column: ...` for each mistake.
    """
    problems = Problems()
    values = Decoder(file, problems).decode(compose(text, file), inspect.type_info(Profile))
    problems.raise_any()
    try:
        return msgspec.convert(values, Profile)
    except msgspec.ValidationError as error:
        raise PolicyError(f"{file}:1:1: {error}") from None


@lru_cache(maxsize=1)
def _packaged() -> dict[str, str]:
    """Return the text of each of the package's profiles by its id."""
    found = {}
    for file in files(__package__).joinpath("profiles").iterdir():
        name = _id_of(file.name)
        if name is not None:
            found[name] = file.read_text(encoding="utf-8")
    return found


@lru_cache(maxsize=32)
def _parsed(name: str) -> Profile:
    return parse_profile(_packaged()[name], f"rasa_privacy/policy/profiles/{name.replace('@', '-')}.yml")


def _id_of(file: str) -> str | None:
    """Return the id in a file's name, `<name>-<year>-<month>.yml`, or None for another file."""
    match = _FILE.fullmatch(file)
    return None if match is None else f"{match[1]}@{match[2]}"


def _load(name: str, folder: Path | None, children: tuple[str, ...]) -> Profile:
    profile = _read(name, folder)
    if profile.id != name:
        raise PolicyError(f"regulations: the file of {name} says that it is {profile.id}; correct one of them")
    if profile.extends is None:
        return profile
    if profile.extends in children or profile.extends == name or len(children) >= _MOST_PARENTS:
        raise PolicyError(f"regulations: {name} extends {shown(profile.extends)}, which leads back to it; cut the ring")
    return _merged(_load(profile.extends, folder, (*children, name)), profile)


def _read(name: str, folder: Path | None) -> Profile:
    if name in _packaged():
        return _parsed(name)
    if folder is not None:
        path = folder / FOLDER / f"{name.replace('@', '-')}.yml"
        if path.parent == folder / FOLDER and path.is_file():
            return parse_profile(read_text(path), str(path))
    known = profiles(folder)
    raise PolicyError(
        f"regulations: there is no profile {shown(name)}{did_you_mean(name, known)}; 'rasa-privacy regulations list' "
        f"names them, and your own go into a folder '{FOLDER}' beside privacy.yml"
    )


def _merged(parent: Profile, child: Profile) -> Profile:
    """Return the child with what it takes over."""
    values = {name: getattr(child, name) for name in _OWN}
    for name in Profile.__struct_fields__:
        if name in _MERGED:
            values[name] = {**getattr(parent, name), **getattr(child, name)}
        elif name == "notes":
            values[name] = (*parent.notes, *child.notes)
        elif name not in _OWN:
            values[name] = getattr(child, name) or getattr(parent, name)
    return Profile(**values)


def _lines(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and "article" not in value:
        for name, below in value.items():
            yield from _lines(below, f"{path}.{name}")
    elif isinstance(value, dict):
        yield path, _said(value)
    elif isinstance(value, (list, tuple)):
        yield from ((f"{path}[{index}]", str(each)) for index, each in enumerate(value))
    else:
        yield path, str(value)


def _said(figure: dict[str, object]) -> str:
    """Return one figure in a line, its article last."""
    words = [f"{name.replace('_', ' ')} {_word(value)}" for name, value in figure.items() if name not in _SOURCE]
    return f"{', '.join(words)} ({figure['article']}; {figure['confidence']})"


def _word(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)
