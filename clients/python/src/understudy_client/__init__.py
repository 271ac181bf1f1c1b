"""An OpenFeature provider for Understudy's fallback flags that outlives the bot."""

from understudy_client.provider import UnderstudyProvider

__all__ = ["UnderstudyProvider"]
