"""The thesis' tables and figures made again, one module per group of exhibits.

`exhibits.py` lists the exhibits, `study.py` holds their inputs, `report.py` writes the results.
`published.csv` has the thesis' own numbers, and `verdicts.py` says which of its claims hold.
"""
