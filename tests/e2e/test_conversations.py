"""The conversations of the first slice, over REST, against a real Rasa server and a real action server.

Every person is new, says marked values, and is searched for in every byte that was written or sent (the canary).
"""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rasa_privacy.cli.rest import BotMessage, Chat
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.minimize.own_values import OWN_ENTITY
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.requests import open_of
from tests.e2e.harness import RunningBot
from tests.e2e.people import EVERYBODY, Person, ledger_of, new_person, store_of, stored_values
from tests.e2e.search import assert_nowhere

pytestmark = [pytest.mark.e2e]


def text_of(messages: list[BotMessage]) -> str:
    """Return what the bot said in one turn."""
    return "\n".join(message.text for message in messages)


def asks_for_consent(chat: Chat) -> bool:
    """Return whether the last turn offered the two buttons of a consent question."""
    return [button.payload.split("{")[0] for button in chat.offered][:2] == ["/privacy_grant", "/privacy_refuse"]


def agree_to_the_draw(chat: Chat) -> None:
    """Ask for the draw and agree; the form has started then."""
    chat.say("I want to enter the prize draw")
    chat.press("Yes, I agree")
    assert "full name" in text_of(chat.press("Yes, that too"))


def fill_the_form(chat: Chat, person: Person) -> str:
    """Answer the form's three questions and return the last answer."""
    assert "email" in text_of(chat.say(person.name)).lower()
    assert "postcode" in text_of(chat.say(person.email)).lower()
    return text_of(chat.say(person.postcode))


def test_draw_from_the_question_to_the_erasure(bot: RunningBot) -> None:
    """Conversation 1: notice, yes, the form by itself, confirmed, delete, certificate, and a new person after it."""
    person = new_person()
    chat = bot.chat(person.sender)
    notice = text_of(chat.say("I want to enter the prize draw"))
    for part in ("draw", "your name", "your email address", "90 days", "https://northwind.example/privacy"):
        assert part in notice
    assert asks_for_consent(chat)
    assert "postcode" in text_of(chat.press("Yes, I agree"))
    assert "full name" in text_of(chat.press("Yes, that too"))
    assert "You're in the draw" in fill_the_form(chat, person)
    assert stored_values(bot, person.sender) == {
        "prize_draw": {"full_name": person.name, "email": person.email, "postcode": person.postcode[:3]}
    }
    assert_nowhere(person.marks, bot.sinks(payloads=False))

    preview = text_of(chat.say("delete my data"))
    assert "your name" in preview
    assert "stays" in preview
    erased = text_of(chat.press("Yes, delete it"))
    number = re.search(r"ER-\w{4}-\w{4}-\w{4}", erased)
    assert number is not None
    with store_of(bot) as vault, vault.database.read() as connection:
        assert vault.subjects.find(connection, person.sender) is None
        assert vault.erasures.certificate(connection, number[0]) is not None
    assert_nowhere(person.marks, bot.sinks(payloads=False))

    chat.say("I want to enter the prize draw")
    assert asks_for_consent(chat)
    assert ledger_of(bot, person.sender) == [("prize_draw", "asked")]


def test_data_in_the_first_message_is_not_kept(bot: RunningBot) -> None:
    """Conversation 2: before the grant no byte of it is on disk, in a log or in a payload."""
    person = new_person()
    chat = bot.chat(person.sender)
    said = text_of(chat.say(f"hi, I'm {person.name}, {person.email}, sign me up for the prize draw"))
    assert "not kept" in said
    assert_nowhere(person.values, bot.sinks())
    assert_nowhere([person.sender], bot.sinks(payloads=False))
    chat.press("Yes, I agree")
    chat.press("Yes, that too")
    assert stored_values(bot, person.sender) == {}
    assert_nowhere(person.values, bot.sinks())


def test_refusal_keeps_the_bot_useful_and_collects_nothing(bot: RunningBot) -> None:
    """Conversation 3: what still works, no nagging, and an email that is typed now is not kept."""
    person = new_person()
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    refused = text_of(chat.press("No, thank you"))
    assert "anything else" in refused
    assert "10 am" in text_of(chat.say("when are you open?"))
    assert "tent" in text_of(chat.say("what can I win?"))
    assert not asks_for_consent(chat)
    chat.say(f"my email is {person.email}")
    assert stored_values(bot, person.sender) == {}
    assert_nowhere(person.values, bot.sinks())
    chat.say("ok, enter me in the draw then")
    assert asks_for_consent(chat)
    assert ledger_of(bot, person.sender) == [
        ("prize_draw", "asked"),
        ("prize_draw", "refused"),
        ("prize_draw", "asked"),
    ]


