"""What people read in Slack: pure functions from state to `ports.Message`, safe against foreign text, within Slack's limits."""
