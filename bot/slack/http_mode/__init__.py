"""HTTP mode: where requests that Slack signed end, and a look whether the way from outside leads there."""
