"""From check results to judgements and verdicts, each with its reason."""
