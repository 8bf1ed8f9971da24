"""The page on which people collect the copy of their data, by a link that works once (`rights.handover`).

It is for everybody who has a link, and for nobody else: a proxy lets the world reach `/collect/` alone. GET shows a
button and uses nothing up; POST hands the zip over. Neither page says whose it is or whose it was, and one of a link
that is none looks like one that was used.
"""

import html
import logging
from typing import Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from rasa_privacy.console.bodies import read_body, sent
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.errors import PassphraseError, RequestError
from rasa_privacy.rights.handover import FILE_NAME, PATH, collect, is_live
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

_BODY_BYTES: Final = 2048
_BODY_SECONDS: Final = 10.0
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_STYLE: Final = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:10vh auto;padding:0 1rem}"
    "label,input,button{display:block;font:inherit;width:100%;box-sizing:border-box;margin:.4rem 0}"
    "input,button{padding:.6rem}small{opacity:.8}"
)
_FORM: Final = """<p>Your copy is ready: everything that is held of you, as a page to read and as a file for programs.
It can be collected once.</p>
<form method="post"><label for="passphrase">Passphrase, if the file is to be encrypted (four words or more)</label>
<input id="passphrase" name="passphrase" type="password" autocomplete="new-password">
<small>It is kept nowhere. Without it the file is open to whoever has it.</small>
<button type="submit">Collect my data</button></form>"""


def handover_routes(vault: Vault) -> list[Route]:
    """Return the route for links; without `handover:` in privacy.yml there is none."""
    if vault.policy.handover is None:
        return []

    async def endpoint(request: Request) -> Response:
        token = str(request.path_params["token"])
        try:
            response = await (_hand_over if request.method == "POST" else _show)(vault, request, token)
        except RefusedError as error:
            response = _page(error.status, f"<p>{html.escape(str(error))}</p>")
        except ClientDisconnect:
            response = _page(400, "<p>The connection was closed.</p>")
        except Exception as error:  # noqa: BLE001 - its text may be somebody's, and Uvicorn would log it
            logger.error("collect: failed (%s)", type(error).__name__)  # noqa: TRY400 - nothing of a link in the log
            response = _page(503, "<p>This cannot be done now. Try again later.</p>")
        response.headers.update(_HEADERS)
        logger.info("collect: %s %d", request.method, response.status_code)
        return response

    return [Route(f"{PATH}/{{token}}", endpoint, methods=["GET", "POST"])]


async def _show(vault: Vault, _request: Request, token: str) -> Response:
    live = await run_in_threadpool(is_live, vault, token, vault.clock())
    return _page(200, _FORM) if live else _gone()


async def _hand_over(vault: Vault, request: Request, token: str) -> Response:
    raw = await read_body(request, _BODY_BYTES, _BODY_SECONDS)
    try:
        given = parse_qs(raw.decode("ascii", "replace"), max_num_fields=4).get("passphrase", [""])[0]
    except ValueError:
        return _page(400, "<p>This is not the form of this page.</p>")
    try:
        chunks = await run_in_threadpool(collect, vault, token, given or None, vault.clock())
    except PassphraseError as error:
        return _page(422, f"<p><b>{html.escape(str(error)).capitalize()}.</b></p>{_FORM}")
    except RequestError:
        return _gone()
    headers = {"Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
    return StreamingResponse(sent(chunks), media_type="application/zip", headers=headers)


def _gone() -> Response:
    words = "This link is not valid, was used already, or is over. Ask for a new one where you asked for this one."
    return _page(404, f"<p>{words}</p>")


def _page(status: int, body: str) -> Response:
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Your data</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>Your data</h1>\n{body}\n</body>\n</html>\n"
    )
    return Response(page, status, media_type="text/html")
