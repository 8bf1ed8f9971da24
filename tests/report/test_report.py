"""The report, the status and the scope of a breach: true counts, no person, and one file that stands by itself."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html import escape as page_text
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.access.recording import record_now
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.errors import AccessError, AuditError
from rasa_privacy.policy.bot_regulations import Regulations, load_regulations
from rasa_privacy.policy.model import Storage
from rasa_privacy.policy.operations import OptOut, Retention, Training
from rasa_privacy.policy.regulations import figures, load_profile, profiles
from rasa_privacy.policy.revealed import revealed
from rasa_privacy.report.breach import scope
from rasa_privacy.report.facts import Report
from rasa_privacy.report.gathering import gather
from rasa_privacy.report.page import page
from rasa_privacy.report.plot import bars
from rasa_privacy.report.status import status_lines
from rasa_privacy.retention.runs import run
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.requests import open_request
from rasa_privacy.storage import meta_rows
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.books import AUDIT
from rasa_privacy.storage.standing import Mark, read_mark
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import START, Clock, answer, ask, give, grant

Sql = Callable[..., list[Any]]


@pytest.fixture
def lived(vault: Vault, clock: Clock) -> Vault:
    """Return a store in which something happened: consents, a refusal, a deletion, a request and a sweep."""
    grant(vault, "draw", "newsletter", sender="person-one")
    give(vault, {"draw": {"full_name": "Ana Canary"}, "newsletter": {"email": "canary@post.example"}}, "person-one")
    grant(vault, "draw", sender="person-two")
    ask(vault, "draw", sender="person-three")
    answer(vault, "draw", granted=False, sender="person-three")
    clock.advance(days=20)
    erase(vault, "person-two", Evidence("button", "rest", "en", clock()))
    with vault.database.write() as connection:
        who = vault.subjects.find(connection, "person-one")
        open_request(vault, connection, "access", who, clock())
    run(vault, admit_local(vault, "retention"))
    record_now(vault, admit_local(vault, "view"), subject_id=who, items=["email"], counts={"values": 1})
    return vault


def made(vault: Vault, findings: list[str] | None = None) -> Report:
    """Return the report of the store now."""
    return gather(vault, admit_local(vault, "report"), vault.clock(), findings)


def test_the_report_counts_what_happened(lived: Vault) -> None:
    """People, answers, requests, deletions, accesses, keys and chains."""
    report = made(lived, ["warning RP024 privacy.yml: x"])
    purposes = {each.purpose: each for each in report.processing.purposes}
    assert (purposes["draw"].people, purposes["newsletter"].people) == (1, 1)
    assert purposes["draw"].kept == "90 days after the last use; a consent lasts 12 months"
    part = revealed(lived.policy.items["postcode"].cut)
    assert purposes["draw"].items["postcode"] == f"other, optional, kept in part (reveals {part})"
    consents = {each.purpose: each for each in report.consents}
    assert consents["draw"].statuses == {"granted": 1, "withdrawn": 1, "refused": 1}
    assert consents["draw"].months == {"2026-11": {"granted": 2, "refused": 1}, "2026-12": {"withdrawn": 1}}
    request = next(each for each in report.requests if each.kind == "access")
    assert (request.received, request.open, request.overdue) == (1, 1, 0)
    assert report.removal.overdue == 0
    assert sum(report.removal.erased.values()) == 2  # one by wish; the one who refused was due
    assert report.removal.runs[0].startswith("2026-12-13 12:30 done: ")
    assert report.access["no role"]["view"] == 1
    assert [each.state for each in report.epochs] == ["active"]
    assert report.backup_horizon is None
    assert [(each.problem, each.whole_at, each.since) for each in report.chains] == [("", lived.clock(), 0)] * 2
    assert report.findings == ("warning RP024 privacy.yml: x",)


def test_the_record_of_processing_is_whole(lived: Vault) -> None:
    """What GDPR Art. 30(1)(a) to (g) asks for stands in the page, each under its letter."""
    declared = lived.policy
    draw = msgspec.structs.replace(declared.purposes["draw"], recipients=("Parcel Post Ltd",))
    stored = Storage(location={"en": "in Hamburg"}, transfers={"en": "to Canada"})
    policy = msgspec.structs.replace(declared, purposes={**declared.purposes, "draw": draw}, storage=stored)
    text = page(made(replace(lived, policy=policy)))
    record = text[text.index("Record of processing") : text.index("Data inventory")]
    terms = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", record))
    assert "Northwind Outdoor" in terms["(a) Controller"]
    assert "officer: " in terms["(a) Controller"]
    assert "(b), (f) Purposes and when their data goes" in record
    assert all(name in record and page_text(each.says["en"]) in record for name, each in policy.purposes.items())
    assert "90 days after the last use" in record
    assert terms["(c) Whose data"] == "people who chat with the bot"
    assert set(terms["(c) Categories of data"].split(", ")) == {each.category for each in policy.items.values()}
    assert terms["(d) Recipients"] == "Parcel Post Ltd"
    assert (terms["(e) Transfers"], terms["Where it is kept"]) == ("to Canada", "in Hamburg")
    assert terms["(f) Messages"].endswith("for 30 days")
    assert "AES-256-GCM" in record[record.index("(g) Security") :]


def test_nothing_personal_is_in_it(lived: Vault) -> None:
    """Neither values nor sender ids, in HTML and in JSON."""
    report = made(lived)
    text = page(report) + msgspec.json.encode(report).decode()
    assert not re.search(r"canary|Canary|person-(one|two|three)", text)


class _Assets(HTMLParser):
    """Notes what a page would load, and whether its tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.opened: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.loads += [f"{tag} {name}" for name, _ in attrs if name in {"src", "href", "xlink:href", "action"}]
        self.loads += [tag] if tag in {"script", "link", "iframe", "img", "object"} else []
        if tag != "meta":
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close a tag, which must be the last one that was opened."""
        assert self.opened.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Pass over a tag that closes itself."""


