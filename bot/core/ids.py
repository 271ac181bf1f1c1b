"""What ids are made of: `provider.component.check`, each part of it an id by itself."""


class ComponentId(str):
    """`anthropic.api`: a component by its provider's id and its own name there."""

    __slots__ = ()

    @property
    def provider(self) -> str:
        """The provider's id."""
        return self.partition(".")[0]

    @property
    def name(self) -> str:
        """What the provider's section of the configuration calls it."""
        return self.partition(".")[2]


class CheckId(str):
    """`anthropic.api.answer`: a check by its component's id and its own name there. A control is `control.name`."""

    __slots__ = ()

    @property
    def provider(self) -> str:
        """The provider's id; `control` for a control."""
        return self.partition(".")[0]

    @property
    def component(self) -> ComponentId:
        """The component's id."""
        return ComponentId(".".join(self.split(".")[:2]))

    @property
    def name(self) -> str:
        """What the check is called within its component; of a control, its whole name."""
        return self.split(".", 2)[-1]


SHADOW = "drill:"  # how the ids of what a drill pretends begin; the configuration takes no such id


def shadow(id: str) -> str:
    """`drill:anthropic.api`: what a drill says of a component or provider, so that nothing of it is taken for the real one."""
    return f"{SHADOW}{id}"


def real(id: str) -> str:
    """The component or provider itself, whether its own id or its shadow's is given."""
    return id.removeprefix(SHADOW)
