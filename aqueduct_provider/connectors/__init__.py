"""Extract and load: data systems <-> artifacts, each family in its own module; ``registry.py`` knows them
all.
"""
