"""Result files: schema, hashes, provenance."""
