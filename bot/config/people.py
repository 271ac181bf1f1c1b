"""The section `people`: who may do what, which roles there are, and who is on call."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bot.config.checks.base import Part
from bot.config.paging import OnCallConfig
from bot.config.scalars import Patience, RoleName, Slug, Text, bad
from bot.core.model import LEAD
from bot.core.policy import ROLE_SYNONYMS, ROLES

MOST_ROLES = 6
NO_ROLES = ("me", "none")


def _check_roles(roles: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(roles) <= MOST_ROLES:
        raise bad(f"there are {len(roles)} roles", f"name 1 to {MOST_ROLES}, the lead first")
    if len(set(roles)) < len(roles):
        raise bad("a role is named twice", "name each once")
    if taken := [role for role in roles if role in NO_ROLES]:
        raise bad(f"{taken[0]} cannot be a role: the command means something else by it", "call it something else")
    if taken := [role for role in roles[1:] if ROLE_SYNONYMS.get(role) == LEAD]:
        raise bad(f"{taken[0]} always means the first role, which is {roles[0]}", "put it first, or leave it out")
    return roles


class PeopleConfig(Part):
    """Who may do what, and which roles people have in an incident."""

    roles: Annotated[tuple[RoleName, ...], AfterValidator(_check_roles)] = Field(
        default=ROLES, description="Roles of an incident, 1 to 6 words of at most 20 characters; the first one leads."
    )
    nag_after: Patience = Field(
        default=timedelta(minutes=10),
        description="How long an acknowledged SEV1 or SEV2 may have no lead before the bot asks in its channel; or `never`.",
    )
    viewers: tuple[Text, ...] = Field(
        default=(), description="User or user-group IDs that may ask for the state of things; empty means every full member."
    )
    responders: tuple[Text, ...] = Field(
        default=(), description="Who may also help: acknowledge, note, report, export; empty means every viewer."
    )
    commanders: tuple[Text, ...] = Field(
        default=(), description="Who may also run incidents, switch flags and mute; empty means every responder."
    )
    admins: tuple[Text, ...] = Field(default=(), description="Who may also administer the bot; empty means every commander.")
    external: Literal["none", "read"] = Field(
        default="none",
        description="What guests, people of other organizations and bots may do: `none`, or `read` everything.",
    )
    on_call: dict[Slug, OnCallConfig] = Field(default={}, description="Names that paging and invitations may use.")

    def lists(self) -> dict[str, tuple[str, ...]]:
        """Who has each level, lowest first; ids of people and of user groups."""
        return {name: getattr(self, name) for name in ("viewers", "responders", "commanders", "admins")}
