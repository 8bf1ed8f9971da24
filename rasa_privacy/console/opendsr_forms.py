"""The forms of OpenDSR 2.0; the sections are those of its specification (docs/spec/opendsr.md)."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from rasa_privacy.console.operation import RequestId, Sender
from rasa_privacy.rights.opendsr import VERSION, Status

#: OpenDSR 2.0, section 5.1.
IdentityType = Literal[
    "controller_customer_id",
    "android_advertising_id",
    "android_id",
    "email",
    "fire_advertising_id",
    "ios_advertising_id",
    "ios_vendor_id",
    "microsoft_advertising_id",
    "microsoft_publisher_id",
    "roku_publisher_id",
    "roku_advertising_id",
]
Url: TypeAlias = Annotated[str, Meta(min_length=1, max_length=500)]


class Identity(msgspec.Struct, forbid_unknown_fields=True):
    """Who it is about (section 5.3). Read in the form `raw`, of the types that discovery names."""

    identity_type: IdentityType
    identity_value: Sender
    identity_format: Literal["raw", "sha1", "md5", "sha256"]


class DataSubjectRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A request that is passed on (section 7.1.1).

    Attributes:
        regulation: The law that it rests on.
        subject_request_id: Its id.
        subject_request_type: What is asked for.
        subject_identities: Whose it is.
        submitted_time: When the person asked.
        api_version: The version of OpenDSR.
        status_callback_urls: Who is told of a change; of the URLs that endpoints.yml names.
        extensions: By a processor's domain; `{"act": "now"}` under ours erases at once.
    """

    regulation: Literal["gdpr", "ccpa"]
    subject_request_id: RequestId
    subject_request_type: Literal["access", "portability", "erasure"]
    subject_identities: Annotated[tuple[Identity, ...], Meta(min_length=1, max_length=20)]
    submitted_time: Annotated[datetime, Meta(tz=True)]
    api_version: Annotated[str, Meta(pattern=r"^2\.0$")] = VERSION
    status_callback_urls: Annotated[tuple[Url, ...], Meta(max_length=20)] = ()
    extensions: dict[str, Any] = {}


class DataSubjectReceipt(msgspec.Struct, kw_only=True):
    """That a request was received (section 7.3)."""

    controller_id: str
    expected_completion_time: datetime
    received_time: datetime
    encoded_request: str
    subject_request_id: str


class DataSubjectStatus(msgspec.Struct, kw_only=True):
    """How a request stands (section 8.3)."""

    controller_id: str
    expected_completion_time: datetime
    subject_request_id: str
    request_status: Status
    results_url: str | None
    api_version: str


class DataSubjectCancelled(msgspec.Struct, kw_only=True):
    """That a request was cancelled (section 9.2)."""

    controller_id: str
    received_time: datetime
    subject_request_id: str
    api_version: str