def test_the_page_stands_by_itself(lived: Vault) -> None:
    """It loads nothing, its tags are closed, its plots are in it, and it says how it is printed."""
    text = page(made(lived, []))
    parser = _Assets()
    parser.feed(text)
    assert parser.loads == []
    assert parser.opened == []
    assert "url(" not in text
    assert text.count("<svg") == 3
    assert "@media print" in text


def test_what_privacy_yml_says_cannot_break_the_page(lived: Vault) -> None:
    """Names are escaped."""
    report = made(lived, ["<script>alert(1)</script>"])
    assert "<script>" not in page(report)


def test_consent_is_shown_where_it_is_asked_for(vault: Vault) -> None:
    """Of a purpose that rests on something else nobody is asked, and no count of answers is shown."""
    fitting = msgspec.structs.replace(vault.policy.purposes["fitting"], basis="contract", because={"en": "you asked"})
    purposes = {**vault.policy.purposes, "fitting": fitting}
    object.__setattr__(vault, "policy", msgspec.structs.replace(vault.policy, purposes=purposes))
    shown = page(made(vault)).partition("<h2>Consent</h2>")[2].partition("</section>")[0]
    assert re.findall("<h3>(.*?)</h3>", shown) == ["draw", "newsletter"]


def test_an_empty_store_has_a_report_too(vault: Vault) -> None:
    """Before the first person came."""
    report = made(vault)
    assert "Nobody" in page(report) or "0 people answered" in page(report)
    assert len(status_lines(report)) == 10


