"""What `understudy doctor` looks at, and one look at everything."""
