"""All commands on one page: what each does, an example, and where it is carried out.

Most are modules that can be run by themselves as well; they keep their own options. They are
imported only when they are called.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """One command.

    target   "module:function"; the function takes the list of words that follow, and returns an
             exit status or None
    summary  what it does, in a line
    example  words that may follow
    given    words that the function gets before those
    """

    target: str
    summary: str
    example: str
    given: tuple[str, ...] = ()


class Group(NamedTuple):
    """Commands that share their first word."""

    summary: str
    commands: dict[str, Command]


Table = dict[str, Command | Group]

HERE = "av_envs.command_line"
BENCH_OPTIONS = "av_envs.benchmarks.options"
TRAIN_OPTIONS = "av_envs.agents.options"

CACHE = Group(
    "what is kept on disk: list, clear",
    {
        "list": Command(f"{HERE}.cached:list_cache", "what is kept, and how large it is", ""),
        "clear": Command(
            f"{HERE}.cached:clear_cache", "remove what can be made again", "--only views"
        ),
    },
)
BENCH = Group(
    "suites and results: run, report, verify, compare, speed, ...",
    {
        "run": Command(
            f"{BENCH_OPTIONS}.run:main",
            "let agents play suites",
            "--suite sep-demo-v2 --agent av_envs.baselines.separation:Random --out results",
        ),
        "report": Command(
            f"{BENCH_OPTIONS}.report:main", "a leaderboard of the results", "results"
        ),
        "verify": Command(
            f"{BENCH_OPTIONS}.verify:main",
            "play episodes of a result again",
            "results/FILE.json",
        ),
        "compare": Command(
            f"{BENCH_OPTIONS}.compare:main",
            "agents against one of them, episode by episode",
            "results --against Random",
        ),
        "speed": Command(
            f"{BENCH_OPTIONS}.speed:main",
            "steps per second on this machine",
            "--env AVRIRMeasure-v0",
        ),
        "engines": Command(
            f"{BENCH_OPTIONS}.engines:main",
            "the acoustics beside other engines",
            "--houses 2 --pairs 4",
        ),
        "demo": Command(
            f"{BENCH_OPTIONS}.demo:main",
            "three agents, a leaderboard and a film",
            "--out demo",
        ),
    },
)
TRAIN = Group(
    "train an agent or a part of one",
    {
        "sb3": Command(
            f"{TRAIN_OPTIONS}.sb3:main",
            "a policy of Stable-Baselines3, for either task",
            "--env AVDynamicSep-v0 --out runs/sb3",
        ),
        "separator": Command(
            f"{TRAIN_OPTIONS}.separator:main", "the passive separator", "--out runs/separator"
        ),
        "locator": Command(
            f"{TRAIN_OPTIONS}.locator:main", "the locator of targets", "--out runs/locator"
        ),
        "imitate": Command(
            f"{TRAIN_OPTIONS}.imitate:main",
            "a separating policy, from an expert",
            "--out runs/imitate",
        ),
        "separation": Command(
            f"{TRAIN_OPTIONS}.separation:main",
            "a separating policy, by PPO",
            "--agent active --out runs/active",
        ),
        "generator": Command(
            f"{TRAIN_OPTIONS}.generator:main",
            "the generator of impulse responses",
            "--out runs/generator",
        ),
        "set-predictor": Command(
            f"{TRAIN_OPTIONS}.set_predictor:main",
            "the predictor that reads all measurements",
            "--out runs/set-predictor",
        ),
        "team": Command(
            f"{TRAIN_OPTIONS}.team:main",
            "a measuring team, by PPO",
            "--preset macma --out runs/team",
        ),
        "choosing": Command(
            f"{TRAIN_OPTIONS}.choosing:main",
            "a team that chooses where to go next, by PPO",
            "--out runs/choosing",
        ),
        "localiser": Command(
            f"{TRAIN_OPTIONS}.localiser:main",
            "a localiser of sounds",
            "--out runs/localiser",
        ),
    },
)
COMMANDS: Table = {
    "list": Command(f"{HERE}.listing:main", "environments, agents, suites or scenes", "agents"),
    "film": Command(
        f"{BENCH_OPTIONS}.film:main",
        "film an episode of an agent, with sound",
        "AVDynamicSep-v0 --agent Oracle --beside Random --episode 3 --out film.mp4",
    ),
    "play": Command(
        f"{BENCH_OPTIONS}.play:main",
        "play an episode yourself, by keys",
        "AVDynamicSep-v0 --episode 3",
    ),
    "view": Command(
        f"{HERE}.view:main",
        "picture of a dwelling: map, graph, views, decay times",
        "train:0 --out house.png",
    ),
    "bake": Command(
        "av_envs.worlds.bake_options:main",
        "trace the dwellings of a split before training",
        "--env AVDynamicSep-v0 --houses 4",
    ),
    "import": Command(
        "av_envs.sound.__main__:main",
        "make a folder of clips of a real corpus",
        "librispeech LibriSpeech --out sounds",
        ("import",),
    ),
    "sounds": Command(
        "av_envs.sound.__main__:main",
        "list the classes of a corpus, or write its clips",
        "--out clips --splits train",
    ),
    "export": Command(
        "av_envs.soundspaces.export_options:main",
        "dwellings as SoundSpaces 1.0 data",
        "--scenes train:4 --out tree",
    ),
    "inspect-mesh": Command(
        "av_envs.worlds.inspect_mesh_options:main",
        "what a mesh file becomes",
        "house.glb --out house.png",
    ),
    "cache": CACHE,
    "doctor": Command(
        f"{HERE}.doctor:main", "what is installed here, and whether it works", "--no-test"
    ),
    "bench": BENCH,
    "train": TRAIN,
}