def test_privacy_requests_in_a_free_text_question_are_understood(bot: RunningBot) -> None:
    """Conversation 4: a request typed where a name is expected is a request, and never a name."""
    person = new_person()
    chat = bot.chat(person.sender)
    agree_to_the_draw(chat)
    why = text_of(chat.say("why do you need this?"))
    assert "tell you if you win" in why
    assert "full name" in why
    chat.say("delete my data")
    assert [button.payload for button in chat.offered] == ["/privacy_confirm", "/privacy_cancel"]
    kept = text_of(chat.press("No, keep it"))
    assert "nothing was deleted" in kept
    assert "full name" in kept
    assert stored_values(bot, person.sender) == {}
    assert "email" in text_of(chat.say(person.name)).lower()
    assert stored_values(bot, person.sender)["prize_draw"]["full_name"] == person.name


def test_questions_in_a_form_are_about_what_it_asks_for(bot: RunningBot) -> None:
    """Who is asked for an email address for the newsletter hears about that; of the others by name."""
    chat = bot.chat(new_person().sender)
    chat.say("I want to subscribe to the newsletter")
    chat.press("Yes, I agree")
    chat.press("No, leave it out")
    for said in ("why do you need this?", "how long do you keep it?", "who sees this?"):
        answer = text_of(chat.say(said))
        assert answer.count("\n- ") == 1, answer
        assert "- the newsletter: " in answer
        assert "the prize draw and the fitting. Name it" in answer
        assert answer.endswith("Which email address should the newsletter go to?")
    assert "- the newsletter: your email address, to send" in text_of(chat.say("why?"))
    for said in ("why do you need it for the fitting?", "why for the fitting?"):
        answer = text_of(chat.say(said))
        assert "- the fitting: your name, your phone number" in answer
        assert "the newsletter:" not in answer


def test_more_about_a_part_of_the_notice_does_not_repeat_the_whole(bot: RunningBot) -> None:
    """The further layer alone, by the part that is named; the question comes back in short, and is still that one."""
    person = new_person()
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    for said in ("tell me more about storage", "tell me more about how long you keep it", "who sees it?"):
        answer = text_of(chat.say(said))
        assert "https://northwind.example/privacy" not in answer
        assert answer.endswith("tell you if you win: your name and your email address?")
        assert asks_for_consent(chat)
    chat.press("Tell me more")
    chat.press("Where is it kept?")
    assert asks_for_consent(chat)
    assert ledger_of(bot, person.sender) == [("prize_draw", "asked")]
    chat.say("yes")
    assert ledger_of(bot, person.sender)[1] == ("prize_draw", "granted")


def test_short_words_in_a_form_are_taken_for_what_they_mean(bot: RunningBot) -> None:
    """A bare question is about what the form asks for, a receipt about the consent, and "cancel" about the form."""
    person = new_person()
    chat = bot.chat(person.sender)
    agree_to_the_draw(chat)
    yes = '/privacy_grant{"privacy_purpose": "prize_draw"}'
    answer = text_of(chat.say("who gets it?"))
    assert "Northwind Outdoor staff" in answer
    assert "full name" in answer
    assert "receipt of your consent for the prize draw" in text_of(chat.say("send me a receipt"))
    late = text_of(chat.say(yes))
    assert "changed nothing" in late
    assert "full name" in late
    assert "leave it there" in text_of(chat.say("cancel"))
    assert "take a yes back" not in text_of(chat.say("when are you open?"))
    chat.say("take me off the prize draw")
    assert "to enter you in the draw" in text_of(chat.say(yes))
    assert ledger_of(bot, person.sender)[-1] == ("prize_draw", "asked")


