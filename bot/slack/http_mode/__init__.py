"""HTTP mode: receiving requests that Slack signed, and a test whether the public address leads to this bot."""
