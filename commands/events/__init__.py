"""Events in Slack other than slash commands, buttons and forms: questions to the bot, its Home tab, emojis."""
