"""Extract and load: data systems <-> artifacts, each family in its own module; ``catalog.py`` knows them
all.
"""
