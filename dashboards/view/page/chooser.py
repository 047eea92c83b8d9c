"""The selects of a board's variables."""

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from dashboards.queries import ALL, Choice
from dashboards.view.locale import Translate
from dashboards.view.variables import Variable

Chosen = Callable[[str, Choice], None]
"""(variable, its new choice)."""


class Chooser:
    """One variable's label and select, or line to write in."""

    def __init__(self, variable: Variable, tr: Translate, chosen: Chosen) -> None:
        self.variable = variable
        self._tr, self._chosen = tr, chosen
        self._quiet = False
        with ui.element("div").classes("cn-var"):
            label = tr(variable.label)
            ui.label(label).classes("cn-var-label").props("aria-hidden=true")
            self._control = self._text() if variable.kind == "textbox" else self._select()
            self._control.props["aria-label"] = label
            if variable.description:
                self._control.tooltip(tr(variable.description))

    def show(self, offered: Sequence[str], choice: Choice | None) -> None:
        """Offer other values, and show what is chosen of them."""
        self._quiet = True
        if isinstance(self._control, ui.select):
            several = [] if choice is None else [choice] if isinstance(choice, str) else [*choice]
            values = dict.fromkeys([*offered, *(one for one in several if one != ALL)])
            options = {value: self._tr(value) for value in values}
            if self.variable.include_all:
                options = {ALL: self._tr("All"), **options}
            value: Any = several if self.variable.multi else (several[0] if several else None)
            if options != self._control.options or value != self._control.value:
                self._control.set_options(options, value=value)
        elif isinstance(choice, str):
            self._control.value = choice
        self._quiet = False

    def _select(self) -> ui.select:
        return (
            ui.select({}, multiple=self.variable.multi, with_input=True, on_change=self._changed)
            .props("dense borderless options-dense hide-dropdown-icon input-debounce=0")
            .classes("cn-var-select")
        )

    def _text(self) -> ui.input:
        return (
            ui.input(on_change=self._changed)
            .props("dense borderless debounce=500")
            .classes("cn-var-select")
        )

    def _changed(self, event: ValueChangeEventArguments[Any]) -> None:
        if self._quiet:
            return
        before = event.previous_value if self.variable.multi else None
        choice = settled(event.value, before)
        if choice is not None:
            self._chosen(self.variable.name, choice)


def settled(value: Any, before: Sequence[str] | None) -> Choice | None:  # noqa: ANN401 - NiceGUI's
    """What a select's value means: "All" and single values exclude each other.

    Args:
        value: A text, or the several that are marked.
        before: The several that were marked before; None: only one can be.

    Returns:
        The choice; None where nothing is chosen, which is no choice.
    """
    if before is None:
        return str(value) if value else None
    marked = [str(one) for one in value or ()]
    if not marked:
        return ALL if before else None
    if ALL in marked and ALL not in before:
        return ALL
    kept = tuple(one for one in marked if one != ALL)
    if not kept:
        return ALL
    return kept[0] if len(kept) == 1 else kept
