"""Where commands that read the ledger find it."""

from pathlib import Path

from bot.cli.options import CONFIG_EXIT, fail, read_for_verbs
from bot.config.reading.errors import ConfigErrors
from bot.store.home import Home


def home_of(config_path: Path, data_path: Path | None) -> Home:
    """The data folder, and the database in `store`, if there is a configuration.

    If the configuration cannot be read, a ledger in the given folder is used.
    """
    if not config_path.exists():
        return Home(data_path or Path("data"))
    try:
        config = read_for_verbs(config_path)[0].config
    except ConfigErrors as errors:
        if data_path is not None and Home(data_path).is_begun():
            return Home(data_path)
        fail(f"{errors}\nWithout a sound configuration name the data folder with --data.", CONFIG_EXIT)
    return Home(data_path or config.data, config.store.get_secret_value())
