"""By when the law wants an answer."""

from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.bot_regulations import Regulations, load_regulations
from rasa_privacy.rights.clocks import KINDS, Kind, deadline, extended, pauses


def at(text: str) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def of(*names: str) -> Regulations:
    """Return the package's regulations of these names."""
    return load_regulations(names, None)


@pytest.mark.parametrize(
    ("kind", "regulations", "received", "regulation", "answer_by"),
    [
        ("access", [], "2026-11-23T12:30", "gdpr@2026-11", "2026-12-23T12:30"),
        ("access", ["gdpr@2026-11"], "2027-01-31T09:00", "gdpr@2026-11", "2027-02-28T09:00"),
        ("erasure", ["gdpr@2026-11"], "2028-01-30T09:00", "gdpr@2026-11", "2028-02-29T09:00"),
        ("erasure", ["ccpa@2026-11"], "2026-11-23T12:30", "ccpa@2026-11", "2027-01-07T12:30"),
        # 15 business days over Thanksgiving: 24, 25, 27 November, 30 to 4, 7 to 11, 14, 15 December.
        ("do_not_sell", ["ccpa@2026-11"], "2026-11-23T12:30", "ccpa@2026-11", "2026-12-15T12:30"),
        ("limit_sensitive", ["gdpr@2026-11", "ccpa@2026-11"], "2026-11-23T12:30", "ccpa@2026-11", "2026-12-15T12:30"),
        ("access", ["gdpr@2026-11", "ccpa@2026-11"], "2026-11-23T12:30", "gdpr@2026-11", "2026-12-23T12:30"),
        ("access", ["lgpd@2026-11", "gdpr@2026-11"], "2026-11-23T12:30", "lgpd@2026-11", "2026-12-08T12:30"),
        ("access", ["pipeda@2026-11"], "2026-11-23T12:30", "pipeda@2026-11", "2026-12-23T12:30"),
        ("complaint", ["dpdp@2026-11"], "2026-11-23T12:30", "dpdp@2026-11", "2027-02-21T12:30"),
        ("access", ["coppa@2026-11"], "2026-11-23T12:30", "gdpr@2026-11", "2026-12-23T12:30"),
    ],
)
def test_the_earliest_date_counts(
    kind: str, regulations: list[str], received: str, regulation: str, answer_by: str
) -> None:
    """By the regulations that privacy.yml names, or by GDPR where none of them sets a clock."""
    found = deadline(kind, of(*regulations), at(received))  # type: ignore[arg-type]
    assert (found.regulation, found.answer_by) == (regulation, at(answer_by))


def test_ccpa_wants_receipt_confirmed_in_ten_business_days() -> None:
    """Also where GDPR's date for the answer comes first; Christmas and New Year are no business days."""
    found = deadline("access", of("gdpr@2026-11", "ccpa@2026-11"), at("2026-12-21T08:00"))
    assert found.regulation == "gdpr@2026-11"
    assert found.acknowledge_by == at("2027-01-06T08:00")
    assert deadline("access", of("gdpr@2026-11"), at("2026-12-21T08:00")).acknowledge_by is None


@pytest.mark.parametrize(
    ("kind", "regulation", "later"),
    [
        ("access", "gdpr@2026-11", "2027-02-28T12:30"),
        ("access", "ccpa@2026-11", "2027-02-14T12:30"),
        ("do_not_sell", "ccpa@2026-11", None),
        ("access", "lgpd@2026-11", None),
        ("access", "law25@2026-11", None),
        ("access", "pipeda@2026-11", "2027-01-30T12:30"),
    ],
)
def test_an_extension_counts_from_the_first_date(kind: str, regulation: str, later: str | None) -> None:
    """Where the law knows one."""
    expected = at(later) if later else None
    answer_by = at("2026-12-31T12:30")
    assert extended(kind, regulation, at("2026-11-30T12:30"), answer_by, of()) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("regulations", "received", "later"),
    [
        # GDPR alone: a month and two more, 92 days. CCPA ends after 90, DPDP after 90, Quebec after 30.
        (["gdpr"], "2026-11-23T12:30", "2027-02-23T12:30"),
        (["gdpr", "ccpa"], "2026-11-23T12:30", "2027-02-21T12:30"),
        (["gdpr", "dpdp"], "2026-11-23T12:30", "2027-02-21T12:30"),
        (["law25", "gdpr"], "2027-01-31T09:00", "2027-03-02T09:00"),
        (["gdpr", "lgpd"], "2026-11-23T12:30", None),
        (["gdpr", "coppa"], "2026-11-23T12:30", "2027-02-23T12:30"),
    ],
)
def test_an_extension_goes_as_far_as_every_regulation_lets_it(
    regulations: list[str], received: str, later: str | None
) -> None:
    """Which of them protects the person is not known."""
    names = of(*(f"{name}@2026-11" for name in regulations))
    first = deadline("access", names, at(received))
    found = extended("access", first.regulation, at(received), first.answer_by, names)
    assert found == (at(later) if later else None)