def test_the_status_is_ten_lines_and_marks_what_needs_somebody(lived: Vault, clock: Clock) -> None:
    """All is well but for findings; a month later a request is overdue and data is due."""
    lines = status_lines(made(lived, []))
    assert len(lines) == 10
    assert not [line for line in lines if line.startswith("!")]
    clock.advance(days=100)
    marked = [line.split()[1] for line in status_lines(made(lived, ["error RP001"])) if line.startswith("!")]
    assert marked == ["Requests", "Due", "Check"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE ledger_kinds SET event = 'granted' WHERE event = 'refused'", "consent ledger"),
        ("UPDATE ledger_kinds SET purpose = 'newsletter' WHERE kind = 1", "consent ledger"),
        ("UPDATE audit SET operator = 'nobody' WHERE verb = 'retention'", "audit log"),
        ("DELETE FROM audit WHERE seq = 2", "audit log"),
    ],
)
def test_a_broken_chain_is_said(lived: Vault, sql: Sql, clock: Clock, change: str, named: str) -> None:
    """Somebody changed a book; the report is made all the same and says so, also where reviews are wanted."""
    wanting = msgspec.structs.replace(lived.policy, retention=Retention(review_every="6 months"))
    sql(change)
    report = made(replace(lived, policy=wanting))
    assert [each.book for each in report.chains if each.problem] == [named]
    assert status_lines(report)[-1] == f"! Chains    {named} does not verify"
    assert f"{named}: <span class='bad'>{named}: record" in page(report)
    with lived.database.read() as connection:
        assert read_mark(connection, lived.index, AUDIT) == Mark()
    clock.advance(days=200)
    later = made(replace(lived, policy=wanting))
    assert later.review_overdue is not None, "a broken book does not put a review off"


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({}, "RV-0000-0000-0000 was made"),
        ({"number": "<img src=x onerror=alert(1)>"}, ""),
        ({"number": "RV-0000-0000-0000\x1b[2J"}, ""),
        ({"made_at": "2027-12-01T00:00:00"}, ""),
    ],
)
def test_a_review_that_was_put_there_by_hand_is_none(lived: Vault, changed: dict[str, str], shown: str) -> None:
    """Its row is not signed: what is no number of ours, or no time, comes neither into the page nor the terminal."""
    number = changed.get("number", "RV-0000-0000-0000")
    review = {"conversations": 0, "damaged": 0, "stored": [], "never_read": [], "never_given": [], "ending": {}}
    review["made_at"] = changed.get("made_at", "2027-12-01T00:00:00Z")
    written = msgspec.json.encode({"number": number, "review": review})
    lived.database.transact(lambda connection: meta_rows.write(connection, "review", written))
    wanting = msgspec.structs.replace(lived.policy, retention=Retention(review_every="1 day"))
    report = made(replace(lived, policy=wanting))
    assert report.review_overdue is not None
    assert shown in page(report)
    assert ("waits" in page(report)) == bool(shown)
    assert "<img" not in page(report)
    assert not any("\x1b" in line for line in status_lines(report))


def test_a_report_without_operators_says_so(lived: Vault) -> None:
    """Where training is wanted."""
    permit = admit_local(lived, "report")
    wanting = msgspec.structs.replace(lived.policy, training=Training(course="data-handling"))
    report = gather(replace(lived, policy=wanting), permit, lived.clock())
    assert "There are no operators; who has the machine needs the course too." in page(report)


def test_the_next_report_goes_on_from_the_last(lived: Vault, sql: Sql, clock: Clock) -> None:
    """And says since when; so does the scope of a breach."""
    whole = made(lived).made_at
    clock.advance(hours=5)
    record_now(lived, admit_local(lived, "view"))
    sql("UPDATE audit SET reason = 'x' WHERE seq = 2")  # long verified; for `audit verify`
    report = made(lived)
    assert [(each.whole_at, each.since) for each in report.chains] == [(whole, 0), (whole, 2)]
    assert "verify; whole on 2026-12-13 12:30, and 2 new records since" in status_lines(report)[-1]
    assert "Verified whole on 13 December 2026, 12:30 (UTC), and 2 new records since" in page(report)
    found = scope(lived, admit_local(lived, "audit"), clock() - timedelta(hours=1), clock())
    assert (found.whole_at, found.new) == (whole, 2)


