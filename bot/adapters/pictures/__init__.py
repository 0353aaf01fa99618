"""Pictures that people bring, read in a child process with a memory limit.

    SlackFiles ── file ─→ PictureReader ── pipe ─→ child ─→ decoding
               ←─ BaseImage ──          ←─ answer ──

A file of a few kilobytes can unpack to gigabytes, or end the process that decodes it. So no file
of a person is decoded in the worker. `reader` keeps one child for the worker and gives it one
picture at a time; `child` limits its own memory and answers on its output; `decoding` turns a file
into what a model is shown. A child that dies, or that takes too long, fails its picture alone: the
next picture gets a new child. The child ends with the worker, however the worker ends.
"""

from bot.adapters.pictures.reader import PictureReader

__all__ = ["PictureReader"]
