"""What shapes the wanted levels: rounding, sizes, limits, places in the queue, our own orders."""
