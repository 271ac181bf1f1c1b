"""How ids are built: `provider.component.check`. Each prefix is an id too."""


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
        """The check's name within its component; for a control, its name after `control.`."""
        return self.split(".", 2)[-1]


SHADOW = "drill:"  # prefix of ids that a drill pretends about; the configuration accepts no such id


def shadow(id: str) -> str:
    """`drill:anthropic.api`: the id that a drill uses for a component or provider, so nothing mistakes it for the real one."""
    return f"{SHADOW}{id}"


def real(id: str) -> str:
    """The real component or provider, given its own id or its shadow's."""
    return id.removeprefix(SHADOW)
