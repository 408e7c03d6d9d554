"""Run by Alembic: migrates the connection that it is given, inside the transaction that is already open."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
