"""Engine state as Backpack prints it."""
