import sys

from av_envs.benchmarks.options.engines import main

if __name__ == "__main__":
    sys.exit(main())
