"""The models of the checks, told apart by `type`."""
