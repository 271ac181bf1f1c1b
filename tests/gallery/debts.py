"""Messages that are longer or older than they should be, by chapter of the gallery. A debt only falls."""

OVERLONG: dict[str, dict[str, int]] = {}
LONG_PUSHES: dict[str, dict[str, int]] = {}
OLD_WORDS: dict[str, set[str]] = {}
