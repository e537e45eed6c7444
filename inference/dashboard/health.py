"""Whether all is well: the verdict, in a line."""

from __future__ import annotations

from dataclasses import dataclass

from inference.dashboard.figures import Figures
from inference.dashboard.findings import problems
from inference.dashboard.problem import Level, Problem
from inference.templatetags.numbers import rate


@dataclass(frozen=True)
class Health:
    """The verdict, and the problems that it is made of, the worst first."""

    level: Level
    headline: str
    detail: str
    problems: list[Problem]

    @property
    def severity(self) -> str:
        """The level as the page's classes have it."""
        return self.level.name.lower()


def judge(figures: Figures) -> Health:
    """The verdict on some figures."""
    found = problems(figures)
    if not found:
        return Health(Level.OK, "All is well", _in_a_sentence(figures), [])
    level = found[0].level
    if level is Level.START:
        return Health(level, "Ready to be set up", "", found)
    headline = found[0].what if len(found) == 1 else f"{len(found)} things need your attention"
    return Health(level, headline, "", found)


def _in_a_sentence(figures: Figures) -> str:
    workers, recent = figures.fleet.count, figures.recent
    version = f" with version {figures.default_network.active.number}" if figures.default_network.active else ""
    requests = f"{rate(recent.rate)} requests a second now" if recent.count else "no request just now"
    who = "1 worker answers" if workers == 1 else f"{workers} workers answer"
    return f"{who}{version}; {requests}."
