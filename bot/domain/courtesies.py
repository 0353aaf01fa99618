"""Messages that ask for no image: thanks, greetings, and cries for help.

The whole message has to be an entry of the table, in any case, with any punctuation and emoji
around and between its words. A greeting or thanks may be addressed (`hi team`), and a greeting may
stand before another entry. Every other message is a prompt, or a change. README publishes the
table, and a test compares them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Courtesy(StrEnum):
    THANKS = "thanks"
    GREETING = "greeting"
    HELP = "help"


ENTRIES: Mapping[Courtesy, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        Courtesy.THANKS: {
            "English": (
                *("thanks", "thank you", "thank u", "thanks a lot", "thanks so much"),
                *("thanks very much", "thank you so much", "thank you very much", "many thanks"),
                *("thanks again", "thank you again", "thanks a million", "thanks a ton"),
                *("thanks everyone", "thanks all", "thank you all", "thanks bot", "thank you bot"),
                *("thanks imagine", "thank you imagine", "hi thanks", "ok thanks", "okay thanks"),
                *("ok thank you", "okay thank you", "great thanks", "great thank you"),
                *("perfect thanks", "perfect thank you", "cool thanks", "nice thanks"),
                *("awesome thanks", "amazing thanks", "lovely thanks", "wonderful thanks"),
                *("thanks a bunch", "thank you for your help", "thanks for your help"),
                *("thanks for the help", "thanks for that", "thanks for this", "thanks anyway"),
                *("youre welcome", "no problem", "no worries"),
                *("super thanks", "no thanks", "no thank you", "thx", "thnx", "tnx", "ty", "tysm"),
                *("tyvm", "cheers", "much appreciated", "i appreciate it", "appreciate it"),
            ),
            "Czech": ("děkuji", "děkuju", "díky"),
            "Danish, Norwegian, Swedish": ("tak", "mange tak", "takk", "tusen takk", "tack"),
            "Dutch": ("bedankt", "dank je", "dank je wel", "dankjewel", "dank u", "dank u wel"),
            "French": ("merci", "merci beaucoup", "merci bien", "mille mercis"),
            "German": ("danke", "danke schön", "dankeschön", "danke sehr", "vielen dank"),
            "Italian": ("grazie", "grazie mille", "molte grazie"),
            "Polish": ("dziękuję", "dzięki"),
            "Portuguese": ("obrigado", "obrigada", "muito obrigado", "muito obrigada"),
            "Spanish": ("gracias", "muchas gracias", "mil gracias"),
            "Turkish": ("teşekkürler", "teşekkür ederim"),
            "Russian, Ukrainian": ("спасибо", "большое спасибо", "дякую"),
            "Chinese": ("谢谢", "謝謝", "多谢", "多謝"),
            "Japanese": ("ありがとう", "ありがとうございます"),
            "Korean": ("감사합니다", "고마워", "고맙습니다"),
        },
        Courtesy.GREETING: {
            "English": (
                *("hi", "hello", "hey", "hiya", "howdy", "yo", "hi there", "hello there"),
                *("hey there", "hi bot", "hello bot", "hey bot", "hi imagine", "hello imagine"),
                *("hey imagine", "hi all", "hi everyone", "hello everyone", "hello all"),
                *("good morning", "good afternoon", "good evening", "good day", "good night"),
                *("greetings", "how are you", "hi how are you", "hello how are you"),
                *("hey how are you", "how are you doing", "hows it going", "whats up", "sup"),
                *("ping", "are you there", "anyone there", "nice to meet you", "bye", "goodbye"),
                *("bye bye", "see you", "see you later", "see ya", "good bye", "morning", "gm"),
                *("wassup", "how are you today", "you there", "is anyone there"),
            ),
            "Czech": ("ahoj", "dobrý den"),
            "Danish, Norwegian, Swedish": ("hej", "hei", "god morgen", "god morgon", "goddag"),
            "Dutch": ("hoi", "goedemorgen", "goedemiddag", "goedenavond", "tot ziens"),
            "French": ("bonjour", "salut", "bonsoir", "coucou", "au revoir"),
            "German": (
                *("hallo", "guten morgen", "guten tag", "guten abend", "moin", "servus"),
                *("grüß gott", "tschüss", "auf wiedersehen"),
            ),
            "Italian": ("ciao", "buongiorno", "buonasera", "arrivederci"),
            "Polish": ("cześć", "dzień dobry"),
            "Portuguese": ("olá", "oi", "bom dia", "boa tarde", "boa noite"),
            "Spanish": ("hola", "buenos días", "buenas tardes", "buenas noches", "adiós"),
            "Turkish": ("merhaba", "selam"),
            "Russian, Ukrainian": ("привет", "здравствуйте", "добрый день", "привіт"),
            "Chinese": ("你好", "您好", "早上好"),
            "Japanese": ("こんにちは", "おはよう", "おはようございます", "こんばんは"),
            "Korean": ("안녕", "안녕하세요"),
        },
        Courtesy.HELP: {
            "English": (
                *("help", "help me", "help please", "please help", "please help me"),
                *("help me please", "help needed", "i need help", "i need some help"),
                *("can you help", "can you help me", "can you help me please"),
                *("could you help me", "what can you do", "what do you do", "what can i do"),
                *("what now", "now what", "what next", "whats next", "what should i do"),
                *("what do i do", "what do i do now", "what can i do now", "how do i approve"),
                *("how do i approve it", "how do i approve this", "what are my options"),
                *("what can i do here", "what is this", "what are you", "who are you"),
                *("how does this work", "how does it work", "how do you work"),
                *("how do i use this", "how do i use you", "how can i use this"),
                *("how to use this", "how to use", "what are the commands", "show help"),
                *("commands", "instructions", "usage", "options", "info", "manual"),
            ),
            "Czech": ("pomoc", "nápověda"),
            "Danish, Norwegian, Swedish": ("hjælp", "hjelp", "hjälp"),
            "Dutch": ("hulp", "help mij"),
            "French": ("aide", "aidez moi", "aide moi", "à laide"),
            "German": ("hilfe", "hilf mir", "wie geht das", "was kannst du"),
            "Italian": ("aiuto", "aiutami"),
            "Polish": ("pomocy", "pomóż mi"),
            "Portuguese": ("ajuda", "me ajuda"),
            "Spanish": ("ayuda", "ayúdame"),
            "Turkish": ("yardım",),
            "Russian, Ukrainian": ("помощь", "помогите", "допомога"),
            "Chinese": ("帮助", "幫助", "帮我"),
            "Japanese": ("ヘルプ", "助けて"),
            "Korean": ("도움말", "도와줘"),
        },
    }
)

ADDRESSED = frozenset(
    (
        *("again", "all", "bot", "buddy", "dear", "everybody", "everyone", "folks", "friend"),
        *("friends", "guys", "imagine", "man", "mate", "pal", "people", "robot", "team", "there"),
    )
)
"""Words behind a greeting or thanks."""

LONGEST = 200
"""Characters of a message that is looked at."""

_EMOJI_CODE = re.compile(r":[^\s:]+:(?::skin-tone-[2-6]:)?")
_SMILEY = re.compile(r"(?<!\S)(?:[:;=]-?[()DPp3|/]|[xX]D+|<3+|\^_?\^)(?!\S)")
_SAME_LETTER = str.maketrans("ı", "i", "'’ʼ‘`´")


def courtesy_of(text: str) -> Courtesy | None:
    """The kind of the whole message. A message of punctuation alone, such as `?`, asks for help."""
    words = plain_words(text)
    if not words and 0 < len(text.strip()) <= LONGEST and all(_is_punctuation(c) for c in text):
        return Courtesy.HELP
    return _BY_WORDS.get(words) or _composed(words.split())


def _composed(tokens: list[str]) -> Courtesy | None:
    """The kind of an entry behind a greeting, or of one before those who are addressed. Each rest
    of the message is read once, the shortest first: greetings in a row have many readings."""
    kinds: dict[int, Courtesy | None] = {}
    for start in reversed(range(len(tokens))):
        kinds[start] = _composed_from(tokens, start, kinds)
    return kinds.get(0)


def _composed_from(
    tokens: list[str], start: int, kinds: dict[int, Courtesy | None]
) -> Courtesy | None:
    """`kinds` holds the kind of every shorter rest, by its beginning."""
    last = len(tokens)
    while last - start > 1 and tokens[last - 1] in ADDRESSED:
        last -= 1
    kind = _BY_WORDS.get(" ".join(tokens[start:last]))
    if kind is not None and kind is not Courtesy.HELP:
        return kind
    for end in range(start + 1, len(tokens)):
        if _BY_WORDS.get(" ".join(tokens[start:end])) is Courtesy.GREETING:
            rest = end
            while rest < len(tokens) and tokens[rest] in ADDRESSED:
                rest += 1
            if kind := _BY_WORDS.get(" ".join(tokens[rest:])) or kinds.get(rest):
                return kind
    return None


def plain_words(text: str) -> str:
    """Its letters and digits, in lower case and without accents, which people leave out. None of a
    text that is too long to be a courtesy or a command."""
    if len(text) > LONGEST:
        return ""
    text = _EMOJI_CODE.sub(" ", _SMILEY.sub(" ", text))
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_SAME_LETTER))
    kept = (_letter(c) for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def _letter(c: str) -> str:
    kind = unicodedata.category(c)
    if kind == "Cf":
        return ""
    return c if kind[0] in "LN" or kind == "Mc" else " "


def _is_punctuation(c: str) -> bool:
    return c.isspace() or unicodedata.category(c)[0] == "P"


_BY_WORDS = {
    plain_words(entry): courtesy
    for courtesy, languages in ENTRIES.items()
    for entries in languages.values()
    for entry in entries
}
