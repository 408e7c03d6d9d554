"""The steps of the database's form, oldest first; each expands, migrates or contracts, and runs at start.

Belongs here: revisions that say all that they need themselves.
Does not belong here: imports of `tables`, which moves on.
"""
