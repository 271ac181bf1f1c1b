"""Exchange of samples with other Understudies: signed ones come in, and ours go out."""
