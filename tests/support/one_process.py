"""Rasa's message processor around real components, without a trained model, servers or sockets."""

from typing import TYPE_CHECKING, Any

from tests.support import rasa_side as side

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Graph:
    """Stands for a model: our minimizer after a classifier that knows one intent, our gate over one fixed action.

    Attributes:
        intent: What every message is taken for.
        action: What the bot's own policy wants, once for each message; then it listens.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self.intent = "enter_draw"
        self.action = "action_hours"

    def run(self, inputs: dict[str, Any], targets: list[str]) -> dict[str, Any]:
        """Run one of the two targets as Rasa's graph does."""
        tracker = inputs["__tracker__"]
        if targets == ["nlu"]:
            message = side.Message({"text": inputs["__message__"][0].text, "intent": {"name": self.intent}})
            return {"nlu": side.minimizer.DataMinimizer().process([message], tracker)}
        return {"core": self._predict(tracker)}

    def _predict(self, tracker: Any) -> Any:
        domain = self._store.domain
        name = self.action if tracker.latest_action_name == "action_listen" else "action_listen"
        winner = side.rasa_api.PolicyPrediction.for_action_name(domain, name, "policy_0_Any")
        winner.events = side.privacy_turn.slot_corrections(tracker)
        return side.gate.ConsentGate().combine_predictions([winner], tracker, domain)


class ActionServer:
    """Stands for the action server.

    Attributes:
        url: Where Rasa says that it is.
        kwargs: What else stands in endpoints.yml.
        payloads: What it got.
        works: What it does for an action, by name; returns events as JSON.
    """

    def __init__(self) -> None:
        self.url = "http://actions.example"
        self.kwargs: dict[str, Any] = {}
        self.payloads: list[dict[str, Any]] = []
        self.works: dict[str, Callable[[], Awaitable[list[dict[str, Any]]]]] = {}

    async def request(self, json: dict[str, Any], **_: object) -> dict[str, Any]:
        """Run an action."""
        self.payloads.append(json)
        work = self.works.get(json["next_action"])
        return {"events": await work() if work is not None else [], "responses": []}


class Bot:
    """A bot in this process.

    Attributes:
        store: Its tracker store.
        graph: Its model.
        actions: Its action server.
    """

    def __init__(self, store: Any) -> None:
        self.store = store
        self.graph = Graph(store)
        self.actions = ActionServer()
        processor = side.processor.ConsentProcessor.__new__(side.processor.ConsentProcessor)
        processor.tracker_store = store
        processor.domain = store.domain
        processor.nlg = side.TemplatedNaturalLanguageGenerator(store.domain.responses)
        processor.action_endpoint = self.actions
        processor.graph_runner = self.graph
        processor.http_interpreter = None
        processor.max_number_of_predictions = 10
        processor.on_circuit_break = None
        processor.model_metadata = side.ModelMetadata
        self.processor = processor

    async def say(self, text: str, sender: str) -> list[str]:
        """Send a message as the REST channel does, and return the texts of the answer."""
        channel = side.CollectingOutputChannel()
        await self.processor.handle_message(side.rasa_api.UserMessage(text, channel, sender, input_channel="rest"))
        return [str(message.get("text")) for message in channel.messages]
