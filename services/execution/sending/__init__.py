"""From permitted to sent: admission, budget, quotes and targets."""
