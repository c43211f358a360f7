"""Long texts that are hard for a regular expression, made from the expression itself, and the time that it takes.

What takes longer than its text has two forms: an expression that begins again at each place and reads on to the end
(`a+b` on "aaaa…"), and two repetitions side by side that share what they read (`a*a*b`). Both need a text that
repeats what a repetition reads, behind what leads to it. So these texts are tried, at growing lengths.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import permutations, product
from re import _compiler as compiler  # type: ignore[attr-defined]
from re import _constants as code
from re import _parser as parser
from typing import Any

# A repetition of fewer is as good as none.
MANY = 50
SIZES = (256, 1024, 4096, 16384)
# Seconds of the processor. What takes less at the greatest size cannot be told from noise, and hurts nobody.
FLOOR = 0.005
# Four times the text takes four times as long if the time is linear, and sixteen times if it is quadratic.
MOST = 8
# No class of characters has all of these, and each class of ours has one.
_COMMON = "a0 -_.,;:/\\'\"<>()[]{}@%&=+#!\t\r\né"
_MAX_CHARACTERS, _MAX_PAIRED = 10, 6
_OWN = (code.LITERAL, code.RANGE)
# Returns a text of about the asked length.
Text = Callable[[int], Any]


@dataclass
class Repetitions:
    """What the repetitions of an expression read, and what leads to each of them."""

    characters: list[str] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)

    def of(self, tree: Any, before: str = "") -> str:
        """Note the repetitions in a parsed expression; return a text that it matches, behind `before`."""
        for item in tree:
            before = self._of_item(tree.state, item, before)
        return before

    def _of_item(self, state: Any, item: tuple[Any, Any], before: str) -> str:
        operation, argument = item
        match operation:
            case code.MAX_REPEAT | code.MIN_REPEAT | code.POSSESSIVE_REPEAT:
                return self._of_repetition(argument, before)
            case code.SUBPATTERN:
                return self.of(argument[3], before)
            case code.ATOMIC_GROUP:
                return self.of(argument, before)
            case code.BRANCH:
                first, *_others = [self.of(branch, before) for branch in argument[1]]
                return first
            case code.ASSERT | code.ASSERT_NOT:
                behind = self.of(argument[1], before)
                return behind if operation is code.ASSERT and argument[0] < 0 else before
            case code.LITERAL | code.NOT_LITERAL | code.IN | code.ANY:
                return before + next(_read_by(state, item), "")
        return before

    def _of_repetition(self, argument: tuple[int, int, Any], before: str) -> str:
        least, most, repeated = argument
        if most >= MANY:
            self.leads.append(before)
            self.characters += [character for item in _items(repeated) for character in _read_by(*item)]
        behind = self.of(repeated, before)
        return behind + behind.removeprefix(before) * (least - 1)


def _items(tree: Any) -> Iterator[tuple[Any, tuple[Any, Any]]]:
    """Yield each part of a parsed expression that reads one character, with the state that it needs."""
    for item in tree:
        if item[0] in (code.LITERAL, code.NOT_LITERAL, code.IN, code.ANY):
            yield tree.state, item
        else:
            for inner in trees(item[1]):
                yield from _items(inner)


def trees(part: Any) -> Iterator[Any]:
    """Yield the parsed expressions inside an operation's argument."""
    if isinstance(part, parser.SubPattern):
        yield part
    elif isinstance(part, (list, tuple)):
        for one in part:
            yield from trees(one)


def _read_by(state: Any, item: tuple[Any, Any]) -> Iterator[str]:
    """Yield characters that a literal or a class of characters matches: common ones, and its own."""
    one = compiler.compile(parser.SubPattern(state, [item]), state.flags)
    named = item[1] if isinstance(item[1], list) else [item]
    own = [chr(value if operation is code.LITERAL else value[0]) for operation, value in named if operation in _OWN]
    yield from (character for character in [*own[:4], *_COMMON] if one.fullmatch(character))


def hard_texts(expression: re.Pattern[Any]) -> Iterator[Text]:
    """Yield hard texts for this expression, each as a function that returns it at about the asked length."""
    is_bytes = isinstance(expression.pattern, bytes)
    found = Repetitions()
    found.of(parser.parse(expression.pattern, expression.flags & ~(re.UNICODE if is_bytes else 0)))
    characters = list(dict.fromkeys(found.characters))[:_MAX_CHARACTERS]
    pairs = ["".join(pair) for pair in permutations(characters[:_MAX_PAIRED], 2)]
    leads = [lead for lead in dict.fromkeys(found.leads) if lead]
    again = [lead + character for lead in leads for character in characters]
    for pump in [*characters, *pairs, *again]:
        yield _pumped("", pump, is_bytes)
    for lead, pump in product(leads, [*characters, *again]):
        yield _pumped(lead, pump, is_bytes)


def _pumped(head: str, pump: str, is_bytes: bool) -> Text:
    def text(length: int) -> Any:
        whole = head + pump * (length // len(pump)) + "\0"
        return whole.encode("latin-1", "replace") if is_bytes else whole

    return text


def is_slow(use: Callable[[Any], object], text: Text) -> bool:
    """Return whether the time of `use` grows faster than its text; measured twice, as the machine may be busy."""
    return any(
        _seconds(use, text(size)) > FLOOR and all(_grows_faster(use, text, size) for _ in range(2)) for size in SIZES
    )


def _grows_faster(use: Callable[[Any], object], text: Text, size: int) -> bool:
    small, large = (min(_seconds(use, text(length)) for _ in range(3)) for length in (size // 4, size))
    return large > MOST * small


def _seconds(use: Callable[[Any], object], text: Any) -> float:
    began = time.thread_time()
    use(text)
    return time.thread_time() - began
