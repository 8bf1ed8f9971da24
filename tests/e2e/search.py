"""Searches everything that a run wrote for marks: pieces of personal data that must be readable nowhere.

A mark is looked for as plain bytes, in the other alphabets that programs write text in, and in any case. Compressed
data is not unpacked: nothing here writes conversation data compressed and unencrypted.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

_SNIPPET_BYTES = 80


@dataclass(frozen=True, slots=True)
class Sink:
    """Bytes that were written somewhere.

    Attributes:
        name: Where: a path inside the run folder, or `payload 3 (action_name)`.
        content: What was written there.
    """

    name: str
    content: bytes = field(repr=False)


def forms(mark: str) -> dict[str, list[bytes]]:
    """Return the ways to write a mark: name of the alphabet to patterns, all in lower case.

    Content is lowered before the search, so upper and lower case of the mark are one. In base64 they are not, which is
    why `base64_forms` makes a pattern for each case.
    """
    cases = {mark, mark.lower(), mark.upper(), mark.title()}
    texts = [case.encode() for case in cases]
    return {
        "plain": [text.lower() for text in texts],
        "utf-16": [case.encode(codec).lower() for case in cases for codec in ("utf-16-le", "utf-16-be")],
        "url": [quoted.encode().lower() for case in cases for quoted in (quote(case, safe=""), quote_plus(case))],
        "json": [json.dumps(case)[1:-1].encode().lower() for case in cases],
        "hex": [text.hex().encode() for text in texts],
    }


def base64_forms(mark: str) -> list[bytes]:
    """Return how base64 shows a mark at each of the three offsets that it can have in a longer text.

    The characters at both ends that depend on the neighbouring bytes are cut off.
    """
    found = []
    for text in (case.encode() for case in {mark, mark.lower(), mark.upper(), mark.title()}):
        for offset in range(3):
            encoded = base64.b64encode(b"\0" * offset + text).rstrip(b"=")
            first = (8 * offset + 5) // 6
            whole = (8 * (offset + len(text))) // 6
            found += [encoded[first:whole], encoded[first:whole].replace(b"+", b"-").replace(b"/", b"_")]
    return found


def occurrences(marks: Iterable[str], sinks: Sequence[Sink]) -> list[str]:
    """Return a line for each sink, mark and alphabet that was found, with the bytes around the first place."""
    lowered = [(sink, sink.content.lower()) for sink in sinks]
    lines = []
    for mark in marks:
        for alphabet, patterns in forms(mark).items():
            lines += [_line(sink, low, pattern, mark, alphabet) for sink, low in lowered for pattern in set(patterns)]
        lines += [
            _line(sink, sink.content, pattern, mark, "base64") for sink in sinks for pattern in base64_forms(mark)
        ]
    return sorted({line for line in lines if line})


def assert_nowhere(marks: Iterable[str], sinks: Sequence[Sink]) -> None:
    """Fail with every place where a mark is readable; also fail when there was nothing to search.

    Args:
        marks: Invented personal data, each at least 6 characters, so that nothing contains one by accident.
        sinks: What `RunningBot.sinks()` returned.
    """
    marks = list(marks)
    assert marks, "no marks to search for"
    assert all(len(mark) >= 6 for mark in marks), "a mark under 6 characters is found by accident"
    assert any(sink.content for sink in sinks), "nothing was written, so the search proves nothing"
    found = occurrences(marks, sinks)
    assert not found, "readable personal data:\n" + "\n".join(found)


def _line(sink: Sink, content: bytes, pattern: bytes, mark: str, alphabet: str) -> str:
    at = content.find(pattern)
    if at < 0:
        return ""
    around = content[max(0, at - _SNIPPET_BYTES) : at + len(pattern) + _SNIPPET_BYTES]
    return f"{sink.name}: {mark!r} as {alphabet} at byte {at}: {around!r}"
