"""Which plugins this machine has: a file in the user's cache folder, and the search in it by name."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Self

import platformdirs

from vcfx.errors import PluginError, nearest
from vcfx_models.data_folder import with_home
from vcfx_models.whole_file import replace_file

from .description import PluginDescription

_FORMAT: Final = 1
#: For how long a plugin that was not there is taken to be absent without another look.
_ABSENT_FOR_S: Final = 5.0
Stamp = tuple[int, int]
#: Query -> the inventory's stamp then, until when an absence counts, the answer.
_answers: dict[str, tuple[Stamp, float, PluginDescription | str]] = {}


def cache_file() -> Path:
    """Where the inventory is kept."""
    return platformdirs.user_cache_path("vcfx") / "plugins.json"


@dataclass
class Inventory:
    """What is known of each bundle, with the time and size that it had then.

    Parameters
    ----------
    file
        Where it is kept.
    bundles
        Path -> (stamp, what is in it).
    """

    file: Path
    bundles: dict[str, tuple[Stamp, list[PluginDescription]]] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path | None = None) -> Self:
        """Read the file; one that is not there, damaged, or of another host version is an empty inventory."""
        path = cache_file() if file is None else file
        try:
            return cls(path, _bundles_of(json.loads(path.read_bytes())))
        except (OSError, ValueError, TypeError, KeyError):
            return cls(path)

    def save(self) -> None:
        """Write the file, whole or not at all. Raises PluginError."""
        content = {
            "format": _FORMAT,
            "host": _host(),
            "bundles": {
                path: {"stamp": stamp, "plugins": [plugin.as_json() for plugin in plugins]}
                for path, (stamp, plugins) in self.bundles.items()
            },
        }
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.file, json.dumps(content, indent=1).encode())
        except OSError as error:
            raise PluginError(f"{self.file}: cannot be written: {error.strerror or error}") from None

    def knows(self, bundle: Path) -> bool:
        """Whether the bundle has been looked into and has not changed since."""
        known = self.bundles.get(str(bundle))
        return known is not None and known[0] == _stamp(bundle)

    def note(self, bundle: Path, plugins: Sequence[PluginDescription]) -> None:
        """Keep what was found in a bundle."""
        self.bundles[str(bundle)] = (_stamp(bundle), list(plugins))

    def forget_missing(self) -> None:
        """Drop bundles that are no longer there."""
        self.bundles = {path: known for path, known in self.bundles.items() if Path(path).exists()}

    def plugins(self) -> list[PluginDescription]:
        """Everything known of bundles that are still there, by name."""
        found = [plugin for path, (_, plugins) in self.bundles.items() if Path(path).exists() for plugin in plugins]
        return sorted(found, key=lambda plugin: (plugin.name.casefold(), bool(plugin.problem), plugin.path))

    def find(self, query: str) -> PluginDescription | None:
        """Return the plugin with that name, or of that path, or ``PATH#NAME``; a good one before a bad one."""
        path, _, name = query.rpartition("#") if "#" in query else (query, "", "")
        for plugin in self.plugins():
            if name and (plugin.path, plugin.name) == (path, name):
                return plugin
            if query in (plugin.name, plugin.path):
                return plugin
        return None


def find_plugin(query: str) -> PluginDescription:
    """Return a plugin by name or path, looking into its bundle now if it is not known yet.

    Raises
    ------
    PluginError
        If there is none of that name (naming the nearest), or it was put aside (saying why).
    """
    inventory = Inventory.load()
    found = inventory.find(query)
    if found is None or not inventory.knows(Path(found.path)):
        _look_for(query, inventory)
        found = inventory.find(query)
    if found is None:
        names = [plugin.name for plugin in inventory.plugins()]
        hint = nearest(query, names) or "; `vcfx plugins scan` looks for new ones"
        raise PluginError(f"there is no plugin '{query}' on this machine{hint}")
    if found.problem:
        raise PluginError(f"plugin '{query}' was put aside: it {found.problem}")
    return found


def known_plugin(query: str) -> PluginDescription | str:
    """Return a plugin like `find_plugin`, or the sentence why there is none; quick when asked again."""
    stamp, now_s = _stamp(cache_file()), time.monotonic()
    known = _answers.get(query)
    if known is not None and known[0] == stamp and (now_s < known[1] or not isinstance(known[2], str)):
        return known[2]
    answer: PluginDescription | str
    try:
        answer = find_plugin(query)
    except PluginError as error:
        answer = str(error)
    _answers[query] = (_stamp(cache_file()), now_s + _ABSENT_FOR_S, answer)
    return answer


def _look_for(query: str, inventory: Inventory) -> None:
    """Scan the bundles that bear the name, or the one at the path."""
    from .folders import find_bundles, standard_folders
    from .scan import scan

    path = with_home(Path(query.split("#", maxsplit=1)[0]))
    if os.sep in query or path.suffix:
        bundles = find_bundles([path])
    else:
        bundles = [bundle for bundle in find_bundles(standard_folders()) if bundle.stem.casefold() == query.casefold()]
    if any(not inventory.knows(bundle) for bundle in bundles):
        scan(bundles, inventory, lambda _: None)


def _bundles_of(content: dict[str, Any]) -> dict[str, tuple[Stamp, list[PluginDescription]]]:
    if content["format"] != _FORMAT or content["host"] != _host():
        return {}
    return {
        path: (_as_stamp(known["stamp"]), [PluginDescription.from_json(plugin) for plugin in known["plugins"]])
        for path, known in content["bundles"].items()
    }


def _as_stamp(numbers: Iterable[int]) -> Stamp:
    time_ns, size = numbers
    return int(time_ns), int(size)


def _host() -> str:
    try:
        return f"pedalboard {metadata.version('pedalboard')}"
    except metadata.PackageNotFoundError:
        return "pedalboard"


def _stamp(bundle: Path) -> Stamp:
    """Newest time and total size of a bundle's files."""
    files = [bundle] if bundle.is_file() else [path for path in bundle.rglob("*") if path.is_file()]
    try:
        looked = [path.stat() for path in files]
    except OSError:
        return 0, 0
    return max((entry.st_mtime_ns for entry in looked), default=0), sum(entry.st_size for entry in looked)
