"""The PocketFlow flow that brings one attempt from a prompt to a draft.

    GenerateImage ── generated ─→ UploadImage ── uploaded ─→ PostDraft ── posted ─→ AwaitFeedback
          └───────────────── failed ──┴───────── failed ────────┴──→ ReportFailure
                                                                         reported ─→ RestoreDraft

The `shared` dict holds the keys of the contract (`task_input`, `stage`, `error_message`,
`input_used_by_process`, `generated_image` in base64, `final_result`) and which session, attempt
and run this is: plain data, no live objects. `prep` reads it and the store, `exec` makes the one
outside call, `post` records what came of it, in `shared` and in the store, before the next call is
made. So a run that is repeated, on whichever worker, goes on from the last thing recorded.
"""

from bot.flow.review import ReviewFlow

__all__ = ["ReviewFlow"]
