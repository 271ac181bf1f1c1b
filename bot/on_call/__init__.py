"""Who is on call: user groups, rotas, calendars, and external services."""
