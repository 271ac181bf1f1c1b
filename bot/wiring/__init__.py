"""The parts that make up the bot; `bot/app.py` lists them all."""