def test_stop_in_a_form_ends_everything_with_one_confirmation(bot: RunningBot) -> None:
    """Conversation 4: STOP ends the form, withdraws consent, and is confirmed once."""
    person = new_person()
    chat = bot.chat(person.sender)
    agree_to_the_draw(chat)
    chat.say(person.name)
    stopped = chat.say("STOP")
    assert len(stopped) == 1
    assert "opted out" in stopped[0].text
    assert ledger_of(bot, person.sender)[-1] == ("prize_draw", "withdrawn")
    assert stored_values(bot, person.sender) == {}
    assert "10 am" in text_of(chat.say("when are you open?"))
    assert_nowhere(person.marks, bot.sinks(payloads=False))


def test_a_sentence_with_stop_in_it_is_no_opt_out(bot: RunningBot) -> None:
    """Conversation 4: "We have got to stop littering" ends nothing."""
    person = new_person()
    chat = bot.chat(person.sender)
    agree_to_the_draw(chat)
    chat.say(person.name)
    said = text_of(chat.say("We have got to stop littering"))
    assert "opted out" not in said
    assert ledger_of(bot, person.sender)[-1] == ("prize_draw:postcode", "granted")


def test_access_in_the_middle_of_a_form(bot: RunningBot) -> None:
    """Conversation 5: items with purpose, basis, source, expiry and recipients, and the form goes on."""
    person = new_person()
    chat = bot.chat(person.sender)
    agree_to_the_draw(chat)
    chat.say(person.name)
    shown = text_of(chat.say("What do you know about me?"))
    day = r"\d+ \w+ \d{4}"
    about = rf"for the prize draw: because you agreed; you told me on {day}; kept until {day}; shared with: nobody else"
    assert re.search(rf"your name: {person.name} \({about}\)", shown)
    assert "email address should we write to" in shown
    assert "postcode" in text_of(chat.say(person.email)).lower()


def test_withdrawing_the_newsletter_keeps_the_draw(bot: RunningBot) -> None:
    """Conversation 6: the newsletter's values are gone, the draw's stay; the shared email stays with the draw."""
    person = new_person()
    chat = bot.chat(person.sender)
    agree_to_the_draw(chat)
    fill_the_form(chat, person)
    chat.say("I want to get the newsletter")
    chat.press("Yes, I agree")
    assert "birthday" in text_of(chat.press("Yes, that too"))
    assert "on the list" in text_of(chat.say("3 May 1987"))
    assert stored_values(bot, person.sender)["newsletter"] == {"email": person.email, "birthday": "1987"}

    said = text_of(chat.say("take me off the newsletter please"))
    assert "the newsletter" in said
    assert "your birthday" in said
    values = stored_values(bot, person.sender)
    assert "newsletter" not in values
    assert values["prize_draw"]["email"] == person.email
    listed = text_of(chat.say("what do you know about me?"))
    assert person.email in listed
    assert "1987" not in listed


def test_a_consent_is_taken_back_in_words_alone(bot: RunningBot) -> None:
    """Where no buttons are: the purpose's name after "which?" ends it, and is no wish for it."""
    person = new_person()
    chat = bot.chat(person.sender)
    agree_to_the_draw(chat)
    fill_the_form(chat, person)
    chat.say("I want to get the newsletter")
    chat.say("yes")
    chat.say("no")
    assert text_of(chat.say("I take back my consent")).startswith("Which of your consents")
    assert "consent for the newsletter has ended" in text_of(chat.say("the newsletter"))
    assert ledger_of(bot, person.sender)[-1] == ("newsletter", "withdrawn")
    assert "consent for the prize draw has ended" in text_of(chat.say("I withdraw my consent for the draw"))
    assert stored_values(bot, person.sender) == {}


def test_which_consent_is_asked_in_the_middle_of_a_form(bot: RunningBot) -> None:
    """The form waits for the answer; an explanation in between is given, and a no changes nothing."""
    person = new_person()
    chat = bot.chat(person.sender)
    agree_to_the_draw(chat)
    asked = text_of(chat.say("I take back my consent"))
    assert asked.startswith("Which of your consents")
    assert "full name" not in asked
    assert text_of(chat.say("who are you?")).endswith(asked)
    unchanged = text_of(chat.say("no"))
    assert "nothing has changed" in unchanged
    assert "full name" in unchanged
    chat.say("I take back my consent")
    assert "has ended" in text_of(chat.say("yes"))
    assert ledger_of(bot, person.sender)[-1] == ("prize_draw", "withdrawn")


