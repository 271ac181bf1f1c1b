"""`python -m bot.cli` is `understudy`."""

from bot.cli import main

main()
