"""What people can ask of an incident, defined once for all faces: `incident.VERBS`."""
