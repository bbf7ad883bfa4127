"""The papers of a voice: who allowed what until when, signed; what was revoked; what was done with it.

`admission` is the gate that every path to the engine goes through; `voice_library.find_voice` asks it. It holds against
whoever has a voice's file, or the folder of the papers, but not the installation's key: files changed, cut, spliced or
signed anew, papers of another voice, keys that the user has not accepted, consent that ended or was taken back, a clock
set back behind the log, a log or list that was deleted, cut or edited.

What it cannot prevent, and does not claim to:

- A user who changes the program, or calls the networks from a program of their own.
- A user who says falsely that somebody consented, or that recordings were given away under a licence: the record then
  holds who said so and when, no more. Liveness makes it harder, not impossible.
- A user who accepts a stranger's key, by command or by writing it into the list: the stranger's word is then theirs.
- A user who deletes the whole folder of papers, or names another data folder: that is a new installation without a
  past. Its own former voices count as a stranger's until their key is accepted; what was revoked there and not told to
  others is forgotten.
- Whoever has read the installation's key, which is a file of this user's: they can sign voices, notices and logs.
- An older copy of the log put back, with the lists of that day: they fit each other, and nothing on this machine
  remembers more than its files.
- A clock that was wrong all along: times in papers and log are those of this machine. Where it once ran ahead, people's
  voices wait until that time, or for a new installation.
- A consent that a voice's issuer took back, as long as the notice has not been brought here and imported.
"""
