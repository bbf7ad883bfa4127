"""Control of a running voice by Open Sound Control over UDP: tablets, lighting desks, other music programs."""
