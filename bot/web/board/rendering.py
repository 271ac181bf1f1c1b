"""Renders pages from templates: everything is escaped, and only our own scripts and styles load."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.views.text import plain

if TYPE_CHECKING:
    import jinja2

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"}


def page(name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any) -> web.Response:
    """The page from this template and these values; compiling a template the first time takes a while."""
    text = templates().get_template(name).render({"again": 0, **values}).encode("utf-8", "replace")
    more = {**(headers or {}), **HEADERS}
    return web.Response(body=text, status=status, content_type="text/html", charset="utf-8", headers=more)


@cache
def templates() -> "jinja2.Environment":
    """The pages' templates, each compiled on first use."""
    import jinja2  # imported here, so that no start waits for it

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(file), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"moment": moment, "clean": plain}
    return environment


@cache
def file(name: str) -> str:
    """A file in this folder."""
    return resources.files("bot.web.board").joinpath(name).read_text("utf-8")


def moment(at: datetime) -> str:
    """`2026-03-20 12:43 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
