"""The job queue on BullMQ. Nothing outside this package imports `bullmq`."""

from bot.adapters.queue.job_queue import BullJobQueue
from bot.adapters.queue.worker import BullWorker

__all__ = ["BullJobQueue", "BullWorker"]
