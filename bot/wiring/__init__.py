"""The parts that the bot is put together from; `bot/app.py` holds them in one list."""
