"""The help, and what to say about a refused option. Both name all options, also those that the
configured model does not have."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.option_table import OPTIONS
from bot.domain.options import Flag, OptionSpec
from bot.domain.prompt import OptionsRefused
from bot.domain.refusals import OptionRefused, OptionsDisagree
from bot.views.blocks import cut, one_line, repeated
from bot.views.failure_words import PICTURES
from bot.views.ids import COMMAND

MOST_TOLD = 8
"""Wrong options that are told one by one."""
SHOWN = 60
"""UTF-16 units of a refused option, or of its value."""
_TO_CORRECT = "This is what you typed, to copy and correct:"

_EXAMPLE = "a fox on the moon --ar 16:9 --quality high --n 3 --transparent"
_HOW_IT_WORKS = (
    "*How it works*\n"
    "You ask for an image, look at the draft in a thread, and decide. Only what you approve goes "
    "to the channel.\n\n"
    "*Start an image*\n"
    f"• Type `{COMMAND} a robot eating pizza on Mars`, or `{COMMAND}` alone for a form.\n"
    "• Or mention me with your idea in a channel, or write it to me directly.\n"
    f"• From a picture ({PICTURES}): attach or forward one when you mention me, or choose "
    "*Edit this image* from the menu of a message with one.\n\n"
    "*Decide on the draft, in its thread*\n"
    "• *Approve* shows it to the channel.\n"
    "• *Regenerate* makes another of the same.\n"
    "• *Refine* asks what should change about this image.\n"
    "• *Edit prompt* starts afresh from other words or options.\n"
    "• *Approve this one* and *Refine* stand below every earlier draft: none is lost.\n"
    f"• *Cancel* stops what is being made, and so does `{COMMAND} cancel`.\n"
    f"• *Discard* ends a draft without an approval: `{COMMAND} cancel` when nothing is being made, "
    "or “discard” in the thread, offers it. *Undo* takes it up again for ten minutes.\n"
    "• *Try again* asks once more, where that can help.\n\n"
    "*Or just say it there*\n"
    "• Mention me with “make it night”, or “make number 2 blue” where there are several images. "
    "What you say while I work waits for the draft.\n"
    "• Words that name a button get you the button, and start nothing: approve, again, redo, "
    "refine, edit prompt, start over, undo. Thanks and “is it ready?” cost nothing either.\n"
    "• Where I can't be sure what you mean, I ask you first.\n\n"
    "*After it is approved*\n"
    "• Anybody can press *Edit this image* or *Start over*: a new session of their own, from that "
    "image or with its prompt.\n"
)
_WHAT_YOU_HAVE = (
    "*What you have*\n"
    f"• `{COMMAND} list` lists what you have in progress. The Home tab has that too, your approved "
    "images and your own default options.\n"
    f"• `{COMMAND} usage` shows what you used of your limits, and admins what the workspace did.\n"
    f"• `{COMMAND} settings` opens the form in which admins set limits.\n"
    f"• `{COMMAND} help` shows this, only to you."
)


def help_words() -> str:
    """How it all works, in mrkdwn, for `/imagine help` and the Home tab."""
    return f"{_HOW_IT_WORKS}\n{options_help()}\n\n{_WHAT_YOU_HAVE}"


def options_help() -> str:
    lines = [line for spec in OPTIONS for line in _help_lines(spec)]
    lead = f"*Options* can stand anywhere in what you type: `{COMMAND} {_EXAMPLE}`"
    return "\n".join([lead, *(f"• {line}" for line in lines)])


def _help_lines(spec: OptionSpec) -> list[str]:
    if not spec.switches:
        return [f"`{flag}` takes {_takes(spec, flag)}{flag.note}" for flag in spec.flags]
    others = (value for value in spec.choices if value not in spec.switches)
    so_too = _listed((f"{spec.flags[-1]} {value}" for value in others), "or")
    line = f"{_listed(_switches(spec), 'or')} sets the {spec.label.lower()}"
    return [f"{line}, and so does {so_too}" if so_too else line]


def option_refusal_words(refused: OptionRefused) -> str:
    """Why an option is refused, with Markdown's code signs; nothing is escaped."""
    option = f"`{cut(refused.option, SHOWN)}`"
    found = OPTIONS.flag(refused.option)
    if found is None:
        return f"There is no option {option}."
    takes = _listed(refused.allowed, "or") if refused.allowed else _takes(*found)
    if not refused.value:
        return f"{option} needs a value: {takes}."
    value = cut(one_line(refused.value.replace("`", "'")), SHOWN)
    nearest = f" The nearest possible size is `{refused.nearest}`." if refused.nearest else ""
    return f"{option} must be {takes}, not `{value}`.{nearest}"


def options_refusal_words(refusal: OptionsRefused) -> str:
    """The refusals of all options, one a line, at most `MOST_TOLD`."""
    told = list(dict.fromkeys(map(option_refusal_words, refusal.refused)))
    more = len(told) - MOST_TOLD
    lines = told[:MOST_TOLD] + ([f"{more} more are not possible."] if more > 0 else [])
    lines = [f"• {line}" for line in lines] if len(lines) > 1 else lines
    if any(OPTIONS.flag(each.option) is None for each in refusal.refused):
        names = (name for spec in OPTIONS for name in [*map(str, spec.flags), *_switches(spec)])
        lines.append(f"The options are {_listed(names, 'and')}; `{COMMAND} help` explains them.")
    return "\n".join(lines)


def typed_to_correct(text: str, *, command: bool) -> str:
    """All that was typed, in mrkdwn, to be copied and corrected."""
    return repeated(f"{COMMAND} {text}" if command else text, _TO_CORRECT)


def disagreement_words(refusal: OptionsDisagree) -> str:
    spec = OPTIONS[refusal.option]
    typed, selected = spec.in_words(refusal.typed), spec.in_words(refusal.selected)
    return (
        f"Your prompt asks for {typed}, and {spec.label} is set to {selected}. "
        f"Choose the same in {spec.label}, or take {spec.flags[-1]} out of the prompt."
    )


def _takes(spec: OptionSpec, flag: Flag) -> str:
    return flag.takes or _listed(spec.choices, "or")


def _switches(spec: OptionSpec) -> list[str]:
    return [f"--{switch}" for switch in spec.switches]


def _listed(words: Iterable[str], last: str) -> str:
    coded = [f"`{word}`" for word in words]
    return f"{', '.join(coded[:-1])} {last} {coded[-1]}" if len(coded) > 1 else "".join(coded)
