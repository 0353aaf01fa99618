"""The PocketFlow flow that brings one attempt from a prompt to a draft.

    GenerateImage ── generated ─→ UploadImages ── uploaded ─→ PostDraft ── posted ─→ AwaitFeedback
          └───────────────── failed ──┴───────── failed ────────┴──→ ReportFailure        │
                                                                         │            reviewing
                                                                     reported             ↓
      each of them ── cancelled ─→ RemoveDraft                           └─→ RestoreDraft InReview

`GenerateImage` and `UploadImages` work on all candidates of the attempt at once.

The `shared` dict holds the keys of the contract (`task_input`, `stage`, `error_message`,
`input_used_by_process`, `generated_image` in base64, `final_result`) and which session, attempt
and run this is: plain data, no live objects. `prep` reads it and the store, `exec` makes the one
outside call, `post` records what came of it, in `shared` and in the store, before the next call is
made. Where there are several candidates, `exec` records what came of each, so that none waits for
another. So a run that is repeated, on whichever worker, goes on from the last thing recorded.

An attempt may be cancelled at any time: every node looks before it shows something.
"""

from bot.flow.review import ReviewFlow

__all__ = ["ReviewFlow"]
