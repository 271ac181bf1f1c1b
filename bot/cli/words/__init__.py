"""How verbs tell what they found: tables and sentences for people, a document for programs."""
