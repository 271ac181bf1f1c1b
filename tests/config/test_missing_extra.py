"""A configuration that needs what is not installed is refused with what brings it."""

import subprocess
import sys
from pathlib import Path

WITHOUT = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] == "botocore" else INNER.find_spec(name, path, target)
from importlib.machinery import PathFinder as INNER
sys.meta_path[:] = [Hidden() if finder is INNER else finder for finder in sys.meta_path]
from pathlib import Path
from bot.config.load import load
from bot.config.reading.errors import ConfigErrors
try:
    load(Path(sys.argv[1]), {})
except ConfigErrors as errors:
    print(errors)
"""
CONFIG = """
slack: {mode: none}
providers:
  aws:
    components:
      api:
        checks:
          - {type: llm, dialect: bedrock, region: us-east-1, url: 'https://a', model: m, api_key: k}
"""


def test_bedrock_without_its_package_says_what_brings_it(tmp_path: Path) -> None:
    """At the place, before anything runs."""
    config = tmp_path / "understudy.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(config)], capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert "checks[0]: bedrock needs botocore, which is not installed — pip install 'understudy[bedrock]'" in said
