"""Where presets are found: the user's folder first, then those that come with vcfx; or any file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

import platformdirs

from vcfx.errors import PresetError, nearest
from vcfx_models.data_folder import with_home
from vcfx_models.whole_file import replace_file

from .document import parse, read_bytes, shown_path
from .model import Preset
from .place import Place, read_text
from .reader import check_version, read_preset
from .toml_files import SUFFIX, files_in, is_path, packaged_files
from .writer import preset_toml


@dataclass(frozen=True, slots=True)
class PresetInfo:
    """What a list of presets shows; the nodes are not checked for it.

    Parameters
    ----------
    name
        What `load_preset` takes: the file's name without ``.toml``.
    title, description
        The name and description inside the file; of a damaged file, its error.
    origin
        ``user`` for the user's folder, ``vcfx`` for one that comes with vcfx.
    damaged
        Whether the file cannot be read.
    """

    name: str
    title: str
    description: str
    origin: Literal["user", "vcfx"]
    damaged: bool = False


def preset_root() -> Traversable:
    """Return the folder of the presets that come with vcfx: in the package, or in the checkout."""
    packaged = resources.files("vcfx") / "_presets"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "presets"


def user_folder() -> Path:
    """Return the folder of the user's own presets; it need not exist."""
    return platformdirs.user_config_path("vcfx") / "presets"


def list_presets() -> list[PresetInfo]:
    """Return all presets by name; one of the user's hides one of ours with the same name."""
    found = {name: _info(name, content, "vcfx") for name, content in packaged_files(preset_root()).items()}
    for path in files_in(user_folder()).values():
        try:
            found[path.stem] = _info(path.stem, read_bytes(path), "user")
        except PresetError as error:
            found[path.stem] = PresetInfo(path.stem, path.stem, str(error), "user", damaged=True)
    return [found[name] for name in sorted(found)]


def load_preset(name_or_path: str | Path) -> Preset:
    """Return a checked preset.

    Parameters
    ----------
    name_or_path
        A name (``deep``), or the path of a file: a `Path`, or text that ends in ``.toml`` or holds a separator.

    Raises
    ------
    PresetError
        If there is none, or it holds what is not allowed.
    """
    if isinstance(name_or_path, Path) or is_path(name_or_path):
        path = with_home(Path(name_or_path))
        return read_preset(read_bytes(path), shown_path(path))
    user, packaged = files_in(user_folder()), packaged_files(preset_root())
    if name_or_path in user:
        return read_preset(read_bytes(user[name_or_path]), str(user[name_or_path]))
    if name_or_path not in packaged:
        raise PresetError(f"there is no preset '{name_or_path}'{nearest(name_or_path, {*user, *packaged})}")
    return read_preset(packaged[name_or_path], name_or_path + SUFFIX)


def save_preset(preset: Preset, path: Path) -> None:
    """Write a preset; `path` holds either the old or the whole new content, whatever happens.

    Raises
    ------
    PresetError
        If the preset would not read back as itself, or the file cannot be written.
    """
    content = preset_toml(preset).encode()
    if read_preset(content, shown_path(path)) != preset:
        raise PresetError(f"{shown_path(path)}: the preset '{preset.name}' holds what its file cannot")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)
    except OSError as error:
        raise PresetError(f"{shown_path(path)}: cannot be written: {error.strerror or error}") from None


def _info(name: str, content: bytes, origin: Literal["user", "vcfx"]) -> PresetInfo:
    try:
        document, place = parse(content, name + SUFFIX), Place(name + SUFFIX)
        check_version(document, place)
        title, description = read_text(document, "name", place), read_text(document, "description", place, default="")
    except PresetError as error:
        return PresetInfo(name, name, str(error), origin, damaged=True)
    return PresetInfo(name, title, description, origin)
