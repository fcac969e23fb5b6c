"""The account: fills, ledger, positions against the venue, the tie-out."""
