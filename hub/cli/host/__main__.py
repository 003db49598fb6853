"""The words of `./paillasse` and where each leads."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from hub.cli.host.console import Failure, explain
from hub.cli.host.doctor import doctor
from hub.cli.host.down import down
from hub.cli.host.forward import hand_over
from hub.cli.host.messages import tr
from hub.cli.host.shell import CommandFailed
from hub.cli.host.site import Site
from hub.cli.host.testing import test
from hub.cli.host.up import up

INSIDE = ("user", "env")


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 2 mistyped."""
    given, rest = _parser().parse_known_args(argv)
    if rest and given.command not in (*INSIDE, "test"):
        _parser().error(tr("unknown: {words}", words=" ".join(rest)))
    try:
        return _run(given, rest)
    except Failure as failure:
        explain(failure)
    except CommandFailed as error:
        words = " ".join(error.words[:4])
        explain(
            Failure(
                tr("“{words}” failed.", words=words),
                tr("“./paillasse doctor” may name the cause."),
                error.output,
            )
        )
    except BrokenPipeError:
        # The reader of our output (head, grep -q) has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print(file=sys.stderr)
    return 1


def _run(given: argparse.Namespace, rest: Sequence[str]) -> int:
    if given.command == "test":
        return test(quick=given.quick, words=rest)
    site = Site.named(given.stack)
    if given.command in INSIDE:
        hand_over(site, [given.command, *given.words, *rest])
    elif given.command == "up":
        names = ("port", "bind", "data", "advertise_addr", "public_url")
        options = site.options({name: getattr(given, name) for name in names})
        up(site, options, report=given.json, rebuild=given.rebuild)
    elif given.command == "down":
        down(site, purge=given.purge, confirmed=given.yes)
    else:
        return doctor(site)
    return 0


def _parser() -> argparse.ArgumentParser:
    stack = argparse.ArgumentParser(add_help=False)
    # SUPPRESS: a sub-command that is not told must not overwrite what stood before it.
    stack.add_argument("--stack", default=argparse.SUPPRESS, metavar="NAME", help=tr("which installation"))
    parser = argparse.ArgumentParser(
        prog="paillasse", description=tr("A ready lab bench behind a link."), allow_abbrev=False
    )
    parser.add_argument(
        "--stack", default=os.environ.get("PAILLASSE_STACK", "paillasse"), metavar="NAME",
        help=tr("which installation (default: paillasse)"),
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("up", parents=[stack], allow_abbrev=False, help=tr("bring the platform up"))
    one.add_argument("--port", type=int, metavar="N", help=tr("port people use (default: 8000)"))
    one.add_argument("--bind", metavar="ADDRESS", help=tr("address the port is open on (default: all)"))
    one.add_argument("--data", metavar="DIR", help=tr("directory of the databases (default: a volume)"))
    one.add_argument(
        "--public-url", metavar="URL", help=tr("address people type, when a proxy stands in front")
    )
    one.add_argument("--advertise-addr", metavar="ADDRESS", help=tr("address other nodes reach this one at"))
    one.add_argument(
        "--json", default="", metavar="FILE", help=tr("write addresses and first credentials there")
    )
    one.add_argument("--rebuild", action="store_true", help=tr("fetch Debian anew and build every image"))
    one = commands.add_parser(
        "down", parents=[stack], allow_abbrev=False, help=tr("stop it and keep the data")
    )
    one.add_argument("--purge", action="store_true", help=tr("delete the data too"))
    one.add_argument("--yes", action="store_true", help=tr("do not ask"))
    commands.add_parser(
        "doctor", parents=[stack], allow_abbrev=False, help=tr("name what is wrong, and the remedy")
    )
    one = commands.add_parser(
        "test", allow_abbrev=False, help=tr("run the tests (further words go to pytest)")
    )
    one.add_argument("--quick", action="store_true", help=tr("only those that need no Docker"))
    for name, words in (
        ("user", tr("people: add, list, …")),
        ("env", tr("environments: validate, apply, link, …")),
    ):
        one = commands.add_parser(name, parents=[stack], allow_abbrev=False, add_help=False, help=words)
        one.add_argument("words", nargs=argparse.REMAINDER)
    return parser


sys.exit(main(sys.argv[1:]))
