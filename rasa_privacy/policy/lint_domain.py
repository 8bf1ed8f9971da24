"""Does privacy.yml fit the domain? Pure functions of the two."""

from collections.abc import Iterator

from rasa_privacy.policy.bot import Bot, Form
from rasa_privacy.policy.findings import PLACEHOLDER_CONTACT, PLACEHOLDER_NAME, PLACEHOLDER_URL, Finding
from rasa_privacy.policy.import_model import SlotAnswer
from rasa_privacy.policy.model import AgeByCountry, Policy, Replies
from rasa_privacy.policy.own_intents import likely_replies, likely_requests
from rasa_privacy.policy.retain import parse_retain
from rasa_privacy.policy.slots import unclassified_slots
from rasa_privacy.policy.suggest import did_you_mean, listed, shown


def unclassified(bot: Bot, policy: Policy, _file: str) -> Iterator[Finding]:
    """RP001."""
    for slot in unclassified_slots(policy, bot.domain.slots):
        place = str(bot.domain.slots[slot].name.place)
        why = f"nothing says whether slot {shown(slot)} is personal"
        yield Finding("RP001", place, why, "give it an item in privacy.yml, or name it under 'not_personal'")


def guards(bot: Bot, policy: Policy, file: str) -> Iterator[Finding]:
    """RP002 and RP018."""
    known = bot.domain.runnable()
    others = {name for purpose in policy.purposes.values() for name in (*purpose.also_ask, *purpose.requires)}
    asked = others.union(policy.asked_first())
    for name, purpose in policy.purposes.items():
        for action in purpose.guards:
            if action not in known:
                why = f"purpose {shown(name)} guards {shown(action)}, which the domain does not have"
                remedy = "write the name of a form, action or response" + did_you_mean(action, known)
                yield Finding("RP002", file, why, remedy)
        if purpose.basis == "consent" and not purpose.guards and name not in asked:
            why = f"purpose {shown(name)} needs consent and guards nothing, so the bot never asks for it by itself"
            remedy = (
                "name under 'guards' the forms and actions that use its items, or name it under 'also_ask' of "
                "another one; where '@requires_consent' in your actions asks for it, waive this"
            )
            yield Finding("RP018", file, why, remedy, "warning")


def retains(bot: Bot, policy: Policy, file: str) -> Iterator[Finding]:
    """RP062."""
    known = {*bot.domain.forms, *bot.domain.actions}
    for name, purpose in policy.purposes.items():
        event = parse_retain(purpose.retain).event
        if event is not None and event not in known:
            why = f"purpose {shown(name)} counts from {shown(event)}, which the domain does not have, so it never ends"
            yield Finding("RP062", file, why, "write the name of a form or action" + did_you_mean(event, known))


def items(bot: Bot, policy: Policy, file: str) -> Iterator[Finding]:
    """RP003, RP004, RP017 and RP030."""
    for name, item in policy.items.items():
        form = item.lasting.form if item.lasting is not None else None
        if form is not None and form not in bot.domain.forms:
            why = f"item {shown(name)} is kept until form {shown(form)} is done, which the domain does not have"
            yield Finding("RP030", file, why, "mend the name" + did_you_mean(form, bot.domain.forms))
        if item.slot is not None and item.slot not in bot.domain.slots:
            why = f"item {shown(name)} names slot {shown(item.slot)}, which the domain does not have"
            yield Finding("RP003", file, why, "mend the name" + did_you_mean(item.slot, bot.domain.slots))
        if item.entity is not None and item.entity not in bot.domain.entities:
            why = f"item {shown(name)} names entity {shown(item.entity)}, which the domain does not have"
            remedy = "mend the name, or add it to the domain" + did_you_mean(item.entity, bot.domain.entities)
            yield Finding("RP004", file, why, remedy, "warning")
        if not policy.purposes_using(name):
            why = f"item {shown(name)} is used by no purpose"
            yield Finding("RP017", file, why, "data minimisation: remove it or give it a purpose")


def entities(bot: Bot, policy: Policy, _file: str) -> Iterator[Finding]:
    """RP021."""
    for name, item in policy.items.items():
        slot = bot.domain.slots.get(item.slot or "")
        if slot is None or item.detect is not None:
            continue
        for entity in slot.entities:
            if policy.item_of_entity(entity) is None:
                why = f"slot {shown(slot.name.text)} is filled from entity {shown(entity)}, which belongs to no item"
                remedy = f"add 'entity: {entity}' to item {shown(name)}, so that it is dropped without consent"
                yield Finding("RP021", str(slot.name.place), why, remedy, "warning")


