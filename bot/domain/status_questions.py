"""Messages that ask how far an image is: `is it ready?`, `how long?`, `can you hurry?`

The whole message has to be an entry of the table, in any case, with any punctuation and emoji, and
with polite words before or behind it. Every other message is a prompt, or a change. README
publishes the table, and a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.domain.courtesies import plain_words

STATUS_QUESTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "English": (
            *("is it ready", "is it ready yet", "is this ready", "is it done", "is it done yet"),
            *("is this done", "is it finished", "is it finished yet", "ready", "ready yet"),
            *("done yet", "finished", "finished yet", "are you done", "are you done yet"),
            *("are you finished", "are you ready", "are we there yet", "almost done"),
            *("almost ready", "almost there", "nearly done", "nearly ready", "is it almost done"),
            *("is it almost ready", "is my image ready", "is the image ready", "is my draft ready"),
            *("is the draft ready", "is the picture ready", "how long", "how long is it"),
            *("how long will it take", "how long will this take", "how long does it take"),
            *("how long does this take", "how long until its ready", "how long until its done"),
            *("how much longer", "how much time", "how far are you", "how far along are you"),
            *("how far is it", "when is it ready", "when is it done", "when will it be ready"),
            *("when will it be done", "when will it be finished", "when will you be done"),
            *("can you hurry", "can you hurry up", "could you hurry", "could you hurry up"),
            *("hurry", "hurry up", "be quick", "can you be faster", "can you be quicker"),
            *("can you go faster", "can you speed up", "can you speed it up", "speed it up"),
            *("speed up", "what is taking so long", "whats taking so long", "why so slow"),
            *("why is it so slow", "why are you so slow", "why is this so slow", "so slow"),
            *("why is it taking so long", "why does it take so long", "why so long"),
            *("what is the status", "whats the status", "status", "status update", "progress"),
            *("any news", "any update", "any updates", "any progress", "update"),
            *("hows it coming along", "how is it coming along"),
            *("where is it", "wheres it", "where is my image", "wheres my image"),
            *("where is the image", "wheres the image", "where is my draft", "where is the draft"),
            *("where is my picture", "where is the picture", "are you working"),
            *("are you still working", "are you working on it", "are you still working on it"),
            *("is it working", "did it work", "did it fail", "what happened", "are you stuck"),
            *("is it stuck", "still working", "still working on it", "still there"),
            *("are you still there", "eta", "whats the eta", "any eta", "whats up with my image"),
            *("what are you doing", "what is happening", "whats happening", "whats going on"),
        ),
        "Dutch": (
            *(
                "is het klaar",
                "is het al klaar",
                "hoe lang nog",
                "hoelang nog",
                "hoe lang duurt het",
            ),
            *("wanneer is het klaar", "kun je opschieten", "schiet op"),
        ),
        "French": (
            *("cest prêt", "est ce prêt", "est ce que cest prêt", "cest fini", "combien de temps"),
            *("combien de temps encore", "encore combien de temps", "cest pour quand"),
            *("quand est ce que ce sera prêt", "dépêche toi"),
        ),
        "German": (
            *("ist es fertig", "ist es schon fertig", "ist das fertig", "fertig", "schon fertig"),
            *("bist du fertig", "wie lange", "wie lange noch", "wie lange dauert es"),
            *("wie lange dauert das", "wie lange dauert das noch", "wann ist es fertig"),
            *("wie weit bist du", "beeil dich", "geht das schneller", "gehts schneller"),
        ),
        "Italian": (
            *("è pronto", "è pronta", "quanto tempo", "quanto manca", "quanto ci vuole"),
            *("quando è pronto", "sbrigati"),
        ),
        "Polish": ("gotowe", "czy gotowe", "jak długo", "ile jeszcze", "pospiesz się"),
        "Portuguese": (
            *("está pronto", "está pronta", "já está pronto", "quanto tempo falta", "falta muito"),
            *("quando fica pronto", "anda logo"),
        ),
        "Spanish": (
            *("está listo", "está lista", "ya está", "ya está listo", "cuánto tiempo"),
            *("cuánto falta", "cuánto tarda", "falta mucho", "cuándo estará listo", "date prisa"),
        ),
        "Danish, Norwegian, Swedish": (
            *("er den klar", "er det klart", "är den klar", "är det klart", "hvor lenge"),
            *("hvor længe", "hur länge"),
        ),
        "Turkish": ("hazır mı", "ne kadar sürer", "acele et"),
        "Russian, Ukrainian": (
            "готово",
            "уже готово",
            "сколько ещё",
            "как долго",
            "скоро",
            "чи готово",
        ),
        "Chinese": ("好了吗", "好了嗎", "完成了吗", "还要多久", "要多久", "快点"),
        "Japanese": ("できた", "できましたか", "まだですか", "あとどのくらい", "急いで"),
        "Korean": ("다 됐어", "다 됐어요", "얼마나 걸려요", "언제 돼요", "빨리"),
    }
)

_POLITE = frozenset(
    (
        *("please", "pls", "plz", "hey", "hi", "hello", "ok", "okay", "so", "and", "but", "um"),
        *("well", "sorry", "excuse", "me", "bot", "imagine", "thanks", "thx", "now", "already"),
        *("then", "just", "thank", "you", "bitte", "danke", "por", "favor", "svp", "merci"),
    )
)
"""Words beside which a message still asks the same."""


def asks_for_status(text: str) -> bool:
    """Whether the whole message does."""
    tokens = plain_words(text).split()
    for first in range(len(tokens)):
        for end in range(len(tokens), first, -1):
            if " ".join(tokens[first:end]) in _ENTRIES:
                return True
            if tokens[end - 1] not in _POLITE:
                break
        if tokens[first] not in _POLITE:
            return False
    return False


_ENTRIES = frozenset(
    plain_words(entry) for entries in STATUS_QUESTIONS.values() for entry in entries
)
