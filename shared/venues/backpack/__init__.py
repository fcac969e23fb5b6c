"""Backpack Exchange: spot and USDC perpetuals. What was read, where and when: README.md."""
