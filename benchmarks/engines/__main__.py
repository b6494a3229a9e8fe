import sys

from av_envs.benchmarks.engines.command import main

if __name__ == "__main__":
    sys.exit(main())
