"""What a sweep leaves: `sweep.json`, `sweep.html`, and `best.toml`, a configuration that `make run` takes."""
