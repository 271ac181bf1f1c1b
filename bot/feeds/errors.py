"""The one exception of this boundary."""


class FeedError(Exception):
    """A status page could not be read or understood; the text is a sentence for people. Always worth another try later."""

    permanent = False