def test_people_never_see_each_other(bot: RunningBot) -> None:
    """Conversation 7: two people at once, each with their own values only."""
    people = [new_person("Oakhollow"), new_person("Birchfield")]

    def whole_conversation(person: Person) -> str:
        chat = bot.chat(person.sender)
        agree_to_the_draw(chat)
        fill_the_form(chat, person)
        return text_of(chat.say("what do you know about me?"))

    with ThreadPoolExecutor(2) as pool:
        shown = list(pool.map(whole_conversation, people))
    for person, other, text in zip(people, reversed(people), shown, strict=True):
        assert person.name in text
        assert all(value not in text for value in (other.name, other.email))


def test_one_person_from_two_places_keeps_order(bot: RunningBot) -> None:
    """Conversation 7: the same sender id used in turn from two clients is one conversation."""
    person = new_person()
    phone, laptop = bot.chat(person.sender), bot.chat(person.sender)
    phone.say("I want to enter the prize draw")
    assert "postcode" in text_of(laptop.say("/privacy_grant"))
    assert "full name" in text_of(phone.say("yes"))
    assert "email" in text_of(phone.say(person.name)).lower()
    assert "postcode" in text_of(laptop.say(person.email)).lower()
    assert "You're in the draw" in text_of(phone.say("skip"))
    assert stored_values(bot, person.sender)["prize_draw"]["email"] == person.email


def test_old_events_from_an_action_do_not_bring_a_person_back(bot: RunningBot) -> None:
    """Conversation 8: the answer to the erasure carries old slots and messages again; the store keeps nothing of it."""
    person = new_person()
    chat = bot.chat(person.sender)
    agree_to_the_draw(chat)
    fill_the_form(chat, person)
    chat.say("delete my data")

    def with_old_events(_payload: Any, answer: Any) -> Any:
        old = [
            {"event": "slot", "name": "full_name", "value": person.name},
            {"event": "slot", "name": "email", "value": person.email},
            {"event": "bot", "text": f"Goodbye {person.name}", "data": {}, "metadata": {}},
        ]
        return {**answer, "events": [*answer["events"], *old]}

    with bot.proxy.rewriting(with_old_events):
        assert "ER-" in text_of(chat.press("Yes, delete it"))
    with store_of(bot) as vault, vault.database.read() as connection:
        assert vault.subjects.find(connection, person.sender) is None
    chat.say("when are you open?")
    assert stored_values(bot, person.sender) == {}
    assert_nowhere(person.marks, bot.sinks(payloads=False))


def test_grant_while_the_action_server_is_down(bot: RunningBot) -> None:
    """Conversation 9: nothing is recorded, the gate stays closed, and the person is told."""
    person = new_person()
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    with bot.proxy.down():
        said = text_of(chat.press("Yes, I agree"))
    assert "did not work" in said
    assert "full name" not in said
    assert ledger_of(bot, person.sender) == [("prize_draw", "asked")]
    chat.say("I want to enter the prize draw")
    assert asks_for_consent(chat)


def test_erasure_while_the_action_server_is_down_is_not_claimed(bot: RunningBot) -> None:
    """The bot never says "deleted" when it is not so."""
    person = new_person()
    chat = bot.chat(person.sender)
    agree_to_the_draw(chat)
    chat.say(person.name)
    chat.say("delete my data")
    with bot.proxy.down():
        said = text_of(chat.press("Yes, delete it"))
    assert "could not confirm" in said
    assert stored_values(bot, person.sender)["prize_draw"]["full_name"] == person.name


def test_fitting_is_booked_with_its_own_consent(bot: RunningBot) -> None:
    """The third form: another purpose, another notice, and only what it lists is stored for it."""
    person = new_person()
    chat = bot.chat(person.sender)
    assert "book your fitting" in text_of(chat.say("I would like to book a fitting"))
    chat.press("Yes, I agree")
    chat.say(person.name)
    chat.say(person.phone)
    assert "booked" in text_of(chat.say("next Friday"))
    assert set(stored_values(bot, person.sender)) == {"fitting"}
    assert set(stored_values(bot, person.sender)["fitting"]) == {"full_name", "phone", "fitting_day"}


