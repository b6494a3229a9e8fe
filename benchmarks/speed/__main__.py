import sys

from av_envs.benchmarks.speed.command import main

if __name__ == "__main__":
    sys.exit(main())
