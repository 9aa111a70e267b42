"""The ledger: tables and queries by aggregate, on SQLite and PostgreSQL alike."""
