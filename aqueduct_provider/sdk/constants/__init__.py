"""A package of the original's, so that its users' imports change in their first word only."""
