"""How far a command is: lines where nobody watches, a bar on a terminal."""

import pytest
from rich.console import Console

from rasa_privacy.cli import progress as module
from rasa_privacy.cli.progress import progress


def test_without_a_terminal_each_tenth_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A log gets ten lines at most, on standard error, whatever the number of things."""
    with progress("Reading", 2000) as advance:
        for _ in range(2000):
            advance(1)
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines()[0] == "Reading: 200 of 2,000"
    assert output.err.splitlines()[-1] == "Reading: 2,000 of 2,000"
    assert len(output.err.splitlines()) == 10


def test_more_than_expected_and_nothing_at_all_are_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    """What is added meanwhile is counted too; of nothing nothing is said."""
    with progress("Reading", 0):
        pass
    assert capsys.readouterr().err == ""
    with progress("Reading", 1) as advance:
        advance(3)
    assert capsys.readouterr().err == "Reading: 3 of 1\n"


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The bar has the title and how many are done."""
    monkeypatch.setattr(module, "Console", lambda **given: Console(force_terminal=True, width=80, **given))
    with progress("Reading", 2) as advance:
        advance(2)
    shown = capsys.readouterr().err
    assert "Reading" in shown
    assert "2/2" in shown
