"""Operations of OpenDSR 2.0, signed by the certificate of the processor's domain (docs/spec/opendsr.md)."""

import base64
import logging
import re
import threading
from contextlib import suppress
from datetime import datetime, timezone
from http import HTTPStatus
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from rasa_privacy.access.admission import admit, may_in_full
from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record_now
from rasa_privacy.consent.state import CLOCK_TOLERANCE
from rasa_privacy.console.opendsr_forms import (
    DataSubjectCancelled,
    DataSubjectReceipt,
    DataSubjectRequest,
    DataSubjectStatus,
)
from rasa_privacy.console.operation import CHANNEL, UUID_FORM, Call, Operation, Public, Reply
from rasa_privacy.console.problems import RefusedError, encode_dsr_problem
from rasa_privacy.crypto.domain_signing import open_domain_signer
from rasa_privacy.errors import HoldError, PrivacyError
from rasa_privacy.policy.opendsr_settings import load_opendsr_settings
from rasa_privacy.rights import staff_erasure
from rasa_privacy.rights.opendsr import (
    VERSION,
    WITH_RESULTS,
    OpenDsr,
    Submitted,
    cancel,
    find,
    results,
    senders_of,
    submit,
)
from rasa_privacy.rights.opendsr_callbacks import signed_headers, tell
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

_PEM: Final = "application/x-pem-file"
#: Why a copy is handed out, in the audit log.
_PASSED_ON: Final = "passed on by OpenDSR"
#: What `extensions` may hold under our own domain.
_NOW: Final = {"act": "now"}


def public(opendsr: OpenDsr | None) -> tuple[Public, ...]:
    """Return what everybody may read: discovery (section 6), and the certificate."""

    def discover(_vault: Vault) -> Reply:
        return _not_here() if opendsr is None else Reply(_discovery(opendsr))

    def certificate(_vault: Vault) -> Reply:
        return _not_here() if opendsr is None else Reply(opendsr.signer.chain, media_type=_PEM)

    return (
        Public("/v2/discovery", "openDsrDiscovery", discover, problems=(404,)),
        Public("/v2/certificate.pem", "openDsrCertificate", certificate, _PEM, problems=(404,)),
    )


def _not_here() -> Reply:
    _, body = encode_dsr_problem(HTTPStatus.NOT_FOUND, "OpenDSR is not set up here")
    return Reply(body, HTTPStatus.NOT_FOUND)


def _discovery(opendsr: OpenDsr) -> bytes:
    identities = [{"identity_type": each, "identity_format": "raw"} for each in opendsr.settings.identities]
    return msgspec.json.encode(
        {
            "api_version": VERSION,
            "supported_identities": identities,
            "supported_subject_request_types": ["access", "portability", "erasure"],
            "processor_certificate": f"https://{opendsr.signer.domain}/v2/certificate.pem",
        }
    )


def open_opendsr(endpoints: Path, now: datetime) -> OpenDsr | None:
    """Return OpenDSR as an endpoints file sets it up, or None; call it in the bot's folder.

    Raises:
        ConfigurationError: The block is wrong, or its certificate or key.
    """
    settings = load_opendsr_settings(endpoints)
    if settings is None:
        return None
    return OpenDsr(settings, open_domain_signer(settings.domain, settings.certificate, settings.key, now))


def keep_telling(vault: Vault, opendsr: OpenDsr, stop: threading.Event, every: float = 30.0) -> threading.Thread:
    """Start a thread that tells of changes until it is stopped; what fails is logged, and tried again."""

    def work() -> None:
        while not stop.wait(every):
            _tell_quietly(vault, opendsr)

    thread = threading.Thread(target=work, name="opendsr callbacks", daemon=True)
    thread.start()
    return thread


def _tell_quietly(vault: Vault, opendsr: OpenDsr) -> None:
    try:
        tell(vault, opendsr, vault.clock())
    except PrivacyError:
        logger.exception("Telling of a status failed; it is tried again.")
    except Exception as error:  # noqa: BLE001 - its text may be another system's
        logger.error("Telling of a status failed (%s); it is tried again.", type(error).__name__)  # noqa: TRY400 - as above


def _set_up(call: Call) -> OpenDsr:
    if call.opendsr is None:
        raise RefusedError(404, "OpenDSR is not set up here; endpoints.yml needs 'privacy_api: {opendsr: ...}'")
    return call.opendsr


def _signed(opendsr: OpenDsr, made: msgspec.Struct, status: int = 200) -> Reply:
    body = msgspec.json.encode(made)
    return Reply(body, status, tuple(signed_headers(opendsr, body).items()))


