"""Events in Slack other than slash words, buttons and forms: questions to the bot, its Home tab, emojis."""
