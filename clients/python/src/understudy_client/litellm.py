"""A callback for the LiteLLM proxy: requests for a model go where a flag of Understudy says.

A gateway's own fallback asks the dead primary again with each request, and waits for it. The flag is known before: while it is
switched, the primary gets none. Needs LiteLLM, in whose process it runs; nothing else of the kit imports it.
"""

import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

from litellm.integrations.custom_logger import CustomLogger
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import OpenFeatureError, TypeMismatchError

from understudy_client.flags import DRILL_KEY
from understudy_client.provider import UnderstudyProvider

log = logging.getLogger("understudy_client")


class UnderstudyModels(CustomLogger):  # type: ignore[misc] # LiteLLM is not there where types are checked
    """Rewrites the model of each request by a flag: `flags` says which model names follow which flag.

    A flag's value is the name of a model in LiteLLM's `model_list`, or an object whose `model` is that. Flags are read in the
    background, so no request waits for them; while the bot is away its last answer stands. Where it was never heard, and no
    file `cache` holds an earlier answer, a request gets the model of `fallback`, or without one there the model it asked for.

    In a hand-back a reader is who LiteLLM says asks: the `user` of the request, or else its virtual key. Where a flag is
    sticky by another attribute, such as `conversation_id`, that is taken from the request's `metadata`.
    """

    def __init__(
        self,
        url: str,
        *,
        flags: Mapping[str, str],
        fallback: Mapping[str, str] | None = None,
        token: str | None = None,
        cache: str | os.PathLike[str] | None = None,
        poll_every: float = 1.0,
    ) -> None:
        super().__init__()
        self._flags = dict(flags)
        self._fallback = dict(fallback or {})
        self._provider = UnderstudyProvider(url, token=token, cache=cache, poll_every=poll_every)
        self._said: dict[str, str] = {}
        # Not here: LiteLLM imports this while it starts, and the first answer may take a moment.
        threading.Thread(target=self._provider.initialize, args=(EvaluationContext(),), daemon=True).start()

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any
    ) -> dict[str, Any]:
        """Called by LiteLLM before it chooses a deployment."""
        asked = data.get("model")
        flag = self._flags.get(asked) if isinstance(asked, str) else None
        if isinstance(asked, str) and flag is not None:
            data["model"] = self._model(asked, flag, _context(user_api_key_dict, data))
        return data

    def shutdown(self) -> None:
        """End the background work."""
        self._provider.shutdown()

    def _model(self, asked: str, flag: str, context: EvaluationContext) -> str:
        try:
            try:
                value: Any = self._provider.resolve_string_details(flag, "", context).value
            except TypeMismatchError:
                value = self._provider.resolve_object_details(flag, {}, context).value
            model = value.get("model") if isinstance(value, Mapping) else value
            trouble = "" if isinstance(model, str) and model else "its value has no `model`"
        except OpenFeatureError as error:
            model, trouble = None, error.error_message or type(error).__name__
        if trouble != self._said.get(flag, ""):
            self._said[flag] = trouble
            if trouble:
                log.warning("requests for %s do not follow the flag %s: %s", asked, flag, trouble)
        return model if isinstance(model, str) and model else self._fallback.get(asked, asked)


def _context(key: Any, data: Mapping[str, Any]) -> EvaluationContext:
    """Who asks, and what the request says besides. Customers write that, and a drill is no business of theirs."""
    metadata = data.get("metadata")
    said = metadata if isinstance(metadata, Mapping) else {}
    return EvaluationContext(_reader(key, data), {name: value for name, value in said.items() if name != DRILL_KEY})


def _reader(key: Any, data: Mapping[str, Any]) -> str | None:
    """Who asks, as far as LiteLLM knows."""
    for name in (
        data.get("user"),
        getattr(key, "end_user_id", None),
        getattr(key, "user_id", None),
        getattr(key, "token", None),
    ):
        if isinstance(name, str) and name:
            return name
    return None
