"""The configuration: a YAML file becomes frozen models, or a list of errors that name file, line, key and remedy."""
