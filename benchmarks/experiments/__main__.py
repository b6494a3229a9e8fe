import sys

from av_envs.benchmarks.experiments.command import main

if __name__ == "__main__":
    sys.exit(main())
