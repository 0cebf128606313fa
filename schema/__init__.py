"""What the sample application's database should be: its models, its SQL files and its manifest."""
