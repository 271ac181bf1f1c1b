"""The systems that a flag's variant is written to, one file per type; they share `web.py` and `files.py`."""
