"""Who may do what, according to the configuration alone; reported by the doctor and at every start."""

from bot.config.people import PeopleConfig

Remark = tuple[str, str]  # `good`, `note` (works, but know this) or `bad` (will not work), and the sentence

EVERYBODY = "people.commanders is empty: EVERY full member of the workspace may run incidents, switch flags and mute"
HELPERS = "no responders are named, so every full member may acknowledge, note, report and export"
READERS = (
    "people.external is read: guests, people of other organizations and bots who can use the slash commands see components, "
    "incidents with their timelines, and flags; they change nothing"
)


def who_may(people: PeopleConfig) -> list[Remark]:
    """What the configuration opens to many people."""
    everybody = not (people.viewers or people.responders or people.commanders)
    return [("note", words) for holds, words in ((everybody, EVERYBODY), (people.external == "read", READERS)) if holds]


def who_helps(people: PeopleConfig) -> list[Remark]:
    """Who may help if only commanders are named: many want it so, but some do not know."""
    return [("note", HELPERS)] if people.commanders and not (people.viewers or people.responders) else []
