"""One `Idempotency-Key` stands for one request: method, path and body."""

from typing import Any

import aiohttp
import pytest

from tests.web.test_web_api import post
from tests.web.web_house import House

SLOW = {"title": "Slow", "severity": "SEV3"}


async def test_key_reused_with_another_body_is_refused(house: House, http: aiohttp.ClientSession) -> None:
    """The caller would take the result of the first body for an answer to the second."""
    await post(http, house, "/incidents", SLOW, Idempotency_Key="k-1")
    status, found = await post(http, house, "/incidents", {"title": "Payments are wrong"}, Idempotency_Key="k-1")

    assert (422, "Idempotency-Key") == (status, found["field"])
    assert found["text"] == "This Idempotency-Key was used for this request with another body. Nothing was changed."
    assert 1 == len(house.engine.world.incidents)


async def test_key_reused_with_another_body_is_refused_even_without_a_change(house: House, http: aiohttp.ClientSession) -> None:
    """The answer is not "already has this severity", as it would be with a new key."""
    await post(http, house, "/incidents", SLOW)
    await post(http, house, "/incidents/1/severity", {"severity": "SEV2"}, Idempotency_Key="k-1")
    status, _ = await post(http, house, "/incidents/1/severity", {"severity": "SEV2", "reason": "x"}, Idempotency_Key="k-1")

    assert 422 == status


@pytest.mark.parametrize("body", [SLOW, dict(reversed(SLOW.items()))])
async def test_same_body_in_another_field_order_is_the_same_request(
    house: House, http: aiohttp.ClientSession, body: Any
) -> None:
    """The order of the fields does not matter."""
    await post(http, house, "/incidents", SLOW, Idempotency_Key="k-1")
    status, found = await post(http, house, "/incidents", body, Idempotency_Key="k-1")

    assert (200, "done_already") == (status, found["kind"])


async def test_retry_succeeds_when_the_new_state_would_refuse_it(house: House, http: aiohttp.ClientSession) -> None:
    """The first answer was lost; the caller who acknowledged must not hear that somebody else did."""
    await post(http, house, "/incidents", SLOW)
    await post(http, house, "/incidents/1/ack", {}, Idempotency_Key="k-1")
    status, found = await post(http, house, "/incidents/1/ack", {}, Idempotency_Key="k-1")

    assert (200, "done_already", 1) == (status, found["kind"], found["incident"])


async def test_key_of_a_refused_request_can_be_reused(house: House, http: aiohttp.ClientSession) -> None:
    """Nothing was done under the key, so `force` may be sent with the same key."""
    await post(http, house, "/incidents", {"title": "Slow", "components": ["anthropic.api"]})
    await post(http, house, "/flags/support-chat.llm/engage", {"reason": "slow"})
    first, _ = await post(http, house, "/incidents/1/resolve", {}, Idempotency_Key="k-1")
    second, _ = await post(http, house, "/incidents/1/resolve", {"force": True}, Idempotency_Key="k-1")

    assert (409, 200) == (first, second)


async def test_key_of_an_earlier_version_repeats_its_answer(house: House, http: aiohttp.ClientSession) -> None:
    """Earlier versions stored no digest of the request, so a changed body cannot be detected."""
    await post(http, house, "/incidents", SLOW)
    await post(http, house, "/incidents/1/update", {"text": "we look"}, Idempotency_Key="k-1")
    house.engine.digests = dict.fromkeys(house.engine.digests, "")
    status, found = await post(http, house, "/incidents/1/update", {"text": "it is over"}, Idempotency_Key="k-1")

    assert (200, "done_already") == (status, found["kind"])
