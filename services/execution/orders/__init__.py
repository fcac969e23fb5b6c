"""One order's life: records, transitions, ids, refusals, wanted against working."""
