"""What surrounds every route: connections, permissions, bodies, errors."""
