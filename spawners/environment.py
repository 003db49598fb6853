"""EnvironmentMixin: a named server is an environment; the domain's check decides, at every start.

Beside any Spawner class. The subclass brings a server up and tears it down; this asks the one gate,
tells the story and turns what went wrong into what the Hub understands.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from traitlets import Dict, Int, Unicode
from traitlets.config import LoggingConfigurable

from environments import Ceilings, EnvironmentsError, LaunchSpec, NotFound, Store, homes, launching
from spawners import words
from spawners.errors import LaunchFailed, LaunchRefused, to_hub
from spawners.journal import Journal
from spawners.steps import PROGRESS, Steps, Tell
from spawners.task_state import Args


class Story:
    """The domain's database as this process holds it: opened once, brought up to date once."""

    def __init__(self, url: str, stack: str) -> None:
        self.store = Store(url, stack=stack)
        self.journal = Journal(self.store)
        self.opened = asyncio.ensure_future(asyncio.to_thread(self.store.migrate))


class EnvironmentMixin(LoggingConfigurable):
    """What every spawner of environments does the same; `bring_up` and `tear_down` are the subclass's."""

    stack = Unicode("paillasse", config=True, help="Name of this installation: begins every object's name.")
    database_url = Unicode("", config=True, help="Where environments, members and launches are kept.")
    language = Unicode("fr", config=True, help="Language of a reader who has not said: fr or en.")
    activity_interval = Int(60, config=True, help="Seconds between two reports of activity by a server.")
    home_grace = Int(30 * 86400, config=True, help="Seconds until the files of a deleted server are removed.")
    ceilings = Dict(config=True, help="What this site allows at most: the fields of environments.Ceilings.")

    # One per database and Hub process.
    _stories: ClassVar[dict[str, Story]] = {}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.launch_id = ""
        self._began = False  # this object has started a server: there is nothing to find again
        self._starting = False
        self._told: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    async def bring_up(self, launch: LaunchSpec, steps: Steps) -> str:
        """Start the server and return `host:port` once it answers; raises LaunchFailed."""
        raise NotImplementedError

    def tear_down(self, launch_id: str) -> None:
        """Begin to remove all traces of a start that failed or was cancelled; must not wait."""
        raise NotImplementedError

    async def start(self) -> str:
        """Ask the gate, start, wait for an answer. Raises LaunchRefused, NoCapacity or EngineFailed."""
        self._began = self._starting = True
        self._told = []
        try:
            launch = await self._resolve()
            self.launch_id = launch.launch_id
            return await self._start(launch)
        finally:
            self._starting = False
            self._news.set()

    async def _resolve(self) -> LaunchSpec:
        """The one gate. Whatever a client sent along is forgotten: the server's name says it all."""
        self.user_options = {}
        if not self.name:
            raise self._refused(words.NO_ENVIRONMENT, "not-found", 404)
        store = await self.store()
        try:
            return await store.run(
                launching.resolve,
                self.user.name,
                self.name,
                datetime.now(UTC),
                ceilings=Ceilings(**self.ceilings),
            )
        except EnvironmentsError as refusal:
            status = 404 if isinstance(refusal, NotFound) else 403
            message = words.refusal(refusal, self.reader)
            raise LaunchRefused(message, reason=refusal.reason, status=status) from refusal

    async def _start(self, launch: LaunchSpec) -> str:
        steps = Steps(self.teller(launch.launch_id, launch.language))
        try:
            self.wear(launch)
            address = await self.bring_up(launch, steps)
        except asyncio.CancelledError:
            # The person changed their mind. The Hub gives us a second, so nothing is waited for.
            self._give_up(launch, LaunchFailed("cancelled"))
            raise
        except LaunchFailed as failure:
            self._give_up(launch, failure)
            raise await self._told_failure(launch, failure) from failure
        except Exception as error:
            self.log.exception("Launch %s of %s failed", launch.reference, self._log_name)
            unforeseen = LaunchFailed("internal", {}, str(error))
            self._give_up(launch, unforeseen)
            raise await self._told_failure(launch, unforeseen) from error
        steps.finish()
        self.journal.ready(launch.launch_id)
        return f"http://{address}"

    def _give_up(self, launch: LaunchSpec, failure: LaunchFailed) -> None:
        self.journal.failed(launch.launch_id, failure.code, failure.facts, failure.log_tail)
        self.launch_id = ""
        self.tear_down(launch.launch_id)

    async def _told_failure(self, launch: LaunchSpec, failure: LaunchFailed) -> Exception:
        self.log.warning("Launch %s of %s: %s", launch.reference, self._log_name, failure)
        # The next start must find this one closed.
        await self.journal.written()
        args = {**failure.facts, "reference": launch.reference}
        return to_hub(failure, words.failure(failure.code, args, launch.language))

    def wear(self, launch: LaunchSpec) -> None:
        """Set every trait we own, absent values too: nothing survives from an earlier start."""
        self.mem_limit = launch.resources.memory_limit
        self.mem_guarantee = launch.resources.memory_reservation or None
        self.cpu_limit = launch.resources.cpu_limit
        self.cpu_guarantee = launch.resources.cpu_reservation or None
        self.cmd = list(launch.command) if launch.command else None
        self.port = launch.interface.port
        # The Hub formats these with str.format.
        self.default_url = _literal(launch.interface.path)
        self.notebook_dir = _literal(launch.home.path)

    def get_env(self) -> dict[str, str]:
        """The Hub's variables for a server.

        Cookie options stay away: the Hub's name flags that the older Python of an image refuses.
        """
        env: dict[str, str] = super().get_env()
        env.pop("JUPYTERHUB_COOKIE_OPTIONS", None)
        env["JUPYTERHUB_ACTIVITY_INTERVAL"] = str(self.activity_interval)
        return env

    async def delete_forever(self) -> None:
        """The server was deleted, not stopped: its files get a date. Mends the parent: never removed."""
        store = await self.store()
        delete_after = datetime.now(UTC) + timedelta(seconds=self.home_grace)
        await store.run(homes.schedule, self.user.name, self.name, delete_after=delete_after)

    # What the Hub's own pages may do: ask, never start by a link.

    async def get_options_form(self) -> str:
        """Not empty, so that GET /hub/spawn shows a button: any page on the web can make a browser GET."""
        message = words.ASK if self.name else words.NO_ENVIRONMENT
        return f"<p>{html.escape(words.translate(message, {'slug': self.name}, self.reader))}</p>"

    def run_options_from_form(self, form_data: object) -> dict[str, Any]:
        """The form has a button and no field."""
        return {}

    def options_from_query(self, query_data: object) -> dict[str, Any]:
        """GET /hub/spawn?… would start a server, and no XSRF check protects it."""
        raise self._refused(words.NO_OPTIONS, "no-options", 403)

    def _refused(self, message: str, reason: str, status: int) -> LaunchRefused:
        return LaunchRefused(words.translate(message, {}, self.reader), reason=reason, status=status)

    @property
    def reader(self) -> str:
        """The language of whoever is asking: what they chose on our pages, or the site's."""
        chosen = self.handler.get_cookie("paillasse-lang") if self.handler else None
        return chosen if chosen in words.LANGUAGES else self.language

    # The story of a start

    async def store(self) -> Store:
        """The domain's database, opened and brought up to date once per process."""
        story = self._stories.get(self.database_url)
        if story is None:
            story = self._stories[self.database_url] = Story(self.database_url, self.stack)
        try:
            await asyncio.shield(story.opened)
        except Exception:
            self._stories.pop(self.database_url, None)  # the next start tries again
            raise
        return story.store

    @property
    def journal(self) -> Journal:
        """The one writer of this process; `store` was awaited before."""
        return self._stories[self.database_url].journal

    def teller(self, launch_id: str, language: str) -> Tell:
        """Tells a step to the domain and to the Hub's progress stream."""

        def tell(step: str, state: str, code: str, args: Args) -> None:
            self.journal.record(launch_id, step, state, code, args)
            if state == "running":
                message = words.step(step, code, args, language)
                self._told.append({"progress": PROGRESS[step], "message": message})
                self._news.set()

        return tell

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """The steps told so far, then each as it happens. Mends the parent: one sentence at 50 %."""
        shown = 0
        while True:
            self._news.clear()
            for event in self._told[shown:]:
                yield event
            shown = len(self._told)
            if not self._starting:
                return
            await self._news.wait()


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
