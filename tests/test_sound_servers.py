"""The private servers that other tests stand on."""

from __future__ import annotations

import subprocess

import pytest

from sound_servers import dummy_jack, needs_jack, needs_pulse, private_pulse, run_python

LIST_JACK = """
import jack
client = jack.Client("look", no_start_server=True)
print(client.samplerate, client.blocksize)
print(len(client.get_ports("system:.*", is_output=True)), len(client.get_ports("system:.*", is_input=True)))
client.close()
"""


@pytest.mark.jack
@needs_jack
def test_jack_has_the_rate_block_and_channels_that_were_asked_for() -> None:
    with dummy_jack(44_100, 256, inputs=1, outputs=3) as server:
        assert run_python(LIST_JACK, server.env).stdout.split() == ["44100", "256", "1", "3"]
    assert server.process.returncode is not None


@pytest.mark.pulse
@needs_pulse
def test_two_pulse_daemons_do_not_see_each_other() -> None:
    with private_pulse() as one, private_pulse(("module-null-sink sink_name=other",)) as other:
        for server, expected in ((one, "speakers"), (other, "other")):
            listed = subprocess.run(
                ["pactl", "list", "short", "sinks"], env=server.env, capture_output=True, text=True, timeout=10
            )
            assert [line.split("\t")[1] for line in listed.stdout.splitlines()] == [expected]
