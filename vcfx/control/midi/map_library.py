"""Where MIDI maps are found: the user's folder first, then those that come with vcfx; or any file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final, Literal

import platformdirs

from vcfx.errors import ControlError, PresetError, nearest
from vcfx.presets.document import read_bytes, shown_path
from vcfx.presets.toml_files import SUFFIX, files_in, is_path, packaged_files
from vcfx_models.data_folder import with_home
from vcfx_models.whole_file import replace_file

from .map_reader import read_map
from .map_writer import map_toml
from .midi_map import Binding, MidiMap

DEFAULT_MAP: Final = "default"


@dataclass(frozen=True, slots=True)
class MapInfo:
    """What a list of maps shows; of a damaged file, `description` is its error."""

    name: str
    description: str
    origin: Literal["user", "vcfx"]
    damaged: bool = False


def user_folder() -> Path:
    """Return the folder of the user's own maps, beside that of the presets; it need not exist."""
    return platformdirs.user_config_path("vcfx") / "midi"


def list_maps() -> list[MapInfo]:
    """Return all maps by name; one of the user's hides one of ours with the same name."""
    found = {name: _info(name, content, "vcfx") for name, content in _packaged().items()}
    for name, path in files_in(user_folder()).items():
        try:
            found[name] = _info(name, _content(path), "user")
        except ControlError as error:
            found[name] = MapInfo(name, str(error), "user", damaged=True)
    return [found[name] for name in sorted(found)]


def load_map(name_or_path: str) -> MidiMap:
    """Return a checked map.

    Parameters
    ----------
    name_or_path
        A name (``default``), or the path of a file: text that ends in ``.toml`` or holds a separator.

    Raises
    ------
    ControlError
        If there is none, or it holds what is not allowed.
    """
    if is_path(name_or_path):
        path = with_home(Path(name_or_path))
        return read_map(_content(path), shown_path(path))
    user, packaged = files_in(user_folder()), _packaged()
    if name_or_path in user:
        return read_map(_content(user[name_or_path]), str(user[name_or_path]))
    if name_or_path not in packaged:
        raise ControlError(f"there is no MIDI map '{name_or_path}'{nearest(name_or_path, {*user, *packaged})}")
    return read_map(packaged[name_or_path], name_or_path + SUFFIX)


def load_or_new(name_or_path: str) -> MidiMap:
    """Return a map, or an empty one where there is none of that name yet; raises `ControlError` if it is damaged."""
    known = map_file(name_or_path).exists() or (not is_path(name_or_path) and name_or_path in _packaged())
    return load_map(name_or_path) if known else MidiMap(_title(map_file(name_or_path).stem))


def map_file(name_or_path: str) -> Path:
    """Return the file that a map is saved to: the path itself, or one in the user's folder."""
    if is_path(name_or_path):
        return with_home(Path(name_or_path))
    return user_folder() / f"{name_or_path}{SUFFIX}"


def save_map(midi_map: MidiMap, path: Path) -> None:
    """Write a map; `path` holds either the old or the whole new content, whatever happens.

    Raises
    ------
    ControlError
        If the map would not read back as itself, or the file cannot be written.
    """
    content = map_toml(midi_map).encode()
    if read_map(content, shown_path(path)) != midi_map:
        raise ControlError(f"{shown_path(path)}: the MIDI map '{midi_map.name}' holds what its file cannot")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)
    except OSError as error:
        raise ControlError(f"{shown_path(path)}: cannot be written: {error.strerror or error}") from None


def with_binding(midi_map: MidiMap, binding: Binding) -> MidiMap:
    """Return a map in which an event works what was last taught, and nothing else that was bound to just that event."""
    kept = tuple(other for other in midi_map.bindings if not _same_event(midi_map, other, binding))
    return dataclasses.replace(midi_map, bindings=(*kept, binding))


def _same_event(midi_map: MidiMap, one: Binding, other: Binding) -> bool:
    channels = {midi_map.channel_of(one), midi_map.channel_of(other)}
    alike = (one.on, one.number, one.last, one.bank) == (other.on, other.number, other.last, other.bank)
    return alike and (len(channels) == 1 or 0 in channels)


def _content(path: Path) -> bytes:
    if not path.exists():
        raise ControlError(f"{shown_path(path)}: there is no such MIDI map")
    try:
        return read_bytes(path)
    except PresetError as error:
        raise ControlError(str(error)) from None


def _packaged() -> dict[str, bytes]:
    return packaged_files(resources.files(__package__) / "maps")


def _info(name: str, content: bytes, origin: Literal["user", "vcfx"]) -> MapInfo:
    try:
        return MapInfo(name, read_map(content, name + SUFFIX).description, origin)
    except ControlError as error:
        return MapInfo(name, str(error), origin, damaged=True)


def _title(stem: str) -> str:
    words = "".join(sign if sign.isprintable() else " " for sign in stem).replace("-", " ").strip()
    return words[:100].capitalize() or "Map"
