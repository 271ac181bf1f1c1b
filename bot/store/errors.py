"""The one exception of this boundary."""


class StoreError(Exception):
    """A data file cannot be opened, read or written; the sentence names the file and the remedy.

    `permanent` means that trying again without doing something cannot help.
    """

    def __init__(self, sentence: str, *, permanent: bool = True) -> None:
        super().__init__(sentence)
        self.permanent = permanent
