"""Garbage collection stops the loop: it waits for what is made beside it."""

import gc
import weakref

from bot.system.garbage import Garbage


def test_it_waits_for_the_last_that_holds_it_off() -> None:
    """Two exports overlap."""
    garbage = Garbage()
    first, second = garbage.paused(), garbage.paused()

    seen = []
    for step in (first.__enter__, second.__enter__, lambda: first.__exit__(None, None, None)):
        step()
        seen.append(gc.isenabled())
    second.__exit__(None, None, None)

    assert ([False] * 3, True) == (seen, gc.isenabled())


def test_it_stays_off_where_it_was_off() -> None:
    """A command that ends by itself runs without."""
    gc.disable()
    try:
        with Garbage().paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


class Bot:
    """Refers to itself, as parts of a bot do."""

    def __init__(self) -> None:
        self.itself = self


def test_a_bot_that_another_one_took_the_place_of_is_thrown_away() -> None:
    """What stays is never looked at, until a configuration is taken over."""
    garbage, bot = Garbage(), Bot()
    left = weakref.ref(bot)
    garbage.leave_out()
    del bot
    try:
        gc.collect()
        assert left() is not None
        garbage.look_through_everything()
        assert left() is None
    finally:
        gc.unfreeze()


def test_what_a_new_configuration_brought_stays_as_well() -> None:
    """Else everything would be looked through again and again from the first reload on."""
    garbage = Garbage()
    try:
        garbage.look_through_everything()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