def test_the_scope_of_a_breach_is_by_time(lived: Vault, clock: Clock) -> None:
    """Whom operators touched then, which items, who did it, and how many are stored at all."""
    permit = admit_local(lived, "audit")
    record_now(lived, admit_local(lived, "rectify"), purposes=["draw"], items=["full_name"])
    found = scope(lived, permit, clock() - timedelta(hours=1), clock() + timedelta(hours=1))
    before = scope(lived, permit, START - timedelta(days=9), START - timedelta(days=8))
    assert (found.people, found.items, found.purposes) == (1, ("email", "full_name"), ("draw",))
    assert found.by_verb["view"] == 1
    assert (before.people, before.by_verb, before.changed) == (0, {}, 0)
    assert found.everybody == before.everybody == 1
    assert found.changed == 1


def test_what_was_refused_was_not_touched(lived: Vault, clock: Clock) -> None:
    """It is counted as a refusal, and of whom it was tried by; no person, item or deed is added by it."""
    permit, since, until = admit_local(lived, "audit"), clock() - timedelta(hours=1), clock() + timedelta(hours=1)
    before = scope(lived, permit, since, until)
    refused = AuditRecord(
        at=clock(), operator="mallory", verb="erase", outcome="refused", purposes=("fitting",), items=("phone",)
    )
    lived.database.transact(lambda connection: lived.audit.append(connection, refused))
    after = scope(lived, permit, since, until)
    assert (after.refused, after.by_operator["mallory"]) == (before.refused + 1, 1)
    assert "erase" not in after.by_verb
    assert (after.people, after.items, after.purposes) == (before.people, before.items, before.purposes)


def test_a_breach_is_not_counted_by_a_log_that_was_changed(lived: Vault, sql: Sql, clock: Clock) -> None:
    """Nothing is said by a log that does not verify."""
    sql("UPDATE audit SET operator = 'nobody' WHERE seq = 1")
    with pytest.raises(AuditError):
        scope(lived, admit_local(lived, "audit"), START, clock())


def test_reports_need_their_permit(vault: Vault) -> None:
    """A permit for something else makes none."""
    with pytest.raises(AccessError):
        gather(vault, admit_local(vault, "view"), START)
    with pytest.raises(AccessError):
        scope(vault, admit_local(vault, "report"), START, START)


def test_bars_have_the_heights_of_their_counts() -> None:
    """The highest fills the picture, half of it half, and nothing is drawn of nothing."""
    picture = bars({"2026-10": {"granted": 4}, "2026-11": {"granted": 2}}, ("granted",), "answers")
    heights = [float(height) for height in re.findall(r'height="([\d.]+)" fill', picture)][:2]
    assert heights[0] == pytest.approx(2 * heights[1])
    assert bars({}, ("granted",), "answers") == ""
    gap = bars({"2026-11": {"granted": 4}, "2027-02": {"granted": 2}}, ("granted",), "answers")
    assert re.findall(r">(\d{4}-\d\d)</text>", gap) == ["2026-11", "2026-12", "2027-01", "2027-02"]
    long = bars({"2026-01": {"granted": 4}, "2027-12": {"granted": 2}}, ("granted",), "answers")
    assert len(re.findall(r">\d{4}-\d\d</text>", long)) == 12  # labels of all 24 would lie on each other
    assert bars({"2026-10": {"granted": 0}}, ("granted",), "answers") == ""


def under(vault: Vault, *names: str, **changes: Any) -> Vault:
    """Return the store under regulations of the package, with changes of privacy.yml."""
    policy = msgspec.structs.replace(vault.policy, regulations=names, **changes)
    return replace(vault, policy=policy, regulations=load_regulations(names, None))


