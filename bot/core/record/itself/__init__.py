"""What happens to the bot itself."""
