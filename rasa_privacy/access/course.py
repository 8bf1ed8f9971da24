"""The course `data-handling`: a short text, and questions about this bot's own privacy.yml.

Pure: which questions, and in which order the answers stand, follows from the policy and the randomness that is given.
Half of the questions are of the file (what may be used for what, when it is deleted, who gets it), and half are about
what to do when something happens.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.purpose_model import Purpose
from rasa_privacy.policy.retain import in_words

#: Questions of each half.
OF_THE_FILE: Final = 5
OF_CONDUCT: Final = 5
_CHOICES: Final = 4
_NOBODY: Final = "nobody else"
_NONE: Final = "none of them"

_BASES: Final = {
    "consent": "the person's consent",
    "contract": "a contract with the person",
    "legal_obligation": "a legal obligation",
    "vital_interests": "somebody's vital interests",
    "public_task": "a public task",
    "legitimate_interests": "our legitimate interests",
}

#: What happens, what is right to do, and what is not.
_CONDUCT: Final = (
    (
        "A person writes to support: delete my data. What do you do?",
        "It is a request by law: have it carried out now, or pass it on at once to who does, and tell the person",
        ("Ask them to fill in a form first", "Wait whether they write again", "Unsubscribe them from the newsletter"),
    ),
    (
        "Somebody calls, says that they are a customer, and wants to hear what is stored of them. What do you do?",
        "Check who they are in the way that is set down for it, before anything is said",
        ("Read it to them: it is their right", "Ask for their name and then read it", "Say that nothing is stored"),
    ),
    (
        "A colleague in a hurry asks for your token. What do you do?",
        "Keep it: each has their own, and what is done with yours is recorded under your name",
        ("Lend it for a minute", "Send it by mail, and delete the mail", "Do what they need, without a look at why"),
    ),
    (
        "You see a list of people's addresses where it does not belong. What do you do?",
        "Tell the officer at once: the authority may have to be told within 72 hours",
        ("Delete it, and say nothing", "Wait for the weekly meeting", "Tell the people on the list first"),
    ),
    (
        "What belongs into the reason when you look at values in the clear?",
        "Why you need it, for example the number of a ticket; no name, address or number of the person",
        ("The person's name and address", "Nothing, it can be left empty", "Your token"),
    ),
    (
        "A person took their consent to the newsletter back. May they get the next one?",
        "No, and nothing else that rests on that consent",
        ("Yes, once more to say goodbye", "Yes, until the end of the month", "Yes, if they are a good customer"),
    ),
    (
        "Marketing would like to use the addresses of one purpose for another one. May they?",
        "Only for purposes that privacy.yml names the item under, and that the person agreed to",
        ("Yes, it is our data", "Yes, if there are fewer than a hundred", "Yes, if a manager says so"),
    ),
    (
        "You want to look at what a friend told the bot. May you?",
        "No: only where your work on a request or a ticket needs it, and each look is recorded",
        ("Yes, if they never know", "Yes, with a reason in the log", "Yes, masked values are no personal data"),
    ),
)


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        text: What is asked.
        choices: The answers to choose from, each once.
        right: Index of the right one.
    """

    text: str
    choices: tuple[str, ...]
    right: int


def introduction(policy: Policy) -> str:
    """Return what to know before the questions, from this file."""
    officer = policy.controller.officer or policy.controller.contact
    told = _purposes(policy)
    lines = [
        f"{policy.controller.name} keeps personal data for these purposes, and for nothing else:",
        *(f"  {name}: {_listed([*purpose.items]) or 'no items'}; {in_words(purpose.retain)}" for name, purpose in told),
        "Look at a person's data only where your work needs it, and say why. Each look is recorded.",
        "Whoever asks what is stored of them, or to change or delete it, has a right to it and a deadline by law.",
        f"Something went wrong, or you are not sure? Ask {officer} at once.",
    ]
    return "\n".join(lines)


def questions(policy: Policy, random: Random) -> list[Question]:
    """Return the questions of one attempt.

    Args:
        policy: What privacy.yml says.
        random: Chooses among them and shuffles the answers.
    """
    kinds: tuple[Callable[[Policy], Iterator[_Draft]], ...] = (_uses, _retention, _basis, _recipients)
    of_the_file = [draft for kind in kinds for draft in kind(policy)]
    random.shuffle(of_the_file)
    conduct = [_Draft(*each) for each in random.sample(_CONDUCT, OF_CONDUCT)]
    chosen = [*of_the_file[:OF_THE_FILE], *conduct]
    return [_shuffled(draft, random) for draft in chosen]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A question before its answers are shuffled."""

    text: str
    right: str
    wrong: Sequence[str]


def _shuffled(draft: _Draft, random: Random) -> Question:
    wrong = [each for each in dict.fromkeys(draft.wrong) if each != draft.right]
    choices = [draft.right, *random.sample(wrong, min(_CHOICES - 1, len(wrong)))]
    random.shuffle(choices)
    return Question(draft.text, tuple(choices), choices.index(draft.right))


def _uses(policy: Policy) -> Iterator[_Draft]:
    names = [*policy.purposes]
    for item in policy.items:
        using = policy.purposes_using(item)
        wrong = {_listed(names), _NONE, *names} | {_listed([each for each in names if each not in using]) or _NONE}
        yield _Draft(f"Which purposes may use the item '{item}'?", _listed(using) or _NONE, sorted(wrong))


def _retention(policy: Policy) -> Iterator[_Draft]:
    others = {in_words(each.retain) for each in policy.purposes.values()}
    others |= {in_words("10 years"), in_words("7 days"), in_words("until withdrawn")}
    for name, purpose in _purposes(policy):
        yield _Draft(f"How long is data kept for '{name}'?", in_words(purpose.retain), sorted(others))


def _basis(policy: Policy) -> Iterator[_Draft]:
    for name, purpose in _purposes(policy):
        yield _Draft(f"What allows us to use data for '{name}'?", _BASES[purpose.basis], [*_BASES.values()])


def _recipients(policy: Policy) -> Iterator[_Draft]:
    known = {recipient for purpose in policy.purposes.values() for recipient in purpose.recipients}
    others = {_NOBODY, "every company of the group", "who pays for it", "whoever asks for it politely", *known}
    for name, purpose in _purposes(policy):
        right = _listed(purpose.recipients) or _NOBODY
        yield _Draft(f"Who may get the data of '{name}' from us?", right, sorted(others - {*purpose.recipients}))


def _purposes(policy: Policy) -> list[tuple[str, Purpose]]:
    return [*policy.purposes.items()]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
