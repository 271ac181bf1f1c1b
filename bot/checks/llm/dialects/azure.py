"""The dialect of Azure OpenAI: OpenAI's bodies under the deployment's own path, with its own key header and API version."""

from datetime import datetime

from bot.checks.llm.dialects import openai
from bot.checks.llm.dialects.shape import Dialect, LlmCheck, LlmRequest, Rung, at_path, in_path, posted
from bot.checks.llm.dialects.sse import SseFrames

API_VERSION = "2024-10-21"
MODERN_SINCE = "2024-09-01"  # versions from here on support `max_completion_tokens` and report usage in streams


def asked(check: LlmCheck, rung: Rung, now: datetime) -> LlmRequest:
    """The request: the resource's list of models, or one streamed answer by the deployment named in `model`."""
    headers = {"api-key": check.api_key, **check.headers}
    version = check.api_version or API_VERSION
    if rung != "inference":
        return LlmRequest("GET", at_path(check.url, "/models", "/openai", **{"api-version": version}), headers)
    if check.api == "responses":  # not under a deployment; the body names it
        url = at_path(check.url, "/responses", "/openai", **{"api-version": version})
        return posted(url, headers, openai.response_body(check))
    path = f"/deployments/{in_path(check.model)}/chat/completions"
    url = at_path(check.url, path, "/openai", **{"api-version": version})
    return posted(url, headers, openai.chat_body(check, modern=version >= MODERN_SINCE))


DIALECT = Dialect("azure", asked, openai.said, openai.lists, SseFrames, ran_out=openai.ran_out)
