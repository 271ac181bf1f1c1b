"""What other settings would have said of checks that ran already. Pure."""
