"""The pictures that the metadata of a form holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import Source
from bot.views.source_pictures import METADATA, MOST_PICTURES, NAME_KEPT, Picture, SourcePictures

PICTURE = Picture("F1", "image/png", 1000, "otter.png")
OTHER = PICTURE._replace(file_id="F2")


def test_metadata_comes_back_as_it_was() -> None:
    both = SourcePictures("C1", "1.0", "1.5", (PICTURE, OTHER))
    assert SourcePictures.from_metadata(both.to_metadata()) == both
    assert SourcePictures.from_metadata(replace(both, thread_ts="").to_metadata()) == replace(
        both, thread_ts=""
    )


@pytest.mark.parametrize(
    "invented",
    [
        "",
        "null",
        "{}",
        "[]",
        "[" * 3_000,
        '["C1","","1.5"]',
        '["C1","","1.5",1]',
        '["C1","","1.5",["F123"]]',
        '["C1",2,"1.5",[]]',
        '["C1","","1.5",[["F1","image/png","big","x"]]]',
        '["C1","","1.5",[["F1","image/png",1,"x",2]]]',
        "T1.U1.abc123#1",
    ],
)
def test_metadata_that_is_not_ours_is_none(invented: str) -> None:
    assert SourcePictures.from_metadata(invented) is None


@pytest.mark.parametrize("name", ["x" * 200, "🦦" * 200, '"' * 200])
def test_as_many_are_kept_as_there_is_room_for(name: str) -> None:
    many = tuple(PICTURE._replace(file_id=f"F{n}" * 9, name=name) for n in range(40))
    kept = SourcePictures.from_metadata(SourcePictures("C1", "", "1.5", many).to_metadata())
    assert kept is not None
    assert 0 < len(kept.files) <= MOST_PICTURES
    assert len(kept.to_metadata()) <= METADATA
    assert all(len(picture.name) <= NAME_KEPT for picture in kept.files)
    assert [p.file_id for p in kept.files] == [p.file_id for p in many[: len(kept.files)]]


def test_a_picture_is_the_source_of_a_session() -> None:
    assert PICTURE.source == Source("F1", "image/png", 1000)
