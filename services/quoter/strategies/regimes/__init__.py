"""What the regime strategy is made of: which regime it is, and what each inventory tier quotes."""
