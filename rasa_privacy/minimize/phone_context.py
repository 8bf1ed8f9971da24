"""What the words before a number say about it: "call me on 12345678", "order number 2125550143".

A word for a phone counts anywhere shortly before the number. A word for another kind of number counts only right before
it, with nothing but words such as "number is" between, and not from another sentence. English, German, Spanish, French,
Italian and Portuguese words are known.
"""

import re
from typing import Final

#: Characters before a number that are looked at.
CONTEXT_CHARACTERS: Final = 40

# A bracket before a word marks what `masking` wrote: "[phone]" says nothing about the number after it.
_TOKEN: Final = re.compile(r"\[?[^\W\d_]+|[#\u2116.,;!?\n]")

_PHONE: Final = frozenset(
    {
        "tel", "ph", "cell", "cells", "ring", "rings", "text", "texting", "sms", "signal", "fax", "handy", "mobil",
        "ruf", "ligue", "whatsapp", "telegram", "viber",
    }
)  # fmt: skip
_PHONE_STARTS: Final = (
    "phone", "mobile", "call", "reach", "contact", "telephone", "telefon", "anruf", "telef",
    "movil", "llam", "portable", "appel", "cellular", "celular", "chiam",
)  # fmt: skip
_OTHER: Final = frozenset(
    {
        "ref", "id", "ids", "code", "codes", "sku", "item", "items", "part", "ean", "vat", "pin", "pins", "case",
        "entry", "build", "builds", "version", "release", "firmware", "price", "prices", "cost", "costs", "eur",
        "usd", "gbp", "isbn",
    }
)  # fmt: skip
_OTHER_STARTS: Final = (
    "order", "invoice", "receipt", "reference", "ticket", "booking", "reservation", "confirmation", "tracking",
    "parcel", "shipment", "package", "account", "customer", "member", "article", "serial", "product", "voucher",
    "coupon", "bestell", "rechnung", "kunden", "artikel", "sendung", "pedido", "factura", "commande", "facture",
    "ordine", "fattura",
)  # fmt: skip
_FILLERS: Final = frozenset({"number", "nummer", "no", "nr", "num", "is", "was", "ist", "lautet"})
_ABBREVIATIONS: Final = frozenset({"no", "nr", "num", "ref"})  # a full stop after these ends no sentence

#: The first three letters of the first word of all these.
PHONE_HEADS: Final = frozenset(word[:3] for word in (*_PHONE, *_PHONE_STARTS))
OTHER_HEADS: Final = frozenset(word[:3] for word in (*_OTHER, *_OTHER_STARTS))


def says_phone(before: str) -> bool:
    """Tell whether these characters, up to a number, speak of a phone."""
    return any(token in _PHONE or token.startswith(_PHONE_STARTS) for token in _TOKEN.findall(before.lower()))


def says_other(before: str) -> bool:
    """Tell whether these characters, up to a number, say that it is no phone number."""
    tokens = _TOKEN.findall(before.lower())
    while tokens:
        token = tokens.pop()
        if token in _FILLERS or (token == "." and tokens and tokens[-1] in _ABBREVIATIONS):  # noqa: S105 - no secret
            continue
        return token in ("#", "\u2116") or token in _OTHER or token.startswith(_OTHER_STARTS)
    return False
