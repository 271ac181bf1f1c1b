"""Prints docs/messages.md."""

from tests.gallery.page import page

print(page(), end="")
