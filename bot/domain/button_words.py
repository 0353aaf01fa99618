"""Messages that name a button, such as `looks good, approve it` or `start over please`.

The whole message has to consist of entries of the table, of words that say nothing by themselves,
and of the numbers of images, in any case, with any punctuation and emoji around and between. Every
other message is a prompt, or a change. README publishes the table, and a test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from bot.domain.courtesies import LONGEST, plain_words


class ButtonWord(StrEnum):
    APPROVE = "approve"
    REGENERATE = "regenerate"
    REFINE = "refine"
    EDIT_PROMPT = "edit prompt"
    START_OVER = "start over"
    CANCEL = "cancel"
    DISCARD = "discard"
    GO_BACK = "go back"
    LIKE = "like"
    DISLIKE = "dislike"


BUTTON_WORDS: Mapping[ButtonWord, tuple[str, ...]] = MappingProxyType(
    {
        ButtonWord.APPROVE: (
            *("approve", "approved", "approve it", "accept", "accepted", "publish", "post it"),
            *("post this", "ship it", "send it", "share it", "use it", "use this", "use that"),
            *("use", "keep it", "keep this", "keep", "take it", "take", "pick", "choose"),
            *("select", "go with", "go ahead", "go for it", "go for", "lgtm", "confirm"),
            *("confirmed", "submit", "finalize", "finalise", "final", "make it final"),
            *("thats the one", "this is the one", "ready to publish", "post it to the channel"),
            *("share it with the channel", "genehmigen", "freigeben", "approuver"),
            *("aprobar", "aprovar", "approva", "goedkeuren"),
        ),
        ButtonWord.REGENERATE: (
            *("regenerate", "again", "more", "try again", "once again", "once more"),
            *("one more time",),
            *("one more", "another", "another one", "another try", "new try", "redo", "redo it"),
            *("do over", "retry", "repeat", "reroll", "re roll", "roll again", "remake"),
            *("make another", "make another one", "make a new one", "make one more", "new one"),
            *("do another", "show me another", "generate again", "variations", "more variations"),
            *("try it again", "try another", "try another one", "give me another", "show me more"),
            *("give me another one", "give me more", "different one", "a different one"),
            *("try something else", "something else", "make it again", "same again", "get another"),
            *("get another one", "more like this", "more like that", "more like it"),
            *("nochmal", "noch einmal", "encore", "otra vez", "de novo", "ancora", "opnieuw"),
        ),
        ButtonWord.REFINE: (
            *("refine", "refine it", "refine this", "edit", "edit it", "change it", "modify it"),
        ),
        ButtonWord.EDIT_PROMPT: (
            *("edit prompt", "edit the prompt", "change prompt", "change the prompt"),
            *("new prompt", "another prompt", "different prompt", "edit my prompt"),
        ),
        ButtonWord.START_OVER: (
            *("start over", "start again", "start afresh", "start fresh", "start from scratch"),
            *("from scratch",),
            *("restart", "begin again", "reset"),
        ),
        ButtonWord.CANCEL: (
            "cancel",
            "cancel it",
            "stop",
            "stop it",
            "abort",
            "never mind",
            "nevermind",
            "forget it",
        ),
        ButtonWord.DISCARD: (
            *("discard", "discard it", "delete", "delete it", "delete this", "throw it away"),
            *("throw it out", "throw this away", "get rid of it", "get rid of this", "trash it"),
            *("trash this", "scrap it", "scrap this", "bin it", "toss it", "dismiss", "dismiss it"),
        ),
        ButtonWord.GO_BACK: (
            *("undo", "undo it", "undo that", "go back", "back", "revert", "previous"),
            *("previous one", "the one before", "step back", "go one back"),
        ),
        ButtonWord.LIKE: (
            *("looks good", "looks great", "look good", "good", "great", "perfect", "nice"),
            *("cool", "awesome", "amazing", "beautiful", "lovely", "wonderful", "excellent"),
            *("fantastic", "love it", "like it", "i love it", "i like it", "good job", "well done"),
            *("great job", "nice work", "wow", "yes", "yep", "yeah", "yup", "sure", "ok", "okay"),
            *("sounds good", "good enough", "works for me", "that works", "this works", "it works"),
            *("happy", "happy with it", "happy with this", "happy with that", "not bad"),
            *("good to go", "liked", "i liked", "is better", "was better", "better", "were done"),
            *("all done", "haha", "lol", "nice one"),
            *("thats it", "this is it", "done", "fine", "prefer", "i prefer", "i love", "i like"),
            *("super", "brilliant", "gorgeous", "stunning", "neat", "sweet", "great stuff"),
            *("gefällt mir", "toll", "prima", "sehr gut", "sehr schön", "schön", "perfekt"),
            *("klasse",),
            *("sieht gut aus", "passt", "wunderbar", "ja", "parfait", "cest parfait", "très bien"),
            *("génial", "jadore", "jaime bien", "oui", "muy bien", "perfecto"),
            *("me gusta", "me encanta", "sí", "perfetto", "bellissimo", "molto bene", "mi piace"),
            *("perfeito", "ótimo", "muito bom", "gostei", "sim", "mooi", "prachtig", "leuk"),
            *("отлично", "супер", "нравится", "很好", "太好了", "いいね", "좋아요"),
        ),
        ButtonWord.DISLIKE: (
            *("reject", "reject it", "rejected", "decline", "declined", "no good"),
            *("no", "nope", "nah", "not this", "not good", "not great", "not yet", "not quite"),
            *("i dont like it", "dont like it", "hate it", "i hate it", "bad", "ugly", "wrong"),
            *("hmm", "hm", "meh", "dont", "do not", "not", "never"),
            *("nein", "nicht gut", "gefällt mir nicht", "non", "pas bien", "je naime pas"),
            *("no me gusta", "não", "não gostei", "non mi piace", "nee", "niet goed", "нет"),
        ),
    }
)
"""The words of each button. Those from `like` on stand for no button by themselves."""

FILLERS = frozenset(
    (
        *("please", "pls", "plz", "kindly", "so", "just", "now", "then", "and", "but", "thanks"),
        *("thank", "you", "thx", "bot", "imagine", "hey", "hi", "it", "this", "that", "these"),
        *("those", "ones", "image", "images", "picture", "pictures", "version", "option"),
        *("img", "pic", "pics", "photo", "variant", "variation", "nr", "ill", "its", "thats"),
        *("lot", "instead", "to", "am", "candidate", "number", "no", "the", "a", "an", "can"),
        *("could", "would", "will", "we"),
        *("i", "id", "im", "lets", "let", "us", "me", "do", "want", "go", "with", "for"),
        *("of", "very", "really", "much", "is", "are", "looks", "look", "think", "well"),
        *("right", "my", "draft", "attempt", "both", "all", "every", "each", "one", "bitte"),
    )
)
"""Words beside which a message still names its button."""

_THUMBS_UP = re.compile(
    r"^(?:\s|\+1|:(?:\+1|thumbsup|white_check_mark|heavy_check_mark|ok_hand|100)"
    r":(?::skin-tone-[2-6]:)?|[👍✅✔👌💯\uFE0F\U0001F3FB-\U0001F3FF])+$"
)
_THUMBS_DOWN = re.compile(
    r"^(?:\s|:(?:-1|thumbsdown|x):(?::skin-tone-[2-6]:)?|[👎❌\uFE0F\U0001F3FB-\U0001F3FF])+$"
)
_NUMBERS = {
    **{str(n): n for n in range(1, 100)},
    **{"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4},
    **{"two": 2, "three": 3, "four": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8},
    **{"ninth": 9, "tenth": 10, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10},
    **{f"{n}th": n for n in range(5, 11)},
}
_LAST = frozenset({"last", "latest", "newest"})
_WEAK = frozenset({ButtonWord.LIKE, ButtonWord.DISLIKE})


class NamedButton(NamedTuple):
    """What a message names. `word` is None where it is an image, and no button. `images` are the
    numbers; `attempt` is 0 where no attempt is named. `last`: the last image is meant."""

    word: ButtonWord | None
    images: tuple[int, ...] = ()
    attempt: int = 0
    last: bool = False

    @property
    def weak(self) -> bool:
        """Whether it may just as well be a prompt, where no draft waits for an answer."""
        return self.word is None or self.word in _WEAK


def named_button(text: str) -> NamedButton | None:
    """The button that the whole message names; None for a message that says something else. Of
    several buttons the first one counts, one that is liked or not comes last."""
    if len(text) > LONGEST or not text.strip():
        return None
    if _THUMBS_UP.match(text):
        return NamedButton(ButtonWord.LIKE)
    if _THUMBS_DOWN.match(text):
        return NamedButton(ButtonWord.DISLIKE)
    tokens = plain_words(text).split()
    found: list[ButtonWord] = []
    images: list[int] = []
    attempt, at, last = 0, 0, False
    while at < len(tokens):
        word, length = _entry_at(tokens, at)
        spoken, follows = tokens[at], tokens[at + 1 : at + 2]
        if spoken == "no" and follows and follows[0] in _NUMBERS:
            word = None  # no. 2
        if word is not None:
            found.append(word)
        elif spoken in ("attempt", "draft") and follows and follows[0] in _NUMBERS:
            attempt, length = _NUMBERS[follows[0]], 2
        elif spoken in _NUMBERS:
            images.append(_NUMBERS[spoken])
        elif spoken in _LAST:
            last = True
        elif spoken not in FILLERS:
            return None
        at += length
    if not tokens:  # emoji alone
        return NamedButton(ButtonWord.LIKE)
    return NamedButton(_chosen(found), tuple(dict.fromkeys(images)), attempt, last)


def _chosen(found: list[ButtonWord]) -> ButtonWord | None:
    """A dislike turns what else is said round: `don't approve`."""
    if ButtonWord.DISLIKE in found:
        return ButtonWord.DISLIKE
    strong = [word for word in found if word not in _WEAK]
    return next(iter(strong or found), None)


def _entry_at(tokens: list[str], at: int) -> tuple[ButtonWord | None, int]:
    """The longest entry that begins there, and its length in words."""
    for length in range(_LONGEST_ENTRY, 0, -1):
        word = _BY_WORDS.get(" ".join(tokens[at : at + length]))
        if word and at + length <= len(tokens):
            return word, length
    return None, 1


_BY_WORDS = {
    plain_words(entry): word for word, entries in BUTTON_WORDS.items() for entry in entries
}
_LONGEST_ENTRY = max(len(entry.split()) for entry in _BY_WORDS)
