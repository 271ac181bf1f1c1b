"""What stands above a mistake; written below `HEAD`, which leaves line 5 as its first line."""

HEAD = """\
slack:
  bot_token: xoxb-1
  app_token: xapp-1

"""
PROVIDER = """\
providers:
  anthropic:
    components:
      api:
        checks:
"""
FLAG = """\
providers: {anthropic: {components: {api: {checks: [{type: http, url: "https://a.example"}]}}}}
flags:
  chat:
    variants: {claude: {m: 1}, gpt: {m: 2}}
"""

CHECKS = "providers.anthropic.components.api.checks"
