"""What people read in Slack: pure functions from state to `ports.Message`, inert to foreign text, within Slack's limits."""
