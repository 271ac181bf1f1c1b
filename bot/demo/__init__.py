"""The demo: the whole product on embedded parts. No Slack, no key, no network."""
