"""Garbage collection blocks everything, so it is paused during large allocations such as an export."""

import gc
import weakref

from bot.system.garbage import Garbage


def test_collection_resumes_after_the_last_of_two_pauses() -> None:
    """Two exports may overlap."""
    garbage = Garbage()
    first, second = garbage.paused(), garbage.paused()

    seen = []
    for step in (first.__enter__, second.__enter__, lambda: first.__exit__(None, None, None)):
        step()
        seen.append(gc.isenabled())
    second.__exit__(None, None, None)

    assert ([False] * 3, True) == (seen, gc.isenabled())


def test_pause_leaves_collection_off_when_it_was_off() -> None:
    """Short-lived commands run with collection turned off."""
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


def test_replaced_bot_is_collected_after_a_reload() -> None:
    """Objects set aside at startup are not collected until a new configuration is loaded."""
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


def test_objects_of_a_new_configuration_are_frozen_too() -> None:
    """Otherwise each collection after the first reload would scan everything again."""
    garbage = Garbage()
    try:
        garbage.look_through_everything()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
