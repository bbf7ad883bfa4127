"""The files of the neural voice: networks, voices and their papers."""

from __future__ import annotations

from pathlib import Path

from vcfx.doctor.check import Check, verdict
from vcfx.errors import VcfxError

REINSTALL = "install a vcfx that carries the voice model, or name a folder with one: --model FOLDER"


def check_voice(folder: Path | None = None) -> list[Check]:
    """Look at the networks in a folder (None: those that come with vcfx) and at all voices and the audit log."""
    try:
        from vcfx_models.network_files import weights_folder
    except ImportError:  # numpy or numba is missing: the packages' check says so
        return []
    place = weights_folder() if folder is None else folder
    return [_converter(place), _speaker(place), _voices(), _papers()]


def _converter(folder: Path) -> Check:
    from vcfx_models.network_files import PARTS, file_name, read_networks, stored_as

    try:
        storage = stored_as(folder)
        files = read_networks(folder, storage)
    except VcfxError as error:
        return verdict("voice model", False, str(error), "extra", REINSTALL)
    size = sum((folder / file_name(part, storage)).stat().st_size for part in PARTS)
    step = files["encoder"].metadata.get("training_step", "?")
    return Check("voice model", "ok", f"{storage}, {size / 1e6:.1f} MB, trained for {step} steps")


def _speaker(folder: Path) -> Check:
    try:
        from vcfx_models.speaker_encoder import SpeakerEncoder

        encoder = SpeakerEncoder(folder)
    except (VcfxError, ImportError) as error:
        return verdict("speaker network", False, str(error), "extra", REINSTALL)
    return Check("speaker network", "ok", f"{encoder.path.stat().st_size / 1e6:.1f} MB")


def _voices() -> Check:
    from vcfx_models.voice_library import list_voices, user_voices_folder

    found = list_voices()
    damaged = [info for info in found if info.voice is None]
    if damaged:
        detail = f"{len(damaged)} of {len(found)} damaged: {damaged[0].problem}"
        return verdict("voices", False, detail, "extra", f"remove {damaged[0].path}")
    mend = f"put voice files into {user_voices_folder()}, or use recordings: --reference CLIP"
    return verdict("voices", bool(found), f"{len(found)} installed" if found else "none installed", "extra", mend)


def _papers() -> Check:
    from vcfx_models.papers.audit import check_chain, log_path

    try:
        count = check_chain()
    except VcfxError as error:
        mend = f"move {log_path().parent} away to start anew; voices enrolled so far then count as foreign"
        return verdict("papers", False, str(error), "extra", mend)
    detail = f"an unbroken log of {count} entries" if count else "no voice was enrolled or used yet"
    return Check("papers", "ok", detail)
