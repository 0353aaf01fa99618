"""What an option of an image is: how it is typed, what it takes, what it is called, and how the
provider is asked for it. The options themselves are in `bot.domain.option_table`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from bot.domain.refusals import ImpossibleValue, OptionRefused, OptionsDisagree

Value = str | int
"""Empty or 0 where nothing is chosen."""

MOST_CANDIDATES = 4
AUTO = "auto"
"""The value that leaves the choice to the model."""


@dataclass(frozen=True, init=False)
class Options:
    """The chosen options, by the names in `OPTIONS`. An option that is not chosen falls back first
    to the person's own defaults, then to the operator's settings."""

    chosen: tuple[tuple[str, Value], ...]

    def __init__(self, **values: Value) -> None:
        chosen = tuple(sorted((name, value) for name, value in values.items() if value))
        object.__setattr__(self, "chosen", chosen)

    def get(self, name: str) -> Value:
        return dict(self.chosen).get(name, "")

    def replace(self, **values: Value) -> Options:
        """These options with other values; an empty value takes its option out."""
        return Options(**{**dict(self.chosen), **values})

    def over(self, defaults: Options) -> Options:
        """These options, and the defaults where they say nothing."""
        return Options(**dict(defaults.chosen + self.chosen))

    def agreeing_with(self, selected: Options) -> Options:
        """The options typed in a form's prompt and those of its selects. Raises
        `OptionsDisagree`."""
        for name, typed in self.chosen:
            other = selected.get(name)
            if other and other != typed:
                raise OptionsDisagree(name, typed, other)
        return self.over(selected)

    @property
    def size(self) -> str:
        """`auto`, W×H in pixels with an `x`, or empty."""
        return str(self.get("size"))

    @property
    def background(self) -> str:
        return str(self.get("background"))

    @property
    def candidates(self) -> int:
        return int(self.get("count") or 1)


NO_OPTIONS = Options()
LOWEST_QUALITY = "low"


@dataclass(frozen=True)
class Flag:
    """One way to type an option: `--name` and a value. Code in its words stands in backticks.

    `takes` says which values, and is empty for the choices of the option; `note` is what the help
    adds to it. `parse` raises `ImpossibleValue`; without one the value is one of the choices.
    """

    name: str
    aliases: tuple[str, ...] = ()
    takes: str = ""
    note: str = ""
    parse: Callable[[str], Value] | None = None

    def __str__(self) -> str:
        return f"--{self.name}"


@dataclass(frozen=True)
class OptionSpec:
    """One option.

    `name` is also its name in storage and the id of its selects. The last of the `flags` takes all
    that the option can be. `switches` are choices that are flags of their own, without a value.
    `choices` are the values of the selects, with their labels; with `open_ended` there are others.
    `words` tell a value in a status line, where `auto` is told with the label; `told_last` is the
    order there. `argument` is the name that the provider's APIs have for it. `newest` are the
    choices that only OpenAI's newest models have, `settable` values that the operator may set and
    nobody is offered. `example` is how it can be typed.
    """

    name: str
    label: str
    flags: tuple[Flag, ...]
    choices: Mapping[str, str] = field(hash=False)
    switches: tuple[str, ...] = ()
    open_ended: bool = False
    words: Callable[[Value], str] = str
    told_last: bool = False
    argument: str = ""
    newest: frozenset[str] = frozenset()
    settable: frozenset[str] = frozenset()
    example: str = ""

    def parse(self, text: str, flag: Flag | None = None) -> Value:
        """Raises `OptionRefused`."""
        flag = flag or self.flags[-1]
        if flag.parse:
            try:
                return flag.parse(text)
            except ImpossibleValue as impossible:
                raise OptionRefused(str(flag), text, nearest=impossible.nearest) from None
        value = text.strip().lower()
        if value not in self.choices:
            raise OptionRefused(str(flag), text, allowed=tuple(self.choices))
        return value

    def offers(self, value: Value) -> bool:
        return self.open_ended or str(value) in self.choices

    def default_label(self, value: Value) -> str:
        """How a select names the value that counts where nothing is chosen."""
        known = self.choices.get(str(value))
        return known if known and not (self.open_ended and value != AUTO) else self.words(value)

    def in_words(self, value: Value) -> str:
        return f"{AUTO} {self.label.lower()}" if value == AUTO else self.words(value)


class OptionTable:
    """Options in the order of forms and help. `defaults` count where nobody chooses."""

    def __init__(self, specs: Iterable[OptionSpec], defaults: Options = NO_OPTIONS) -> None:
        self.specs = tuple(specs)
        self.defaults = defaults

    def __iter__(self) -> Iterator[OptionSpec]:
        return iter(self.specs)

    def __getitem__(self, name: str) -> OptionSpec:
        """Raises `OptionRefused` where there is none of this name."""
        for spec in self:
            if spec.name == name:
                return spec
        raise OptionRefused(f"--{name}")

    def limited_to(self, **allowed: Iterable[str]) -> OptionTable:
        """The table of a model that has only these choices of the options named, which are read by
        their choices."""

        def limited(spec: OptionSpec) -> OptionSpec:
            kept = set(allowed.get(spec.name, spec.choices))
            choices = {value: label for value, label in spec.choices.items() if value in kept}
            return replace(spec, choices=choices)

        return OptionTable(map(limited, self.specs), self.defaults)

    def with_defaults(self, **values: Value) -> OptionTable:
        """The table with other defaults; an empty value sets none."""
        return OptionTable(self.specs, self.defaults.replace(**values))

    def of_older_models(self) -> OptionTable:
        older = {spec.name: set(spec.choices) - spec.newest for spec in self}
        return self.limited_to(**older)

    def offered(self, options: Options) -> Options:
        """The options without those that this table does not have."""
        known = (spec for spec in self if spec.offers(options.get(spec.name)))
        return Options(**{spec.name: options.get(spec.name) for spec in known})

    def flag(self, typed: str) -> tuple[OptionSpec, Flag] | None:
        """The option that is typed by this name, in lower case, and how; dashes before it are
        passed over."""
        typed = typed.lstrip("-")
        for spec in self:
            for flag in spec.flags:
                if typed == flag.name or typed in flag.aliases:
                    return spec, flag
        return None

    def switch(self, typed: str) -> OptionSpec | None:
        """The option that has this choice as a flag of its own."""
        return next((spec for spec in self if typed in spec.switches), None)

    def arguments(self, options: Options) -> dict[str, Value]:
        """The chosen options as the provider's arguments."""
        named = {spec.argument: options.get(spec.name) for spec in self if spec.argument}
        return {name: value for name, value in named.items() if value}
