"""The PocketFlow flow that brings one image from a prompt to a draft.

    GenerateImage -- generated --> UploadImages -- uploaded --> PostDraft -- posted --> OpenReview
    GenerateImage, GiveUp -- recorded --> End
    UploadImages -- expired --> End
    OpenReview -- reviewing --> End
    GenerateImage, UploadImages, PostDraft, GiveUp -- failed --> ReportFailure
    ReportFailure -- reported --> RestoreDraft
    GenerateImage, UploadImages, PostDraft, OpenReview -- cancelled --> RemoveDraft
    ReportFailure, GiveUp -- cancelled --> RemoveDraft
    GiveUp -- generated --> UploadImages

Each run is for one candidate of an attempt. The candidate that is made last goes on, in the same
run, with all images of the attempt. A job that has failed too often starts at `GiveUp`.

The `shared` dict holds the keys of the contract (`task_input`, `stage`, `error_message`,
`input_used_by_process`, `generated_image` in base64, `final_result`) and names the session, the
image and the run: plain data, no live objects. `prep` reads it and the store, `exec` makes the one
outside call, `post` records the result in `shared` and in the store before the next call is made.
What has to be recorded during the call for an image goes through its checkpoint. So a run that is
repeated, on any worker, goes on from the last thing recorded.

An attempt may be cancelled at any time: every node checks that before it shows something.
"""

from bot.flow.flow import ReviewFlow

__all__ = ["ReviewFlow"]
