"""Fails with every place where a mark is readable in what a run wrote; searches as `rasa-privacy leaktest` does."""

from collections.abc import Iterable, Sequence

from rasa_privacy.cli.leak_search import MIN_MARK_CHARACTERS, Occurrence, Sink, search

__all__ = ["Sink", "assert_nowhere", "occurrences"]

_SNIPPET_BYTES = 80


def occurrences(marks: Iterable[str], sinks: Sequence[Sink]) -> list[str]:
    """Return a line for each sink, mark and form that was found, with the bytes around the first place."""
    return sorted(map(_line, search(marks, sinks)))


def assert_nowhere(marks: Iterable[str], sinks: Sequence[Sink]) -> None:
    """Fail with every place where a mark is readable; also fail when there was nothing to search.

    Args:
        marks: Invented personal data, each at least 6 characters, so that nothing contains one by accident.
        sinks: What `RunningBot.sinks()` returned.
    """
    marks = list(marks)
    assert marks, "no marks to search for"
    assert all(len(mark) >= MIN_MARK_CHARACTERS for mark in marks), "a mark under 6 characters is found by accident"
    assert any(sink.content for sink in sinks), "nothing was written, so the search proves nothing"
    found = occurrences(marks, sinks)
    assert not found, "readable personal data:\n" + "\n".join(found)


def _line(found: Occurrence) -> str:
    content = found.sink.content
    around = content[max(0, found.at - _SNIPPET_BYTES) : found.at + len(found.mark) + _SNIPPET_BYTES]
    return f"{found.sink.name}: {found.mark!r} as {found.form} at byte {found.at}: {around!r}"
