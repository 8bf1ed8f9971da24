"""`rasa-privacy training`: the course that operators take before they get personal data, and who took it."""

import secrets
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from rasa_privacy.access.course import introduction, questions
from rasa_privacy.access.login import Operator
from rasa_privacy.access.recording import record_now
from rasa_privacy.access.training import attest, everybody
from rasa_privacy.cli.acting import acting, operator_options, permit_for
from rasa_privacy.cli.asking import somebody
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.store import existing_store
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.operations import Training
from rasa_privacy.storage.vault import Vault

_NOT_PASSED_EXIT_CODE = 1


@click.group()
def training() -> None:
    """Take the course on how to handle this bot's data, or see who has: take, report."""


@training.command()
@bot_option
@endpoints_option
def take(*, bot: Path, endpoints: Path | None) -> None:
    """Read what to know and answer the questions, by their numbers. Exit code 1 where it was not enough.

    The questions are made of this bot's privacy.yml. It can be taken again as often as you like; each attempt is kept.
    """
    with existing_store(bot, endpoints) as vault:
        declared = _declared(vault)
        operator = acting(vault)
        click.echo(introduction(vault.policy))
        with somebody("nothing was recorded; operators answer by themselves: run it in a terminal"):
            passed = _examine(vault, operator, declared)
    if not passed:
        click.get_current_context().exit(_NOT_PASSED_EXIT_CODE)


def _examine(vault: Vault, operator: Operator, declared: Training) -> bool:
    asked = questions(vault.policy, secrets.SystemRandom())
    answers = []
    for number, question in enumerate(asked, start=1):
        click.echo(f"\n{number}/{len(asked)}  {question.text}")
        for choice, text in enumerate(question.choices, start=1):
            click.echo(f"  {choice}  {text}")
        answers.append(click.prompt("Your answer", type=click.IntRange(1, len(question.choices))) - 1)
    made = attest(vault, operator, asked, answers)
    click.echo(f"\n{made.correct} of {made.asked} are right; {declared.pass_mark} % are needed.")
    for question, answer in zip(asked, answers, strict=True):
        if answer != question.right:
            click.echo(f"Not right: {question.text}\n  It is: {question.choices[question.right]}")
    click.echo(f"Passed; valid for {declared.valid_for}." if made.passed else "Not passed; take it again.")
    return made.passed


@training.command()
@operator_options
@bot_option
@endpoints_option
def report(*, bot: Path, endpoints: Path | None) -> None:
    """Say who passed the course, and until when that holds. Exit code 1 where an operator lacks it."""
    with existing_store(bot, endpoints) as vault:
        declared = _declared(vault)
        permit = permit_for(vault, "report")
        with vault.database.read() as connection:
            found = everybody(vault, connection, declared)
        now = vault.clock()
        lacking = [each for each in found if not each.holds(now)]
        record_now(vault, permit, counts={"operators": len(found), "lacking": len(lacking)})
        table = Table("operator", "attempts", "passed (UTC)", "until (UTC)", "state", box=None, pad_edge=False)
        for each in found:
            days = (f"{day:%Y-%m-%d}" if day else "" for day in (each.passed_at, each.until))
            state = "current" if each not in lacking else "gets no personal data"
            table.add_row(each.operator, str(each.attempts), *days, state)
    if found:
        Console(width=120).print(table)
    else:
        click.echo("There are no operators; who has the machine needs the course too: 'rasa-privacy training take'.")
    if lacking:
        click.get_current_context().exit(_NOT_PASSED_EXIT_CODE)


def _declared(vault: Vault) -> Training:
    if vault.policy.training is None:
        raise ConfigurationError(
            "privacy.yml asks for no training; write 'training: {course: data-handling, valid_for: 12 months}'"
        )
    return vault.policy.training
