"""The local venue: one matching engine behind thin protocol fronts (`protocols/<venue>`)."""
