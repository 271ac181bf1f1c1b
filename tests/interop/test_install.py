"""The kit for Python as somebody installs it from a checkout, into an environment of its own."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

KIT = Path(__file__).resolve().parents[2] / "clients" / "python"
SERVICE = """
from openfeature import api
from understudy_client import UnderstudyProvider

api.set_provider_and_wait(UnderstudyProvider("http://127.0.0.1:9"))
print(api.get_client().get_string_value("support-chat.llm", "the fallback"))
api.shutdown()
try:
    import bot
except ImportError:
    print("and no bot")
"""


def test_kit_is_installed_from_a_checkout_and_needs_nothing_of_the_bot(tmp_path: Path) -> None:
    """With its dependencies from the index and with its types; a service that reads a flag runs."""
    source, home = tmp_path / "python", tmp_path / "venv"
    shutil.copytree(KIT, source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    venv.create(home, with_pip=True, symlinks=sys.platform != "win32")
    python = home / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", source], check=True)
    ran = subprocess.run([python, "-c", SERVICE], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "the fallback\nand no bot\n" == ran.stdout
    assert list(home.glob("lib/*/site-packages/understudy_client/py.typed"))
