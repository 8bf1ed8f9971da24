"""What the regulations of privacy.yml demand, figure by figure, and by what each is kept: for the officer and auditors.

Notice parts are one line each regulation; `check` names those that are missing (RP052). What nobody but the controller
can do is said too, with the command that helps.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from rasa_privacy.dialogue.keywords import cancels, closes, opt_out
from rasa_privacy.policy.model import AgeByCountry, Policy
from rasa_privacy.policy.profile_model import AT_ONCE, AgeRule, BreachRule, Figure, OptOutRule, Profile
from rasa_privacy.policy.regulations import is_past_review
from rasa_privacy.policy.topics import sharing
from rasa_privacy.report.facts import Obligation

#: By what a kind of record is kept for as long as a regulation wants; another kind is the controller's own.
_RECORDS: Final = {
    "requests": "no command removes a request, and it outlives the deletion of its person",
    "logs": "nothing is removed from the audit log and the consent ledger",
}


def obligations(policy: Policy, named: tuple[Profile, ...], today: date) -> tuple[Obligation, ...]:
    """Return what the profiles demand, in their order, with what no field has a place for; today is of UTC."""
    return tuple(each for profile in named for each in (*_of(profile, policy), *_about(profile, today)))


def _about(profile: Profile, today: date) -> Iterator[Obligation]:
    """Yield what is to be known of the profile itself."""
    for note in profile.notes:
        yield Obligation(regulation=profile.id, about="note", demands=note, source="", kept="by you")
    yield Obligation(
        regulation=profile.id,
        about="the profile",
        demands=f"looked at again by {profile.review_by}",
        source="",
        kept="'rasa-privacy check' warns from then on, and of a newer one (RP051)",
        is_kept=not is_past_review(profile, today),
    )


def _of(profile: Profile, policy: Policy) -> Iterator[Obligation]:
    for kind, clock in profile.clocks.items():
        words = [f"within {clock.answer}"]
        words += [f"at most {clock.extension} more"] if clock.extension else []
        words += [f"receipt confirmed within {clock.acknowledge}"] if clock.acknowledge else []
        kept = "each request has its date; 'rasa-privacy requests due' names what comes near"
        about = "requests" if kind == "any" else f"requests: {kind}"
        yield _made(profile, about, ", ".join(words), clock, kept)
    if profile.notice:
        articles = ", ".join(dict.fromkeys(part.article for part in profile.notice.values()))
        parts = ", ".join(part.replace("_", " ") for part in profile.notice)
        yield Obligation(
            regulation=profile.id,
            about="notice",
            demands=parts,
            source=articles,
            kept="told in the chat; 'rasa-privacy check' names a part that is missing (RP052)",
        )
    if profile.age is not None:
        yield _age(profile, profile.age, policy)
    if profile.opt_out is not None:
        yield from _opt_out(profile, profile.opt_out, policy)
    if profile.breach is not None:
        yield _breach(profile, profile.breach)
    for kind, record in profile.records.items():
        kept = _RECORDS.get(kind, "by you: this package keeps no such record")
        yield _made(profile, f"records: {kind}", f"kept for {record.keep} at least", record, kept)


def _opt_out(profile: Profile, rule: OptOutRule, policy: Policy) -> Iterator[Obligation]:
    kept = "with the message that says it; a list that was handed out before you take back within that time"
    yield _made(profile, "opt-out: obeyed", _within(rule.within), rule, kept)
    if rule.words:
        yield _words(profile, rule, policy)
    if rule.confirm_within is not None:
        kept = "the answer to the message is the one confirmation, and without marketing"
        yield _made(profile, "opt-out: confirmed", _within(rule.confirm_within), rule, kept)
    if rule.ask_again_after is not None:
        kept = "who said no is not asked again, or after 'ask_again_after', which privacy.yml may not have shorter"
        yield _made(profile, "opt-out: asked again", f"not before {rule.ask_again_after}", rule, kept)
    if rule.signal is not None:
        shared = ", ".join(sharing(policy))
        kept = "no purpose sells or shares"
        if shared:
            kept = f"our channels read it once for each person, and it closes {shared}; 'check' names others (RP065)"
        yield _made(profile, "opt-out: signal of a browser", rule.signal, rule, kept)


def _words(profile: Profile, rule: OptOutRule, policy: Policy) -> Obligation:
    deaf = [word for word in rule.words if not all(opt_out(word, each) for each in policy.languages)]
    kept = "each is understood as a whole message, in every language of the bot"
    if deaf:
        kept = f"not understood in every language: {', '.join(deaf)}"
    kept += _unless("in a form or a question", cancels, rule, policy)
    if policy.opt_out.chat_windows:
        kept += _unless(f"on {', '.join(policy.opt_out.chat_windows)}", closes, rule, policy)
    return _made(profile, "opt-out: words", ", ".join(rule.words), rule, kept, is_kept=not deaf)


def _unless(where: str, means_that: Callable[[str, str], bool], rule: OptOutRule, policy: Policy) -> str:
    """Return in words which words of a regulation mean something else there."""
    words = [word for word in rule.words if any(means_that(word, each) for each in policy.languages)]
    return f"; {where} not {', '.join(words)} alone" if words else ""


def _breach(profile: Profile, rule: BreachRule) -> Obligation:
    demands = f"{rule.whom} is told {_within(rule.authority)}"
    return _made(profile, "breach", demands, rule, "by you; 'rasa-privacy breach scope' says what to tell, and by when")


def _age(profile: Profile, rule: AgeRule, policy: Policy) -> Obligation:
    declared = policy.minimum_age
    years = declared.otherwise if isinstance(declared, AgeByCountry) else declared
    is_kept = years >= rule.least if years is not None else not rule.demanded
    said = "nobody is asked for an age" if years is None else f"minimum_age is {years}"
    least = f", in no country below {rule.least}" if rule.least != rule.years else ""
    return _made(profile, "age", f"{rule.years} years{least}", rule, said, is_kept=is_kept)


def _made(  # noqa: PLR0913 - one line of the report
    profile: Profile,
    about: str,
    demands: str,
    figure: Figure,
    kept: str,
    *,
    is_kept: bool = True,
) -> Obligation:
    source = f"{figure.article} ({figure.confidence})"
    return Obligation(regulation=profile.id, about=about, demands=demands, source=source, kept=kept, is_kept=is_kept)


def _within(term: str) -> str:
    return term if term == AT_ONCE else f"within {term}"