def test_a_breach_is_told_by_each_regulation_in_its_time(vault: Vault, clock: Clock) -> None:
    """To whom, by when and by which article; business days are the country's, and GDPR counts where none says."""
    clock.now = datetime(2026, 12, 23, 12, tzinfo=timezone.utc)  # a Wednesday; the 25th is a holiday
    permit = admit_local(vault, "audit")
    learned = clock.now - timedelta(hours=2)
    store = under(vault, "lgpd@2026-11", "gdpr@2026-11", "pipeda@2026-11", "ccpa@2026-11")
    found = scope(store, permit, START, clock.now, learned)
    assert [(each.regulation, each.by) for each in found.tell] == [
        ("pipeda@2026-11", learned),
        ("gdpr@2026-11", learned + timedelta(hours=72)),
        ("lgpd@2026-11", learned + timedelta(days=6)),  # Thursday, Monday, Tuesday
    ]
    assert found.tell[1].whom == "the supervisory authority"
    assert found.tell[2].article == "Art. 48; Resolution CD/ANPD 15/2024, Art. 6"
    assert found.silent == ("ccpa@2026-11",)
    assert [each.regulation for each in scope(under(vault), permit, START, clock.now).tell] == ["gdpr@2026-11"]
    controller = msgspec.structs.replace(vault.policy.controller, authority="DPC, https://dpc.example")
    named = scope(under(vault, "gdpr@2026-11", controller=controller), permit, START, clock.now)
    assert named.tell[0].whom == "the supervisory authority (DPC, https://dpc.example)"


def test_every_figure_of_a_regulation_is_in_the_report(vault: Vault) -> None:
    """With its article, and by what it is kept; no figure of any profile is left out."""
    names = profiles()
    found = made(under(vault, *names))
    for name in names:
        mine = " ".join(f"{each.demands} {each.source}" for each in found.obligations if each.regulation == name)
        for path in figures(load_profile(name)):
            part, _, rest = path.partition("[")[0].partition(".")
            if part not in ("notes", "country", "notice"):
                figure = getattr(load_profile(name), part)
                figure = figure[rest] if rest else figure
                assert f"{figure.article} ({figure.confidence})" in mine, (name, path)
    said = " ".join(each.demands for each in found.obligations)
    for term in ("24 months", "1 year", "Sec-GPC: 1", "within 5 minutes", "not before 12 months", "72 hours"):
        assert term in said
    assert all(each.kept for each in found.obligations)
    assert any("Verifying who asks does not stop the clock." in each.demands for each in found.obligations)
    past = [each.regulation for each in found.obligations if each.about == "the profile" and not each.is_kept]
    assert past == ["uk-gdpr@2026-05"]
    assert "What the regulations demand" in page(found)


def test_what_falls_short_of_a_regulation_is_said(vault: Vault) -> None:
    """An age that is too low; words that the recogniser does not know; and what a signal closes."""
    young = under(vault, "coppa@2026-11", "ccpa@2026-11", minimum_age=12)
    found = {(each.regulation, each.about): each for each in made(young).obligations}
    assert not found["coppa@2026-11", "age"].is_kept
    assert "NOT KEPT: minimum_age is 12" in page(made(young))
    assert found["ccpa@2026-11", "opt-out: signal of a browser"].kept == "no purpose sells or shares"
    draw = msgspec.structs.replace(vault.policy.purposes["draw"], recipients=("Post",))
    shared = under(vault, "ccpa@2026-11", purposes={**vault.policy.purposes, "draw": draw})
    signal = next(each for each in made(shared).obligations if "signal" in each.about)
    assert "it closes draw" in signal.kept
    profile = load_profile("tcpa@2026-11")
    assert profile.opt_out is not None
    odd = msgspec.structs.replace(profile, opt_out=msgspec.structs.replace(profile.opt_out, words=("stop", "basta ya")))
    found = {("", each.about): each for each in made(replace(vault, regulations=Regulations((odd,)))).obligations}
    words = found["", "opt-out: words"]
    assert (words.is_kept, words.kept) == (False, "not understood in every language: basta ya")


@pytest.mark.parametrize(("windows", "shown"), [(("socketio",), "; on socketio not quit, end, cancel alone"), ((), "")])
def test_the_report_says_where_a_word_of_the_law_is_no_opt_out(
    vault: Vault, windows: tuple[str, ...], shown: str
) -> None:
    """A word that closes a window or leaves a form is none there, and an auditor reads so."""
    store = under(vault, "tcpa@2026-11", opt_out=OptOut(chat_windows=windows))
    (kept,) = (each.kept for each in made(store).obligations if each.about == "opt-out: words")
    everywhere = "each is understood as a whole message, in every language of the bot"
    assert kept == f"{everywhere}; in a form or a question not cancel alone{shown}"