def _submit(call: Call) -> Reply:
    opendsr, body = _set_up(call), call.body
    at_once = body.extensions.get(opendsr.signer.domain)
    if at_once not in (None, _NOW) or (at_once and body.subject_request_type != "erasure"):
        raise RefusedError(400, 'under this domain there is only {"act": "now"}, for an erasure')
    permit = call.permit("requests")
    submitted = _read(call, opendsr, body, permit)
    erasing = call.permit("erase") if at_once else None
    handing = None
    if body.subject_request_type in WITH_RESULTS and may_in_full(call.vault, call.operator, "export"):
        handing = admit(call.vault, call.operator, "export", reason=_PASSED_ON, clear=True)
    found = submit(call.vault, submitted, permit, handing)
    if erasing is not None and found.request.is_open:
        for sender_id in submitted.sender_ids:
            with suppress(HoldError):  # it stays pending then, and staff see it
                staff_erasure.erase_person(call.vault, sender_id, erasing, channel=CHANNEL)
    receipt = DataSubjectReceipt(
        controller_id=opendsr.settings.controller_id,
        expected_completion_time=found.request.answer_by,
        received_time=found.row.received_at,
        encoded_request=base64.b64encode(call.raw).decode("ascii"),
        subject_request_id=body.subject_request_id,
    )
    return _signed(opendsr, receipt, HTTPStatus.CREATED)


def _read(call: Call, opendsr: OpenDsr, body: DataSubjectRequest, permit: Permit) -> Submitted:
    """Return what a call passes on.

    Raises:
        RefusedError: No identity can be looked up, a URL is not one of endpoints.yml, or it was asked in the future.
    """
    known = opendsr.settings.identities
    usable = [each for each in body.subject_identities if each.identity_type in known and each.identity_format == "raw"]
    if not usable:
        raise RefusedError(400, f"none of the identities can be looked up here; there are {', '.join(known)}, each raw")
    if any(url not in opendsr.settings.callbacks for url in body.status_callback_urls):
        raise RefusedError(400, "a callback URL is not one of those that endpoints.yml names")
    now = call.vault.clock()
    if body.submitted_time > now + CLOCK_TOLERANCE:
        raise RefusedError(400, "submitted_time is in the future")
    senders = dict.fromkeys(each.identity_value for each in usable)
    for each in usable:
        if each.identity_type == "email":
            senders.update(dict.fromkeys(senders_of(call.vault, each.identity_value, permit)))
    return Submitted(
        UUID(body.subject_request_id),
        body.subject_request_type,
        tuple(senders),
        min(body.submitted_time.astimezone(timezone.utc), now),
        tuple(dict.fromkeys(body.status_callback_urls)),
    )


def _status(call: Call) -> Reply:
    opendsr, permit = _set_up(call), call.permit("requests")
    is_trusted = may_in_full(call.vault, call.operator, "export")  # the link is as good as the copy
    with call.vault.database.read() as connection:
        found = find(connection, _id(call))
        where = None if found is None or not is_trusted else results(call.vault, connection, found)
    if found is None:
        raise _unknown()
    record_now(call.vault, permit, subject_id=found.request.subject_id, counts={"requests": 1})
    made = DataSubjectStatus(
        controller_id=opendsr.settings.controller_id,
        expected_completion_time=found.request.answer_by,
        subject_request_id=str(found.row.dsr_id),
        request_status=found.status,
        results_url=where,
        api_version=VERSION,
    )
    return _signed(opendsr, made)


def _cancel(call: Call) -> Reply:
    opendsr, permit = _set_up(call), call.permit("requests")
    wanted = _id(call)
    found = call.vault.database.transact(lambda connection: cancel(call.vault, connection, wanted, permit))
    if found is None:
        raise _unknown()
    made = DataSubjectCancelled(
        controller_id=opendsr.settings.controller_id,
        received_time=call.vault.clock(),
        subject_request_id=str(found.row.dsr_id),
        api_version=VERSION,
    )
    return _signed(opendsr, made, HTTPStatus.ACCEPTED)


def _id(call: Call) -> UUID:
    if re.fullmatch(UUID_FORM, call.number) is None:
        raise _unknown()
    return UUID(call.number)


def _unknown() -> RefusedError:
    return RefusedError(404, "there is no request of this id")


OPERATIONS: Final = (
    Operation(
        "POST",
        "/v2/requests",
        "submitDataSubjectRequest",
        "OpenDSR: pass a request on.",
        _submit,
        DataSubjectReceipt,
        DataSubjectRequest,
        problems=(404, 409),
        status=HTTPStatus.CREATED,
    ),
    Operation(
        "GET",
        "/v2/requests/{id}",
        "dataSubjectRequestStatus",
        "OpenDSR: how a request stands.",
        _status,
        DataSubjectStatus,
        problems=(404,),
    ),
    Operation(
        "DELETE",
        "/v2/requests/{id}",
        "cancelDataSubjectRequest",
        "OpenDSR: take a request back that is pending.",
        _cancel,
        DataSubjectCancelled,
        problems=(404, 409),
        status=HTTPStatus.ACCEPTED,
    ),
)
