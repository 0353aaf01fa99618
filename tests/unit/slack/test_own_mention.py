"""The bot's own mention is taken out, and good English is left. `@` stands for the mention."""

from __future__ import annotations

import pytest

from bot.slack.own_mention import without_own_mention

MENTION = "<@UBOT>"


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ("@ make it night", "make it night"),
        ("@: make it night", "make it night"),
        ("@, make it night", "make it night"),
        ("@ - make it night", "make it night"),
        ("@ — make it night", "make it night"),
        ("@! draw", "draw"),
        ("@?", ""),
        ("@ ?", ""),
        ("@ ...", ""),
        ("hey @ make it night", "hey make it night"),
        ("make it night @", "make it night"),
        ("@ @ a fox", "a fox"),
        ("@, @: a fox", "a fox"),
        ("@ a fox —ar 16:9", "a fox —ar 16:9"),
        ("@—n 3 a fox", "—n 3 a fox"),
        ("@", ""),
        ("@ :fox_face: on the moon", ":fox_face: on the moon"),
        ("@:fox_face: on the moon", ":fox_face: on the moon"),
        ("@: :fox_face: on the moon", ":fox_face: on the moon"),
        ("@::fox_face: on", ":fox_face: on"),
        ("@, :wave::skin-tone-3: hi", ":wave::skin-tone-3: hi"),
        (":wave::skin-tone-3: @", ":wave::skin-tone-3:"),
        ("a fox :+1: @ :tada:", "a fox :+1: :tada:"),
        ("a :party-parrot:, @", "a :party-parrot:"),
        ("@ :) draw", ":) draw"),
        ("can you, @, draw", "can you, draw"),
        ("can you @ draw", "can you draw"),
        ("can you, @ draw a fox", "can you, draw a fox"),
        ("can you @, draw a fox", "can you, draw a fox"),
        ("hey @, draw a fox", "hey, draw a fox"),
        ("hey, @: draw a fox", "hey, draw a fox"),
        ("hey, @! Draw a fox", "hey! Draw a fox"),
        ("Hello! @, draw a fox", "Hello! draw a fox"),
        ("Hello @! draw a fox", "Hello! draw a fox"),
        ("a fox, please, @!", "a fox, please!"),
        ("a fox, please, @.", "a fox, please."),
        ("a fox, @", "a fox"),
        ("a fox. @", "a fox."),
        ("a fox. @.", "a fox."),
        ("a fox? @!", "a fox?"),
        ("a fox - @", "a fox"),
        ("a fox — @ — on the moon", "a fox — on the moon"),
        ("a fox—@—on the moon", "a fox—on the moon"),
        ("a fox -- @ -- on the moon", "a fox -- on the moon"),
        ("a fox - @ on the moon", "a fox - on the moon"),
        ("well — @, draw", "well — draw"),
        ("(@) a fox", "a fox"),
        ("( @ ) a fox", "a fox"),
        ("a fox (@)", "a fox"),
        ("a fox (@) on the moon", "a fox on the moon"),
        ("(@, draw) a fox", "(draw) a fox"),
        ("(draw, @) a fox", "(draw) a fox"),
        ("a fox (cc @)", "a fox (cc)"),
        ('"@" draw a fox', "draw a fox"),
        ('"@ draw a fox"', '"draw a fox"'),
        ('he said "@, draw a fox"', 'he said "draw a fox"'),
        ("“@” draw", "draw"),
        ('say "hi" @ "bye"', 'say "hi" "bye"'),
        ("*@* draw", "draw"),
        ("*_@_* draw", "draw"),
        ("*@: draw*", "*draw*"),
        ("`@` draw", "draw"),
        ('a sign "draw, @"', 'a sign "draw"'),
        ('a sign "hello, @!" there', 'a sign "hello!" there'),
        ("draw @'s cat", "draw your cat"),
        ("draw @’s cat", "draw your cat"),
        ("@'s turn to draw", "your turn to draw"),
        ("(@'s cat)", "(your cat)"),
        ("@'ll draw", "you'll draw"),
        ("one\n@ two", "one\ntwo"),
        ("one @\ntwo", "one\ntwo"),
        ("one\n@\ntwo", "one\n\ntwo"),
        ("@\nmake it night", "make it night"),
        ("make it night\n@", "make it night"),
        ("请@画一只狐狸", "请画一只狐狸"),
        ("@，画一只狐狸", "画一只狐狸"),
        ("Tom &amp; @ Jerry", "Tom &amp; Jerry"),
        ("Tom &amp;@", "Tom &amp;"),
        ("&gt; @ draw", "&gt; draw"),
        ("&lt;3 @, draw", "&lt;3, draw"),
        ("draw @ --ar 16:9", "draw --ar 16:9"),
        ("draw@--ar 16:9", "draw--ar 16:9"),
        ("ask @ to draw", "ask to draw"),
        ("@ @, can you, @, draw, @?", "can you, draw?"),
        ("- @ draw", "draw"),
        ("• @, draw", "• draw"),
        ("a fox; @; a cat", "a fox; a cat"),
        ("a fox / @ / a cat", "a fox / / a cat"),
        ("@bot", "bot"),
        ("is it ok @?", "is it ok?"),
        ("is it ok, @ ?", "is it ok?"),
        ("thanks, @ :pray:", "thanks, :pray:"),
        ("@ .5 scale", ".5 scale"),
        ("@ !important", "!important"),
        ("a fox @...", "a fox..."),
        ("a fox: @: a cat", "a fox: a cat"),
        ("‘@’s cat’", "‘your cat’"),
        ("¡@! dibuja un zorro", "dibuja un zorro"),
        ("¿@? un zorro", "un zorro"),
        ("¿@, puedes dibujar un zorro?", "¿puedes dibujar un zorro?"),
        ("Hola. ¡@ dibuja un zorro!", "Hola. ¡dibuja un zorro!"),
        ("¿Puedes, @, dibujar?", "¿Puedes, dibujar?"),
        ("```@ draw```", "```draw```"),
        ("“Hello, @,” she said", "“Hello,” she said"),
        ("it's @'s turn, @!", "it's your turn!"),
        ("你好，@，画狐狸", "你好，画狐狸"),
        ("1. @ draw a fox", "1. draw a fox"),
        (":fox_face:@:moon:", ":fox_face::moon:"),
        ("draw @ :+1::skin-tone-2:", "draw :+1::skin-tone-2:"),
        ("at 10:30 @ a fox", "at 10:30 a fox"),
        ("@ 10:30 :clock1: a fox", "10:30 :clock1: a fox"),
        ('ask @: "draw a fox"', 'ask: "draw a fox"'),
        ('"Draw a fox", @!', '"Draw a fox"!'),
        ("at 12:30, @: a cat", "at 12:30, a cat"),
    ],
)
def test_good_english_is_left(sent: str, left: str) -> None:
    assert without_own_mention(sent.replace("@", MENTION), "UBOT") == left
    assert without_own_mention(sent.replace("@", "<@UBOT|imagine>"), "UBOT") == left


def test_other_mentions_stay() -> None:
    text = "<@UBOTTOM> and <@U7>, <@UBO>"
    assert without_own_mention(f"<@UBOT> {text}", "UBOT") == text


@pytest.mark.parametrize("pieces", [300, 3_000])
def test_many_mentions_leave_every_word(pieces: int) -> None:
    text = "".join(f"word{n}, {MENTION} :fox:{MENTION}" for n in range(pieces))
    left = without_own_mention(text, "UBOT")
    assert left.count(":fox:") == pieces
    assert all(f"word{n}," in left for n in range(pieces))
    assert MENTION not in left
