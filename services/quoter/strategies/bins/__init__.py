"""Orders in price bins around an anchor, sized by a shape and by how much inventory we hold.

`spot`, `curve`, `bid_ask` and `auto` differ in the shape alone; the rest is here.
"""
