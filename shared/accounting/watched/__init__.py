"""What is counted beside the money: orders, markouts, presence, queue, paths."""
