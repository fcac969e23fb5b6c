"""`makerd run`: a deployment from start to summary."""
