"""What happens in Slack without a slash word, a button or a form: questions to the bot, its Home tab, emojis."""