def test_an_extension_after_the_clock_stood_still_counts_from_the_date_that_it_moved_to() -> None:
    """By as long as it stood still, under each regulation that stops it."""
    names = ["uk-gdpr@2026-11", "uk-gdpr@2026-05"]
    received, moved = at("2026-11-23T12:30"), at("2027-01-02T12:30")
    assert extended("access", names[0], received, moved, of(*names)) == at("2027-03-02T12:30")


def test_only_the_united_kingdom_stops_the_clock() -> None:
    """Under CCPA verification does not (11 CCR 7021(b)), and for GDPR we do not rely on it."""
    names = ("gdpr", "uk-gdpr", "ccpa", "lgpd")
    assert [name for name in names if pauses("access", f"{name}@2026-11", of())] == ["uk-gdpr"]
    for other in ("gdpr", "ccpa", "coppa"):
        both = of("uk-gdpr@2026-11", f"{other}@2026-11")
        assert pauses("access", "uk-gdpr@2026-11", both) is (other == "coppa")  # which sets no clock


NAMES = [f"{name}@2026-11" for name in ("gdpr", "uk-gdpr", "ccpa", "lgpd", "pipeda", "law25", "dpdp")]


@given(
    kind=st.sampled_from(KINDS),
    names=st.lists(st.sampled_from(NAMES)),
    received=st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(timezone.utc)),  # noqa: DTZ001 - hypothesis wants them so
)
def test_naming_more_regulations_never_gives_more_time(kind: Kind, names: list[str], received: datetime) -> None:
    """Each date lies after the receipt, and is the earliest of all."""
    found = deadline(kind, of(*names), received)
    assert received < found.answer_by
    assert all(found.answer_by <= deadline(kind, of(name), received).answer_by for name in names)
    later = extended(kind, found.regulation, received, found.answer_by, of(*names))
    if later is not None:
        alone = {name: deadline(kind, of(name), received).answer_by for name in names}
        assert all(later <= (extended(kind, name, received, end, of()) or end) for name, end in alone.items())


OWN = """\
profile: house
version: "2026-12"
title: What we promise
extends: uk-gdpr@2026-11
review_by: 2027-06-01
clocks:
  access: {answer: 14 days, extension: 7 days, article: our own rule, confidence: primary}
"""


def test_a_builders_own_clock_counts_wherever_the_process_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read once; whoever takes its file away does not change what counts, and nothing stands in for it."""
    (tmp_path / "bot" / "regulations").mkdir(parents=True)
    file = tmp_path / "bot" / "regulations" / "house-2026-12.yml"
    file.write_text(OWN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    regulations = load_regulations(["gdpr@2026-11", "house@2026-12"], tmp_path / "bot")
    received, end = at("2026-11-23T12:30"), at("2026-12-07T12:30")
    file.unlink()
    found = deadline("access", regulations, received)
    assert (found.regulation, found.answer_by) == ("house@2026-12", end)
    assert extended("access", "house@2026-12", received, end, regulations) == at("2026-12-14T12:30")
    assert not pauses("access", "house@2026-12", regulations)
    with pytest.raises(PolicyError, match="there is no profile 'house@2026-12'"):
        extended("access", "house@2026-12", received, end, load_regulations(["gdpr@2026-11"], tmp_path / "bot"))
