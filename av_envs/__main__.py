import sys

from av_envs.command_line.dispatch import main

if __name__ == "__main__":
    sys.exit(main())
