"""Making a label model: coded passages and a base encoder in, a model folder out. Needs the extras of pyproject.toml."""
