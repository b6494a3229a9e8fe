"""The robots of a team and the measurements of one step: emitters, receivers and their order.

Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023, figure 1:
the robots emit one after the other while the others listen, then all move at once.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from av_envs.rir_measure.config import MeasureConfig


class Link(NamedTuple):
    """One measurement of a step, by index.

    emitter   robots first, then the fixed sources
    receiver  robots first, then the fixed receivers
    """

    emitter: int
    receiver: int


class SubStep(NamedTuple):
    """One device emits, the others listen; by name."""

    emitter: str
    receivers: tuple[str, ...]


@dataclass(frozen=True)
class Roster:
    """The robots of a team and what they measure, as the config fixes it for all episodes."""

    config: MeasureConfig

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the robots, in order."""
        return tuple(robot_name(k) for k in range(self.config.robots))

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """The measurements of a step."""
        config = self.config
        return links(
            config.robots,
            config.emitting,
            config.listening,
            config.fixed_sources,
            config.fixed_receivers,
            config.directions,
        )

    @cached_property
    def owned(self) -> dict[str, list[int]]:
        """Indices of the links that each robot answers for, by its name."""
        return self._by_robot([owner(link, self.config.robots) for link in self.links])

    @cached_property
    def heard(self) -> dict[str, list[int]]:
        """Indices of the links that each robot receives, by its name."""
        return self._by_robot([link.receiver for link in self.links])

    def _by_robot(self, numbers: list[int]) -> dict[str, list[int]]:
        return {
            name: [p for p, mine in enumerate(numbers) if mine == k]
            for k, name in enumerate(self.names)
        }


def links(
    robots: int,
    emitters: tuple[int, ...],
    receivers: tuple[int, ...],
    fixed_sources: int = 0,
    fixed_receivers: int = 0,
    directions: str = "both",
) -> tuple[Link, ...]:
    """All measurements of a step, emitter after emitter.

    emitters, receivers  numbers of the robots that can
    directions           "forward" leaves out links from a robot to one of lower number

    No robot listens to itself, and what is fixed at both ends is not measured: it never changes.
    """
    sources = (*emitters, *range(robots, robots + fixed_sources))
    listeners = (*receivers, *range(robots, robots + fixed_receivers))
    found = tuple(
        Link(emitter, receiver)
        for emitter in sources
        for receiver in listeners
        if _is_measured(emitter, receiver, robots, directions)
    )
    if not found:
        raise ValueError(
            f"nothing to measure: {robots} robots, emitters {emitters} and {fixed_sources} fixed "
            f"sources, receivers {receivers} and {fixed_receivers} fixed receivers"
        )
    return found


def _is_measured(emitter: int, receiver: int, robots: int, directions: str) -> bool:
    if emitter < robots and receiver < robots:
        return emitter != receiver and (directions == "both" or emitter < receiver)
    return emitter < robots or receiver < robots


def owner(link: Link, robots: int) -> int:
    """The robot that answers for a link: it listens, or it emits to a fixed receiver."""
    return link.receiver if link.receiver < robots else link.emitter


def sub_steps(measured: tuple[Link, ...], robots: int) -> tuple[SubStep, ...]:
    """The links in words, one entry per emission."""
    return tuple(
        SubStep(
            _name(emitter, robots, "source"),
            tuple(
                _name(link.receiver, robots, "microphone")
                for link in measured
                if link.emitter == emitter
            ),
        )
        for emitter in dict.fromkeys(link.emitter for link in measured)
    )


def robot_name(index: int) -> str:
    return f"robot_{index}"


def _name(index: int, robots: int, kind: str) -> str:
    return robot_name(index) if index < robots else f"{kind}_{index - robots}"
