"""The gateway that the demo compares with: as kind to gateways as it says."""

from bot.demo.gateway import FAILS, Gateway, GatewayResult

LIMIT_S, PAUSE_S = 2.0, 60.0


class Stand:
    """Vendors that answer or not, and a clock that moves with each failed try."""

    def __init__(self) -> None:
        self.now = 100.0
        self.down: set[str] = set()
        self.asked: list[str] = []
        self.gateway = Gateway("claude", "gpt", PAUSE_S, self.ask, lambda: self.now)

    def ask(self, provider: str) -> bool:
        self.asked.append(provider)
        if provider in self.down:
            self.now += LIMIT_S
        return provider not in self.down

    def serve(self, times: int = 1) -> list[GatewayResult]:
        return [self.gateway.serve() for _ in range(times)]


def test_all_well_is_served_by_the_primary() -> None:
    """And nobody asks the fallback."""
    stand = Stand()

    assert [GatewayResult(True, 0, 0.0)] * 3 == stand.serve(3)
    assert {"claude"} == set(stand.asked)


def test_failing_primary_costs_each_customer_a_try_until_it_is_left_alone() -> None:
    """From then on none, until the pause is over."""
    stand = Stand()
    stand.down = {"claude"}

    assert [GatewayResult(True, 1, LIMIT_S)] * FAILS == stand.serve(FAILS)
    assert [GatewayResult(True, 0, 0.0)] * 5 == stand.serve(5)


def test_after_the_pause_one_failed_try_is_enough() -> None:
    """Not everybody finds out again."""
    stand = Stand()
    stand.down = {"claude"}
    stand.serve(FAILS)
    stand.now += PAUSE_S

    assert [1, 0, 0] == [passed.failed_tries for passed in stand.serve(3)]


def test_primary_that_is_back_serves_again_and_may_fail_as_often_as_before() -> None:
    """Its failures are forgotten."""
    stand = Stand()
    stand.down = {"claude"}
    stand.serve(FAILS)
    stand.now += PAUSE_S
    stand.down = set()
    stand.serve()
    stand.down = {"claude"}

    assert [1] * FAILS + [0] == [passed.failed_tries for passed in stand.serve(FAILS + 1)]


def test_nobody_is_served_where_both_fail() -> None:
    """Two tries in vain."""
    stand = Stand()
    stand.down = {"claude", "gpt"}

    assert [GatewayResult(False, 2, 2 * LIMIT_S)] == stand.serve()
