"""`paillasse env …`: environments and join links from the terminal, with the same actions as the pages."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from environments import (
    Applied,
    EnvironmentSpec,
    JoinLinkView,
    Status,
    catalogue,
    joining,
    names,
    parse_yaml,
    quantities,
)
from hub.cli.runtime import OPERATOR, ceilings, give_up, language, refusals, run, settings, tr
from hub.i18n import N_

app = typer.Typer(
    no_args_is_help=True, help=tr(N_("Environments: what teachers define, and the links to them."))
)

_STATUS = {
    Status.DRAFT: N_("draft"),
    Status.PUBLISHED: N_("published"),
    Status.ARCHIVED: N_("archived"),
}
# Far above what a definition may have; the reader refuses the rest with a sentence.
_ENOUGH = 1_000_000

File = Annotated[str, typer.Argument(help=tr(N_("A YAML file, or - for standard input.")), metavar="FILE")]
FileOrFolder = Annotated[
    str,
    typer.Argument(
        help=tr(N_("A YAML file, a directory of them, or - for standard input.")), metavar="FILE|DIR"
    ),
]
Slug = Annotated[str, typer.Argument(help=tr(N_("The slug of the environment.")))]
AsJson = Annotated[bool, typer.Option("--json", help=tr(N_("Answer in JSON.")))]


@app.command(help=tr(N_("Say whether a definition can be accepted, and every problem of it.")))
def validate(where: FileOrFolder) -> None:
    """Exit code 1 when something is wrong; nothing is changed."""
    for name, spec, _ in _read(where):
        print(tr(N_("%(file)s: %(slug)s can be applied."), file=name, slug=spec.slug))


@app.command(help=tr(N_("Make environments be as defined: create what is new, change what differs.")))
def apply(
    where: FileOrFolder,
    revision: Annotated[
        int | None, typer.Option(help=tr(N_("The revision you edited: refuse if it is another one by now.")))
    ] = None,
    reason: Annotated[str, typer.Option(help=tr(N_("Why, for the history.")))] = "",
) -> None:
    """All definitions are read before the first is applied."""
    for name, spec, source in _read(where):
        with refusals(name):
            print(_told(_apply(spec, source, revision, reason)))


@app.command(help=tr(N_("Show what applying a definition would change.")))
def diff(file: File) -> None:
    """A unified diff of the texts; nothing when they are the same."""
    for name, spec, source in _read(file):
        with refusals(name):
            print(run(catalogue.diff, OPERATOR, spec, source=source))


@app.command(help=tr(N_("Print the definition of an environment as it was written.")))
def export(slug: Slug) -> None:
    """Comments survive."""
    with refusals():
        sys.stdout.write(run(catalogue.export, OPERATOR, slug))


@app.command("list", help=tr(N_("List the environments.")))
def list_(as_json: AsJson = False) -> None:
    """One line each: slug, status, revision, owner, title."""
    found = run(catalogue.list, OPERATOR)
    rows = [
        {
            "slug": view.slug,
            "status": str(view.status),
            "revision": view.revision,
            "owner": view.owner,
            "title": view.title_in(language()),
        }
        for view in found
    ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        print("{slug:30}  {status:9}  {revision:>4}  {owner:16}  {title}".format(**row))


@app.command(help=tr(N_("Issue a join link and print it; its code is never shown again.")))
def link(
    slug: Slug,
    expires_in: Annotated[
        str, typer.Option(help=tr(N_("How long the link lets people in: 90s, 12h, 7d or off.")))
    ] = "off",
    max_uses: Annotated[int | None, typer.Option(min=1, help=tr(N_("How many people it lets in.")))] = None,
    as_json: AsJson = False,
) -> None:
    """The code is made here, so that it exists nowhere else."""
    now = datetime.now(UTC)
    span = _span(expires_in)
    with refusals():
        view = run(
            joining.issue,
            OPERATOR,
            slug,
            code=names.new_join_code(),
            expires_at=now + span if span else None,
            max_uses=max_uses,
            now=now,
        )
    facts = {**_facts(view), "code": view.code, "url": f"{settings().public_url}/join/{view.code}"}
    print(json.dumps(facts) if as_json else tr(N_("Join link: %(url)s\nCode: %(code)s\nId: %(id)s"), facts))


@app.command(help=tr(N_("List the join links of an environment.")))
def links(slug: Slug, as_json: AsJson = False) -> None:
    """Their ids and terms; their codes are known to nobody."""
    with refusals():
        found = [_facts(view) for view in run(joining.links, OPERATOR, slug)]
    if as_json:
        print(json.dumps(found))
        return
    for facts in found:
        print("  ".join(f"{name}={value}" for name, value in facts.items() if value is not None))


@app.command(help=tr(N_("Withdraw a join link; who has joined by it stays.")))
def revoke(link_id: Annotated[str, typer.Argument(help=tr(N_("The id of the link.")), metavar="ID")]) -> None:
    """Withdrawing twice is not an error."""
    with refusals():
        view = run(joining.revoke, OPERATOR, link_id, datetime.now(UTC))
    print(tr(N_("The join link %(id)s of %(slug)s is withdrawn."), id=view.id, slug=view.slug))


def _read(where: str) -> list[tuple[str, EnvironmentSpec, str]]:
    """Name, specification and text of every definition, or every problem of all of them on stderr."""
    found, wrong = [], False
    for name, text in _texts(where):
        try:
            with refusals(name):
                found.append((name, parse_yaml(text, ceilings(), zone=settings().timezone), text))
        except typer.Exit:
            wrong = True
    if wrong:
        raise typer.Exit(1)
    return found


def _texts(where: str) -> list[tuple[str, str]]:
    if where == "-":
        # Read to the end: who writes into a pipe that closes early sees a failure that is not theirs.
        return [("-", _text(sys.stdin.buffer.read()[:_ENOUGH]))]
    path = Path(where)
    files = sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else [path]
    if not files:
        give_up(tr(N_("%(where)s holds no .yaml file."), where=where))
    try:
        return [(str(file), _text(file.read_bytes()[:_ENOUGH])) for file in files]
    except OSError as error:
        give_up(tr(N_("%(where)s cannot be read (%(why)s)."), where=error.filename, why=error.strerror))


def _text(content: bytes) -> str:
    """What is not UTF-8 becomes what the reader refuses with a sentence."""
    return content.decode("utf-8-sig", errors="surrogateescape")


def _apply(spec: EnvironmentSpec, source: str, revision: int | None, reason: str) -> Applied:
    return run(
        catalogue.apply,
        OPERATOR,
        spec,
        source=source,
        expected_revision=revision,
        reason=reason,
        now=datetime.now(UTC),
    )


def _told(applied: Applied) -> str:
    sentence = {
        "created": N_("%(slug)s is created (%(status)s)."),
        "changed": N_("%(slug)s is changed: revision %(revision)s (%(status)s)."),
        "unchanged": N_("%(slug)s is unchanged: revision %(revision)s (%(status)s)."),
    }[applied.outcome]
    view = applied.view
    return tr(sentence, slug=view.slug, revision=view.revision, status=tr(_STATUS[view.status]))


def _span(text: str) -> timedelta | None:
    try:
        return quantities.parse_duration(text)
    except ValueError:
        give_up(tr(N_("“%(text)s” is not a duration. Write 90s, 12h, 7d or off."), text=text))


def _facts(view: JoinLinkView) -> dict[str, str | int | None]:
    return {
        "id": view.id,
        "slug": view.slug,
        "uses": view.uses,
        "max_uses": view.max_uses,
        "expires_at": view.expires_at.isoformat() if view.expires_at else None,
        "revoked_at": view.revoked_at.isoformat() if view.revoked_at else None,
    }
