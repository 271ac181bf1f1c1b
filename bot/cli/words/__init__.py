"""How commands present results: tables and sentences for people, a document for programs."""
