"""What remembers: declared things, their changes, and small operational facts, in SQL.

Belongs here: tables, migrations, statements, scopes enforced in every statement, transactions, the lock on the database
file, and the translation of a database's failures into our errors.
Does not belong here: any decision about a thing (phases, generations, who may what), HTTP, or the making of names.
"""

from sac_core.store.lock import locked
from sac_core.store.postgres import open_postgres_store
from sac_core.store.sqlite import open_sqlite_store

__all__ = ["locked", "open_postgres_store", "open_sqlite_store"]
