"""The OpenFeature provider: every read is answered from memory."""

import math
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode, FlagNotFoundError, ProviderNotReadyError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata

from understudy_client.bot import Bot
from understudy_client.cache import CacheFile
from understudy_client.keeper import Keeper, State

_NOBODY: Mapping[str, Any] = {}
_REASONS = {str(reason): reason for reason in Reason}


class UnderstudyProvider(AbstractProvider):
    """Understudy's fallback flags for a service, read in the background every `poll_every` seconds and at every change.

    A read never waits. While the bot is away, readers get its last answer with the reason STALE; a process that starts then
    takes it from the file `cache`, with the reason CACHED; only where there is none do they get their code default, which
    should be the fallback. `token` is one of the bot's `server.read_tokens`. `name` is how this process shows among the
    readers of a flag, by default its host and process id. Raises ValueError for an address that is none.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        cache: str | os.PathLike[str] | None = None,
        poll_every: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__()
        if not math.isfinite(poll_every) or poll_every <= 0:
            raise ValueError("poll_every is a number of seconds above zero")

        def make_bot() -> Bot:
            return Bot(url, token, name or f"{socket.gethostname()}/{os.getpid()}")

        file = None if cache is None else CacheFile(cache, url.rstrip("/"))
        self._keeper = Keeper(make_bot, file, poll_every, self._tell_state, self._tell_change)

    def get_metadata(self) -> Metadata:
        """The provider's name, as hooks and events show it."""
        return Metadata(name="understudy")

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Begin to read; waits at most 1.5 s for the first answer, and fails for no bot that is away."""
        self._keeper.start()

    def shutdown(self) -> None:
        """End the background work."""
        self._keeper.stop()

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        return self._resolve(flag_key, (bool,), evaluation_context)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        return self._resolve(flag_key, (str,), evaluation_context)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        return self._resolve(flag_key, (int,), evaluation_context)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        found = self._resolve(flag_key, (float, int), evaluation_context)
        found.value = float(found.value)  # a flag of whole numbers may be read as floats
        return found

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[Any] | Mapping[str, Any],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[Any] | Mapping[str, Any]]:
        return self._resolve(flag_key, (dict, list), evaluation_context)

    def _resolve(self, key: str, kinds: tuple[type, ...], context: EvaluationContext | None) -> FlagResolutionDetails[Any]:
        keeper = self._keeper
        if keeper.forked:
            keeper.resume()
        held = keeper.held
        if held is None:
            raise ProviderNotReadyError("Understudy has not answered yet, and no earlier answer is saved")
        flag = held.flags.by_key.get(key)
        if flag is None:
            raise FlagNotFoundError(f"Understudy has no flag {key[:100]!r}")
        answer = flag.plain
        if flag.split is not None or flag.drill is not None:
            answer = flag.answer(context.targeting_key if context else None, context.attributes if context else _NOBODY)
            if flag.drill is not None:
                keeper.note_in_drill(key, answer is flag.drill)
        if type(answer.value) not in kinds:
            raise TypeMismatchError(f"flag {key} is {_named(answer.value)}: read it as that")
        if keeper.fresh:
            reason = _REASONS.get(answer.reason, Reason.UNKNOWN)
        else:
            reason = Reason.CACHED if held.from_file else Reason.STALE
        return FlagResolutionDetails(answer.fresh(), None, None, reason, answer.variant, dict(answer.metadata))

    def _tell_state(self, state: State, sentence: str) -> None:
        match state:
            case State.FRESH:
                self.emit_provider_ready(ProviderEventDetails())
            case State.OLD:
                self.emit_provider_stale(ProviderEventDetails(message=sentence))
            case State.NOTHING:
                self.emit_provider_error(ProviderEventDetails(message=sentence, error_code=ErrorCode.PROVIDER_NOT_READY))

    def _tell_change(self, keys: list[str]) -> None:
        self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=keys))


def _named(value: Any) -> str:
    match value:
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int():
            return "an integer"
        case float():
            return "a float"
        case _:
            return "an object"
