"""Control of a running voice over HTTP and WebSocket, served by a process of its own."""
