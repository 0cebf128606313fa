-- its rows are no matter of the schema
DELETE FROM notes;
