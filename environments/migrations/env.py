"""Alembic's entry: runs inside the transaction that `Store.migrate` opened."""

from __future__ import annotations

from alembic import context

from environments.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
