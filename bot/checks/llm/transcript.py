"""The content of one streamed answer, its timing, and whether it is good. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.checks.judging.answers import is_html
from bot.checks.judging.exceptions import Failure, classify_error_body, classify_status
from bot.checks.llm.dialects.shape import Dialect, Event, EventContent, parsed

TEXT_CAP = 16 * 1024  # characters; answers have at most 1,024 tokens
HEAD_CAP = 16 * 1024  # bytes of the stream to keep, in case it was something else
MANY_ENOUGH = 4  # tokens; a rate over fewer is meaningless
# The dialects' names for good endings other than a finished answer: the room was used up, or the model refused.
NO_ROOM = frozenset({"max_tokens", "length", "max_output_tokens", "model_context_window_exceeded"})
REFUSALS = frozenset(
    {"refusal", "content_filter", "content_filtered", "guardrail_intervened", "safety", "recitation", "blocklist"}
    | {"prohibited_content", "spii", "image_safety", "language"}
)


@dataclass
class Transcript:
    """Collects the content of one answer's events. Times are seconds on the probe's stopwatch."""

    dialect: Dialect
    text: str = ""
    stop: str = ""
    model: str = ""
    complete: bool = False
    last: bool = False
    tool: str = ""
    arguments: str = ""
    tokens_in: int | None = None
    tokens_cached: int = 0
    tokens_out: int | None = None
    unseen: int = 0
    deltas: int = 0  # of text and reasoning, for providers that do not report usage
    text_at: float | None = None
    thought_at: float | None = None
    last_at: float = 0.0
    error: Any = None
    error_text: str = ""
    known: int = 0
    odd: str = ""  # the first event of an unknown shape
    head: bytearray = field(default_factory=bytearray)

    def keep(self, data: bytes) -> None:
        """Keep the first bytes that arrived."""
        if len(self.head) < HEAD_CAP:
            self.head += data[: HEAD_CAP - len(self.head)]

    def take(self, event: Event, at: float) -> None:
        """Record one event. Nothing counts after an error, since some providers send their end mark all the same."""
        if self.error is not None and not self.complete:
            return
        said = self.dialect.said(event)
        if not said.known:
            self.odd = self.odd or event.text
            return
        self.known += 1
        if said.error is not None and self.error is None:
            self.error, self.error_text = said.error, event.text
        self._take_words(said, at)
        self.stop = said.stop or self.stop
        self.model = said.model or self.model
        self.complete = self.complete or said.complete
        self.last = self.last or said.last
        self.tool = self.tool or said.tool
        self.arguments = (self.arguments + said.arguments)[:TEXT_CAP]
        self.tokens_cached = said.tokens_cached or self.tokens_cached
        self.tokens_in = said.tokens_in if said.tokens_in is not None else self.tokens_in
        self.tokens_out = said.tokens_out if said.tokens_out is not None else self.tokens_out
        self.unseen = said.unseen or self.unseen

    def fault(self, status: int, headers: Mapping[str, str]) -> Failure | None:
        """What is wrong with the answer as a whole, apart from its text; None if nothing is."""
        if self.error is not None and not self.complete:
            return classify_error_body(self.error, dialect=self.dialect.name)
        if not self.known and self.head:
            return self._no_stream(status, headers)
        if not self.complete:
            return Failure("stream_truncated")
        if not self.text.strip() and not self.tool and not self.cut_short and not self.refused:
            return Failure("empty_answer")
        return None

    @property
    def cut_short(self) -> bool:
        """Whether the model stopped because its room was used up: as good as any other end, since we set the limit."""
        return self.stop.lower() in NO_ROOM

    @property
    def refused(self) -> bool:
        """Whether the model refused to answer, which is an answer."""
        return self.stop.lower() in REFUSALS or self.stop.startswith("blocked: ")

    @property
    def written(self) -> int:
        """Tokens of the answer: as the provider counts them, else one per delta."""
        return self.tokens_out if self.tokens_out is not None else self.deltas

    def rate(self, speed: float) -> float | None:
        """Tokens per domain second between the first and the last streamed token; None if that is meaningless."""
        hidden = self.unseen if self.thought_at is None else 0
        seen = self.written - hidden
        moments = [moment for moment in (self.text_at, self.thought_at) if moment is not None]
        took_s = (self.last_at - min(moments)) * speed if moments else 0.0
        if seen < MANY_ENOUGH or took_s <= 0 or self.deltas < 2:
            return None
        return (seen - 1) / took_s

    def _take_words(self, said: EventContent, at: float) -> None:
        if said.thought:
            self.thought_at = at if self.thought_at is None else self.thought_at
        if said.text:
            self.text_at = at if self.text_at is None else self.text_at
            self.text = (self.text + said.text)[:TEXT_CAP]
        if said.thought or said.text:
            self.deltas += 1
            self.last_at = at

    def _no_stream(self, status: int, headers: Mapping[str, str]) -> Failure:
        """What came instead of a stream: a page, an error in the body of a 200, or something unknown."""
        body = bytes(self.head)
        if is_html(headers, body):
            return classify_status(status, body, headers, self.dialect.name)
        payload = parsed(body)
        if isinstance(payload, dict) and payload.get("error"):
            return classify_error_body(payload, dialect=self.dialect.name)
        return Failure("unexpected_shape")
