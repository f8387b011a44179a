"""The report: figures of the warehouse in, one HTML file that asks nobody for anything out.

`axes` and `charts` turn numbers into places, `trends` and `panels` build what the page shows, `page` writes it.
"""