def test_yes_that_comes_after_something_else_grants_nothing(bot: RunningBot) -> None:
    """A question that was passed by is not answered by a later yes, and an old button answers no newer question."""
    person = new_person()
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    old_button = chat.offered[0].payload
    chat.say("when are you open?")
    chat.say("yes")
    assert ledger_of(bot, person.sender) == [("prize_draw", "asked")]
    chat.say("I want to get the newsletter")
    chat.say(old_button)
    assert ("newsletter", "granted") not in ledger_of(bot, person.sender)
    chat.say("/stop")
    assert stored_values(bot, person.sender) == {}


def test_after_every_conversation_and_erasure_nothing_is_readable_anywhere(bot: RunningBot) -> None:
    """The canary: everybody who spoke above is erased, and no byte of them is readable in any file or log."""
    spoken = [person for person in EVERYBODY if bot.payloads(person.sender)]
    assert spoken
    with store_of(bot) as vault:
        for person in spoken:
            erase(vault, person.sender, Evidence("outside", "other", "en", vault.clock()))
        with vault.database.read() as connection:
            assert list(vault.senders.ids(connection)) == []
    assert_nowhere([mark for person in spoken for mark in person.marks], bot.sinks(payloads=False))


def test_optional_items_are_left_out_in_words(bot: RunningBot) -> None:
    """The form does not ask for what was left out, and a value that comes all the same is not kept."""
    person = new_person()
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    said = text_of(chat.say("yes but not my postcode"))
    assert "leave this out: your postcode" in said
    assert "full name" in said
    chat.say(person.name)
    assert "You're in the draw" in text_of(chat.say(person.email))
    assert set(stored_values(bot, person.sender)["prize_draw"]) == {"full_name", "email"}
    assert ledger_of(bot, person.sender) == [
        ("prize_draw", "asked"),
        ("prize_draw", "granted"),
        ("prize_draw:postcode", "refused"),
    ]


def test_a_yes_without_what_is_needed_is_asked_back(bot: RunningBot) -> None:
    """It is taken for no plain yes."""
    person = new_person()
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    assert "Without your email address" in text_of(chat.say("yes but not my email"))
    assert ledger_of(bot, person.sender) == [("prize_draw", "asked")]
    assert "anything else" in text_of(chat.say("no"))
    assert ledger_of(bot, person.sender)[-1] == ("prize_draw", "refused")


def test_more_is_told_and_the_question_stands(bot: RunningBot) -> None:
    """The notice is in layers; after each the answer still counts."""
    person = new_person()
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    chat.press("Tell me more")
    assert "90 days" in text_of(chat.press("How long"))
    assert asks_for_consent(chat)
    chat.say("tell me more")
    assert "postcode" in text_of(chat.press("Yes, I agree"))


def test_unclear_answers_count_as_no(bot: RunningBot) -> None:
    """One gentle repeat, then a no that is said to be one."""
    person = new_person()
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    assert "yes or no" in text_of(chat.say("hmm maybe"))
    assert "count it as a no" in text_of(chat.say("dunno"))
    assert ledger_of(bot, person.sender)[-1] == ("prize_draw", "refused")


def test_a_reply_of_ten_thousand_characters_is_no_yes(bot: RunningBot) -> None:
    """Whatever it says, it is answered, and nothing is granted or kept."""
    person = new_person()
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    assert chat.say("yes " + f"{person.name} " * 500 + "I agree")
    assert ("prize_draw", "granted") not in ledger_of(bot, person.sender)
    assert_nowhere(person.values, bot.sinks())


def open_requests_of(bot: RunningBot, sender: str) -> list[str]:
    """Return the kinds of the requests of one person that wait."""
    with store_of(bot) as vault, vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender)
        return [each.kind for each in open_of(connection, subject_id)] if subject_id is not None else []


@pytest.mark.parametrize("said", ["I want to talk to a human", "/talk_to_human"])
def test_a_wish_for_a_human_is_handed_over_and_on_no_record(bot: RunningBot, said: str) -> None:
    """Most want something else of a human; the bot's own answer is all of it."""
    person = new_person()
    chat = bot.chat(person.sender)
    answer = text_of(chat.say(said))
    assert answer.endswith("usually within the hour.")
    assert "privacy@northwind.example" not in answer
    assert open_requests_of(bot, person.sender) == []


#: What a message is where the classifier sees the bot's own intent and the recogniser the request.
A_HUMAN_FOR_MY_DATA = f'/talk_to_human{{"{OWN_ENTITY}": "privacy_human"}}'


