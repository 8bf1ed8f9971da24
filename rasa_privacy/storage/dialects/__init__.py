"""What differs between SQLite, PostgreSQL and MariaDB: connecting, beginning, error codes. Nothing above asks which."""
