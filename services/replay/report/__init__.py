"""The report of a replay: `report.json` for programs, `report.html` for people.

Both hold one accounting report (`shared.accounting.report.Report`) per fill model, so that the
three bounds are read side by side.
"""
