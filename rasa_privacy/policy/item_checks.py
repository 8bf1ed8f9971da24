"""What must be right of the items of privacy.yml: what carries and finds them, and that each carrier has one owner."""

from rasa_privacy.policy.check_notes import CheckNotes
from rasa_privacy.policy.contacts import REACHABLE
from rasa_privacy.policy.detector_names import DETECTOR_NAMES, PRESIDIO_NAMES
from rasa_privacy.policy.operations import Identity
from rasa_privacy.policy.positions import KeyPath
from rasa_privacy.policy.slots import is_exempt
from rasa_privacy.policy.suggest import did_you_mean, listed, shown


class ItemChecks(CheckNotes):
    """The checks of items."""

    __slots__ = ()

    def run(self) -> None:
        """Note everything that is wrong."""
        self._items()
        self._models()
        self._carriers()
        self._not_personal()
        if self.policy.identity is not None:
            self._identity(self.policy.identity)

    def _items(self) -> None:
        for name, item in self.policy.items.items():
            here: KeyPath = ("items", name)
            self.name(here, "item", name)
            self._detector(here, name, item.detect)
            if item.slot is None and item.entity is None and item.detect is None:
                self.note(here, f"item {shown(name)} has neither 'slot', 'entity' nor 'detect', so nothing carries it")
            if item.slot is not None and is_exempt(item.slot):
                self.note((*here, "slot"), f"slot {shown(item.slot)} belongs to Rasa or to the plug-ins, to no item")
            self.texts((*here, "called"), item.called, f"item {shown(name)}")

    def _detector(self, here: KeyPath, name: str, detect: str | None) -> None:
        if detect is None:
            return
        known, message = (*DETECTOR_NAMES, *PRESIDIO_NAMES), f"item {shown(name)} names the detector {shown(detect)}"
        if detect in PRESIDIO_NAMES and self.policy.detectors.presidio is None:
            remedy = "add 'detectors: {presidio: {models: {en: en_core_web_sm}}}' with a model for each language"
            self.note((*here, "detect"), f"{message}, which needs a language model; {remedy}")
        elif detect not in known:
            self.note((*here, "detect"), f"{message}{did_you_mean(detect, known)}; there are {listed(known)}")

    def _models(self) -> None:
        """A language without a model would let its names through."""
        presidio, here = self.policy.detectors.presidio, ("detectors", "presidio", "models")
        if presidio is None:
            return
        for language in self.policy.languages:
            if language not in presidio.models:
                message = f"language {shown(language)} has no model, so that names would not be found in it; name one"
                self.note(here, f"{message} (for several languages: xx_ent_wiki_sm)")
        for language in presidio.models:
            if language not in self.policy.languages:
                message = f"a model is named for {shown(language)}, which is none of the bot's languages"
                self.note((*here, language), f"{message} ({listed(self.policy.languages)})")

    def _carriers(self) -> None:
        """Two items must not share a slot or an entity: a value would have two owners."""
        for carrier in ("slot", "entity"):
            owners: dict[str, str] = {}
            for name, item in self.policy.items.items():
                value = getattr(item, carrier)
                if value is None:
                    continue
                if not value.strip():
                    self.note(("items", name, carrier), f"{carrier} of item {shown(name)} is empty")
                owner = owners.setdefault(value, name)
                if owner != name:
                    message = f"{carrier} {shown(value)} is used by item {shown(owner)} already; each needs its own"
                    self.note(("items", name, carrier), message)

    def _not_personal(self) -> None:
        for index, slot in enumerate(self.policy.not_personal):
            item = self.policy.item_of_slot(slot)
            if item is not None:
                message = f"slot {shown(slot)} is named under not_personal and by item {shown(item)}; decide for one"
                self.note(("not_personal", index), message)
        self.twice(("not_personal",), self.policy.not_personal)

    def _identity(self, identity: Identity) -> None:
        """Check that a proof can be given: by a code to a contact that is kept as it is."""
        self.duration(("identity", "proof_lasts"), identity.proof_lasts)
        self.twice(("identity", "trusted_channels"), identity.trusted_channels)
        if not any(item.detect in REACHABLE and item.cut == "full" for item in self.policy.items.values()):
            message = "nobody could prove who they are: no item with 'detect: email' or 'detect: phone' is kept in full"
            self.note(("identity",), message)
