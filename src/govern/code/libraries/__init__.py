"""What libraries are called with: tables, models, chains of builders, and the databases that they speak to."""
