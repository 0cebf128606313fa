"""The checks on a clock: one active instance a database, which lists what it finds and fixes what policy allows."""
