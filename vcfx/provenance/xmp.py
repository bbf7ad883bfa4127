"""An XMP packet that names the digital source type, where programs that know IPTC's metadata look for it."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from .disclosure import Disclosure

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmp:CreatorTool={tool} xmp:CreateDate={made_at} Iptc4xmpExt:DigitalSourceType={source_type}>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{sentence}</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def xmp_packet(disclosure: Disclosure) -> bytes:
    """Return the packet in UTF-8."""
    return _PACKET.format(
        tool=quoteattr(disclosure.tool),
        made_at=quoteattr(disclosure.made_at),
        source_type=quoteattr(disclosure.source_type),
        sentence=escape(disclosure.sentence),
    ).encode()
