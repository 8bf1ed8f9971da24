"""The page on which people collect the copy of their data, by a link that works once (`rights.handover`).

It is for everybody who has a link, and for nobody else: a proxy lets the world reach `/collect/` alone. GET shows a
button and uses nothing up; POST hands the zip over. Neither page says whose it is or whose it was, and one of a link
that is none looks like one that was used. They are in the language of the conversation where the link says it, else in
one that the browser asks for.
"""

import logging
from typing import Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from rasa_privacy.console.bodies import read_body, sent
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.dialogue.language import of_page
from rasa_privacy.dialogue.phrases import Phrases, phrases_of
from rasa_privacy.errors import PassphraseError, RequestError
from rasa_privacy.rights.handover import FILE_NAME, LANGUAGE, MIN_PASSPHRASE, PATH, collect, is_live
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
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:10vh auto;padding:0 1rem}"
    "label,input,button{display:block;font:inherit;width:100%;box-sizing:border-box;margin:.4rem 0}"
    "input,button{padding:.6rem}small{opacity:.8}"
)
_FORM: Final = """<p>{ready}</p>
<form method="post"><label for="passphrase">{passphrase}</label>
<input id="passphrase" name="passphrase" type="password" autocomplete="new-password">
<small>{note}</small>
<button type="submit">{button}</button></form>"""


def handover_routes(vault: Vault) -> list[Route]:
    """Return the route for links; without `handover:` in privacy.yml there is none."""
    if vault.policy.handover is None:
        return []

    async def endpoint(request: Request) -> Response:
        token, phrases = str(request.path_params["token"]), _phrases(vault, request)
        try:
            response = await (_hand_over if request.method == "POST" else _show)(vault, request, token, phrases)
        except RefusedError as error:
            response = _said(error.status, phrases, "collect_wrong_form")
        except ClientDisconnect:
            response = _said(400, phrases, "collect_wrong_form")
        except Exception as error:  # noqa: BLE001 - its text may be somebody's, and Uvicorn would log it
            logger.error("collect: failed (%s)", type(error).__name__)  # noqa: TRY400 - nothing of a link in the log
            response = _said(503, phrases, "collect_later")
        response.headers.update(_HEADERS)
        logger.info("collect: %s %d", request.method, response.status_code)
        return response

    return [Route(f"{PATH}/{{token}}", endpoint, methods=["GET", "POST"])]


def _phrases(vault: Vault, request: Request) -> Phrases:
    linked, accepted = request.query_params.get(LANGUAGE), request.headers.get("accept-language", "")
    return phrases_of(of_page(vault.policy.languages, linked, accepted))


async def _show(vault: Vault, _request: Request, token: str, phrases: Phrases) -> Response:
    live = await run_in_threadpool(is_live, vault, token, vault.clock())
    return _page(200, phrases, _form(phrases)) if live else _said(404, phrases, "collect_gone")


async def _hand_over(vault: Vault, request: Request, token: str, phrases: Phrases) -> Response:
    raw = await read_body(request, _BODY_BYTES, _BODY_SECONDS)
    try:
        given = parse_qs(raw.decode("ascii", "replace"), max_num_fields=4).get("passphrase", [""])[0]
    except ValueError:
        return _said(400, phrases, "collect_wrong_form")
    try:
        chunks = await run_in_threadpool(collect, vault, token, given or None, vault.clock())
    except PassphraseError:
        weak = phrases.html("collect_weak", count=str(MIN_PASSPHRASE))
        return _page(422, phrases, f"<p><b>{weak}</b></p>{_form(phrases)}")
    except RequestError:
        return _said(404, phrases, "collect_gone")
    headers = {"Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
    return StreamingResponse(sent(chunks), media_type="application/zip", headers=headers)


def _form(phrases: Phrases) -> str:
    return _FORM.format(
        ready=phrases.html("collect_ready"),
        passphrase=phrases.html("collect_passphrase"),
        note=phrases.html("collect_note"),
        button=phrases.html("collect_button"),
    )


def _said(status: int, phrases: Phrases, name: str) -> Response:
    return _page(status, phrases, f"<p>{phrases.html(name)}</p>")


def _page(status: int, phrases: Phrases, body: str) -> Response:
    title, language = phrases.html("page_title"), phrases.locale.language
    page = (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )
    return Response(page, status, {"Content-Language": language}, "text/html")
