"""Whether two free-text titles may be about the same thing. Pure."""

import re
from itertools import pairwise

SHORTEST = 3  # letters of a telling word, and of the part that two of its forms share
# Words that tell nothing, in every form, since they occur in any title.
SAYS_NOTHING = (
    "about again all also and any anybody anyone anything app are back bad badly been before broken but can can't cannot "
    "check could customer dead did does doesn't doing don't down error every everybody everyone everything fail failure "
    "for from get gone had hang has have her him his how hung incident issue its just keep late long longer many may "
    "more new nobody none not nothing now off one only other our out outage page people please problem same see seem "
    "server service she since site slow slowly some somebody someone something still strange stuck system than that the "
    "their them then there these they thing this those time timeout today too trouble unable use user very wait want was "
    "weird web were what when where which while who why will with without won't work wrong yet you your "
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def maybe_alike(one: str, other: str) -> bool:
    """Whether they share a telling word in some form: `login`, `log in`; `payments`, `payment`.

    A title without telling words, such as `everything is broken`, may be about anything.
    """
    telling, others = _telling(one), _telling(other)
    if not telling or not others:
        return True
    return any(_same(a, b) for a in telling for b in _forms(other)) or any(_same(a, b) for a in others for b in _forms(one))


def _telling(text: str) -> set[str]:
    """The stems of telling words. Scripts without capitals are left out: many have no spaces, so words cannot be told apart."""
    stems = {_stem(word) for word in _words(text) if word.upper() != word}
    return {stem for stem in stems - NO_STEMS if len(stem) >= SHORTEST}


def _forms(text: str) -> set[str]:
    """The stems of telling words, and any two neighbouring words that may be written as one."""
    return _telling(text) | {a + b for a, b in pairwise(_words(text))}


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _stem(word: str) -> str:
    return re.sub(r"(?:ings?|ed|['’]?s)$", "", word).removesuffix("e")


def _same(telling: str, form: str) -> bool:
    """Whether one is the beginning of the other."""
    return form.startswith(telling) or (len(form) >= SHORTEST and telling.startswith(form))


NO_STEMS = frozenset(map(_stem, SAYS_NOTHING.split()))
