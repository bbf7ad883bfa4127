"""What a file says of how its sound was made."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from vcfx import __version__
from vcfx_dsp.watermark.payload import MAX_PAYLOAD, VOICE_BITS

#: IPTC's vocabulary of digital source types, which also C2PA uses.
_IPTC: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
#: Everything that is heard came out of trained networks, though a person's speech went in.
ARTIFICIAL: Final = _IPTC + "trainedAlgorithmicMedia"
#: A recording that signal processing has altered.
ALTERED: Final = _IPTC + "algorithmicallyEnhanced"
TOOL: Final = f"vcfx {__version__}"
MAX_VOICES: Final = 32
_MAX_TEXT: Final = 1_000
_MAX_JSON: Final = 64_000
_VERSION: Final = 1
#: How a sentence of ours begins, whichever version wrote it.
SENTENCE: Final = re.compile(r"(?:Artificial voice|Voice altered)[^\n]{0,1000}? made with vcfx [^\n]{1,200}?\.(?=\s|$)")
_NAMED: Final = re.compile(r"'([^'\n]{1,200})'(?: \(consent ([0-9a-f]{16}), issuer ([0-9a-f]{16})\))?")
_MADE: Final = re.compile(r"made with (vcfx [^ ;]{1,40}?)(?: on ([0-9TZ:-]{20}))?[.;]?(?=\s|;|$)")
_MARK: Final = re.compile(r"; watermark ([0-9]{1,4})/([0-9]{1,4})(?: under private key ([0-9a-f]{16}))?")
_KEY: Final = re.compile("[0-9a-f]{16}")
_ALTERED_BY: Final = re.compile(r"signal processing \(([^)\n]{1,200})\)")


@dataclass(frozen=True, slots=True)
class SpokenVoice:
    """A voice that is heard: its name, and from its papers voice id, consent id and the issuer's fingerprint.

    Each a line of text; ids are empty where there were no papers.
    """

    name: str
    voice_id: str = ""
    consent: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """How a file's sound was made.

    Parameters
    ----------
    voices
        Neural voices that are heard, in the order in which they first spoke; at most 32.
    alterations
        Kinds of nodes that disguise a voice by signal processing: ``pitch``, ``vocoder``, ...
    mark
        Payload of the watermark as a whole number; None if the sound carries none.
    made_at
        Time in UTC as ``2026-11-22T18:00:00Z``; empty as long as nothing is written.
    tool
        Program and version.
    mark_key
        Fingerprint of the private key of the watermark; empty for the public one, and without a watermark.
    earlier
        What the input said of itself: artificial voices do not become real by another conversion.
    """

    voices: tuple[SpokenVoice, ...] = ()
    alterations: tuple[str, ...] = ()
    mark: int | None = None
    made_at: str = ""
    tool: str = TOOL
    earlier: Disclosure | None = None
    mark_key: str = ""

    @property
    def is_artificial(self) -> bool:
        """Whether an artificial voice is heard, from this conversion or an earlier one."""
        return bool(self.voices) or (self.earlier is not None and self.earlier.is_artificial)

    @property
    def says_something(self) -> bool:
        """Whether there is anything to disclose."""
        return bool(self.voices or self.alterations or self.earlier)

    @property
    def source_type(self) -> str:
        """IPTC's digital source type."""
        return ARTIFICIAL if self.is_artificial else ALTERED

    @property
    def sentence(self) -> str:
        """One line for people, as players show it."""
        voices = self.voices or (self.earlier.voices if self.earlier else ())
        altered = f"altered by signal processing ({', '.join(self.alterations)})" if self.alterations else ""
        if voices:
            named = f"Artificial voice {', '.join(_quoted(voice) for voice in voices)}"
            parts = filter(None, (named, altered))
        elif altered:
            parts = filter(None, (f"Voice {altered}",))
        else:
            return ""
        when = f" on {self.made_at}" if self.made_at else ""
        key = f" under private key {self.mark_key}" if self.mark_key else ""
        mark = "" if self.mark is None else f"; watermark {_shown_mark(self.mark)}{key}"
        again = "; of sound that was artificial before" if self.voices and self.earlier else ""
        return f"{', '.join(parts)}, made with {self.tool}{when}{mark}{again}."

    def after(self, earlier: Disclosure | None) -> Disclosure:
        """Return what holds for sound that said `earlier` of itself before; of a long history the artificial part."""
        if earlier is None:
            return self
        if not self.says_something:
            return earlier
        deeper = earlier.earlier
        kept = deeper if deeper is not None and deeper.is_artificial and not earlier.voices else earlier
        return replace(self, earlier=replace(kept, earlier=None))

    def joined(self, later: Disclosure) -> Disclosure:
        """Return what holds for a recording in which first this and then that was heard."""
        voices = (*self.voices, *(voice for voice in later.voices if voice not in self.voices))[:MAX_VOICES]
        alterations = tuple(dict.fromkeys((*self.alterations, *later.alterations)))
        marked = self if later.mark is None else later
        mark, mark_key = marked.mark, marked.mark_key
        return replace(self, voices=voices, alterations=alterations, mark=mark, mark_key=mark_key)

    def to_json(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(self._table(), sort_keys=True, ensure_ascii=True)

    def _table(self) -> dict[str, Any]:
        earlier = None if self.earlier is None else replace(self.earlier, earlier=None)._table()
        return {
            "version": _VERSION,
            "tool": self.tool,
            "made_at": self.made_at,
            "digital_source_type": self.source_type,
            "voices": [asdict(voice) for voice in self.voices],
            "alterations": list(self.alterations),
            "mark": self.mark,
            "mark_key": self.mark_key,
            "earlier": earlier,
        }


def now_disclosed(disclosure: Disclosure) -> Disclosure:
    """Return a disclosure made at this moment."""
    return replace(disclosure, made_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def read_disclosure(text: str) -> Disclosure | None:
    """Undo `Disclosure.to_json`; None for anything else, which anybody may have written."""
    if len(text) > _MAX_JSON:
        return None
    try:
        return _from_table(json.loads(text), nested=False)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def read_sentence(text: str) -> Disclosure | None:
    """Return what a comment with our sentence says, which is less than the whole; None if there is none."""
    found = SENTENCE.search(text[:_MAX_JSON])
    if found is None:
        return None
    sentence = found.group()
    voices = [SpokenVoice(name, "", consent, issuer) for name, consent, issuer in _NAMED.findall(sentence)]
    made, mark = _MADE.search(sentence), _MARK.search(sentence)
    altered = _ALTERED_BY.search(sentence)
    return Disclosure(
        voices=tuple(voices[:MAX_VOICES]),
        alterations=tuple(altered[1].split(", ")[:MAX_VOICES]) if altered else (),
        mark=(int(mark[1]) << VOICE_BITS) + int(mark[2]) if mark else None,
        made_at=made[2] if made and made[2] else "",
        tool=made[1] if made else TOOL,
        mark_key=mark[3] or "" if mark else "",
    )


def _from_table(given: Any, nested: bool) -> Disclosure:
    if not isinstance(given, Mapping) or not isinstance(given["version"], int):
        raise TypeError("not ours")
    voices = [SpokenVoice(**{name: _line(value) for name, value in each.items()}) for each in given["voices"]]
    mark, mark_key = given["mark"], _line(given.get("mark_key", ""))
    if mark is not None and (type(mark) is not int or not 0 <= mark <= MAX_PAYLOAD):
        raise TypeError("not ours")
    if mark_key and _KEY.fullmatch(mark_key) is None:
        raise TypeError("not ours")
    earlier = None if nested or given["earlier"] is None else _from_table(given["earlier"], nested=True)
    alterations = tuple(_line(kind) for kind in given["alterations"][:MAX_VOICES])
    return Disclosure(
        tuple(voices[:MAX_VOICES]), alterations, mark, _line(given["made_at"]), _line(given["tool"]), earlier, mark_key
    )


def _line(text: object) -> str:
    if not isinstance(text, str) or len(text) > _MAX_TEXT:
        raise TypeError("not ours")
    return text


def _shown_mark(mark: int) -> str:
    """Return the tags of installation and voice."""
    return f"{mark >> VOICE_BITS}/{mark & ((1 << VOICE_BITS) - 1)}"


def _quoted(voice: SpokenVoice) -> str:
    papers = f" (consent {voice.consent}, issuer {voice.issuer})" if voice.consent else ""
    return f"'{voice.name}'{papers}"
