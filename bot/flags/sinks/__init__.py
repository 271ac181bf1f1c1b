"""The systems that a flag's switch is put into, a file for each type; they share `web.py` and `files.py`."""
