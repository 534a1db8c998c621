"""Unfinished forms of the console, so that it has nothing of its own to keep."""

import time

from obsync_tui.api import operations as op
from obsync_tui.api.requests import DraftId, Nothing, PutDraft
from obsync_tui.engine.service.service import Caller, Handler, Service
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.views import Done, Draft

MAX_DRAFTS = 100


def drafts(service: Service, request: Nothing, caller: Caller) -> tuple[Draft, ...]:
    """Every draft, the newest first."""
    with service.state.reading() as connection:
        rows = connection.execute(
            "SELECT id, kind, title, body, at_s FROM draft ORDER BY at_s DESC"
        ).fetchall()
    return tuple(Draft(*row) for row in rows)


def put(service: Service, request: PutDraft, caller: Caller) -> Draft:
    """Keep a draft, or replace the one of that id."""
    made = Draft(request.id, request.kind, request.title, request.body, time.time())
    with service.state.transaction() as connection:
        (count,) = connection.execute("SELECT count(*) FROM draft WHERE id <> ?", (made.id,)).fetchone()
        if count >= MAX_DRAFTS:
            raise ConfigError(
                f"there are {count} drafts", where="drafts", cure="Finish or delete some first."
            )
        connection.execute(
            "INSERT OR REPLACE INTO draft VALUES (?, ?, ?, ?, ?)",
            (made.id, made.kind, made.title, made.body, made.at_s),
        )
    service.state.wipe()
    return made


def delete(service: Service, request: DraftId, caller: Caller) -> Done:
    """Forget a draft, its sealed secrets with it."""
    with service.state.transaction() as connection:
        connection.execute("DELETE FROM draft WHERE id = ?", (request.id,))
    service.state.wipe()
    return Done()


HANDLERS = (Handler(op.DRAFTS, drafts), Handler(op.PUT_DRAFT, put), Handler(op.DELETE_DRAFT, delete))
