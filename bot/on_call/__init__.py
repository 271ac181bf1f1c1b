"""Who is on call: user groups, rotas, calendars, and what other services know."""
