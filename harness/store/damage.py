"""What is damaged in a store whose file SQLite can open."""

import sqlite3
import zlib

JSON_COLUMNS = (
    ("settings", "value"), ("sessions", "value"), ("maps", "grid"), ("maps", "truth"),
    ("maps", "region"), ("points", "diagnostics"), ("points", "warnings"),
)  # fmt: skip


def damage(connection: sqlite3.Connection) -> str:
    """What is damaged in a store, "" if nothing is: its pages, texts, types, JSON or labels."""
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            return str(found)
        for (table,) in connection.execute(
            "SELECT name FROM main.sqlite_schema WHERE type = 'table'"
        ).fetchall():
            for _ in connection.execute(f"SELECT * FROM main.{table}"):
                pass  # Python decodes all texts
            columns = connection.execute(
                "SELECT name, lower(type) FROM pragma_table_info(?)", (table,)
            ).fetchall()
            wrong = (f"typeof({name}) NOT IN ('{kind}', 'null')" for name, kind in columns)
            if connection.execute(
                f"SELECT 1 FROM main.{table} WHERE {' OR '.join(wrong)}"
            ).fetchone():
                return f"a value in {table} is not of its column's type"
        for table, column in JSON_COLUMNS:
            if connection.execute(
                f"SELECT 1 FROM main.{table} WHERE NOT json_valid(coalesce({column}, 'null'))"
            ).fetchone():
                return f"a {column} in {table} is no JSON"
        for nodes, labels in connection.execute("SELECT nodes, labels FROM main.cells"):
            if len(zlib.decompress(labels)) % (2 * nodes or 1):
                return "labels are cut"
    except (sqlite3.Error, zlib.error, TypeError) as error:
        # Locks and full disks are no damage; errors of Python have no code.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        return str(error) if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) else ""
    return ""
