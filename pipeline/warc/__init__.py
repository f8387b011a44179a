"""WARC files (ISO 28500): `write` keeps pages, `read` gives captures back from our files and foreign ones, `stream` bounds them."""
