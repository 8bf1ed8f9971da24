"""The files of a certificate of erasure: written, signed and checked (docs/spec/certificate.md, section 3).

Rules:

1. What is signed is the document. A JSON file is made of it again, byte for byte, to be checked.
2. Of a page the document has the SHA-256 of all that it shows, so each word of it is signed, in any language, and a
   better word of a later translation makes no page of before invalid. Pages of version 1 are made again.
"""

import hashlib
import html
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import SignatureError
from rasa_privacy.rights.certificate_page import SCRIPT_BEGIN, SCRIPT_END, certificate_page
from rasa_privacy.rights.certificates import CERTIFICATE_TYPE, VERSION
from rasa_privacy.storage.vault import Vault

_TOKEN: Final = re.compile(re.escape(SCRIPT_BEGIN).encode() + rb"([A-Za-z0-9_.\-]+)" + SCRIPT_END.encode())
_PAGE: Final = "page"


def json_file(vault: Vault, made: Mapping[str, Any]) -> bytes:
    """Return the JSON file of a certificate: the document for people and programs, and the JWS that proves it."""
    return _json(made, vault.signer.key.token(made, CERTIFICATE_TYPE))


def page_file(vault: Vault, made: Mapping[str, Any], language: str) -> bytes:
    """Return a certificate as a page that stands for itself, with the JWS that proves it.

    Raises:
        ConfigurationError: There is no pack of this language.
    """
    page = certificate_page(vault.policy, made, language)
    signed = {**made, "language": language, _PAGE: _hash(page.encode())}
    token = vault.signer.key.token(signed, CERTIFICATE_TYPE)
    return page.replace(SCRIPT_BEGIN, f"{SCRIPT_BEGIN}{token}", 1).encode()


def open_certificate(raw: bytes, key: VerifyingKey) -> dict[str, Any]:
    """Return the certificate in a file, JSON or page, of which every word that is shown is signed.

    Raises:
        SignatureError: It was changed, is none, or another store signed it.
    """
    token = _token(raw)
    made: dict[str, Any] = key.open_token(token, CERTIFICATE_TYPE)
    if not _is_what_was_signed(raw, made, token):
        raise SignatureError("certificate: what the file shows is not what was signed; it was changed")
    return made


def _is_what_was_signed(raw: bytes, made: Mapping[str, Any], token: str) -> bool:
    # Byte for byte: of a name that is there twice one reader takes the first and another the last.
    if not _is_page(raw):
        return raw == _json(made, token)
    if made.get("version") == VERSION:
        return made.get(_PAGE) == _hash(raw.replace(token.encode(), b"", 1))
    return raw == _page_1(made, token)


def _json(made: Mapping[str, Any], token: str) -> bytes:
    return msgspec.json.format(msgspec.json.encode({"certificate": made, "jws": token}), indent=2) + b"\n"


def _hash(page: bytes) -> str:
    return hashlib.sha256(page).hexdigest()


def _is_page(raw: bytes) -> bool:
    return raw.lstrip()[:1] == b"<"


def _token(raw: bytes) -> str:
    try:
        if _is_page(raw):
            found = _TOKEN.search(raw)
            return found[1].decode("ascii") if found else ""
        return str(msgspec.json.decode(raw)["jws"])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, RecursionError):
        raise SignatureError("certificate: the file is none; name the one that 'rights certificate' wrote") from None


def _page_1(made: Mapping[str, Any], token: str) -> bytes:
    """Return the page of a certificate of version 1, which was written in English only."""
    title = f"Certificate of erasure {_shown(made.get('certificate'))}"
    body = "\n".join(_rows(made))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n"
        "<style>body{font:1em/1.5 sans-serif;max-width:48em;margin:2em auto;padding:0 1em}"
        "th{text-align:left;vertical-align:top;padding-right:1em}td{overflow-wrap:anywhere}</style>\n"
        f"</head>\n<body>\n<h1>{title}</h1>\n<table>\n{body}\n</table>\n"
        f"{SCRIPT_BEGIN}{token}{SCRIPT_END}\n</body>\n</html>\n"
    ).encode()


def _rows(made: Mapping[str, Any], prefix: str = "") -> list[str]:
    rows = []
    for name, value in made.items():
        label = f"{prefix}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            rows += _rows(value, f"{label}: ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for each in value:
                rows += _rows(each, f"{label}: ")
        else:
            shown = ", ".join(map(_shown, value)) if isinstance(value, list) else _shown(value)
            rows.append(f"<tr><th>{_shown(label)}</th><td>{shown}</td></tr>")
    return rows


def _shown(value: object) -> str:
    return html.escape("-" if value is None else str(value))
