"""Flags for flagd: one document that it polls, and evaluates by itself."""

import json
from dataclasses import dataclass, field

from aiohttp import web

from bot.flags.evaluate import Snapshot
from bot.flags.flagd import definitions
from bot.web.ofrep import client_of
from bot.web.server.errors import Refusal
from bot.web.server.etags import etag, unless_known
from bot.web.services import SERVICES

PATH = "/flagd/v1/flags.json"


@dataclass
class DefinitionsMade:
    """The documents of one snapshot, whole and as an overlay, in bytes with their tags: every flagd polls for the same ones."""

    snapshot: Snapshot | None = None
    bodies: dict[bool, tuple[bytes, str]] = field(default_factory=dict)

    def of(self, snapshot: Snapshot, *, overlay: bool) -> tuple[bytes, str]:
        """The document and its tag."""
        if self.snapshot is not snapshot:
            self.snapshot, self.bodies = snapshot, {}
        if overlay not in self.bodies:
            body = json.dumps(definitions(snapshot, overlay=overlay), allow_nan=False).encode()
            self.bodies[overlay] = body, etag(body)
        return self.bodies[overlay]


DEFINITIONS = web.AppKey("flagd_definitions", DefinitionsMade)


async def flags(request: web.Request) -> web.Response:
    """All flags as flagd defines them; with `overlay=1` those that are engaged. Whoever polls counts as a reader of each."""
    wanted = request.query.get("overlay", "0")
    if wanted not in ("0", "1"):
        raise Refusal(400, "overlay is 0 or 1.", field="overlay", remedy=f"Ask for {PATH}?overlay=1.")
    board = request.app[SERVICES].board
    board.note_reader(client_of(request))
    return unless_known(request, *request.app[DEFINITIONS].of(board.snapshot, overlay=wanted == "1"))
