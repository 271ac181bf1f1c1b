"""Words that no message may use, and which messages are still too long or use them.

Debts only shrink: a changed message must pay its debt, and no new debt is entered.
"""

import re

# Words that messages avoid (docs/architecture.md, "Words"); text in code style is typed by people, and may keep them.
CODE = re.compile(r"`[^`]*`")
OLD = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "look": r"\blook(s|ed|ing)?\b",
        "stand-in": r"\bstand-in",
        "in hand": r"\bin hand\b",
        "detector": r"\bdetector\b",
        "given up": r"\bgiven up\b",
        "errand": r"\berrand",
        "beat": r"\bbeats?\b",
        "the rule": r"\bthe rule\b",
        "theirs, ours": r"\btheirs (or|:)|\bours:|theirs:",
        "k-of-n": r"k-of-n|\bwindow\)",
        "runs, rounds": r"\d runs?\b|\brounds\b|no run\b",
        "carry": r"\bcannot carry\b",
        "asked of people": r"\basked of people\b",
        "feels it": r"\bfeels? it\b",
        "at present": r"\bat present\b",
        "hand-back": r"\bhand-?back",
        "engage, release": r"\b(engage|release)[sd]?\b",
        "well": r"\bis (not )?well\b",
        "proposal": r"\bproposal\b",
    }.items()
}


def old_words(text: str) -> set[str]:
    """The banned words that a text uses."""
    return {name for name, pattern in OLD.items() if pattern.search(CODE.sub("", text))}
