"""Results from elsewhere: what other Understudies measured comes in signed, and what we measured goes out to them."""
