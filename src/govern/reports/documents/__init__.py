"""Pages for people, as values: what became of a database, and how it is. Nobody here reads anything or words markup."""
