"""The only room with SQL: tables, migrations, and one class for each aggregate. See docs/spec/."""
