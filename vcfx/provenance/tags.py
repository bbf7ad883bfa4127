"""A disclosure as tags of a sound file: written into a finished file, read from any.

Where: FLAC, Vorbis and Opus hold it as Vorbis comments, MP3 as ID3, WAV, RF64 and AIFF as an ID3 chunk. There are three
fields: the comment, a sentence that players show; ``DigitalSourceType``, IPTC's term; ``VCFX_PROVENANCE``, all of it as
JSON. ID3 and WAV also get an XMP packet. What a program drops when it converts the file is usually all but the comment.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .chunks import append_chunks, find_chunks
from .disclosure import SENTENCE, Disclosure, read_disclosure, read_sentence
from .xmp import xmp_packet

FIELD: Final = "VCFX_PROVENANCE"
SOURCE_TYPE: Final = "DigitalSourceType"
MAX_COMMENT: Final = 1_000
_CHUNKED: Final = ("WAV", "WAVEX", "RF64", "AIFF")
_ID3_CHUNKS: Final = (b"id3 ", b"ID3 ")
#: libsndfile writes only the short first version of ID3 into MP3, so what it was given is repeated.
_ID3_TEXTS: Final = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "copyright": "TCOP",
    "date": "TDRC",
    "genre": "TCON",
    "tracknumber": "TRCK",
}


def comment_with(disclosure: Disclosure, comment: str) -> str:
    """Return a file's comment with our sentence behind it, in place of one that was there."""
    kept = SENTENCE.sub("", comment[: 4 * MAX_COMMENT]).strip()
    room = max(0, MAX_COMMENT - len(disclosure.sentence) - 1)
    return f"{kept[:room]} {disclosure.sentence}".strip()


def write_tags(path: Path, container: str, disclosure: Disclosure, tags: Mapping[str, str]) -> None:
    """Put a disclosure into a finished file; the sound stays as it is.

    Parameters
    ----------
    path
        The file, still under its temporary name.
    container
        libsndfile's word: ``WAV``, ``WAVEX``, ``RF64``, ``AIFF``, ``FLAC``, ``OGG`` or ``MP3``.
    disclosure
        With its time.
    tags
        Title, artist and so on, as they were given to libsndfile, the comment included.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    import mutagen

    try:
        if container in _CHUNKED:
            _write_chunks(path, container, disclosure)
        elif container == "MP3":
            _id3(disclosure, tags).save(path, v1=1, v2_version=3)
        else:
            _write_comments(path, disclosure)
    except mutagen.MutagenError as error:
        cause = error.args[0] if error.args else error
        raise cause if isinstance(cause, OSError) else OSError(f"no place for its metadata: {error}") from error
    except ValueError as error:
        raise OSError(f"no place for its metadata: {error}") from error


def read_tags(path: Path, comment: str = "") -> tuple[Disclosure | None, bool]:
    """Return what a file says of itself, and whether that is the whole of what was written into it.

    A file that is damaged, or of a kind that has no tags, says nothing.

    Parameters
    ----------
    path
        A sound file of any kind.
    comment
        Its comment, if something else has read it already: of all that was written it lives longest.
    """
    try:
        texts = _texts(path)
    except Exception:  # whatever a hostile file does to the parsers: it says nothing
        texts = []
    whole = (read_disclosure(text) for text in texts if text.startswith("{"))
    found = next((one for one in whole if one is not None), None)
    if found is not None:
        return found, True
    parts = (read_sentence(text) for text in (*texts, comment))
    return next((one for one in parts if one is not None), None), False


def _write_comments(path: Path, disclosure: Disclosure) -> None:
    import mutagen

    file: Any = mutagen.File(path)
    if file is None or file.tags is None:
        raise ValueError("it takes no comments")
    file.tags[FIELD] = [disclosure.to_json()]
    file.tags[SOURCE_TYPE] = [disclosure.source_type]
    file.save()


def _write_chunks(path: Path, container: str, disclosure: Disclosure) -> None:
    content = io.BytesIO()
    _id3(disclosure, {}).save(content, v1=0, v2_version=3)
    chunks = [(_ID3_CHUNKS[container == "AIFF"], content.getvalue())]
    if container != "AIFF":
        chunks.append((b"_PMX", xmp_packet(disclosure)))
    append_chunks(path, chunks)


def _id3(disclosure: Disclosure, tags: Mapping[str, str]) -> Any:
    from mutagen import id3

    texts = {"comment": disclosure.sentence} | {name: text for name, text in tags.items() if text}
    made = id3.ID3()
    for name, frame in _ID3_TEXTS.items():
        if name in texts:
            made.add(getattr(id3, frame)(encoding=3, text=[texts[name][:MAX_COMMENT]]))
    made.add(id3.COMM(encoding=3, lang="eng", desc="", text=[texts["comment"]]))
    made.add(id3.TXXX(encoding=3, desc=SOURCE_TYPE, text=[disclosure.source_type]))
    made.add(id3.TXXX(encoding=3, desc=FIELD, text=[disclosure.to_json()]))
    made.add(id3.TSSE(encoding=3, text=[disclosure.tool]))
    made.add(id3.PRIV(owner="XMP", data=xmp_packet(disclosure)))
    made.update_to_v23()
    return made


def _texts(path: Path) -> list[str]:
    """Return every text of a file's tags."""
    import mutagen
    from mutagen import id3
    from mutagen.flac import FLAC

    with path.open("rb") as file:
        chunks = find_chunks(file, _ID3_CHUNKS)
    tags: Any
    if chunks:
        tags = id3.ID3(io.BytesIO(next(iter(chunks.values()))))
    else:
        opened: Any = FLAC(path) if _is_flac(path) else mutagen.File(path)
        tags = None if opened is None else opened.tags
    if tags is None:
        return []
    values = tags.values() if isinstance(tags, Mapping) or hasattr(tags, "values") else []
    return [text for value in values for text in _flat(value)]


def _is_flac(path: Path) -> bool:
    """Whether it is FLAC; content credentials lie in ID3 in front of that, which makes it look like MP3."""
    with path.open("rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3" and len(head) == 10:
            file.seek(10 + sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(reversed(head[6:]))))
            head = file.read(4)
    return head[:4] == b"fLaC"


def _flat(value: Any) -> list[str]:
    """Return the texts in a value of whatever kind mutagen has for a format."""
    text = getattr(value, "text", value)
    items = text if isinstance(text, list) else [text]
    return [
        item if isinstance(item, str) else bytes(item).decode("utf-8", "replace") for item in items if _is_text(item)
    ]


def _is_text(item: object) -> bool:
    return isinstance(item, str | bytes)
