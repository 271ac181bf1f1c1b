"""One `Idempotency-Key` stands for one request: method, path and body."""

from typing import Any

import aiohttp
import pytest

from tests.web.test_web_api import post
from tests.web.web_house import House

SLOW = {"title": "Slow", "severity": "SEV3"}


async def test_a_key_with_another_body_is_refused(house: House, http: aiohttp.ClientSession) -> None:
    """Its caller would take what was done for the first body for an answer to the second."""
    await post(http, house, "/incidents", SLOW, Idempotency_Key="k-1")
    status, found = await post(http, house, "/incidents", {"title": "Payments are wrong"}, Idempotency_Key="k-1")

    assert (422, "Idempotency-Key") == (status, found["field"])
    assert found["text"] == "This Idempotency-Key was used for this request with another body. Nothing was changed."
    assert 1 == len(house.engine.world.incidents)


async def test_a_key_with_another_body_is_refused_where_that_would_change_nothing(
    house: House, http: aiohttp.ClientSession
) -> None:
    """Not told that its severity is that already, as if the key had been new."""
    await post(http, house, "/incidents", SLOW)
    await post(http, house, "/incidents/1/severity", {"severity": "SEV2"}, Idempotency_Key="k-1")
    status, _ = await post(http, house, "/incidents/1/severity", {"severity": "SEV2", "reason": "x"}, Idempotency_Key="k-1")

    assert 422 == status


@pytest.mark.parametrize("body", [SLOW, dict(reversed(SLOW.items()))])
async def test_the_same_body_is_the_same_request(house: House, http: aiohttp.ClientSession, body: Any) -> None:
    """Whatever the order of its fields."""
    await post(http, house, "/incidents", SLOW, Idempotency_Key="k-1")
    status, found = await post(http, house, "/incidents", body, Idempotency_Key="k-1")

    assert (200, "done_already") == (status, found["kind"])


async def test_a_retry_is_done_already_where_the_state_would_refuse_it(house: House, http: aiohttp.ClientSession) -> None:
    """The first answer was lost on its way; "somebody has acknowledged it" would be no answer to the one who did."""
    await post(http, house, "/incidents", SLOW)
    await post(http, house, "/incidents/1/ack", {}, Idempotency_Key="k-1")
    status, found = await post(http, house, "/incidents/1/ack", {}, Idempotency_Key="k-1")

    assert (200, "done_already", 1) == (status, found["kind"], found["incident"])


async def test_a_key_whose_request_was_refused_is_free(house: House, http: aiohttp.ClientSession) -> None:
    """Nothing was done under it: `force` may be sent with the same one."""
    await post(http, house, "/incidents", {"title": "Slow", "components": ["anthropic.api"]})
    await post(http, house, "/flags/support-chat.llm/engage", {"reason": "slow"})
    first, _ = await post(http, house, "/incidents/1/resolve", {}, Idempotency_Key="k-1")
    second, _ = await post(http, house, "/incidents/1/resolve", {"force": True}, Idempotency_Key="k-1")

    assert (409, 200) == (first, second)


async def test_a_key_of_an_earlier_version_answers_as_it_did(house: House, http: aiohttp.ClientSession) -> None:
    """No digest was kept of its request, so nobody can say that this is another one."""
    await post(http, house, "/incidents", SLOW)
    await post(http, house, "/incidents/1/update", {"text": "we look"}, Idempotency_Key="k-1")
    house.engine.digests = dict.fromkeys(house.engine.digests, "")
    status, found = await post(http, house, "/incidents/1/update", {"text": "it is over"}, Idempotency_Key="k-1")

    assert (200, "done_already") == (status, found["kind"])
