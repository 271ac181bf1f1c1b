"""Commands for a running bot."""
