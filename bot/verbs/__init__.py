"""What people can ask of an incident, written once for every face: `incident.VERBS`."""