def forms(bot: Bot, policy: Policy, _file: str) -> Iterator[Finding]:
    """RP005 and RP006."""
    for form in bot.domain.forms.values():
        yield from _form(form, policy)


def _form(form: Form, policy: Policy) -> Iterator[Finding]:
    found = (policy.item_of_slot(slot) for slot in form.required_slots)
    asked = [item for item in found if item is not None]
    purposes = policy.purposes_guarding(form.name.text)
    name = shown(form.name.text)
    if asked and not purposes:
        why = f"form {name} asks for {listed(asked)} and no purpose guards it"
        yield Finding("RP006", str(form.name.place), why, "name it under 'guards' of the purpose that needs these")
        return
    for item in asked:
        if not any(item in policy.purposes[purpose].items for purpose in purposes):
            why = f"form {name} asks for item {shown(item)}, which its purposes ({listed(purposes)}) do not list"
            remedy = "list the item under one of them, or take its slot out of the form"
            yield Finding("RP005", str(form.name.place), why, remedy)


def imported(bot: Bot, policy: Policy, file: str) -> Iterator[Finding]:
    """RP022."""
    for name, consent in policy.import_.consent.items() if policy.import_ is not None else ():
        answer = consent.given_by
        if isinstance(answer, SlotAnswer) and answer.slot not in bot.domain.slots:
            why = f"import looks for the consent to {shown(name)} in slot {shown(answer.slot)}, which the domain lacks"
            remedy = "write the name of the slot that holds the answer" + did_you_mean(answer.slot, bot.domain.slots)
            yield Finding("RP022", file, why, remedy)


def declared_only(_bot: Bot, policy: Policy, file: str) -> Iterator[Finding]:
    """RP016."""
    controller = policy.controller
    placeholders = {PLACEHOLDER_NAME, PLACEHOLDER_CONTACT, PLACEHOLDER_URL}
    if placeholders & {controller.name, controller.contact, controller.policy_url}:
        why = "the controller still has the texts that 'rasa-privacy init' wrote"
        yield Finding("RP016", file, why, "write who you are; people are shown it before they consent", "warning")


def asking(bot: Bot, policy: Policy, file: str) -> Iterator[Finding]:
    """RP024, RP025 and RP026."""
    declared = policy.minimum_age
    if isinstance(declared, AgeByCountry) and declared.slot not in bot.domain.slots:
        why = f"minimum_age reads the country from slot {shown(declared.slot)}, which the domain does not have"
        yield Finding("RP026", file, why, "mend the name" + did_you_mean(declared.slot, bot.domain.slots))
    for name, purpose in policy.purposes.items():
        for other in purpose.requires:
            why = f"a no to {shown(other)} closes what {shown(name)} is for, so that a yes to it may not be free"
            remedy = "see whether the reason holds before your regulator (GDPR Art. 7(4), recital 43)"
            yield Finding("RP024", file, why, remedy, "warning")
    replies = policy.replies or Replies()
    for intent in (*replies.grant, *replies.refuse):
        if intent not in bot.domain.intents:
            why = f"replies names the intent {shown(intent)}, which the domain does not have"
            yield Finding("RP025", file, why, "mend the name" + did_you_mean(intent, bot.domain.intents))


def own_intents(bot: Bot, policy: Policy, file: str) -> Iterator[Finding]:
    """RP066, RP067 and RP068."""
    intents = bot.domain.intents
    for name, meant in policy.requests.items():
        for intent in meant:
            if intent not in intents:
                why = f"requests names the intent {shown(intent)} under {shown(name)}, which the domain does not have"
                yield Finding("RP066", file, why, "mend the name" + did_you_mean(intent, intents))
    for name, likely in likely_requests(intents).items():
        for intent in likely:
            if policy.request_meant_by(intent) is None:
                why = (
                    f"intent {shown(intent)} seems to mean the request {shown(name)}, and nothing says whether it does"
                )
                remedy = f"add 'requests: {{{name}: [{intent}]}}' to {file}, or waive this if it means something else"
                yield Finding("RP067", str(intents[intent]), why, remedy, "warning")
    named = policy.replies or Replies()
    answers = {each: intent for each, intent in likely_replies(intents).items() if not getattr(named, each)}
    for meaning, intent in answers.items():
        why = f"the bot's own {shown(intent)} answers no question of ours, which it passes by"
        yield Finding("RP068", file, why, f"add '{meaning}: [{intent}]' under 'replies', or waive this", "warning")
