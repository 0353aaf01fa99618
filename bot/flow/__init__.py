"""The PocketFlow flow that brings one image from a prompt to a draft.

    GenerateImage -- generated --> UploadImages -- uploaded --> PostDraft -- posted --> OpenReview
    OpenReview -- reviewing --> InReview
    GenerateImage -- recorded --> OthersGoOn
    UploadImages -- expired --> OthersGoOn
    GenerateImage, UploadImages, PostDraft -- failed --> ReportFailure
    ReportFailure -- reported --> RestoreDraft
    GenerateImage, UploadImages, PostDraft, OpenReview, ReportFailure -- cancelled --> RemoveDraft

Each run is for one candidate of an attempt. The candidate that is made last goes on, in the same
run, with all images of the attempt.

The `shared` dict holds the keys of the contract (`task_input`, `stage`, `error_message`,
`input_used_by_process`, `generated_image` in base64, `final_result`) and which session, image and
run this is: plain data, no live objects. `prep` reads it and the store, `exec` makes the one
outside call, `post` records what came of it, in `shared` and in the store, before the next call is
made. What has to be recorded during the call for an image goes through its checkpoint. So a run
that is repeated, on whichever worker, goes on from the last thing recorded.

An attempt may be cancelled at any time: every node looks before it shows something.
"""

from bot.flow.review import ReviewFlow

__all__ = ["ReviewFlow"]
