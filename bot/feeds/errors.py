"""The exception of this folder."""


class FeedError(Exception):
    """A status page could not be read or understood; the text is a sentence for people. Always worth retrying later."""

    permanent = False
