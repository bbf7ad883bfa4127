"""Who and what the tags in a mark may stand for, as far as this installation knows them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from vcfx.marking.tags import NAMELESS, installation_tag, voice_tag
from vcfx_models.errors import ConsentError
from vcfx_models.papers.keys import PublicKey, own_key
from vcfx_models.papers.trust import trusted_keys
from vcfx_models.voice_library import list_voices


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Tag -> names. A tag has 12 bits: that it fits says "may be", not "is"."""

    installations: dict[int, list[str]] = field(default_factory=dict)
    voices: dict[int, list[str]] = field(default_factory=dict)

    def installation(self, tag: int) -> str:
        """Return what to call an installation."""
        return "not named" if tag == NAMELESS else " or ".join(self.installations.get(tag, [])) or "unknown here"

    def voice(self, tag: int) -> str:
        """Return what to call a voice."""
        return "not named" if tag == NAMELESS else " or ".join(self.voices.get(tag, [])) or "unknown here"


def known_names() -> KnownNames:
    """Return what the own key, trusted keys and the library tell; what is damaged tells nothing."""
    installations, voices = defaultdict(list), defaultdict(list)
    try:
        own = own_key()
        if own is not None:
            installations[installation_tag(own.public)].append("this installation")
        for raw, name in trusted_keys().items():
            key = PublicKey(bytes.fromhex(raw))
            installations[installation_tag(key)].append(name or key.fingerprint)
    except (ConsentError, ValueError):
        pass
    for info in list_voices():
        if info.voice is not None and info.voice.papers is not None:
            voices[voice_tag(info.voice.papers.voice_id)].append(info.name)
    return KnownNames(dict(installations), dict(voices))
