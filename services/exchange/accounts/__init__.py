"""Accounts: balances, positions, margin, marks, settlement and funding, in exact decimals."""
