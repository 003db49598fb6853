"""For administrators: the people who can sign in, made one by one or from a class list."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from environments import Invalid, Role, accounts, passwords, roster
from hub.portal import urls
from hub.portal.auth import Administrator, Posted
from hub.portal.context import portal_of

router = APIRouter()

Username = Annotated[str, Path(max_length=64)]
EMPTY = {"username": "", "display_name": "", "role": ""}
LARGEST = 1_000_000  # bytes of a class list


@router.get(urls.PEOPLE)
async def people(
    request: Request,
    person: Administrator,
    search: Annotated[str, Query(max_length=100)] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """Who there is; searching and paging are addresses, so they can be kept and passed on."""
    return await _page(request, person, search=search, page=page)


@router.post(urls.PEOPLE)
async def add(request: Request, person: Administrator, form: Posted) -> Response:
    """One more person, with a password shown once and changed at the first sign-in."""
    portal, password = portal_of(request), passwords.one_time()
    wanted = {name: str(form.get(name, "")).strip() for name in ("username", "display_name", "role")}
    try:
        role = Role(wanted["role"])
        added = await portal.store.run(
            accounts.create,
            person.actor,
            wanted["username"],
            role,
            password,
            display_name=wanted["display_name"],
            now=portal.now(),
        )
    except Invalid as invalid:
        return await _page(request, person, status=422, wanted=wanted, problems=invalid.problems)
    return await _page(request, person, passwords=((added.username, password),))


@router.post(f"{urls.PEOPLE}/import")
async def add_list(request: Request, person: Administrator, form: Posted) -> Response:
    """A whole class, all or nobody; every faulty line is named."""
    portal = portal_of(request)
    try:
        entries = await asyncio.to_thread(roster.read_roster, await _list_text(form))
        done = await portal.store.run(accounts.import_csv, person.actor, entries, now=portal.now())
    except Invalid as invalid:
        return await _page(request, person, status=422, list_problems=invalid.problems)
    return await _page(request, person, passwords=done.passwords, imported=done)


@router.post(f"{urls.PEOPLE}/{{username}}/reset")
async def reset(request: Request, person: Administrator, username: Username, _form: Posted) -> Response:
    """Another one-time password, for a person who has lost theirs."""
    portal, password = portal_of(request), passwords.one_time()
    view = await portal.store.run(accounts.reset_password, person.actor, username, password)
    return await _page(request, person, search=view.username, passwords=((view.username, password),))


@router.post(f"{urls.PEOPLE}/{{username}}/disable")
async def disable(request: Request, person: Administrator, username: Username, form: Posted) -> Response:
    """Close an account; what the person has is kept."""
    return await _set_disabled(request, person, username, form, True)


@router.post(f"{urls.PEOPLE}/{{username}}/enable")
async def enable(request: Request, person: Administrator, username: Username, form: Posted) -> Response:
    """Open an account again."""
    return await _set_disabled(request, person, username, form, False)


@router.post(f"{urls.PEOPLE}/{{username}}/unlock")
async def unlock(request: Request, person: Administrator, username: Username, form: Posted) -> Response:
    """Let a person who mistyped too often try again at once."""
    await portal_of(request).store.run(accounts.unlock, person.actor, username)
    return _back(form)


async def _set_disabled(
    request: Request, person: Administrator, username: str, form: FormData, disabled: bool
) -> Response:
    try:
        await portal_of(request).store.run(accounts.set_disabled, person.actor, username, disabled)
    except Invalid as invalid:
        return await _page(request, person, search=username, status=422, problems=invalid.problems)
    return _back(form)


def _back(form: FormData) -> Response:
    return RedirectResponse(urls.people(str(form.get("search", ""))[:100]), 303)


async def _list_text(form: FormData) -> str:
    given = form.get("file")
    if isinstance(given, UploadFile) and given.filename:
        raw = await given.read(LARGEST + 1)
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            return raw.decode("cp1252", "replace")  # what spreadsheets on Windows write
    return str(form.get("list", ""))


async def _page(
    request: Request,
    person: Administrator,
    *,
    status: int = 200,
    search: str = "",
    page: int = 1,
    **shown: object,
) -> Response:
    portal = portal_of(request)
    found: accounts.PeoplePage = await portal.store.run(accounts.list, person.actor, search=search, page=page)
    context = {
        "wanted": EMPTY,
        "problems": (),
        "list_problems": (),
        "passwords": (),
        "imported": None,
    } | shown
    return portal.renderer.page(
        request,
        "people.html",
        now=portal.now(),
        status=status,
        found=found,
        search=search,
        roles=list(Role),
        **context,
    )
