"""What the program needs from the world, as small protocols.

The services, the flow and the jobs know only these; `bot.wiring` gives them the adapters.
"""

from bot.ports.images import Checkpoint, ImageBackend, RefusedSettings
from bot.ports.jobs import Cancellations, Heartbeats, JobQueue, JobState, QueueDepth
from bot.ports.pictures import Files, OnReading, PictureStore
from bot.ports.sessions import (
    QUESTION_TTL,
    AttemptRule,
    BeginRequest,
    Change,
    ChangeBoth,
    Entry,
    ExtraWrite,
    ExtraWrites,
    Memory,
    QuestionStore,
    SessionRecords,
    SessionStore,
    Unfinished,
)
from bot.ports.slack import (
    DraftMessages,
    FailureMessages,
    FinalMessages,
    ImageUploads,
    OwnerNotices,
    Previews,
    Publisher,
    RootMessages,
    SeenSignatures,
    ShutOuts,
    SlackAccess,
)

__all__ = [
    "QUESTION_TTL",
    "AttemptRule",
    "BeginRequest",
    "Cancellations",
    "Change",
    "ChangeBoth",
    "Checkpoint",
    "DraftMessages",
    "Entry",
    "ExtraWrite",
    "ExtraWrites",
    "FailureMessages",
    "Files",
    "FinalMessages",
    "Heartbeats",
    "ImageBackend",
    "ImageUploads",
    "JobQueue",
    "JobState",
    "Memory",
    "OnReading",
    "OwnerNotices",
    "PictureStore",
    "Previews",
    "Publisher",
    "QuestionStore",
    "QueueDepth",
    "RefusedSettings",
    "RootMessages",
    "SeenSignatures",
    "SessionRecords",
    "SessionStore",
    "ShutOuts",
    "SlackAccess",
    "Unfinished",
]