def test_a_wish_for_a_human_about_data_is_on_record_and_handed_over(bot: RunningBot) -> None:
    """Number and day by us, then how to reach the shop."""
    person = new_person()
    chat = bot.chat(person.sender)
    answer = text_of(chat.say(A_HUMAN_FOR_MY_DATA))
    assert "privacy@northwind.example" in answer
    assert re.search(r"[A-Z]{2}-[0-9A-Z-]{4,}", answer), answer
    assert answer.endswith("usually within the hour.")
    assert open_requests_of(bot, person.sender) == ["human"]
    assert "Harbour Street" in text_of(chat.say("when are you open?"))


#: What the recogniser takes for the request, and the bot's classifier for nothing of its own.
A_HUMAN_DECIDES = "I want a human being to review the automated decision about me"


@pytest.mark.parametrize("where", ["alone", "in a form", "in a question"])
def test_a_wish_that_the_recogniser_alone_sees_is_handed_over_too(bot: RunningBot, where: str) -> None:
    """On record with number and day, then the bot's own answer, then what was open; nothing fills a slot."""
    person = new_person()
    chat = bot.chat(person.sender)
    if where == "in a form":
        agree_to_the_draw(chat)
    elif where == "in a question":
        chat.say("I want to enter the prize draw")
    answer = text_of(chat.say(A_HUMAN_DECIDES))
    assert "privacy@northwind.example" in answer
    assert answer.count("usually within the hour.") == 1
    assert answer.index("privacy@northwind.example") < answer.index("usually within the hour.")
    assert open_requests_of(bot, person.sender) == ["human"]
    if where == "in a form":
        assert "full name" in answer
        assert stored_values(bot, person.sender) == {}
        assert "You're in the draw" in fill_the_form(chat, person)
    elif where == "in a question":
        assert asks_for_consent(chat)
        chat.say("yes")
        assert ("prize_draw", "granted") in ledger_of(bot, person.sender)
    else:
        assert "Harbour Street" in text_of(chat.say("when are you open?"))


def test_a_wish_for_a_human_in_a_form_comes_back_to_the_form(bot: RunningBot) -> None:
    """Recorded, answered by the bot's own rule for the form, and the form asks on."""
    person = new_person()
    chat = bot.chat(person.sender)
    agree_to_the_draw(chat)
    answer = text_of(chat.say(A_HUMAN_FOR_MY_DATA))
    assert "privacy@northwind.example" in answer
    assert "usually within the hour." in answer, answer
    assert answer.index("usually within the hour.") < answer.index("full name"), answer
    assert open_requests_of(bot, person.sender) == ["human"]
    assert "You're in the draw" in fill_the_form(chat, person)


def test_a_wish_for_a_human_is_handed_over_while_nothing_can_be_recorded(bot: RunningBot) -> None:
    """The bot's own answer needs no action server; nothing is said to be on record."""
    person = new_person()
    chat = bot.chat(person.sender)
    with bot.proxy.down():
        answer = text_of(chat.say(A_HUMAN_FOR_MY_DATA))
    assert answer.endswith("usually within the hour.")
    assert open_requests_of(bot, person.sender) == []


def test_what_is_known_is_shown_and_the_question_comes_back(bot: RunningBot) -> None:
    """Somebody new who asks what is known of them before the yes still enters the draw after it."""
    person = new_person()
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    answer = text_of(chat.say("what do you know about me?"))
    assert asks_for_consent(chat), answer
    assert answer.count("https://northwind.example/privacy") == 1
    chat.say("yes")
    assert "full name" in text_of(chat.press("Yes, that too"))
    assert "You're in the draw" in fill_the_form(chat, person)


def test_a_deletion_in_a_language_that_the_bot_does_not_speak_is_offered(bot: RunningBot) -> None:
    """In the bot's own language, and confirmed in it."""
    person = new_person()
    chat = bot.chat(person.sender)
    agree_to_the_draw(chat)
    fill_the_form(chat, person)
    chat.say("L\u00f6schen Sie meine Daten")
    assert "/privacy_confirm" in [button.payload.split("{")[0] for button in chat.offered]
    assert "/privacy_cancel" in [button.payload.split("{")[0] for button in chat.offered]
    assert stored_values(bot, person.sender) != {}
    chat.say("yes")
    assert stored_values(bot, person.sender) == {}
