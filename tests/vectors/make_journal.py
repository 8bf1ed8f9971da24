"""Prints journal.json: entries and links computed from docs/spec/journal.md alone, without the package.

python tests/vectors/make_journal.py > tests/vectors/journal.json
"""

import base64
import hashlib
import hmac
import json

KEY = bytes(range(32))
DOMAIN = b"erasure journal"
ID = base64.b64encode(bytes(range(16))).decode()
AT = "2026-11-23T12:30:15.123456Z"
KEY_ID = "0f" * 32
ENTRIES = [
    f'["erased","{ID}","{AT}","ER-0123-4567-89AB",{{"events":12,"keys":3}}]',
    f'["withdrawn","{ID}","2026-11-23T12:30:15Z","newsletter"]',
    f'["erased","{ID}","{AT}","ER-ZZZZ-ZZZZ-ZZZZ",{{}}]',
    f'["withdrawn","{ID}","{AT}","prüfung"]',
    f'["erased","{ID}","{AT}","ER-1111-1111-1111",{{"draw:email":2,"draw:full_name":1,"events":12,"keys":3,"values":3}}]',
    f'["part","{ID}","{AT}","ER-2222-2222-2222",{{"draw:email":2,"keys":1,"values":2}},{{"draw:email":"{KEY_ID}","n":""}}]',
]
REFUSED = {
    "space": f'["withdrawn", "{ID}","{AT}","draw"]',
    "line feed at the end": f'["withdrawn","{ID}","{AT}","draw"]\n',
    "unknown kind": f'["granted","{ID}","{AT}","draw"]',
    "field missing": f'["withdrawn","{ID}","{AT}"]',
    "field too many": f'["withdrawn","{ID}","{AT}","draw",1]',
    "no array": f'{{"withdrawn":"{ID}"}}',
    "short subject": f'["withdrawn","{base64.b64encode(bytes(15)).decode()}","{AT}","draw"]',
    "base64 without padding": f'["withdrawn","{ID[:-2]}","{AT}","draw"]',
    "base64 with other padding bits": f'["withdrawn","{ID[:-3]}x==","{AT}","draw"]',
    "time without zone": f'["withdrawn","{ID}","2026-11-23T12:30:15","draw"]',
    "time in another zone": f'["withdrawn","{ID}","2026-11-23T13:30:15+01:00","draw"]',
    "time with a small z": f'["withdrawn","{ID}","2026-11-23T12:30:15z","draw"]',
    "time with zeros": f'["withdrawn","{ID}","2026-11-23T12:30:15.000000Z","draw"]',
    "escaped letter": f'["withdrawn","{ID}","{AT}","dr\\u0061w"]',
    "kinds out of order": f'["erased","{ID}","{AT}","ER-1",{{"keys":3,"events":12}}]',
    "kind twice": f'["erased","{ID}","{AT}","ER-1",{{"keys":3,"keys":3}}]',
    "count below zero": f'["erased","{ID}","{AT}","ER-1",{{"keys":-1}}]',
    "count as text": f'["erased","{ID}","{AT}","ER-1",{{"keys":"1"}}]',
    "count with a fraction": f'["erased","{ID}","{AT}","ER-1",{{"keys":1.0}}]',
    "a part without topics": f'["part","{ID}","{AT}","ER-1",{{"keys":1}},{{}}]',
    "a part with a short key id": f'["part","{ID}","{AT}","ER-1",{{"keys":1}},{{"draw":"0f"}}]',
    "a part with a key id in capitals": f'["part","{ID}","{AT}","ER-1",{{"keys":1}},{{"draw":"{KEY_ID.upper()}"}}]',
    "a part with a line feed behind a key id": f'["part","{ID}","{AT}","ER-1",{{}},{{"draw":"{KEY_ID}\\n"}}]',
    "a part without key ids": f'["part","{ID}","{AT}","ER-1",{{"keys":1}}]',
    "null": "null",
    "empty": "",
}


def index(value: str) -> str:
    """Return the blind index of a value, in hex."""
    message = bytes((len(DOMAIN),)) + DOMAIN + value.encode()
    return hmac.new(KEY, message, hashlib.sha256).hexdigest()


def main() -> None:
    """Print the vectors."""
    link = start = index("start")
    entries = []
    for number, entry in enumerate(ENTRIES, start=1):
        link = index(f"{number}:{link}:{hashlib.sha256(entry.encode()).hexdigest()}")
        entries.append({"number": number, "entry": entry, "link": link})
    vectors = {"index_key": KEY.hex(), "start": start, "entries": entries, "refused": REFUSED}
    print(json.dumps(vectors, indent=2))  # noqa: T201 - the output is the file


if __name__ == "__main__":
    main()
