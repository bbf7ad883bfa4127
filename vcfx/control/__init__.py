"""Control of a running voice: typed messages that every client sends, and the state that every client shows."""
