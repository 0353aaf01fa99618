"""Words outside a thread that read like a change of an image that is there: `make it night`.

They may still be a prompt, so they decide nothing: a person with a draft that waits is asked. They
are known by how they begin, after polite words. README publishes the table, and a test compares
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.domain.courtesies import plain_words

CHANGE_BEGINNINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "English": (
            *("make it", "make this", "make that", "make him", "make her", "make them"),
            *("make the", "make his", "make its", "make their", "make number", "make image"),
            *("turn it", "turn this", "turn that", "turn the", "give it", "give him", "give her"),
            *("give them", "give the", "put it", "put a", "put an", "put the", "put some"),
            *("add", "remove", "delete", "erase", "replace", "change", "swap", "fix", "adjust"),
            *("increase", "decrease", "crop", "zoom in", "zoom out", "flip", "mirror", "rotate"),
            *(
                "move it",
                "move the",
                "get rid of",
                "take away",
                "take out",
                "leave out",
                "keep the",
            ),
            *("use more", "use less", "it should", "it needs", "its too", "it is too"),
            *("too", "the same but", "same but", "more", "less", "without", "with", "instead"),
            *("now with",),
            *(
                "now make",
                "now in",
                "now at",
                "at night",
                "darker",
                "brighter",
                "lighter",
                "bigger",
            ),
            *("smaller", "larger", "closer", "softer", "warmer", "cooler", "sharper", "wider"),
            *("bluer", "redder", "greener", "happier", "sadder", "friendlier", "not so"),
        ),
        "Dutch": ("maak het", "maak de", "voeg", "verwijder", "verander", "meer", "zonder"),
        "French": (
            *("rends le", "rends la", "rends les", "ajoute", "ajoutez", "enlève", "enlevez"),
            *("supprime", "remplace", "plus de", "moins de", "sans"),
        ),
        "German": (
            *("mach es", "mache es", "mach das", "mach den", "mach die", "mache das", "mache den"),
            *("mache die", "füge", "entferne", "ersetze", "ändere", "mehr", "weniger", "ohne"),
            *("heller", "dunkler", "größer", "kleiner"),
        ),
        "Italian": (
            "rendilo",
            "rendila",
            "fallo",
            "falla",
            "aggiungi",
            "togli",
            "rimuovi",
            "senza",
        ),
        "Portuguese": ("deixa", "deixe", "adiciona", "adicione", "tira", "tire", "muda", "mude"),
        "Spanish": (
            *("hazlo", "hazla", "haz que", "ponle", "añade", "agrega", "quita", "cambia", "sin"),
            *("más", "menos"),
        ),
    }
)

QUESTION_BEGINNINGS = (
    *("why", "which", "who", "whose", "where", "when", "how do", "how can", "how did", "how does"),
    *("how is", "how was", "how much", "how many", "what is", "what was", "what does", "what did"),
    *("whats", "is this", "is it", "is that", "are you", "are these", "are they", "do you"),
    *("did you", "does it", "can i", "may i", "could i", "should i"),
)
"""How a message begins that, with a question mark behind it, is no change by itself."""

_POLITE = frozenset(
    (
        *("please", "pls", "plz", "hey", "hi", "hello", "ok", "okay", "so", "and", "but", "now"),
        *("then", "can", "could", "would", "will", "you", "i", "we", "id", "like", "want", "to"),
        *("great", "nice", "good", "perfect", "thanks", "thank", "just", "maybe", "also", "bitte"),
        *("lets", "let", "us", "yes", "no", "bot", "imagine", "try", "kannst", "du"),
    )
)
"""Words that may come before."""
_LONGEST = 3


def reads_like_change(text: str) -> bool:
    """Whether it begins as a change does. A long text is a prompt."""
    tokens = plain_words(text).split()
    while tokens:
        if any(" ".join(tokens[:length]) in _BEGINNINGS for length in range(1, _LONGEST + 1)):
            return True
        if tokens[0] not in _POLITE:
            return False
        tokens = tokens[1:]
    return False


def reads_like_question(text: str) -> bool:
    """Whether it asks something, rather than for another look: `why is it blue?`"""
    words = plain_words(text)
    asks = any(f"{words} ".startswith(f"{each} ") for each in QUESTION_BEGINNINGS)
    return asks and text.rstrip().endswith(("?", "？"))


_BEGINNINGS = frozenset(
    plain_words(each) for beginnings in CHANGE_BEGINNINGS.values() for each in beginnings
)
