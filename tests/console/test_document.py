"""The OpenAPI document and the routes are one: by comparison, and by what schemathesis makes of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.routing import Route

from rasa_privacy.console import requests
from rasa_privacy.console.gatekeeper import Gatekeeper
from rasa_privacy.console.operation import Operation
from rasa_privacy.console.verbs import OPERATIONS, make_console
from rasa_privacy.rights.deeds import DONE_ELSEWHERE
from rasa_privacy.rights.extension import REASONS_TO_EXTEND
from rasa_privacy.rights.requests import REASONS_TO_REFUSE, open_request
from rasa_privacy.storage.vault import Vault, open_vault
from tests.console.conftest import VALUES, As, opendsr_in
from tests.console.test_verbs import CALLS, call
from tests.support.operators import hire, let_hashes_be_cheap, with_roles
from tests.support.vaults import START, Clock, give, grant, settings_in

EXAMPLES = 12
#: Of forms that take long to make up, and of which parts of most are the same.
FEWER = {"importConsents": 6, "submitDataSubjectRequest": 8}
SETTINGS = """\
[generation]
mode = "all"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 403, 404, 409, 422]
"""


def test_the_document_has_every_route_and_no_other(as_role: As) -> None:
    """Paths and methods, as the application routes them."""
    nobody = as_role()
    document = nobody.get("/openapi.json").json()
    written = {(path, method.upper()) for path, found in document["paths"].items() for method in found}
    routes = [route for route in nobody.app.routes if isinstance(route, Route)]
    routed = {(route.path, method) for route in routes for method in (route.methods or set()) - {"HEAD"}}
    assert written == routed
    assert len({each["operationId"] for found in document["paths"].values() for each in found.values()}) == len(written)


def test_every_reference_of_the_document_is_there(as_role: As) -> None:
    """Two structs of one name would leave neither under it."""
    document = as_role().get("/openapi.json").json()
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= document["components"]["schemas"].keys()


def test_every_operation_needs_a_token(as_role: As) -> None:
    """Whatever it is; what answers everybody knows nothing of people."""
    nobody = as_role()
    for each in OPERATIONS:
        assert call(nobody, each, "RQ-0000-0000-0000", CALLS[each.name][1]).status == 401, each.name


def test_the_reasons_are_those_of_the_rules() -> None:
    """A reason that the law adds is added in one place, and this finds the other."""
    assert get_args(requests.ReasonToExtend) == REASONS_TO_EXTEND
    assert get_args(requests.ReasonToRefuse) == tuple(REASONS_TO_REFUSE)
    assert get_args(requests.DoneElsewhere) == tuple(DONE_ELSEWHERE)


@dataclass(frozen=True)
class Opened:
    """The API on one store for all operations.

    Attributes:
        vault: The store.
        api: The API as schemathesis sees it, which may try as many wrong tokens as it likes.
        token: The officer's token.
    """

    vault: Vault
    api: Any
    token: str


@dataclass(frozen=True)
class Known:
    """The person that a test is about.

    Attributes:
        sender: Their sender id.
        number: Number of a request of theirs that is open.
    """

    sender: str
    number: str


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Return the API of this module, since reading its document anew takes longer than the calls of an operation."""
    folder = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch:
        let_hashes_be_cheap(patch)
        vault = with_roles(open_vault(settings_in(folder), Clock()))
        token = hire(vault)["dpo"]
        app = make_console(vault, Gatekeeper(vault, wrong=10**6), set_up=opendsr_in(folder))
        api = schemathesis.openapi.from_asgi("/openapi.json", app, config=SchemathesisConfig.from_str(SETTINGS))
        yield Opened(vault, api, token)
        vault.close()


@pytest.fixture
def known(opened: Opened, request: pytest.FixtureRequest) -> Known:
    """Return somebody whom no other test knows, who agreed, gave values and asked for something."""
    vault, sender = opened.vault, f"known to {request.node.name}"
    subject_id = grant(vault, "draw", "newsletter", sender=sender)
    give(vault, VALUES, sender=sender, events=3)
    number = vault.database.transact(lambda conn: open_request(vault, conn, "access", subject_id, START)).number
    return Known(sender, number)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("each", OPERATIONS, ids=[each.name for each in OPERATIONS])
def test_what_the_document_says_is_so(opened: Opened, known: Known, each: Operation, mode: GenerationMode) -> None:
    """No server error, no status, type or form that the document does not say; wrong input is refused, right is taken.

    Half of the right calls are about the person and the request that there are. The strategies are used without
    schemathesis's plug-in, which does not go with every pytest.
    """
    is_right = mode.is_positive
    cases = opened.api[each.path][each.method.lower()].as_strategy(generation_mode=mode)
    # With the header added, schemathesis takes a call whose body it left out for a right one.
    left_out = [] if is_right else [positive_data_acceptance]
    token = {"Authorization": f"Bearer {opened.token}"}

    @settings(
        max_examples=FEWER.get(each.name, EXAMPLES),
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=cases)
    def calls(case: Any) -> None:
        if is_right:
            _about_who_is_there(case, known)
        answer = case.call_and_validate(headers=token, excluded_checks=left_out)
        if is_right and answer.status_code in {400, 422}:
            # A contact that is none, or a reason with somebody's address, is no matter of form.
            assert not re.search("not of the form|no JSON", answer.text)

    calls()


def _about_who_is_there(case: Any, known: Known) -> None:
    if isinstance(case.body, dict) and len(case.body.get("sender") or "") % 2:
        case.body["sender"] = known.sender
    if "number" in (case.path_parameters or {}) and case.path_parameters["number"][-1] in "02468ACEGJMPRTWY":
        case.path_parameters["number"] = known.number


def test_a_request_is_followed_through_its_steps(opened: Opened) -> None:
    """Opened, and then whatever the links of its answer lead to, in any order."""
    called = list[str]()

    class Followed(opened.api.as_state_machine()):  # type: ignore[misc]  # made at run time
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            """Come with a token."""
            called.append(case.path)
            return {"headers": {"Authorization": f"Bearer {opened.token}"}}

    checks = list(HealthCheck)
    few = settings(max_examples=8, derandomize=True, stateful_step_count=6, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Followed, settings=few)  # type: ignore[no-untyped-call]  # Hypothesis has no hints for it
    assert any("{number}" in path for path in called)  # it got beyond what it began with
